//! Lengths of training, in epochs or in steps of the optimiser.

use std::fmt;

use serde::de::{Error, Visitor};
use serde::{Deserialize, Deserializer, Serialize, Serializer};

/// A number of epochs: in TOML `"auto"`, an integer, or a number of steps such as `"40000 steps"`. Exactly 0 skips the phase.
///
/// ```
/// use edgemix::training::{Epochs, PhaseSettings};
///
/// let epochs = |text: &str| toml::from_str::<PhaseSettings>(text).map(|phase| phase.epochs);
/// assert_eq!(epochs("epochs = \"auto\"")?, Epochs::Auto);
/// assert_eq!(epochs("epochs = 0")?, Epochs::Exactly(0));
/// assert_eq!(epochs("epochs = \"40000 steps\"")?, Epochs::Steps(40_000));
/// assert!(epochs("epochs = -1").is_err());
/// // An epoch of 300 steps; what was begun is finished.
/// let resolved = [Epochs::Auto, Epochs::Exactly(0), Epochs::Steps(1000)].map(|epochs| epochs.resolve(45, 300));
/// assert_eq!(resolved, [45, 0, 4]);
/// # Ok::<(), toml::de::Error>(())
/// ```
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Epochs {
    /// The number of samples determines the number of epochs.
    #[default]
    Auto,
    /// Exactly this number, which may be 0.
    Exactly(usize),
    /// As many as have at least this number of steps of the optimiser, which papers call iterations.
    Steps(usize),
}

impl Epochs {
    /// The number of epochs of so many steps; `automatic` if it is left open.
    pub fn resolve(self, automatic: usize, steps_an_epoch: usize) -> usize {
        match self {
            Self::Auto => automatic,
            Self::Exactly(epochs) => epochs,
            Self::Steps(steps) => steps.div_ceil(steps_an_epoch.max(1)),
        }
    }
}

/// How often something happens: in TOML a number of epochs, or of steps of the optimiser, such as `"10000 steps"`.
///
/// ```
/// use edgemix::training::{Interval, PhaseSettings, RateSchedule};
///
/// let phase: PhaseSettings = toml::from_str("schedule = { name = \"steps\", every = \"10000 steps\" }")?;
/// assert_eq!(phase.schedule, RateSchedule::Steps { every: Interval::Steps(10_000), factor: 0.1 });
/// # Ok::<(), toml::de::Error>(())
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Interval {
    /// So many epochs.
    Epochs(usize),
    /// So many steps of the optimiser.
    Steps(usize),
}

impl Serialize for Epochs {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match self {
            Self::Auto => serializer.serialize_str("auto"),
            Self::Exactly(epochs) => serializer.serialize_u64(*epochs as u64),
            Self::Steps(steps) => serializer.collect_str(&format_args!("{steps}{STEPS}")),
        }
    }
}

/// What follows a number of steps.
const STEPS: &str = " steps";

impl Serialize for Interval {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match *self {
            Self::Epochs(epochs) => Epochs::Exactly(epochs).serialize(serializer),
            Self::Steps(steps) => Epochs::Steps(steps).serialize(serializer),
        }
    }
}

impl<'de> Deserialize<'de> for Interval {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        match Epochs::deserialize(deserializer)? {
            Epochs::Exactly(epochs) => Ok(Self::Epochs(epochs)),
            Epochs::Steps(steps) => Ok(Self::Steps(steps)),
            Epochs::Auto => Err(D::Error::custom("expected a number of epochs, or of steps as in \"10000 steps\"")),
        }
    }
}

impl<'de> Deserialize<'de> for Epochs {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Reader;

        impl Visitor<'_> for Reader {
            type Value = Epochs;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("\"auto\", a number of epochs, or one of steps as in \"40000 steps\"")
            }

            fn visit_str<E: Error>(self, text: &str) -> Result<Epochs, E> {
                let steps = || text.strip_suffix(STEPS)?.parse().ok().map(Epochs::Steps);
                let epochs = if text == "auto" { Some(Epochs::Auto) } else { steps() };
                epochs.ok_or_else(|| E::invalid_value(serde::de::Unexpected::Str(text), &self))
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
