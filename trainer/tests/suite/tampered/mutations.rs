//! Changes of a file: of some bytes, or of a number.

use rand::RngExt;
use rand_chacha::ChaCha8Rng;

/// Numbers that programs stumble over.
const NUMBERS: [&str; 9] =
    ["-1", "0", "1e999", "-1e308", "18446744073709551615", "9223372036854775808", "NaN", "inf", "65536"];

pub(super) fn mutated(bytes: &[u8], random: &mut ChaCha8Rng) -> Vec<u8> {
    let mut changed = bytes.to_vec();
    let at = random.random_range(0..bytes.len());
    match random.random_range(0..7) {
        0 => changed[at] ^= 1 << random.random_range(0..8),
        1 => changed[at] = random.random(),
        2 => changed.truncate(at),
        3 => _ = changed.remove(at),
        4 => changed.insert(at, random.random()),
        5 => {
            let to = random.random_range(at..bytes.len().min(at + 40));
            changed.extend_from_within(at..to);
        }
        _ => {
            let digits = |at: usize| changed.get(at).is_some_and(|b| b.is_ascii_digit() || b"-.+e".contains(b));
            let Some(first) = (at..bytes.len()).find(|&at| digits(at)) else { return changed };
            let last = (first..bytes.len()).find(|&at| !digits(at)).unwrap_or(bytes.len());
            let number = NUMBERS[random.random_range(0..NUMBERS.len())];
            changed.splice(first..last, number.bytes());
        }
    }
    changed
}
