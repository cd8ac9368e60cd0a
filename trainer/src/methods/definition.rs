//! The trait that every method implements.

use burn::tensor::backend::AutodiffBackend;

use crate::data::Samples;
use crate::nn::Architecture;
use crate::trained::Trained;
use crate::training::{FitError, Fitting};
use crate::variant::Variant;

/// A method, implemented by the type of its settings. No item has a default, so that a new method does not compile until
/// it answers every question.
pub(super) trait MethodSettings {
    /// Its name on the command line and in a configuration.
    const NAME: &'static str;

    /// Whether the encoder that is exported goes on learning once there are clusters, and without dropout: only then it
    /// can learn with int8's weights.
    const ENCODER_LEARNS_WITH_CLUSTERS: bool;

    /// The encoder of the paper where it has one for such samples, else one by their size.
    fn architecture(&self, samples: &Samples) -> Architecture;

    /// Epochs of the clustering phase after so many of reconstruction, where the configuration leaves them open.
    fn cluster_epochs(&self, reconstruction: usize) -> usize;

    /// Sets the number of clusters, or of components to start from.
    fn set_n_clusters(&mut self, n: usize);

    /// Bounds the number of clusters, without an upper bound if there is no `most`; whether the method finds a number.
    fn set_cluster_bounds(&mut self, least: usize, most: Option<usize>) -> bool;

    /// Takes the paper's form or the corrected one; whether the method has both.
    fn set_variant(&mut self, variant: Variant) -> bool;

    /// Refuses settings that are not for such samples.
    ///
    /// # Errors
    /// [`FitError::Setting`].
    fn check(&self, samples: &Samples) -> Result<(), FitError>;

    /// Runs the phases.
    ///
    /// # Errors
    /// See [`FitError`].
    fn fit<B: AutodiffBackend>(&self, fit: &mut Fitting<'_, B>) -> Result<Trained, FitError>;
}
