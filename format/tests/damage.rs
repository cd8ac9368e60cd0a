//! Damaged files are refused, whatever was damaged; mended ones never make the reader panic.

mod common;

use edgemix_format::header::HEADER_LEN;
use edgemix_format::testing::{Convolution, Follow, HeadSpec, ImageLayer, PoolingSpec, Spec, SplitMix64};
use edgemix_format::view::{Covariance, FramePooling, Pooling, Statistics};
use edgemix_format::write::{AlignedBytes, SpectrumSettings, Taper, mend};
use edgemix_format::{File, LoadError};
use proptest::prelude::*;

/// Some kilobytes with every kind of layer.
fn real() -> AlignedBytes {
    let layers = vec![(24, Follow::Relu), (20, Follow::LeakyRelu), (12, Follow::Table), (6, Follow::Identity)];
    let shape = Convolution { filters: 3, kernel: [2, 3], stride: [1, 2], padding: [1; 4], follow: Follow::Table };
    let image = [4, 4, 2];
    let spec = Spec {
        input: 32,
        channels: 2,
        image,
        image_layers: vec![ImageLayer::Convolution(shape)],
        layers,
        components: 7,
        clusters: 4,
        calibration: 40,
        ..Spec::default()
    };
    let bytes = spec.build().unwrap();
    assert!((3000..9000).contains(&bytes.len()), "{} bytes", bytes.len());
    bytes
}

#[test]
fn every_flipped_bit_is_refused() {
    let mut bytes = real();
    for bit in 0..bytes.len() * 8 {
        let (byte, mask) = (bit / 8, 1 << (bit % 8));
        bytes.as_mut()[byte] ^= mask;
        assert!(File::from_bytes(&bytes).is_err(), "bit {bit}");
        bytes.as_mut()[byte] ^= mask;
    }
    assert!(File::from_bytes(&bytes).is_ok());
}

#[test]
fn every_truncation_is_refused_and_says_what_is_missing() {
    let bytes = real();
    for len in 0..bytes.len() {
        let needed = if len < HEADER_LEN { HEADER_LEN } else { bytes.len() };
        let refused = File::from_bytes(&bytes[..len]).err();
        assert_eq!(refused, Some(LoadError::TooShort { needed, given: len }));
    }
}

#[test]
fn misaligned_bytes_are_refused() {
    let bytes = real();
    for shift in 1..16 {
        let mut moved = AlignedBytes::zeroed(bytes.len() + 16);
        moved.as_mut()[shift..shift + bytes.len()].copy_from_slice(&bytes);
        assert_eq!(File::from_bytes(&moved[shift..]).err(), Some(LoadError::Alignment), "by {shift}");
    }
}

/// Every byte of header and description, changed in several ways under a right checksum.
#[test]
fn mended_bytes_of_the_description_never_panic() {
    let kinds = [
        HeadSpec::Mixture(Covariance::Spherical),
        HeadSpec::Mixture(Covariance::Diagonal),
        HeadSpec::Mixture(Covariance::Full),
        HeadSpec::Softmax,
    ];
    for head in kinds {
        let shape =
            Convolution { filters: 2, kernel: [2, 1], stride: [1, 2], padding: [1, 0, 0, 0], follow: Follow::Relu };
        let pooling = PoolingSpec { pooling: Pooling::Max, kernel: [1, 1], stride: [1, 1], padding: [0; 4] };
        let image_layers = vec![ImageLayer::Convolution(shape), ImageLayer::Pooling(pooling)];
        let spec = Spec { head, image: [3, 2, 1], image_layers, ..Spec::default() };
        never_panic(&mut spec.build().unwrap());
    }
    for is_variational in [false, true] {
        let head = HeadSpec::Autoencoders { latent: 2, is_variational };
        never_panic(&mut Spec { head, layers: vec![], components: 2, ..Spec::default() }.build().unwrap());
    }
}

#[test]
fn mended_bytes_of_a_spectrum_never_panic() {
    let spectrum = SpectrumSettings {
        instants: 10,
        channels: 2,
        fft: 16,
        frame: 8,
        hop: 2,
        taper: Taper::Hann,
        pooling: FramePooling::Each,
        statistics: Statistics::NONE,
        mean_fraction: 0,
        noise: 1.0,
        signals: vec![1, 3],
        edges: vec![1, 4, 9],
    };
    never_panic(&mut Spec { spectrum: Some(spectrum), input: 8, ..Spec::default() }.build().unwrap());
}

#[test]
fn mended_bytes_of_tables_of_held_out_samples_never_panic() {
    never_panic(&mut Spec { held_out: 2, calibration: 3, ..Spec::default() }.build().unwrap());
}

fn never_panic(bytes: &mut AlignedBytes) {
    let described = HEADER_LEN + File::from_bytes(bytes).unwrap().header.description_len as usize;
    for at in 4..described {
        let before = bytes[at];
        for after in [0, 1, 2, 3, 0x10, 0x7f, 0x80, 0xff, before ^ 1, before.wrapping_add(1)] {
            bytes.as_mut()[at] = after;
            mend(bytes.as_mut());
            let _ = File::from_bytes(bytes);
        }
        bytes.as_mut()[at] = before;
    }
}

proptest! {
    #[test]
    fn mended_mutations_never_panic(spec in common::spec(), seed: u64, changes in 1usize..12) {
        let mut bytes = spec.build().unwrap();
        let mut random = SplitMix64::new(seed);
        for _ in 0..changes {
            let last = bytes.len() as i32 - 1;
            // Half of them in the description, past the header, without which nothing else would be looked at.
            let (low, high) = if random.next_u64().is_multiple_of(2) { (HEADER_LEN as i32, 300) } else { (0, last) };
            let at = random.between(low, high.min(last)) as usize;
            bytes.as_mut()[at] = random.next_u64() as u8;
        }
        mend(bytes.as_mut());
        if let Ok(file) = File::from_bytes(&bytes) {
            prop_assert_eq!(file.header.total_len as usize, bytes.len());
        }
    }

    #[test]
    fn random_bytes_never_panic(mut tail in prop::collection::vec(any::<u8>(), 0..300)) {
        let mut bytes = b"EMIX\x01\x00\x00\x00".to_vec();
        bytes.append(&mut tail);
        let mut bytes = AlignedBytes::from(&bytes[..]);
        mend(bytes.as_mut());
        prop_assert!(File::from_bytes(&bytes).is_err());
    }
}
