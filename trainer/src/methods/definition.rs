//! The trait that every method implements.

use burn::tensor::backend::AutodiffBackend;

use super::common::defaults::{ClusterEpochs, DefaultEncoder};
use crate::data::Samples;
use crate::nn::LayerShape;
use crate::trained::Trained;
use crate::training::{FitError, Fitting};
use crate::variant::Variant;

/// Where the settings of a method hold the number of clusters.
pub(super) enum ClusterCount<'a> {
    /// The method is given the number of clusters.
    Given(&'a mut usize),
    /// The method is given the number of components to start from, and drops those that it does not need.
    StartsFrom(&'a mut usize),
    /// The method finds the number, within these bounds; an upper bound of 0 is none.
    Found {
        /// The lower bound.
        least: &'a mut usize,
        /// The upper bound.
        most: &'a mut usize,
    },
}

/// A method, implemented by the type of its settings. No item has a default, so a new method does not compile until it
/// answers every question.
pub(super) trait MethodSettings {
    /// The method's name on the command line and in a configuration.
    const NAME: &'static str;

    /// Whether the clustering phase trains the exported encoder without dropout. Only then can the encoder be trained
    /// with rounded weights (`fake-quantization`).
    const ENCODER_LEARNS_WITH_CLUSTERS: bool;

    /// The paper's encoder, if it has one for such samples; otherwise an encoder chosen by their size.
    const ENCODER: DefaultEncoder;

    /// Whether the method can cluster the features themselves, without an encoder.
    const WORKS_WITHOUT_ENCODER: bool;

    /// The default number of clustering epochs.
    const CLUSTER_EPOCHS: ClusterEpochs;

    /// The settings of the method's paper as TOML, complete but for what the method and the whole configuration have as
    /// defaults; `None` if the paper prints no schedule.
    const PAPER: Option<&'static str>;

    /// The setting that weighs the clustering loss, if there is one.
    const CLUSTERING_WEIGHT: Option<&'static str>;

    /// Where the settings hold the number of clusters.
    fn cluster_count(&mut self) -> ClusterCount<'_>;

    /// Chooses between the paper's form and the corrected one. Returns whether the method has both.
    fn set_variant(&mut self, variant: Variant) -> bool;

    /// Checks the method's settings against the encoder's layers and the samples.
    ///
    /// # Errors
    /// [`FitError::Setting`] names a setting that these layers or samples do not allow.
    fn check(&self, encoder: &[LayerShape], samples: &Samples) -> Result<(), FitError>;

    /// The layers of the encoder that is exported, given the layers of the one that is trained.
    ///
    /// # Errors
    /// [`FitError::Setting`] names a setting that these layers or samples do not allow.
    fn exported_encoder(&self, encoder: &[LayerShape], samples: &Samples) -> Result<Vec<LayerShape>, FitError>;

    /// Runs the phases and returns the trained model.
    ///
    /// # Errors
    /// See [`FitError`].
    fn fit<B: AutodiffBackend>(&self, fit: &mut Fitting<'_, B>) -> Result<Trained, FitError>;
}
