//! Smooths the clusters of successive windows with the chip's arithmetic.

use edgemix_runtime::{ClusterBelief, ClusterFilter, Model, SmootherError};

use super::inference::score;
use crate::data::{DataError, Samples};

/// Number of samples that are read and assigned at a time.
const CHUNK: usize = 8192;

/// The cluster of each sample as the chip's smoother gives it, which forgets what it knows at gaps and between groups.
///
/// ```
/// use edgemix::assessment::smoothing::smooth;
/// use edgemix::data::Samples;
/// use edgemix_runtime::Model;
///
/// /// How many windows the smoother puts in another cluster.
/// fn changed(model: &Model, windows: &Samples, assigned: &[u16]) -> Option<usize> {
///     let smoothed = smooth(model, windows).ok()?.ok()?;
///     Some(smoothed.iter().zip(assigned).filter(|(one, other)| one != other).count())
/// }
/// ```
///
/// # Errors
/// [`DataError`] if a file that contains the samples can't be read; within it, why the model can't be smoothed.
pub fn smooth(model: &Model, samples: &Samples) -> Result<Result<Vec<u16>, SmootherError>, DataError> {
    let mut beliefs = vec![ClusterBelief::default(); model.n_clusters()];
    let filter = match ClusterFilter::new(model, &mut beliefs) {
        Ok(filter) => filter,
        Err(error) => return Ok(Err(error)),
    };
    let mut starts = samples.sequences().into_iter().map(|sequence| sequence.start).peekable();
    let mut smoothed = vec![];
    for values in samples.chunks(CHUNK) {
        for found in score(model, &values?) {
            if starts.next_if_eq(&smoothed.len()).is_some() {
                filter.restart(&mut beliefs);
            }
            smoothed.push(filter.observe(&model.assignment(&found.scores), &mut beliefs));
        }
    }
    Ok(Ok(smoothed))
}
