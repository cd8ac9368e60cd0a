//! The chip's arithmetic over many samples: what `evaluate`, `assign` and the export's own checks call.

use edgemix_format::write::AlignedBytes;
use edgemix_runtime::{Assignment, LogDensity, Model, Novelty};
use rayon::prelude::*;

use crate::data::{DataError, Samples};

/// Samples that are assigned at once where they have to be read.
const CHUNK: usize = 8192;

/// What a sample was assigned to, as the runtime says it.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Assigned {
    /// The cluster.
    pub cluster: u16,
    /// The best component.
    pub component: u16,
    /// The best component's log weight plus log-density.
    pub log_density: LogDensity,
    /// How unusual the sample is.
    pub novelty: Novelty,
    /// The posterior probability of the cluster.
    pub posterior: f32,
}

impl From<Assignment<'_>> for Assigned {
    fn from(found: Assignment<'_>) -> Self {
        Self {
            cluster: found.cluster,
            component: found.component,
            log_density: found.log_density,
            novelty: found.novelty,
            posterior: found.posterior(found.cluster),
        }
    }
}

/// Assigns samples of `model.input_len()` values each, in the data's unit, on all cores.
///
/// # Panics
/// If `values` is not a whole number of samples, or holds NaN or infinity: what [`crate::data`] reads has neither.
pub fn assign(model: &Model, values: &[f32]) -> Vec<Assigned> {
    let length = model.input_len();
    assert!(values.len().is_multiple_of(length), "{} values are not whole samples of {length}", values.len());
    let samples = values.par_chunks_exact(length);
    samples
        .map_init(
            || AlignedBytes::zeroed(model.arena_len()),
            |workspace, sample| model.assign(sample, workspace).map(Assigned::from),
        )
        .collect::<Result<_, _>>()
        .unwrap_or_else(|error| panic!("{error}"))
}

/// The same of all samples, wherever they lie.
///
/// # Errors
/// If the file that they are in can't be read.
///
/// # Panics
/// If they have not `model.input_len()` features each.
pub fn assign_samples(model: &Model, samples: &Samples) -> Result<Vec<Assigned>, DataError> {
    let mut all = Vec::with_capacity(samples.n_samples);
    each(model, samples, |found| {
        all.extend(found);
        Ok::<(), DataError>(())
    })?;
    Ok(all)
}

/// The same, some at a time, in order, for whom all of them are too many.
///
/// # Errors
/// If the file that the samples are in can't be read, and whatever `take` says.
///
/// # Panics
/// If they have not `model.input_len()` features each.
pub fn each<E: From<DataError>>(
    model: &Model,
    samples: &Samples,
    mut take: impl FnMut(Vec<Assigned>) -> Result<(), E>,
) -> Result<(), E> {
    samples.chunks(CHUNK).try_for_each(|values| take(assign(model, &values?)))
}
