//! Loads models with structure-aware mutations and a right checksum, so that they reach the checks after it.
#![no_main]

use edgemix_format::testing::{SplitMix64, repair};
use edgemix_format::write::{AlignedBytes, mend};
use libfuzzer_sys::{fuzz_mutator, fuzz_target, fuzzer_mutate};

fuzz_target!(|bytes: &[u8]| {
    let mut bytes = AlignedBytes::from(bytes);
    mend(bytes.as_mut());
    edgemix_fuzz::exercise(&bytes);
});

fuzz_mutator!(|data: &mut [u8], size: usize, max_size: usize, seed: u32| {
    let mut random = SplitMix64::new(seed.into());
    let changed = match random.between(0, 63) {
        0 => edgemix_fuzz::base(&mut random, max_size),
        1..=31 => edgemix_fuzz::mutate(&data[..size.min(max_size)], &mut random, max_size),
        _ => {
            let size = fuzzer_mutate(data, size, max_size);
            let mut bytes = AlignedBytes::from(&data[..size]);
            repair(bytes.as_mut());
            bytes
        }
    };
    let size = changed.len().min(max_size);
    data[..size].copy_from_slice(&changed[..size]);
    size
});
