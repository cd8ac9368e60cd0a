//! The samples and settings of a run, which are checked before anything is written.

use super::error::WorkflowError;
use crate::assessment::chips::{Chip, Planned};
use crate::data::{DataError, DataRecord, Dataset, Layout, Samples, Source};
use crate::front_end::{FrontEnd, FrontEndKind};
use crate::methods::{EncoderChoice, FitConfig};
use crate::quantize::check_sizes;
use crate::run::settings_to_toml;
use crate::training::FitError;

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
    front_end: Option<FrontEnd>,
    /// What clusters are found in, if that is not the samples: features that the front end computes, or latents of an encoder
    /// that is not trained.
    features: Option<Samples>,
}

impl<'a> Plan<'a> {
    /// Checks the settings by themselves and against these samples.
    ///
    /// # Errors
    /// [`WorkflowError::Fit`] if a setting is impossible or there are too few samples, [`WorkflowError::Quantize`] if a model
    /// file can't hold such an encoder, [`WorkflowError::Data`] if all samples are the same,
    /// [`WorkflowError::TooFewDifferent`] if fewer differ than there are to be clusters, [`WorkflowError::FrontEnd`] if they
    /// can't have the front end that the settings ask for, and [`WorkflowError::Run`] if a setting can't be written as TOML.
    pub fn new(source: &Source, dataset: &'a Dataset, config: FitConfig) -> Result<Self, WorkflowError> {
        let samples = &dataset.samples;
        // Convolutions over time see the windows themselves.
        let is_open = config.front_end.kind == FrontEndKind::Auto && config.front_end.filter.changes_nothing();
        let front_end = match config.encoder.is_over_time() && is_open {
            true => None,
            false => FrontEnd::of(&config.front_end, samples)?,
        };
        config.check_numbers()?;
        check_window_augmentation(&config, samples)?;
        let features = front_end.as_ref().map(|front_end| front_end.features_of(samples)).transpose()?;
        let encoder = EncoderChoice { encoder: config.encoder.clone(), dimension: None };
        Self { dataset, record: DataRecord::new(source, samples), config, encoder, front_end, features }.checked()
    }

    /// Checks settings for latents of these samples, which an encoder computed that is not trained.
    ///
    /// # Errors
    /// The errors of [`Plan::new`].
    pub(super) fn of_latents(
        source: &Source,
        dataset: &'a Dataset,
        config: FitConfig,
        latents: Samples,
    ) -> Result<Self, WorkflowError> {
        config.check_numbers()?;
        let record = DataRecord::new(source, &dataset.samples);
        let encoder = EncoderChoice { encoder: config.encoder.clone(), dimension: None };
        Self { dataset, record, config, encoder, front_end: None, features: Some(latents) }.checked()
    }

    /// The same plan with another seed.
    ///
    /// # Errors
    /// The errors of [`Plan::new`].
    pub fn with_seed(&self, seed: u64) -> Result<Self, WorkflowError> {
        let config = FitConfig { seed, ..self.config.clone() };
        Ok(Self { encoder: self.encoder.clone(), ..Self { config, ..self.clone() }.checked()? })
    }

    fn checked(mut self) -> Result<Self, WorkflowError> {
        let checked = self.config.check(self.inputs())?;
        if self.config.window_augmentation.changes_anything() && !checked.trains_an_encoder() {
            let problem = "changes what an encoder is trained on, and none is trained on these samples: omit it, or name the \
                           layers of an encoder (--encoder)";
            return Err(FitError::setting("window-augmentation", problem).into());
        }
        check_sizes(self.inputs().n_features(), &checked.exported_encoder(self.inputs())?)?;
        self.encoder = self.config.encoder_for(self.inputs())?;
        // What these samples decided is a setting from here on, so that parts of them do not decide otherwise.
        if self.encoder.dimension.is_some() {
            self.config.encoder = self.encoder.encoder.clone();
        }
        for samples in [&self.dataset.samples, self.inputs()] {
            if samples.are_all_equal() {
                return Err(DataError::AllEqual { name: samples.name().to_owned() }.into());
            }
        }
        let wanted = self.config.method.least_clusters();
        let different = self.dataset.samples.count_different(wanted)?;
        if different < wanted {
            return Err(WorkflowError::TooFewDifferent { different, clusters: wanted });
        }
        settings_to_toml(&self.config)?;
        Ok(self)
    }

    /// Checks that what is known of the model before it is trained fits a chip: the layers of its encoder.
    ///
    /// # Errors
    /// [`WorkflowError::Chip`] if they do not fit, and the errors of [`Plan::new`].
    pub fn check_chip(&self, chip: &'static Chip, most_ms: Option<f64>) -> Result<(), WorkflowError> {
        let layers = self.config.check(self.inputs())?.exported_encoder(self.inputs())?;
        Planned { inputs: self.inputs().n_features(), layers: &layers }.check(chip, most_ms)?;
        Ok(())
    }

    /// What computes features of the samples, if something does.
    pub fn front_end(&self) -> Option<&FrontEnd> {
        self.front_end.as_ref()
    }

    /// What the encoder learns from: the features of the samples, or the samples themselves.
    pub fn inputs(&self) -> &Samples {
        self.features.as_ref().unwrap_or(&self.dataset.samples)
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

/// Refuses an augmentation of windows that these samples can't have.
fn check_window_augmentation(config: &FitConfig, samples: &Samples) -> Result<(), FitError> {
    let augmentation = &config.window_augmentation;
    let Layout::Windows { channels } = samples.layout() else {
        if !augmentation.changes_anything() {
            return Ok(());
        }
        let problem = format!("is for windows of a recording, and {} has none: omit it", samples.name());
        return Err(FitError::setting("window-augmentation", problem));
    };
    if let Some((setting, problem)) = augmentation.problem(channels) {
        return Err(FitError::setting(setting, problem));
    }
    let is_shifted = |&channel: &usize| samples.origins().get(channel).is_some_and(|&origin| origin != 0.0);
    match augmentation.axes.as_flattened().iter().find(|channel| is_shifted(channel)) {
        Some(&channel) if augmentation.rotation > 0.0 => {
            let name = samples.column_name(channel);
            let problem =
                format!("{name} is far from 0 for its changes, so that no sensor's axis can be meant: omit it");
            Err(FitError::setting("window-augmentation.axes", problem))
        }
        _ => Ok(()),
    }
}
