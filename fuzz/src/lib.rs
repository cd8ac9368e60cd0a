//! What the fuzz targets do with their input: check it as a firmware would and, if it is a model, assign samples.

mod bases;
mod mutation;

pub use bases::base;
pub use mutation::mutate;

use std::time::Duration;

use cpu_time::ThreadTime;
use edgemix_format::write::AlignedBytes;
use edgemix_runtime::{ClusterBelief, ClusterFilter, Limits, LoadError, Model};

/// The largest file that mutations make.
pub const MOST_BYTES: usize = 1 << 20;
/// What one inference may take. A model above it is refused; every other one is run.
pub const LIMITS: Limits = Limits { macs: 1 << 22, arena: 1 << 20 };

/// The longest that a check may take for each byte. Checks of overflow and a fuzzer's instrumentation make it several times
/// as long.
const NS_A_BYTE: u64 = if cfg!(fuzzing) {
    2500
} else if cfg!(debug_assertions) {
    250
} else {
    50
};
/// The longest that an inference may take for each multiply-accumulate.
const NS_A_MAC: u64 = if cfg!(fuzzing) { 2500 } else { 250 };
/// Time that does not grow with the file: the clock, and the header.
const FREE: Duration = Duration::from_micros(if cfg!(fuzzing) { 5000 } else { 250 });
/// The processor may be slower for a while, so a time counts only if it comes again.
const TRIES: usize = 20;

/// What became of the bytes.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Outcome {
    /// Whether they are a model within the limits.
    pub is_model: bool,
    /// Whether they are a model that is refused because its inference would take too long or need too much RAM.
    pub is_beyond: bool,
    /// How long the whole check took.
    pub check: Duration,
}

/// Checks the bytes and, if they are a model within the limits, assigns samples.
///
/// # Panics
/// If the check takes longer than its bytes allow, or an inference longer than its multiply-accumulates.
pub fn exercise(bytes: &AlignedBytes) -> Outcome {
    // The whole check, also of a model that is too slow to run.
    let check = within("check", NS_A_BYTE * bytes.len() as u64, || drop(Model::from_bytes(bytes)));
    let model = match Model::from_bytes_within(bytes, LIMITS) {
        Ok(model) => model,
        Err(LoadError::TooSlow { .. } | LoadError::ArenaTooLarge { .. }) => {
            return Outcome { is_model: false, is_beyond: Model::from_bytes(bytes).is_ok(), check };
        }
        Err(_) => return Outcome { is_model: false, is_beyond: false, check },
    };
    assert!(model.macs() <= LIMITS.macs && model.arena_len() <= LIMITS.arena);
    let mut arena = AlignedBytes::zeroed(model.arena_len());
    // A sample of extremes and one of the model's own bytes.
    let own: Vec<i16> = bytes.iter().map(|&b| i16::from(b) << 8).cycle().take(model.input_len()).collect();
    for raw in [vec![i16::MIN; model.input_len()], own] {
        within("inference", NS_A_MAC * model.macs(), || assign(&model, &raw, &mut arena));
        let smoothed = smooth(&model, &raw, &mut arena);
        assert!(smoothed.is_none_or(|cluster| usize::from(cluster) < model.n_clusters()));
        let sample: Vec<f32> = raw.iter().map(|&x| f32::from(x) * 1e-2).collect();
        // Any result is fine here, as long as nothing panics.
        let _ = model.assign(&sample, &mut arena);
    }
    Outcome { is_model: true, is_beyond: false, check }
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

/// A sample observed three times, with one missed in between; `None` if the model knows no transitions.
fn smooth(model: &Model, raw: &[i16], arena: &mut AlignedBytes) -> Option<u16> {
    let mut clusters = vec![ClusterBelief::default(); model.n_clusters()];
    let filter = ClusterFilter::new(model, &mut clusters).ok()?;
    let found = model.assign_raw(raw, arena).expect("the sample and the arena have the model's lengths");
    for _ in 0..2 {
        filter.observe(&found, &mut clusters);
        filter.miss(&mut clusters);
    }
    Some(filter.observe(&found, &mut clusters))
}

/// Runs something that may take so many nanoseconds, and returns the time that it took of a processor.
fn within(what: &str, nanoseconds: u64, mut run: impl FnMut()) -> Duration {
    let limit = FREE + Duration::from_nanos(nanoseconds);
    let mut time = || {
        let begin = ThreadTime::now();
        run();
        begin.elapsed()
    };
    let mut least = time();
    if least > limit {
        least = (1..TRIES).map(|_| time()).fold(least, Duration::min);
        assert!(least <= limit, "the {what} took {least:?}, but {limit:?} is the most");
    }
    least
}
