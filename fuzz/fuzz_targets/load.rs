//! Loads arbitrary bytes.
#![no_main]

use edgemix_format::write::AlignedBytes;
use libfuzzer_sys::fuzz_target;

fuzz_target!(|bytes: &[u8]| {
    edgemix_fuzz::exercise(&AlignedBytes::from(bytes));
});
