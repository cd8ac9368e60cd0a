//! The trait that every method implements.

use burn::tensor::backend::AutodiffBackend;

use crate::data::Samples;
use crate::nn::Architecture;
use crate::trained::Trained;
use crate::training::{FitError, Fitting};
use crate::variant::Variant;

/// A method, implemented by the type of its settings. No item has a default, so a new method does not compile until it
/// answers every question. Many methods therefore give the same answers in the same words: that repetition is intended,
/// because each file then says all about its method.
pub(super) trait MethodSettings {
    /// The method's name on the command line and in a configuration.
    const NAME: &'static str;

    /// Whether the clustering phase trains the exported encoder without dropout. Only then can the encoder be trained
    /// with rounded weights (`fake-quantization`).
    const ENCODER_LEARNS_WITH_CLUSTERS: bool;

    /// The paper's encoder, if it has one for such samples; otherwise an encoder chosen by their size.
    fn architecture(&self, samples: &Samples) -> Architecture;

    /// The default number of clustering epochs, given the number of `reconstruction` epochs.
    fn cluster_epochs(&self, reconstruction: usize) -> usize;

    /// Sets the number of clusters, or the number of components to start from.
    fn set_n_clusters(&mut self, n: usize);

    /// Bounds the number of clusters; there is no upper bound if `most` is `None`. Returns whether the method finds the
    /// number by itself.
    fn set_cluster_bounds(&mut self, least: usize, most: Option<usize>) -> bool;

    /// Chooses between the paper's form and the corrected one. Returns whether the method has both.
    fn set_variant(&mut self, variant: Variant) -> bool;

    /// Checks the method's settings against the samples.
    ///
    /// # Errors
    /// [`FitError::Setting`] names a setting that these samples do not allow.
    fn check(&self, samples: &Samples) -> Result<(), FitError>;

    /// Runs the phases and returns the trained model.
    ///
    /// # Errors
    /// See [`FitError`].
    fn fit<B: AutodiffBackend>(&self, fit: &mut Fitting<'_, B>) -> Result<Trained, FitError>;
}
