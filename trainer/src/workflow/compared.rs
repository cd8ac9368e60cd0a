//! What a comparison compares, and its runs.

use crate::methods::FitConfig;

/// What is compared with others: settings, and how the table names them.
#[derive(Clone, Debug)]
pub struct Compared {
    pub(super) name: String,
    pub(super) settings: FitConfig,
}

impl Compared {
    /// A method, which gives its name.
    ///
    /// ```
    /// use edgemix::methods::{FitConfig, MethodConfig};
    /// use edgemix::workflow::Compared;
    ///
    /// let method = MethodConfig::named("dec").unwrap();
    /// let dec = Compared::method(FitConfig { method, ..FitConfig::default() });
    /// assert_eq!((dec.name(), dec.varied("seed=3", FitConfig::default()).name()), ("dec", "dec seed=3"));
    /// ```
    pub fn method(settings: FitConfig) -> Self {
        Self { name: settings.method.name().to_owned(), settings }
    }

    /// The same method with other settings, of which `variation` names what differs.
    #[must_use]
    pub fn varied(&self, variation: &str, settings: FitConfig) -> Self {
        Self { name: format!("{} {variation}", self.name), settings }
    }

    /// How the table names it.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// The settings.
    pub fn settings(&self) -> &FitConfig {
        &self.settings
    }
}

/// A run of a comparison.
#[derive(Clone, Debug)]
pub struct ComparisonRun {
    /// Its index among the runs.
    pub(super) index: usize,
    /// The index of what is compared.
    pub(super) compared: usize,
    pub(super) name: String,
    pub(super) settings: FitConfig,
}

impl ComparisonRun {
    /// The name of the method, and what is varied.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// The settings.
    pub fn settings(&self) -> &FitConfig {
        &self.settings
    }

    /// The seed.
    pub fn seed(&self) -> u64 {
        self.settings.seed
    }
}
