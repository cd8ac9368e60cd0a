//! The samples and settings of a run, which are checked before anything is written.

use super::error::WorkflowError;
use crate::data::{DataError, DataRecord, Dataset, Source};
use crate::methods::{EncoderChoice, FitConfig};
use crate::run::settings_to_toml;

/// Samples and settings that were checked against each other.
///
/// ```
/// use edgemix::data::{self, Source};
/// use edgemix::methods::FitConfig;
/// use edgemix::workflow::Plan;
///
/// let (source, dataset) = (Source::new("digits"), data::digits());
/// let plan = Plan::new(&source, &dataset, FitConfig::default())?;
/// assert_eq!(plan.with_seed(7)?.config().seed, 7);
/// assert!(Plan::new(&source, &dataset, FitConfig { holdout: 2.0, ..FitConfig::default() }).is_err());
/// # Ok::<(), edgemix::workflow::WorkflowError>(())
/// ```
#[derive(Clone, Debug)]
pub struct Plan<'a> {
    dataset: &'a Dataset,
    record: DataRecord,
    config: FitConfig,
    encoder: EncoderChoice,
}

impl<'a> Plan<'a> {
    /// Checks the settings by themselves and against these samples.
    ///
    /// # Errors
    /// [`WorkflowError::Fit`] if a setting is impossible or there are too few samples, [`WorkflowError::Data`] if all samples
    /// are the same, and [`WorkflowError::Run`] if a setting can't be written as TOML.
    pub fn new(source: &Source, dataset: &'a Dataset, config: FitConfig) -> Result<Self, WorkflowError> {
        Self::checked(dataset, DataRecord::new(source, &dataset.samples), config)
    }

    /// The same plan with another seed.
    ///
    /// # Errors
    /// The errors of [`Plan::new`].
    pub fn with_seed(&self, seed: u64) -> Result<Self, WorkflowError> {
        let config = FitConfig { seed, ..self.config.clone() };
        Ok(Self { encoder: self.encoder.clone(), ..Self::checked(self.dataset, self.record.clone(), config)? })
    }

    fn checked(dataset: &'a Dataset, record: DataRecord, mut config: FitConfig) -> Result<Self, WorkflowError> {
        config.check(&dataset.samples)?;
        let encoder = config.encoder_for(&dataset.samples)?;
        // What these samples decided is a setting from here on, so that parts of them do not decide otherwise.
        if encoder.dimension.is_some() {
            config.encoder = encoder.encoder.clone();
        }
        if dataset.samples.are_all_equal() {
            return Err(DataError::AllEqual { name: dataset.samples.name().to_owned() }.into());
        }
        settings_to_toml(&config)?;
        Ok(Self { dataset, record, config, encoder })
    }

    /// The samples.
    pub fn dataset(&self) -> &'a Dataset {
        self.dataset
    }

    /// Where the samples come from, and their fingerprint.
    pub fn record(&self) -> &DataRecord {
        &self.record
    }

    /// The encoder, and why it is not the method's usual one.
    pub fn encoder(&self) -> &EncoderChoice {
        &self.encoder
    }

    /// The settings.
    pub fn config(&self) -> &FitConfig {
        &self.config
    }
}
