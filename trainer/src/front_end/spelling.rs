//! How a front end is spelt on the command line: `auto`, `none`, `spectrum:fft=128,bands=8`.

use std::str::FromStr;

use super::bands::Spacing;
use super::error::FrontEndError;
use super::settings::{FrontEndKind, FrontEndSettings, Pooling, Statistic, Tapering};
use crate::base::names::nearest_name;

/// The settings that a spelling may contain.
const KEYS: [&str; 11] =
    ["fft", "frame", "hop", "bands", "spacing", "low", "high", "taper", "pool", "statistics", "magnitude"];

impl FrontEndSettings {
    /// How a front end is spelt, for help and error messages.
    pub fn spelling() -> String {
        format!(
            "auto, none, or spectrum with settings after a colon, as in spectrum:fft=128,bands=8; settings are {}",
            KEYS.join(", ")
        )
    }

    /// Sets what a spelling says, and keeps the rate.
    ///
    /// ```
    /// use edgemix::front_end::FrontEndSettings;
    ///
    /// let settings = FrontEndSettings { rate: Some(50.0), ..FrontEndSettings::default() };
    /// let spelt = settings.spelt("spectrum:statistics=deviation+crest,magnitude=0+1+2")?;
    /// assert_eq!((spelt.rate, &spelt.magnitudes[..]), (Some(50.0), &[vec![0, 1, 2]][..]));
    /// assert!(settings.spelt("spectrum:ftt=64").unwrap_err().to_string().contains("did you mean fft?"));
    /// # Ok::<(), edgemix::front_end::FrontEndError>(())
    /// ```
    ///
    /// # Errors
    /// [`FrontEndError::Spelling`] says which part is wrong.
    pub fn spelt(&self, spelling: &str) -> Result<Self, FrontEndError> {
        let refused = |problem| FrontEndError::Spelling { spelling: spelling.into(), problem };
        let (kind, parts) = spelling.split_once(':').unwrap_or((spelling, ""));
        let kind = match kind {
            "auto" => FrontEndKind::Auto,
            "none" => FrontEndKind::None,
            "spectrum" => FrontEndKind::Spectrum,
            _ => return Err(refused(format!("expected {}", Self::spelling()))),
        };
        let mut settings = Self { kind, rate: self.rate, ..Self::default() };
        for part in parts.split(',').filter(|part| !part.is_empty()) {
            if kind == FrontEndKind::None {
                return Err(refused("none has no settings".into()));
            }
            let (key, value) = part.split_once('=').ok_or_else(|| refused(format!("{part} is not KEY=VALUE")))?;
            settings.set(key.trim(), value.trim()).map_err(refused)?;
        }
        Ok(settings)
    }

    fn set(&mut self, key: &str, value: &str) -> Result<(), String> {
        match key {
            "fft" => self.fft = Some(number(key, value)?),
            "frame" => self.frame = Some(number(key, value)?),
            "hop" => self.hop = Some(number(key, value)?),
            "bands" => self.bands = number(key, value)?,
            "spacing" => self.spacing = named(key, value, &Spacing::NAMES)?,
            "low" => self.low = Some(number(key, value)?),
            "high" => self.high = Some(number(key, value)?),
            "taper" => self.taper = named(key, value, &[("hann", Tapering::Hann), ("none", Tapering::None)])?,
            "pool" => self.pool = named(key, value, &[("mean", Pooling::Mean), ("max", Pooling::Max)])?,
            "statistics" if value == "none" => self.statistics.clear(),
            "statistics" => {
                let each = value.split('+').map(|name| named(key, name, &Statistic::ALL));
                self.statistics = each.collect::<Result<_, _>>()?;
            }
            "magnitude" => {
                let channels = value.split('+').map(|channel| number(key, channel));
                self.magnitudes.push(channels.collect::<Result<_, _>>()?);
            }
            _ => {
                let hint = nearest_name(key, KEYS).map_or_else(String::new, |name| format!(" (did you mean {name}?)"));
                return Err(format!("there is no setting {key}{hint}: expected one of {}", KEYS.join(", ")));
            }
        }
        Ok(())
    }
}

impl FromStr for FrontEndSettings {
    type Err = FrontEndError;

    fn from_str(spelling: &str) -> Result<Self, FrontEndError> {
        Self::default().spelt(spelling)
    }
}

fn number<T: FromStr>(key: &str, value: &str) -> Result<T, String> {
    value.parse().map_err(|_| format!("{key} must be a number, not {value:?}"))
}

fn named<T: Copy>(key: &str, value: &str, known: &[(&str, T)]) -> Result<T, String> {
    let found = known.iter().find(|(name, _)| *name == value).map(|(_, kind)| *kind);
    let all = || known.iter().map(|(name, _)| *name).collect::<Vec<_>>().join(", ");
    found.ok_or_else(|| format!("{key} must be one of {}, not {value:?}", all()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_misspelt_is_named() {
        for (spelling, message) in [
            ("spectrogram", "expected auto, none, or spectrum"),
            ("none:fft=64", "none has no settings"),
            ("spectrum:fft", "fft is not KEY=VALUE"),
            ("spectrum:fft=many", "fft must be a number"),
            ("spectrum:spacing=bark", "spacing must be one of log, linear, mel"),
            ("spectrum:statistics=mean+mode", "statistics must be one of mean, deviation"),
            ("spectrum:magnitude=0+x", "magnitude must be a number"),
        ] {
            let error = spelling.parse::<FrontEndSettings>().unwrap_err().to_string();
            assert!(error.starts_with(&format!("--front-end {spelling}: ")) && error.contains(message), "{error}");
        }
    }
}
