//! Files that are costly to check: the time grows with their bytes alone.

use std::time::{Duration, Instant};

use edgemix_format::description::HeadRecord;
use edgemix_format::testing::{HeadSpec, Spec, assemble, costly};
use edgemix_format::view::Covariance;
use edgemix_format::write::AlignedBytes;
use edgemix_format::{Fault, File, Limits, LoadError};

/// With the checks of the development profile, it takes some ten times as long.
const MOST_NS_A_BYTE: u64 = if cfg!(debug_assertions) { 1000 } else { 50 };

/// The fastest of several, since other programs run beside this one.
fn check_time(bytes: &AlignedBytes) -> Duration {
    let check = |_| {
        let begin = Instant::now();
        let _ = File::from_bytes(bytes);
        begin.elapsed()
    };
    (0..7).map(check).min().unwrap()
}

#[test]
fn the_time_of_a_check_grows_with_the_bytes_alone() {
    for (name, bytes) in [20_000, 1_000_000].into_iter().flat_map(costly) {
        let most = Duration::from_nanos(MOST_NS_A_BYTE * bytes.len() as u64);
        let time = check_time(&bytes);
        assert!(time <= most, "{name}: {time:?} for {} bytes", bytes.len());
    }
}

#[test]
fn only_pairs_that_overlap_are_refused() {
    for (name, bytes) in costly(20_000) {
        let expected = (name == "pairs that overlap").then_some(LoadError::Head(Fault::Stride));
        assert_eq!(File::from_bytes(&bytes).err(), expected, "{name}");
    }
}

/// More clusters than one pass over the components tells apart: any that does not occur is missed, whatever its number.
#[test]
fn each_of_many_clusters_must_occur() {
    let head = HeadSpec::Mixture(Covariance::Spherical);
    let n = 5000;
    let (description, blob) =
        Spec { input: 1, layers: vec![], head, components: n, clusters: n, ..Spec::default() }.parts();
    for missing in [0, 1, 31, 32, 2047, 2048, 2049, 4095, 4096, 4999] {
        let mut other = description.clone();
        let mut blob = blob.clone();
        let HeadRecord::Mixture(mixture) = &mut other.head else { panic!("no mixture") };
        let clusters: Vec<u16> = (0..n).map(|k| if k == missing { (k + 1) % n } else { k }).collect();
        mixture.clusters = blob.push(&clusters);
        let refused = File::from_bytes(&assemble(&other, &blob).unwrap()).err();
        assert_eq!(refused, Some(LoadError::Head(Fault::EmptyCluster)), "{missing}");
    }
    assert!(File::from_bytes(&assemble(&description, &blob).unwrap()).is_ok());
}

#[test]
fn a_model_above_the_limits_is_refused_before_anything_else() {
    let mut bytes = Spec::default().build().unwrap();
    let (macs, arena) = (edgemix_format::macs(&bytes), edgemix_format::arena_len(&bytes));
    // A wrong checksum, which is not looked at.
    let last = bytes.len() - 1;
    bytes.as_mut()[last] ^= 1;
    let load = |limits| File::from_bytes_within(&bytes, limits).err();
    let slow = Limits { macs: macs - 1, ..Limits::NONE };
    assert_eq!(load(slow), Some(LoadError::TooSlow { macs, limit: macs - 1 }));
    let small = Limits { arena: arena - 1, ..Limits::NONE };
    assert_eq!(load(small), Some(LoadError::ArenaTooLarge { arena, limit: arena - 1 }));
    let exact = Limits { macs, arena };
    assert!(matches!(load(exact), Some(LoadError::Checksum { .. })));
    assert!(exact.allow(&bytes) && !slow.allow(&bytes) && !small.allow(&bytes) && !Limits::NONE.allow(b"no model"));
}
