//! The settings of a phase.

use serde::{Deserialize, Serialize};

use super::epochs::Epochs;
use super::schedule::RateSchedule;
use crate::nn::Optimizer;

/// The settings of a phase: its length, and how its networks are trained.
///
/// ```
/// use edgemix::training::{Epochs, PhaseSettings};
///
/// let phase: PhaseSettings = toml::from_str("epochs = 30\nbatch-size = 128\noptimizer.name = \"sgd\"")?;
/// assert_eq!((phase.epochs, phase.batch_size, phase.learning_rate), (Epochs::Exactly(30), Some(128), None));
/// assert_eq!(PhaseSettings::default().epochs, Epochs::Auto);
/// # Ok::<(), toml::de::Error>(())
/// ```
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields, rename_all = "kebab-case")]
pub struct PhaseSettings {
    /// Number of passes over the samples.
    pub epochs: Epochs,
    /// Samples per step; `None` uses the value of the whole configuration.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub batch_size: Option<usize>,
    /// The step size at the start; `None` uses the value of the whole configuration.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub learning_rate: Option<f64>,
    /// The optimiser.
    pub optimizer: Optimizer,
    /// How the step size changes.
    pub schedule: RateSchedule,
}

impl PhaseSettings {
    /// The default settings with exactly this number of epochs.
    pub fn with_epochs(epochs: usize) -> Self {
        Self { epochs: Epochs::Exactly(epochs), ..Self::default() }
    }
}
