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
/// use edgemix::data::{Layout, Samples};
/// use edgemix_format::testing::Spec;
/// use edgemix_runtime::Model;
///
/// let bytes = Spec { transitions: true, ..Spec::default() }.build()?;
/// let model = Model::from_bytes(&bytes)?;
/// let values = (0..600).map(|x| (x * 37 % 256) as f32).collect();
/// let windows = Samples::new("windows", values, 6).with_layout(Layout::Windows { channels: 1 });
/// assert_eq!(smooth(&model, &windows)?.unwrap().len(), 100);
/// # Ok::<(), Box<dyn std::error::Error>>(())
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
