//! The smoother of the header gives what the runtime gives, and refuses what it must.

use core::mem::MaybeUninit;
use core::ptr;

use edgemix_c::boundary::{edgemix_assign_i16, edgemix_load};
use edgemix_c::smoother::*;
use edgemix_c::status::*;
use edgemix_c::structs::{Assignment, ClusterBelief, Model, Smoother};
use edgemix_format::testing::Spec;
use edgemix_format::write::AlignedBytes;
use edgemix_runtime::{ClusterFilter, Model as RustModel};

/// The bytes live until the end, as those of a firmware do.
fn model(transitions: bool) -> (&'static AlignedBytes, Box<Model>) {
    let spec = Spec { components: 7, clusters: 4, held_out: 1, transitions, ..Spec::default() };
    let bytes = Box::leak(Box::new(spec.build().unwrap()));
    let mut model = Box::new(MaybeUninit::uninit());
    // SAFETY: the pointers are those of a slice.
    let status = unsafe { edgemix_load(Some(&mut *model), bytes.as_ptr().cast(), bytes.len()) };
    assert_eq!(status, EDGEMIX_OK);
    // SAFETY: it has been written.
    (bytes, unsafe { model.assume_init() })
}

fn init(model: &Model, clusters: &mut [ClusterBelief]) -> (Status, Smoother) {
    let mut smoother = MaybeUninit::uninit();
    // SAFETY: the pointers are those of a slice.
    let status =
        unsafe { edgemix_smoother_init(Some(&mut smoother), Some(model), clusters.as_mut_ptr(), clusters.len()) };
    // SAFETY: it is written whatever there is.
    (status, unsafe { smoother.assume_init() })
}

#[test]
fn smoothed_clusters_are_those_of_the_runtime() {
    let (bytes, model) = model(true);
    let reference = RustModel::from_bytes(bytes).unwrap();
    let mut clusters = [ClusterBelief::default(); 6];
    let (status, mut smoother) = init(&model, &mut clusters);
    assert_eq!(status, EDGEMIX_OK);
    let mut beliefs = [edgemix_runtime::ClusterBelief::default(); 6];
    let filter = ClusterFilter::new(&reference, &mut beliefs).unwrap();
    let mut arena = vec![0u32; reference.arena_len().div_ceil(4)];
    let mut other_arena = AlignedBytes::zeroed(reference.arena_len());
    let mut changed = 0;
    for i in 0..500u32 {
        let count = |k: u32| ((i * 31 + k).wrapping_mul(2_654_435_761) >> 24) as i16;
        let sample: Vec<i16> = (0..reference.input_len() as u32).map(count).collect();
        let (mut found, mut cluster) = (MaybeUninit::<Assignment>::uninit(), 0);
        let place = arena.as_mut_ptr().cast();
        // SAFETY: the pointers are those of slices, and an assignment is written where there is no error.
        unsafe {
            let bytes_of_arena = 4 * arena.len();
            let (start, length) = (sample.as_ptr(), sample.len());
            let status = edgemix_assign_i16(Some(&model), start, length, place, bytes_of_arena, Some(&mut found));
            assert_eq!(status, EDGEMIX_OK);
            let found = found.assume_init_ref();
            if i % 50 == 20 {
                assert_eq!(edgemix_smoother_miss(Some(&mut smoother)), EDGEMIX_OK);
                filter.miss(&mut beliefs);
            }
            if i == 300 {
                assert_eq!(edgemix_smoother_restart(Some(&mut smoother)), EDGEMIX_OK);
                filter.restart(&mut beliefs);
            }
            let status = edgemix_smoother_observe(Some(&mut smoother), Some(&model), Some(found), Some(&mut cluster));
            assert_eq!(status, EDGEMIX_OK);
            changed += u32::from(cluster != found.cluster);
        }
        let expected = reference.assign_raw(&sample, &mut other_arena).unwrap();
        assert_eq!(cluster, filter.observe(&expected, &mut beliefs));
        for (k, belief) in (0..).zip(&beliefs) {
            // SAFETY: the clusters live.
            let probability = unsafe { edgemix_smoother_probability(Some(&smoother), k) };
            assert_eq!(probability.to_bits(), belief.probability().to_bits());
        }
    }
    assert!(changed > 0, "no window was corrected");
}

#[test]
fn what_can_not_be_smoothed_is_refused() {
    let (_, known) = model(true);
    let (_, unknown) = model(false);
    let mut clusters = [ClusterBelief::default(); 4];
    let (status, mut not_ready) = init(&unknown, &mut clusters);
    assert_eq!(status, EDGEMIX_ERROR_NO_TRANSITIONS);
    assert_eq!(init(&known, &mut clusters[1..]).0, EDGEMIX_ERROR_TOO_MANY_CLUSTERS);
    let found = Assignment { cluster: 0, component: 0, log_density: 0, novelty: 0, scores: ptr::null() };
    let mut cluster = 0;
    // SAFETY: null pointers and structs that are not filled are refused before anything is read.
    unsafe {
        assert_eq!(edgemix_smoother_init(None, Some(&known), clusters.as_mut_ptr(), 4), EDGEMIX_ERROR_NULL);
        let mut place = MaybeUninit::uninit();
        assert_eq!(edgemix_smoother_init(Some(&mut place), None, clusters.as_mut_ptr(), 4), EDGEMIX_ERROR_NULL);
        assert_eq!(edgemix_smoother_init(Some(&mut place), Some(&known), ptr::null_mut(), 4), EDGEMIX_ERROR_NULL);
        assert_eq!(edgemix_smoother_miss(None), EDGEMIX_ERROR_NULL);
        assert_eq!(edgemix_smoother_miss(Some(&mut not_ready)), EDGEMIX_ERROR_NOT_READY);
        assert_eq!(edgemix_smoother_restart(Some(&mut not_ready)), EDGEMIX_ERROR_NOT_READY);
        assert_eq!(edgemix_smoother_probability(Some(&not_ready), 0), 0.0);
        let call = edgemix_smoother_observe;
        let smoother = &mut not_ready;
        assert_eq!(call(Some(smoother), Some(&known), None, Some(&mut cluster)), EDGEMIX_ERROR_NULL);
        assert_eq!(call(Some(smoother), Some(&known), Some(&found), None), EDGEMIX_ERROR_NULL);
        // The assignment has no scores.
        assert_eq!(call(Some(smoother), Some(&known), Some(&found), Some(&mut cluster)), EDGEMIX_ERROR_NOT_READY);
    }
}
