//! Makes mutations of models and exercises each: `cargo run --release --bin mutations -- COUNT [SECONDS]`.
//!
//! The mutations of a base depend on its number alone, so that a failure can be repeated: the program ends with an error
//! that names the base if a mutation panics or takes longer than it may.

use std::panic::catch_unwind;
use std::process::ExitCode;
use std::sync::atomic::{AtomicU64, Ordering::Relaxed};
use std::thread;
use std::time::{Duration, Instant};

use edgemix_format::testing::SplitMix64;
use edgemix_fuzz::{MOST_BYTES, base, exercise, mutate};

/// Mutations of one base.
const A_BASE: u64 = 16;
/// A program that exercises nothing for so long hangs.
const HANGS: Duration = Duration::from_secs(60);

// What all threads have done so far.
static NEXT_BASE: AtomicU64 = AtomicU64::new(0);
static MUTATIONS: AtomicU64 = AtomicU64::new(0);
static BYTES: AtomicU64 = AtomicU64::new(0);
static MODELS: AtomicU64 = AtomicU64::new(0);
static BEYOND: AtomicU64 = AtomicU64::new(0);
static FAILED: AtomicU64 = AtomicU64::new(0);
/// How many files were checked in so many nanoseconds a byte. Smaller files, of which the header and the clock take most of
/// the time, are not counted.
static CHECKS: [AtomicU64; 256] = [const { AtomicU64::new(0) }; 256];
const COUNTED_BYTES: usize = 4096;
/// The nanoseconds a byte of the slowest check, above the 40 bits of its base.
static SLOWEST: AtomicU64 = AtomicU64::new(0);

fn main() -> ExitCode {
    let numbers: Vec<u64> = std::env::args().skip(1).filter_map(|argument| argument.parse().ok()).collect();
    let (count, seconds) = match numbers[..] {
        [count] => (count, u64::MAX),
        [count, seconds] => (count, seconds),
        _ => {
            eprintln!("usage: mutations COUNT [SECONDS]");
            return ExitCode::from(2);
        }
    };
    let begin = Instant::now();
    thread::spawn(watch);
    thread::scope(|scope| {
        for _ in 0..thread::available_parallelism().map_or(1, usize::from) {
            scope.spawn(|| {
                while begin.elapsed().as_secs() < seconds && FAILED.load(Relaxed) == 0 {
                    let number = NEXT_BASE.fetch_add(1, Relaxed);
                    if number * A_BASE >= count {
                        return;
                    }
                    if catch_unwind(|| exercise_base(number)).is_err() {
                        eprintln!("a mutation of base {number} failed");
                        FAILED.fetch_add(1, Relaxed);
                    }
                }
            });
        }
    });
    println!(
        "{} mutations, {} MB, in {:.0} s: {} were models and ran within their time, {} were models above the limits, and \
         the others were refused",
        MUTATIONS.load(Relaxed),
        BYTES.load(Relaxed) >> 20,
        begin.elapsed().as_secs_f64(),
        MODELS.load(Relaxed),
        BEYOND.load(Relaxed),
    );
    print_checks();
    if FAILED.load(Relaxed) == 0 { ExitCode::SUCCESS } else { ExitCode::FAILURE }
}

fn exercise_base(number: u64) {
    let mut random = SplitMix64::new(number);
    let model = base(&mut random, MOST_BYTES);
    for _ in 0..A_BASE {
        let bytes = mutate(&model, &mut random, MOST_BYTES);
        let outcome = exercise(&bytes);
        MUTATIONS.fetch_add(1, Relaxed);
        BYTES.fetch_add(bytes.len() as u64, Relaxed);
        MODELS.fetch_add(outcome.is_model.into(), Relaxed);
        BEYOND.fetch_add(outcome.is_beyond.into(), Relaxed);
        if bytes.len() >= COUNTED_BYTES {
            let each = outcome.check.as_nanos() as usize / bytes.len();
            CHECKS[each.min(CHECKS.len() - 1)].fetch_add(1, Relaxed);
            SLOWEST.fetch_max((each as u64) << 40 | number, Relaxed);
        }
    }
}

fn print_checks() {
    let counts = CHECKS.each_ref().map(|count| count.load(Relaxed));
    let total: u64 = counts.iter().sum();
    // The least time within which so many files were checked.
    let within = |files: u64| {
        let mut seen = 0;
        counts.iter().position(|count| {
            seen += count;
            seen >= files
        })
    };
    let shares = [total / 2, total - total / 1000, total].map(|files| within(files).map_or(0, |each| each + 1));
    let base = SLOWEST.load(Relaxed) & ((1 << 40) - 1);
    println!(
        "{total} of at least {COUNTED_BYTES} bytes: half were checked in less than {} ns a byte, 99.9 % in less than {}, all in \
         less than {} (the slowest is of base {base})",
        shares[0], shares[1], shares[2]
    );
}

/// Ends the program if a mutation hangs.
fn watch() {
    let mut before = None;
    loop {
        let now = MUTATIONS.load(Relaxed);
        if before.replace(now) == Some(now) {
            eprintln!("no mutation was exercised for {HANGS:?}, after about base {}", NEXT_BASE.load(Relaxed));
            std::process::exit(1);
        }
        thread::sleep(HANGS);
    }
}
