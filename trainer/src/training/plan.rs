//! A checked configuration: everything that a fit of given samples needs, except the method.

use std::sync::Arc;

use super::error::FitError;
use super::schedule::RateSchedule;
use super::settings::PhaseSettings;
use crate::data::InputRange;
use crate::data::augmentation::Augmentation;
use crate::import::ImportedEncoder;
use crate::nn::{HiddenActivation, LayerShape, Optimizer};

/// A checked configuration without its method.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Plan {
    /// The method's name on the command line.
    pub method: &'static str,
    /// The seed of every random draw.
    pub seed: u64,
    /// The encoder's layers.
    pub encoder: Vec<LayerShape>,
    /// What the encoder begins with, if another program trained it.
    pub imported: Option<Arc<ImportedEncoder>>,
    /// How the autoencoder learns to reconstruct.
    pub reconstruction: PhasePlan,
    /// How encoder and clusters learn together.
    pub clustering: PhasePlan,
    /// The range of the inputs of images.
    pub input_range: InputRange,
    /// The activation of hidden layers.
    pub activation: HiddenActivation,
    /// Random movements of images.
    pub augmentation: Augmentation,
    /// Whether decoders learn to reconstruct augmented samples as they are, and not what they were made from.
    pub reconstructs_moved: bool,
    /// Whether the clustering phase trains the encoder with weights and activations rounded as int8 rounds them.
    pub fake_quantization: bool,
    /// Whether the autoencoder is the one that the store keeps, and does not learn to reconstruct.
    pub starts_from_kept: bool,
    /// Epochs between two checkpoints.
    pub checkpoint_every: usize,
    /// SHA-256 of all settings that determine what is learned.
    pub fingerprint: [u8; 32],
}

/// The settings of a phase, with every number determined.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct PhasePlan {
    /// The name, which is shown and stored in checkpoints. Each phase of a method has a name of its own.
    pub name: &'static str,
    /// Number of passes over the samples.
    pub epochs: usize,
    /// Samples per step.
    pub batch_size: usize,
    /// The step size at the start.
    pub learning_rate: f64,
    /// The optimiser.
    pub optimizer: Optimizer,
    /// How the step size changes.
    pub schedule: RateSchedule,
}

/// The paths of a phase's settings in the configuration, for errors.
pub(crate) struct SettingNames {
    pub batch_size: &'static str,
    pub learning_rate: &'static str,
    pub momentum: &'static str,
    pub schedule: &'static str,
}

/// The paths of the reconstruction's settings.
pub(crate) const RECONSTRUCTION: SettingNames = SettingNames {
    batch_size: "reconstruction.batch-size",
    learning_rate: "reconstruction.learning-rate",
    momentum: "reconstruction.optimizer.momentum",
    schedule: "reconstruction.schedule",
};

/// The paths of the clustering's settings.
pub(crate) const CLUSTERING: SettingNames = SettingNames {
    batch_size: "clustering.batch-size",
    learning_rate: "clustering.learning-rate",
    momentum: "clustering.optimizer.momentum",
    schedule: "clustering.schedule",
};

impl PhasePlan {
    /// Checks a phase's settings for `n_samples`; `epochs`, `batch_size` and `learning_rate` are used where the settings
    /// leave them open.
    pub(crate) fn check(
        name: &'static str,
        settings: &PhaseSettings,
        names: &SettingNames,
        n_samples: usize,
        epochs: usize,
        batch_size: usize,
        learning_rate: f64,
    ) -> Result<Self, FitError> {
        let refused = |setting: &'static str, problem: &str| Err(FitError::setting(setting, problem));
        let batch_size = settings.batch_size.unwrap_or(batch_size);
        let phase = Self {
            name,
            epochs: settings.epochs.resolve(epochs, n_samples.div_ceil(batch_size.max(1))),
            batch_size,
            learning_rate: settings.learning_rate.unwrap_or(learning_rate),
            optimizer: settings.optimizer,
            schedule: settings.schedule,
        };
        if phase.batch_size == 0 {
            return refused(names.batch_size, "must be at least 1; 256 is usual");
        }
        if !(phase.learning_rate > 0.0 && phase.learning_rate.is_finite()) {
            return refused(names.learning_rate, "must be a positive number; 0.001 is usual");
        }
        if let Optimizer::Sgd { momentum } = phase.optimizer
            && !(0.0..1.0).contains(&momentum)
        {
            return refused(names.momentum, "must be at least 0 and below 1; 0.9 is usual");
        }
        if let Some(problem) = phase.schedule.problem() {
            return refused(names.schedule, problem);
        }
        Ok(phase)
    }

    /// The same plan with another name.
    pub(crate) fn named(self, name: &'static str) -> Self {
        Self { name, ..self }
    }
}
