//! How a front end is spelt on the command line: `auto`, `none`, `spectrum:fft=128,bands=8`, or a filter before it, as in
//! `decimate:rate=50,spectrum:bands=8`.

use std::collections::BTreeSet;
use std::str::FromStr;

use super::bands::Spacing;
use super::error::FrontEndError;
use super::settings::{Filtering, FrontEndKind, FrontEndSettings, Pooling, Statistic, Tapering};
use crate::base::names::nearest_name;

/// The settings that a spelling may contain.
const KEYS: [&str; 11] =
    ["fft", "frame", "hop", "bands", "spacing", "low", "high", "taper", "pool", "statistics", "magnitude"];
/// The settings of a filter.
const FILTER_KEYS: [&str; 4] = ["rate", "low", "high", "order"];

/// What a setting in a spelling belongs to.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Step {
    None,
    Spectrum,
    Filter,
}

impl FrontEndSettings {
    /// How a front end is spelt, for help and error messages.
    pub fn spelling() -> String {
        format!(
            "auto, none, or spectrum with settings after a colon, as in spectrum:fft=128,bands=8; settings are {}. Before it \
             may be decimate:rate=50 to keep fewer instants in a second, and filter with low, high and order, as in \
             decimate:rate=50,filter:low=1,order=2,spectrum:bands=6",
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
        let mut settings = Self { rate: self.rate, ..Self::default() };
        let (mut step, mut seen, mut seen_filter) = (None, BTreeSet::new(), false);
        for part in spelling.split(',').filter(|part| !part.is_empty()) {
            let (name, setting) = part.split_once(':').unwrap_or((part, ""));
            let setting = if part.contains(':') || !part.contains('=') || step.is_none() {
                step = Some(settings.begin(name.trim(), step).map_err(refused)?);
                seen_filter |= step == Some(Step::Filter);
                setting
            } else {
                part
            };
            if setting.is_empty() {
                continue;
            }
            let (key, value) = setting.split_once('=').ok_or_else(|| refused(format!("{setting} is not KEY=VALUE")))?;
            let (key, value) = (key.trim(), value.trim());
            if !seen.insert((step, key)) && key != "magnitude" {
                return Err(refused(format!("{key} is given twice")));
            }
            match step {
                Some(Step::Filter) => settings.filter.set(key, value),
                Some(Step::Spectrum) => settings.set(key, value),
                Some(Step::None) | None => Err("none has no settings".into()),
            }
            .map_err(refused)?;
        }
        if seen_filter && settings.filter.changes_nothing() {
            return Err(refused("a filter needs low or high, in hertz, and decimate the rate that is kept".into()));
        }
        if settings.kind == FrontEndKind::None && settings.filter != Filtering::default() {
            return Err(refused("a filter is followed by a spectrum, not by none".into()));
        }
        Ok(settings)
    }

    /// Begins what the name says. A spectrum is the last step.
    fn begin(&mut self, name: &str, before: Option<Step>) -> Result<Step, String> {
        let expected = |problem: &str| Err(format!("{problem}expected {}", Self::spelling()));
        if !matches!(before, None | Some(Step::Filter)) {
            return expected(&format!("nothing can follow the spectrum or none, but {name} does: "));
        }
        let (kind, step) = match name {
            "auto" => (FrontEndKind::Auto, Step::Spectrum),
            "none" => (FrontEndKind::None, Step::None),
            "spectrum" => (FrontEndKind::Spectrum, Step::Spectrum),
            // What follows is chosen by itself, unless it is named.
            "filter" | "decimate" => (FrontEndKind::Auto, Step::Filter),
            _ => return expected(""),
        };
        self.kind = kind;
        Ok(step)
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

impl Filtering {
    fn set(&mut self, key: &str, value: &str) -> Result<(), String> {
        match key {
            "rate" => self.rate = Some(number(key, value)?),
            "low" => self.low = Some(number(key, value)?),
            "high" => self.high = Some(number(key, value)?),
            "order" => self.order = number(key, value)?,
            _ => {
                let all = FILTER_KEYS.join(", ");
                return Err(format!("a filter has no setting {key}: expected one of {all}"));
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
    fn a_filter_may_come_first() {
        let of = |spelling: &str| spelling.parse::<FrontEndSettings>().unwrap();
        let found = of("decimate:rate=50,order=2,spectrum:fft=64,low=1");
        assert_eq!(found.filter, Filtering { rate: Some(50.0), order: 2, ..Filtering::default() });
        assert_eq!((found.kind, found.fft, found.low), (FrontEndKind::Spectrum, Some(64), Some(1.0)));
        let found = of("filter:low=2,filter:high=20");
        assert_eq!((found.kind, found.filter.low, found.filter.high), (FrontEndKind::Auto, Some(2.0), Some(20.0)));
    }

    #[test]
    fn what_is_misspelt_is_named() {
        for (spelling, message) in [
            ("spectrogram", "expected auto, none, or spectrum"),
            ("none:fft=64", "none has no settings"),
            ("filter:low=2,none", "a filter is followed by a spectrum, not by none"),
            ("filter:width=2", "a filter has no setting width: expected one of rate, low, high, order"),
            ("filter:low", "low is not KEY=VALUE"),
            ("filter", "a filter needs low or high, in hertz, and decimate the rate that is kept"),
            ("decimate:", "a filter needs low or high"),
            ("filter:order=2,spectrum", "a filter needs low or high"),
            ("filter:low=5,low=6", "low is given twice"),
            ("decimate:rate=50,decimate:rate=25", "rate is given twice"),
            ("spectrum:fft=64,fft=32", "fft is given twice"),
            ("spectrum:fft=64,filter:low=2", "nothing can follow the spectrum or none, but filter does"),
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
