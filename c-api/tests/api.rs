//! The functions of the header give what the runtime gives, and refuse what they must.

use core::ffi::{CStr, c_void};
use core::mem::MaybeUninit;
use core::ptr;

use edgemix_c::boundary::*;
use edgemix_c::status::*;
use edgemix_c::structs::{Assignment, ClusterDrift, Drift, Model, Stream, Window};
use edgemix_format::write::AlignedBytes;
use edgemix_runtime::{DriftMonitor, RawCount, Stream as RustStream};

const KINDS: [&str; 9] =
    ["autoencoders", "convolution", "diagonal", "full", "held-out", "pooling", "softmax", "spectrum", "spherical"];

/// A model for each kind of head and layer. The bytes live until the end, as those of a firmware do.
fn golden(kind: &str) -> &'static AlignedBytes {
    let path = format!("{}/../format/tests/golden/{kind}.emx", env!("CARGO_MANIFEST_DIR"));
    Box::leak(Box::new(AlignedBytes::from(&std::fs::read(path).unwrap()[..])))
}

fn load(bytes: &[u8]) -> (Status, Box<Model>) {
    let mut model = Box::new(MaybeUninit::uninit());
    // SAFETY: the pointers are those of a slice.
    let status = unsafe { edgemix_load(Some(&mut *model), bytes.as_ptr().cast(), bytes.len()) };
    // SAFETY: `edgemix_load` writes the model whatever it finds.
    (status, unsafe { model.assume_init() })
}

/// A function of the header that assigns a sample.
type Assign<S> = unsafe extern "C" fn(
    Option<&Model>,
    *const S,
    usize,
    *mut c_void,
    usize,
    Option<&mut MaybeUninit<Assignment>>,
) -> Status;

fn assign<S>(assign: Assign<S>, model: &Model, sample: &[S], arena: &mut [u32]) -> Result<Assignment, Status> {
    let mut found = MaybeUninit::uninit();
    let bytes = size_of_val(arena);
    let arena = arena.as_mut_ptr().cast();
    // SAFETY: the pointers are those of slices.
    match unsafe { assign(Some(model), sample.as_ptr(), sample.len(), arena, bytes, Some(&mut found)) } {
        // SAFETY: it is written where there is no error.
        EDGEMIX_OK => Ok(unsafe { found.assume_init() }),
        status => Err(status),
    }
}

fn numbers(n: usize) -> impl Iterator<Item = i16> {
    (0..n as u32).map(|i| (i.wrapping_mul(2_654_435_761) >> 16) as i16)
}

#[track_caller]
fn same(bytes: &'static [u8], model: &Model, found: &Assignment, expected: &edgemix_runtime::Assignment) {
    assert_eq!(
        (found.cluster, found.component, found.log_density, found.novelty),
        (expected.cluster, expected.component, expected.log_density.0, expected.novelty.0)
    );
    for cluster in 0..edgemix_runtime::n_clusters(bytes) as u16 + 1 {
        // SAFETY: the arena was not used since.
        let posterior = unsafe { edgemix_posterior(Some(model), Some(found), cluster) };
        assert_eq!(posterior.to_bits(), expected.posterior(cluster).to_bits());
    }
    assert_eq!(edgemix_p_value(Some(found)), expected.novelty.p_value());
    assert_eq!(edgemix_is_novel(Some(found), 0.3), expected.novelty.is_novel(0.3));
}

#[test]
fn every_kind_of_model_and_count_gives_what_the_runtime_gives() {
    fn check<C: RawCount>(bytes: &'static AlignedBytes, function: Assign<C>, of: fn(i16) -> C) {
        let (status, model) = load(bytes);
        assert_eq!(status, EDGEMIX_OK);
        let reference = edgemix_runtime::Model::from_bytes(bytes).unwrap();
        let mut workspace = AlignedBytes::zeroed(reference.arena_len());
        let mut arena = vec![u32::MAX; edgemix_arena_length(Some(&model)).div_ceil(4)];
        for round in 0..20 {
            let sample: Vec<C> = numbers(reference.input_len() * (round + 1)).map(of).collect();
            let sample = &sample[reference.input_len() * round..];
            let found = assign(function, &model, sample, &mut arena).unwrap();
            same(bytes, &model, &found, &reference.assign_raw(sample, &mut workspace).unwrap());
        }
    }
    for kind in KINDS {
        let bytes = golden(kind);
        check(bytes, edgemix_assign_u8, |n| n as u8);
        check(bytes, edgemix_assign_i8, |n| n as i8);
        check(bytes, edgemix_assign_i16, |n| n);
        let (_, model) = load(bytes);
        let reference = edgemix_runtime::Model::from_bytes(bytes).unwrap();
        assert_eq!(edgemix_input_length(Some(&model)), reference.input_len());
        assert_eq!(edgemix_n_clusters(Some(&model)), reference.n_clusters());
        assert_eq!(edgemix_n_components(Some(&model)), reference.n_components());
        assert_eq!(edgemix_macs(Some(&model)), reference.macs());
        let sample: Vec<f32> = numbers(reference.input_len()).map(|n| f32::from(n) / 97.0).collect();
        let mut arena = vec![0; reference.arena_len().div_ceil(4)];
        let mut workspace = AlignedBytes::zeroed(reference.arena_len());
        let found = assign(edgemix_assign_float, &model, &sample, &mut arena).unwrap();
        same(bytes, &model, &found, &reference.assign(&sample, &mut workspace).unwrap());
    }
}

#[test]
fn levels_are_those_of_the_runtime() {
    let spec = edgemix_format::testing::Spec { components: 9, clusters: 9, levels: vec![3], ..Default::default() };
    let bytes: &'static AlignedBytes = Box::leak(Box::new(spec.build().unwrap()));
    let (_, model) = load(bytes);
    let reference = edgemix_runtime::Model::from_bytes(bytes).unwrap();
    let mut workspace = AlignedBytes::zeroed(reference.arena_len());
    let mut arena = vec![0; reference.arena_len().div_ceil(4)];
    for start in 0..40 {
        let sample: Vec<i16> = numbers(reference.input_len() * 40).skip(start).take(reference.input_len()).collect();
        let found = assign(edgemix_assign_i16, &model, &sample, &mut arena).unwrap();
        let expected = reference.assign_raw(&sample, &mut workspace).unwrap();
        let expected = expected.at_level(3).unwrap();
        // SAFETY: the arena was not used since.
        unsafe {
            let (model, found) = (Some(&*model), Some(&found));
            assert_eq!(edgemix_cluster_at_level(model, found, 3), expected.cluster);
            for cluster in 0..4 {
                let posterior = edgemix_posterior_at_level(model, found, 3, cluster);
                assert_eq!(posterior.to_bits(), expected.posterior(cluster).to_bits());
            }
            assert_eq!(edgemix_cluster_at_level(model, found, 4), u16::MAX);
            assert_eq!(edgemix_posterior_at_level(model, found, 4, 0), 0.0);
        }
    }
}

#[test]
fn a_stream_gives_the_windows_of_the_runtime() {
    const N: usize = 12;
    let mut ring = [0i16; N];
    let mut stream = MaybeUninit::uninit();
    // SAFETY: the pointers are those of a slice.
    assert_eq!(unsafe { edgemix_stream_init(Some(&mut stream), ring.as_mut_ptr(), N, 3, 2) }, EDGEMIX_OK);
    // SAFETY: it has been written.
    let mut stream: Stream = unsafe { stream.assume_init() };
    let mut reference = RustStream::<i16, N>::new(3, 2).unwrap();
    let counts: Vec<i16> = numbers(200).collect();
    let mut n_windows = 0;
    for (index, block) in counts.chunks(7).enumerate() {
        if index == 12 {
            assert_eq!(edgemix_stream_gap(Some(&mut stream), 5), EDGEMIX_OK);
            reference.gap(5);
        }
        let (mut start, mut length, mut rest) = (block.as_ptr(), block.len(), block);
        loop {
            let mut window = MaybeUninit::<Window>::uninit();
            // SAFETY: the pointers are those of slices.
            let is_complete = unsafe {
                edgemix_stream_next(Some(&mut stream), Some(&mut start), Some(&mut length), Some(&mut window))
            };
            let expected = reference.next_window(&mut rest);
            assert_eq!((is_complete, start, length), (expected.is_some(), rest.as_ptr(), rest.len()));
            let Some(expected) = expected else { break };
            // SAFETY: it is written where there is one, and its parts lie in the ring.
            let (window, older, newer) = unsafe {
                let window = window.assume_init();
                let older = core::slice::from_raw_parts(window.older, window.older_length);
                (window, older, core::slice::from_raw_parts(window.newer, window.newer_length))
            };
            assert_eq!((older, newer, window.start), (expected.older, expected.newer, expected.start));
            n_windows += 1;
        }
    }
    assert!(n_windows > 20);
}

#[test]
fn a_window_is_assigned_as_the_same_counts_in_a_row_are() {
    let bytes = golden("spectrum");
    let (_, model) = load(bytes);
    let length = edgemix_input_length(Some(&model));
    let counts: Vec<i16> = numbers(length).collect();
    let (older, newer) = counts.split_at(length / 3);
    let window = Window {
        older: older.as_ptr(),
        older_length: older.len(),
        newer: newer.as_ptr(),
        newer_length: newer.len(),
        start: 0,
    };
    let mut arena = vec![0u32; edgemix_arena_length(Some(&model)).div_ceil(4)];
    let in_a_row = assign(edgemix_assign_i16, &model, &counts, &mut arena).unwrap();
    let mut found = MaybeUninit::uninit();
    // SAFETY: the pointers are those of slices.
    let status = unsafe {
        let bytes = size_of_val(&arena[..]);
        edgemix_assign_window(Some(&model), Some(&window), arena.as_mut_ptr().cast(), bytes, Some(&mut found))
    };
    assert_eq!(status, EDGEMIX_OK);
    // SAFETY: it is written where there is no error.
    let found = unsafe { found.assume_init() };
    assert_eq!((found.log_density, found.novelty), (in_a_row.log_density, in_a_row.novelty));
}

#[test]
fn drift_is_that_of_the_runtime() {
    let bytes = golden("held-out");
    let (_, model) = load(bytes);
    let reference = edgemix_runtime::Model::from_bytes(bytes).unwrap();
    let mut monitor = DriftMonitor::<8>::new(&reference, 100).unwrap().with_running_shares(0.05, 4);
    let mut clusters = [ClusterDrift::default(); 8];
    let mut drift = MaybeUninit::uninit();
    // SAFETY: the pointers are those of a slice.
    let status = unsafe { edgemix_drift_init(Some(&mut drift), Some(&model), clusters.as_mut_ptr(), 8, 100) };
    assert_eq!(status, EDGEMIX_OK);
    // SAFETY: it has been written.
    let mut drift: Drift = unsafe { drift.assume_init() };
    assert_eq!(edgemix_drift_running_shares(Some(&mut drift), 0.05, 4), EDGEMIX_OK);
    for (i, number) in numbers(400).enumerate() {
        // After 200 samples, all are unusual.
        let novelty = if i < 200 { number as u16 } else { number as u16 >> 8 };
        let cluster = i as u16 % reference.n_clusters() as u16;
        let found = Assignment { cluster, component: cluster, log_density: 0, novelty, scores: ptr::null() };
        // SAFETY: the clusters live.
        assert_eq!(unsafe { edgemix_drift_observe(Some(&mut drift), Some(&found)) }, EDGEMIX_OK);
        monitor.observe(cluster, edgemix_runtime::Novelty(novelty));
        let evidence = (edgemix_drift_evidence(Some(&drift)), edgemix_drift_alarm(Some(&drift)));
        assert_eq!((edgemix_has_drifted(Some(&drift)), evidence), (monitor.has_drifted(), monitor.evidence()));
        assert_eq!(edgemix_drift_novel_share(Some(&drift)), monitor.novel_share());
        // SAFETY: the clusters live.
        assert_eq!(unsafe { edgemix_drift_cluster_share(Some(&drift), 1) }, monitor.cluster_share(1));
    }
    assert_eq!(edgemix_drift_seen(Some(&drift)), 400);
    assert!(edgemix_has_drifted(Some(&drift)));
}

#[test]
fn what_is_wrong_is_refused_with_a_status_of_its_own() {
    let bytes = golden("held-out");
    let (status, model) = load(bytes);
    assert_eq!(status, EDGEMIX_OK);
    let n = edgemix_input_length(Some(&model));
    let sample = vec![1.0f32; n];
    let mut arena = vec![0u32; edgemix_arena_length(Some(&model)).div_ceil(4)];

    let (status, unloaded) = load(&bytes[..1000.min(bytes.len() - 1)]);
    assert_eq!(status, EDGEMIX_ERROR_TOO_SHORT);
    let refused = assign(edgemix_assign_float, &unloaded, &sample, &mut arena).err();
    assert_eq!(refused, Some(EDGEMIX_ERROR_NOT_READY));
    assert_eq!(edgemix_input_length(Some(&unloaded)), 0);
    let mut damaged = AlignedBytes::from(&bytes[..]);
    damaged.as_mut()[70] ^= 1;
    assert_eq!(load(&damaged).0, EDGEMIX_ERROR_CHECKSUM);
    let mut shifted = AlignedBytes::zeroed(bytes.len() + 16);
    shifted.as_mut()[4..bytes.len() + 4].copy_from_slice(bytes);
    assert_eq!(load(&shifted[4..]).0, EDGEMIX_ERROR_MODEL_ALIGNMENT);

    let refused = |sample: &[f32], arena: &mut [u32]| assign(edgemix_assign_float, &model, sample, arena).err();
    assert_eq!(refused(&sample[1..], &mut arena), Some(EDGEMIX_ERROR_INPUT_LENGTH));
    assert_eq!(refused(&vec![f32::NAN; n], &mut arena), Some(EDGEMIX_ERROR_NOT_FINITE));
    assert_eq!(refused(&sample, &mut arena[1..]), Some(EDGEMIX_ERROR_ARENA_TOO_SHORT));

    let mut found = MaybeUninit::uninit();
    let place: *mut c_void = arena.as_mut_ptr().cast();
    let bytes_of_arena = 4 * arena.len();
    let mut larger = vec![0u32; arena.len() + 1];
    // SAFETY: null and misaligned pointers are refused before anything is read.
    unsafe {
        let call = |model: Option<&Model>, sample, arena, found: Option<&mut MaybeUninit<Assignment>>| {
            edgemix_assign_float(model, sample, n, arena, bytes_of_arena, found)
        };
        assert_eq!(call(None, sample.as_ptr(), place, Some(&mut found)), EDGEMIX_ERROR_NULL);
        assert_eq!(call(Some(&*model), ptr::null(), place, Some(&mut found)), EDGEMIX_ERROR_NULL);
        assert_eq!(call(Some(&*model), sample.as_ptr(), ptr::null_mut(), Some(&mut found)), EDGEMIX_ERROR_NULL);
        assert_eq!(call(Some(&*model), sample.as_ptr(), place, None), EDGEMIX_ERROR_NULL);
        let misaligned = sample.as_ptr().cast::<u8>().add(1).cast();
        assert_eq!(call(Some(&*model), misaligned, place, Some(&mut found)), EDGEMIX_ERROR_POINTER);
        let misaligned = larger.as_mut_ptr().cast::<u8>().add(2).cast();
        assert_eq!(call(Some(&*model), sample.as_ptr(), misaligned, Some(&mut found)), EDGEMIX_ERROR_ARENA_ALIGNMENT);
        let all = edgemix_assign_float(Some(&model), sample.as_ptr(), usize::MAX, place, 4, Some(&mut found));
        assert_eq!(all, EDGEMIX_ERROR_POINTER);

        let mut stream = MaybeUninit::uninit();
        let mut ring = [0i16; 5];
        assert_eq!(edgemix_stream_init(Some(&mut stream), ring.as_mut_ptr(), 5, 2, 1), EDGEMIX_ERROR_CHANNELS);
        assert_eq!(edgemix_stream_init(Some(&mut stream), ring.as_mut_ptr(), 5, 1, 0), EDGEMIX_ERROR_STEP);
        assert_eq!(edgemix_stream_gap(Some(stream.assume_init_mut()), 1), EDGEMIX_ERROR_NOT_READY);

        let mut drift = MaybeUninit::uninit();
        let mut clusters = [ClusterDrift::default(); 1];
        let few = edgemix_drift_init(Some(&mut drift), Some(&model), clusters.as_mut_ptr(), 1, 9);
        assert_eq!(few, EDGEMIX_ERROR_TOO_MANY_CLUSTERS);
        assert!(!edgemix_has_drifted(Some(drift.assume_init_ref())));
        let limited = edgemix_load_within(Some(&mut MaybeUninit::uninit()), bytes.as_ptr().cast(), bytes.len(), 3, 9);
        assert_eq!(limited, EDGEMIX_ERROR_TOO_SLOW);
    }
    assert!(!edgemix_is_novel(None, 1.0) && edgemix_p_value(None) == 1.0);
}

#[test]
fn a_status_names_the_part_and_what_is_wrong_with_it() {
    let spec = edgemix_format::testing::Spec::default();
    let good = spec.build().unwrap();
    // The last layer gives what the latent holds, so both have this scale.
    let scale = spec.parts().0.latent.scale.to_le_bytes();
    let at: Vec<usize> = (64..good.len() - 4).filter(|&at| good[at..at + 4] == scale).collect();
    let texts_without_scale = |at: usize| {
        let mut bad = AlignedBytes::from(&good[..]);
        bad.as_mut()[at..at + 4].fill(0);
        edgemix_format::write::mend(bad.as_mut());
        let (status, _) = load(&bad);
        // SAFETY: the texts are strings of C.
        let text = |text| unsafe { CStr::from_ptr(text) }.to_str().unwrap();
        (text(edgemix_status_text(status)), text(edgemix_fault_text(status)), status >> 16)
    };
    let fault = "a scale is not a finite positive number";
    let last = spec.parts().0.encoder.len() as u32 - 1;
    let expected = [("a layer of the model is not valid", fault, last), ("the model's latent is not valid", fault, 0)];
    assert_eq!(at.into_iter().map(texts_without_scale).collect::<Vec<_>>(), expected);
    // SAFETY: as above.
    assert!(unsafe { CStr::from_ptr(edgemix_fault_text(EDGEMIX_OK)) }.is_empty());
}

#[test]
fn a_number_that_is_no_status_has_no_text_of_one() {
    // SAFETY: the texts are strings of C.
    let text = |text| unsafe { CStr::from_ptr(text) }.to_str().unwrap();
    let texts = |status| (text(edgemix_status_text(status)), text(edgemix_fault_text(status)));
    // Of no constant, of a constant with a fault that it can't have, of a fault or an index that there is not, too large.
    let unknown = [12, 12 | 7 << 8, EDGEMIX_ERROR_TOO_SHORT | 7 << 8, EDGEMIX_ERROR_HEAD | 200 << 8];
    let unknown =
        unknown.into_iter().chain([EDGEMIX_OK | 7 << 8, EDGEMIX_ERROR_HEAD | 14 << 8 | 1 << 16, 1 << 24, u32::MAX]);
    for status in unknown {
        assert_eq!(texts(status), ("no status of this library", ""), "{status:#x}");
    }
    assert_eq!(texts(EDGEMIX_ERROR_LAYER), ("a layer of the model is not valid", ""));
    let whole = EDGEMIX_ERROR_LAYER | 14 << 8 | 200 << 16;
    assert_eq!(texts(whole), ("a layer of the model is not valid", "a scale is not a finite positive number"));
}
