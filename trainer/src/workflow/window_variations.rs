//! Augmented versions of the windows of a recording, as the encoder sees windows.

use rand_chacha::ChaCha8Rng;

use super::error::WorkflowError;
use super::plan::Plan;
use crate::data::{DataError, Layout, Samples, Scaling, Variations, WindowAugmentation};
use crate::front_end::FrontEnd;

/// Changes raw windows, and computes the features of what they became.
#[derive(Debug)]
pub(super) struct WindowVariations {
    windows: Samples,
    front_end: Option<FrontEnd>,
    augmentation: WindowAugmentation,
    /// The standard deviation of each channel.
    deviations: Vec<f32>,
}

impl WindowVariations {
    /// The variations that a plan asks for of these raw windows, if it asks for any.
    ///
    /// # Errors
    /// If the file that the windows are in can't be read.
    pub(super) fn new(plan: &Plan, windows: &Samples) -> Result<Option<Self>, WorkflowError> {
        let augmentation = plan.config().window_augmentation.clone();
        let Layout::Windows { channels } = windows.layout() else { return Ok(None) };
        if !augmentation.changes_anything() {
            return Ok(None);
        }
        // The gain of a channel is the reciprocal of its deviation; that of a constant channel is 0.
        let gain = Scaling::fit(windows)?.gain;
        let deviation = |channel: usize| Some(gain[channel % gain.len()].recip()).filter(|x| x.is_finite());
        let deviations = (0..channels).map(|channel| deviation(channel).unwrap_or(0.0)).collect();
        Ok(Some(Self { windows: windows.clone(), front_end: plan.front_end().cloned(), augmentation, deviations }))
    }
}

impl Variations for WindowVariations {
    fn draw(&self, indices: &[usize], rng: &mut ChaCha8Rng) -> Result<Vec<f32>, DataError> {
        let mut values = self.windows.gather(indices)?;
        for window in values.chunks_exact_mut(self.windows.n_features()) {
            self.augmentation.apply(window, &self.deviations, rng);
        }
        Ok(match &self.front_end {
            Some(front_end) => front_end.features(&values),
            None => values,
        })
    }
}
