//! What the fuzz targets do with their input: check it as a firmware would and, if it is a model, assign samples.

mod bases;
mod mutation;

pub use bases::base;
pub use mutation::mutate;

use std::time::{Duration, Instant};

use edgemix_format::write::AlignedBytes;
use edgemix_runtime::{Limits, LoadError, Model};

/// The largest file that mutations make.
pub const MOST_BYTES: usize = 1 << 20;
/// What one inference may take. A model above it is refused; every other one is run.
pub const LIMITS: Limits = Limits { macs: 1 << 22, arena: 1 << 20 };

/// The longest that a check may take for each byte, and an inference for each multiply-accumulate. Checks of overflow make
/// both several times as long, and so does a fuzzer's instrumentation.
const NS_A_STEP: u64 = if cfg!(fuzzing) { 2500 } else { 250 };
/// Time that does not grow with the file: the clock, and the header.
const FREE: Duration = Duration::from_micros(if cfg!(fuzzing) { 5000 } else { 250 });
/// Another program may run for a while beside this one, so a time counts only if it comes again.
const TRIES: usize = 20;

/// What became of the bytes.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Outcome {
    /// Whether they are a model within the limits.
    pub is_model: bool,
    /// Whether they are a model that is refused because its inference would take too long or need too much RAM.
    pub is_beyond: bool,
}

/// Checks the bytes and, if they are a model within the limits, assigns samples.
///
/// # Panics
/// If the check takes longer than its bytes allow, or an inference longer than its multiply-accumulates.
pub fn exercise(bytes: &AlignedBytes) -> Outcome {
    // The whole check, also of a model that is too slow to run.
    within("check", bytes.len() as u64, || drop(Model::from_bytes(bytes)));
    let model = match Model::from_bytes_within(bytes, LIMITS) {
        Ok(model) => model,
        Err(LoadError::TooSlow { .. } | LoadError::ArenaTooLarge { .. }) => {
            return Outcome { is_beyond: Model::from_bytes(bytes).is_ok(), ..Outcome::default() };
        }
        Err(_) => return Outcome::default(),
    };
    assert!(model.macs() <= LIMITS.macs && model.arena_len() <= LIMITS.arena);
    let mut arena = AlignedBytes::zeroed(model.arena_len());
    // A sample of extremes and one of the model's own bytes.
    let own: Vec<i16> = bytes.iter().map(|&b| i16::from(b) << 8).cycle().take(model.input_len()).collect();
    for raw in [vec![i16::MIN; model.input_len()], own] {
        within("inference", model.macs(), || assign(&model, &raw, &mut arena));
        let sample: Vec<f32> = raw.iter().map(|&x| f32::from(x) * 1e-2).collect();
        // Any result is fine here, as long as nothing panics.
        let _ = model.assign(&sample, &mut arena);
    }
    Outcome { is_model: true, is_beyond: false }
}

fn assign(model: &Model, raw: &[i16], arena: &mut AlignedBytes) {
    let found = model.assign_raw(raw, arena).expect("the sample and the arena have the model's lengths");
    let cluster = found.cluster;
    assert!(usize::from(cluster) < model.n_clusters() && usize::from(found.component) < model.n_components());
    let fine = found.posterior(cluster);
    assert!((0.0..=1.01).contains(&fine));
    for &level in model.levels() {
        let coarse = found.at_level(level).expect("the model has the level");
        assert!(coarse.cluster < level && coarse.posterior(coarse.cluster) >= fine);
    }
}

/// Runs something that may take a time for each of its steps.
fn within(what: &str, steps: u64, mut run: impl FnMut()) {
    let limit = FREE + Duration::from_nanos(NS_A_STEP * steps);
    let mut time = || {
        let begin = Instant::now();
        run();
        begin.elapsed()
    };
    let first = time();
    if first > limit {
        let least = (1..TRIES).map(|_| time()).fold(first, Duration::min);
        assert!(least <= limit, "the {what} took {least:?}, but {limit:?} is the most for {steps} steps");
    }
}
