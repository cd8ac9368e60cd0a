//! Settings that are known by a name.

#[cfg(test)]
mod tests;

use std::ops::Range;

use serde::{Deserialize, Serialize};
use toml::Spanned;

use super::completion::{completed, defaults_of};
use super::error::RunError;
use crate::methods::{FitConfig, MethodConfig};

/// Settings that are known by a name, `preset = "paper"` in a settings file.
///
/// ```
/// use edgemix::methods::MethodConfig;
/// use edgemix::run::Preset;
///
/// let dcan = Preset::Paper.settings(&MethodConfig::named("dcan").unwrap())?;
/// assert_eq!(dcan.encoder.to_string(), "384-256");
/// // Its paper is this project.
/// assert!(Preset::Paper.settings(&MethodConfig::named("grow").unwrap()).is_err());
/// # Ok::<(), edgemix::run::RunError>(())
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, clap::ValueEnum)]
#[serde(rename_all = "lowercase")]
pub enum Preset {
    /// What the method's paper prints: network, optimiser, batch, rates and length of each phase, augmentation, and the
    /// method's mathematics as printed. `docs/PAPERS.md` says what is settled where a paper is silent.
    Paper,
}

impl Preset {
    /// The preset's settings of a method; the method's own settings do not matter.
    ///
    /// # Errors
    /// [`RunError::NoPreset`] if the method has none.
    pub fn settings(self, method: &MethodConfig) -> Result<FitConfig, RunError> {
        let refused = || RunError::NoPreset { method: method.name(), known: self.methods().join(", ") };
        let text = method.paper_settings().ok_or_else(refused)?;
        completed(text, &defaults_of(method)).map_err(|error| RunError::Unwritable(error.message().into()))
    }

    /// The names of the methods that have the preset.
    ///
    /// ```
    /// use edgemix::run::Preset;
    ///
    /// assert!(Preset::Paper.methods().contains(&"vade"));
    /// ```
    pub fn methods(self) -> Vec<&'static str> {
        let has = |name: &&str| MethodConfig::named(name).is_some_and(|method| method.paper_settings().is_some());
        MethodConfig::NAMES.iter().copied().filter(has).collect()
    }
}

/// The preset that a settings file begins with.
#[derive(Deserialize)]
struct Begin {
    preset: Option<Spanned<Preset>>,
}

/// The preset that a settings file names, and the text without it. What remains is in the same places, so that errors have
/// the right lines.
pub(super) fn taken(text: &str) -> Result<(Option<Preset>, String), toml::de::Error> {
    let Some(preset) = toml::from_str::<Begin>(text)?.preset else { return Ok((None, text.into())) };
    let Range { start, end } = preset.span();
    let begin = text[..start].rfind('\n').map_or(0, |at| at + 1);
    let rest = format!("{}{}{}", &text[..begin], " ".repeat(end - begin), &text[end..]);
    Ok((Some(*preset.get_ref()), rest))
}
