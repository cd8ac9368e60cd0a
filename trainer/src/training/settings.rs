//! The settings of a phase.

use std::fmt;

use serde::de::{Error, Visitor};
use serde::{Deserialize, Deserializer, Serialize, Serializer};

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

/// A number of epochs, `"auto"` or an integer in TOML. Exactly 0 skips the phase.
///
/// ```
/// use edgemix::training::{Epochs, PhaseSettings};
///
/// let epochs = |text: &str| toml::from_str::<PhaseSettings>(text).map(|phase| phase.epochs);
/// assert_eq!(epochs("epochs = \"auto\"")?, Epochs::Auto);
/// assert_eq!(epochs("epochs = 0")?, Epochs::Exactly(0));
/// assert!(epochs("epochs = -1").is_err());
/// assert_eq!((Epochs::Auto.or(45), Epochs::Exactly(0).or(45)), (45, 0));
/// # Ok::<(), toml::de::Error>(())
/// ```
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Epochs {
    /// The number of samples determines the number of epochs.
    #[default]
    Auto,
    /// Exactly this number, which may be 0.
    Exactly(usize),
}

impl Epochs {
    /// The number of epochs; `automatic` if it is left open.
    pub fn or(self, automatic: usize) -> usize {
        match self {
            Self::Auto => automatic,
            Self::Exactly(epochs) => epochs,
        }
    }
}

impl PhaseSettings {
    /// The default settings with exactly this number of epochs.
    pub fn with_epochs(epochs: usize) -> Self {
        Self { epochs: Epochs::Exactly(epochs), ..Self::default() }
    }
}

impl Serialize for Epochs {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match self {
            Self::Auto => serializer.serialize_str("auto"),
            Self::Exactly(epochs) => serializer.serialize_u64(*epochs as u64),
        }
    }
}

impl<'de> Deserialize<'de> for Epochs {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Reader;

        impl Visitor<'_> for Reader {
            type Value = Epochs;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("\"auto\" or a number of epochs")
            }

            fn visit_str<E: Error>(self, text: &str) -> Result<Epochs, E> {
                if text == "auto" {
                    Ok(Epochs::Auto)
                } else {
                    Err(E::invalid_value(serde::de::Unexpected::Str(text), &self))
                }
            }

            fn visit_u64<E: Error>(self, epochs: u64) -> Result<Epochs, E> {
                Ok(Epochs::Exactly(epochs as usize))
            }

            fn visit_i64<E: Error>(self, epochs: i64) -> Result<Epochs, E> {
                let refused = |_| E::invalid_value(serde::de::Unexpected::Signed(epochs), &self);
                usize::try_from(epochs).map(Epochs::Exactly).map_err(refused)
            }
        }

        deserializer.deserialize_any(Reader)
    }
}
