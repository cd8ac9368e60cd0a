//! The file that the firmware example ships, damaged in every way that flash and transfers damage files.

use std::thread;

use edgemix_format::header::HEADER_LEN;
use edgemix_format::write::AlignedBytes;
use edgemix_format::{File, LoadError};

const DIGITS: &[u8] = include_bytes!("../../firmware-example/assets/digits.emx");

#[test]
fn it_loads() {
    assert!(File::from_bytes(&AlignedBytes::from(DIGITS)).is_ok());
}

/// Some 450,000 flips, each seen by the whole check; shared among threads.
#[test]
fn every_flipped_bit_is_refused() {
    let threads = thread::available_parallelism().map_or(1, usize::from);
    let accepted: Vec<usize> = thread::scope(|scope| {
        let worker = |first: usize| {
            let mut bytes = AlignedBytes::from(DIGITS);
            let mut accepted = vec![];
            for bit in (first..DIGITS.len() * 8).step_by(threads) {
                let (byte, mask) = (bit / 8, 1 << (bit % 8));
                bytes.as_mut()[byte] ^= mask;
                if File::from_bytes(&bytes).is_ok() {
                    accepted.push(bit);
                }
                bytes.as_mut()[byte] ^= mask;
            }
            accepted
        };
        let workers: Vec<_> = (0..threads).map(|first| scope.spawn(move || worker(first))).collect();
        workers.into_iter().flat_map(|worker| worker.join().expect("no panic")).collect()
    });
    assert_eq!(accepted, []);
}

#[test]
fn every_truncation_is_refused() {
    let bytes = AlignedBytes::from(DIGITS);
    for len in 0..DIGITS.len() {
        let needed = if len < HEADER_LEN { HEADER_LEN } else { DIGITS.len() };
        assert_eq!(File::from_bytes(&bytes[..len]).err(), Some(LoadError::TooShort { needed, given: len }));
    }
}
