//! How long the check of a whole file takes for each of its bytes, for files that are costly to check.
//!
//! ```text
//! cargo bench -p edgemix-format
//! ```

use std::hint::black_box;
use std::time::Instant;

use edgemix_format::File;
use edgemix_format::testing::costly;

/// Repetitions, of which the fastest counts.
const REPETITIONS: usize = 20;

fn main() {
    println!("| file | bytes | ns a byte | |\n|---|---|---|---|");
    for (name, bytes) in [10_000, 100_000, 1_000_000].into_iter().flat_map(costly) {
        let check = || {
            let begin = Instant::now();
            let refused = black_box(File::from_bytes(black_box(&bytes))).err();
            (begin.elapsed(), refused)
        };
        let (elapsed, refused) = (0..REPETITIONS).map(|_| check()).min_by_key(|(time, _)| *time).expect("repetitions");
        let result = refused.map_or("valid".into(), |error| format!("{error}"));
        println!("| {name} | {} | {:.1} | {result} |", bytes.len(), elapsed.as_nanos() as f64 / bytes.len() as f64);
    }
}
