//! Loads arbitrary bytes after correcting their checksum, so that they reach the checks behind it.
#![no_main]

use edgemix_format::write::{AlignedBytes, mend};
use libfuzzer_sys::fuzz_target;

fuzz_target!(|bytes: &[u8]| {
    let mut bytes = AlignedBytes::from(bytes);
    mend(bytes.as_mut());
    edgemix_fuzz::exercise(&bytes);
});
