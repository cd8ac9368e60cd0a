//! Nothing but a whole and consistent model is accepted.

use edgemix_format::description::Covariance;
use edgemix_format::testing::{Spec, model};
use edgemix_format::view::{Calibration, Head};
use edgemix_format::write::{AlignedBytes, WriteError, mend};
use edgemix_format::{File, LoadError, arena_len, input_len, latent_len, n_clusters, n_components};
use proptest::prelude::*;

fn small() -> Spec {
    let covariance = Some(Covariance::Full);
    Spec { lengths: vec![6, 7, 3], activation: 3, covariance, components: 3, clusters: 2, seed: 1 }
}

fn specs() -> impl Strategy<Value = Spec> {
    let kinds = prop_oneof![
        Just(None),
        Just(Some(Covariance::Spherical)),
        Just(Some(Covariance::Diagonal)),
        Just(Some(Covariance::Full))
    ];
    (prop::collection::vec(1..20usize, 1..5), 0..4u8, kinds, 1..9usize, any::<u64>()).prop_map(
        |(lengths, activation, covariance, components, seed)| {
            let clusters = if covariance.is_some() { components.div_ceil(2) } else { components };
            Spec { lengths, activation, covariance, components, clusters, seed }
        },
    )
}

proptest! {
    #[test]
    fn what_is_written_is_read(spec in specs()) {
        let bytes = model(&spec).unwrap();
        let file = File::from_bytes(&bytes).unwrap();
        let lengths: Vec<usize> = std::iter::once(file.input.len).chain(file.outputs()).collect();
        prop_assert_eq!(&lengths, &spec.lengths);
        prop_assert_eq!((file.name, file.method, file.fingerprint.seed), ("random", "testing", spec.seed));
        prop_assert_eq!(file.head.n_components(), spec.components);
        prop_assert_eq!(matches!(file.head, Head::Softmax(_)), spec.covariance.is_none());
        let Calibration::Marginal { levels, .. } = file.calibration else { panic!("a table was written") };
        prop_assert_eq!(levels, &[10, 100, 1000, 10_000, 60_000]);
        // What const fns read without decoding is what the description says.
        prop_assert_eq!(input_len(&bytes), spec.lengths[0]);
        prop_assert_eq!(latent_len(&bytes), *spec.lengths.last().unwrap());
        prop_assert_eq!((n_components(&bytes), n_clusters(&bytes)), (spec.components, spec.clusters));
        prop_assert_eq!(arena_len(&bytes), file.header.arena_len as usize);
    }

    #[test]
    fn damage_behind_a_mended_checksum_never_panics(at in any::<prop::sample::Index>(), bit in 0..8u8, more in any::<prop::sample::Index>()) {
        let mut bytes = model(&small()).unwrap();
        let length = bytes.len();
        bytes.as_mut()[at.index(length)] ^= 1 << bit;
        bytes.as_mut()[more.index(length)] ^= 0x55;
        mend(bytes.as_mut());
        if let Ok(file) = File::from_bytes(&bytes) {
            prop_assert!(file.header.total_len as usize <= length);
        }
    }
}

#[test]
fn every_flipped_bit_is_refused() {
    let whole = model(&small()).unwrap();
    for at in 0..whole.len() {
        for bit in 0..8 {
            let mut bytes = whole.clone();
            bytes.as_mut()[at] ^= 1 << bit;
            assert!(File::from_bytes(&bytes).is_err(), "bit {bit} of byte {at}");
        }
    }
}

#[test]
fn every_truncation_is_refused_and_more_bytes_are_not() {
    let whole = model(&small()).unwrap();
    for length in 0..whole.len() {
        assert!(File::from_bytes(&whole[..length]).is_err(), "{length} bytes");
    }
    let mut longer = whole.to_vec();
    longer.extend([0xff; 100]);
    assert!(File::from_bytes(&AlignedBytes::from(&longer[..])).is_ok());
}

#[test]
fn bytes_that_start_elsewhere_are_refused() {
    let whole = model(&small()).unwrap();
    let mut shifted = vec![0; 4];
    shifted.extend_from_slice(&whole);
    let shifted = AlignedBytes::from(&shifted[..]);
    assert_eq!(File::from_bytes(&shifted[4..]).err(), Some(LoadError::Alignment));
}

#[test]
fn each_field_of_the_header_is_checked() {
    type Case = (usize, u8, fn(&LoadError) -> bool);
    let cases: [Case; 9] = [
        (0, b'X', |e| matches!(e, LoadError::Magic)),
        (4, 2, |e| matches!(e, LoadError::Major { file: 2, reader: 1 })),
        (20, 1, |e| matches!(e, LoadError::Header)),
        (28, 0xfc, |e| matches!(e, LoadError::Arena { .. })),
        (32, 9, |e| matches!(e, LoadError::Header)),
        (36, 9, |e| matches!(e, LoadError::Header)),
        (38, 9, |e| matches!(e, LoadError::Header)),
        (40, 9, |e| matches!(e, LoadError::Header)),
        (47, 1, |e| matches!(e, LoadError::Header)),
    ];
    for (at, value, expected) in cases {
        let mut bytes = model(&small()).unwrap();
        bytes.as_mut()[at] = value;
        mend(bytes.as_mut());
        let error = File::from_bytes(&bytes).unwrap_err();
        assert!(expected(&error), "byte {at}: {error:?}");
    }
}

#[test]
fn a_spec_that_no_model_can_have_is_refused_when_it_is_written() {
    let no_cluster = Spec { clusters: 0, ..small() };
    assert!(matches!(model(&no_cluster), Err(WriteError::Refused(LoadError::Head(_)))));
    let empty = Spec { lengths: vec![0, 3], ..small() };
    assert!(matches!(model(&empty), Err(WriteError::Refused(LoadError::Input(_)))));
}
