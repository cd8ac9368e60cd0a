//! The settings that people choose by name, and what they make of a configuration.

use std::path::PathBuf;

use super::choice_error::ChoiceError;
use super::preset::Preset;
use super::setting::{method_named, set_setting};
use crate::methods::{Clusters, FitConfig};
use crate::training::Epochs;
use crate::variant::Variant;

/// Settings that are chosen by name. What is `None` stays as it was.
///
/// ```
/// use edgemix::methods::FitConfig;
/// use edgemix::run::Choices;
///
/// let choices = Choices { method: Some("dec".into()), seed: Some(3), ..Choices::default() };
/// let config = choices.applied(FitConfig::default())?;
/// assert_eq!((config.method.name(), config.seed), ("dec", 3));
/// # Ok::<(), edgemix::run::ChoiceError>(())
/// ```
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Choices {
    /// All settings of the method's paper, which the other choices change.
    pub preset: Option<Preset>,
    /// The method's name.
    pub method: Option<String>,
    /// The method as its paper prints it, or corrected.
    pub variant: Option<Variant>,
    /// How many clusters.
    pub clusters: Option<Clusters>,
    /// The encoder's layers, as in `256-128-10`.
    pub encoder: Option<String>,
    /// What computes features of windows, as in `spectrum:fft=64`.
    pub front_end: Option<String>,
    /// Instants in a second of a recording.
    pub rate: Option<f64>,
    /// The seed of all random draws.
    pub seed: Option<u64>,
    /// The run whose autoencoder the fit starts from.
    pub start_from: Option<PathBuf>,
    /// Epochs of reconstruction.
    pub pretrain_epochs: Option<usize>,
    /// Epochs with the clustering loss.
    pub cluster_epochs: Option<usize>,
    /// The optimiser's learning rate.
    pub learning_rate: Option<f64>,
    /// The share of the samples that is held out of training.
    pub holdout: Option<f64>,
    /// Any settings by their paths, as in `augmentation.shift=0.2`.
    pub sets: Vec<String>,
}

impl Choices {
    /// The configuration with these choices.
    ///
    /// # Errors
    /// [`ChoiceError`] says which choice can't be, and why.
    pub fn applied(&self, before: FitConfig) -> Result<FitConfig, ChoiceError> {
        let mut config = match self.preset {
            Some(preset) => {
                let own = self.method.as_deref().map_or(Ok(before.method), method_named)?;
                preset.settings(&own)?
            }
            None => before,
        };
        if let Some(name) = &self.method
            && config.method.name() != name
        {
            config.method = method_named(name)?;
        }
        if let Some(variant) = self.variant
            && !config.method.set_variant(variant)
        {
            return Err(ChoiceError::SingleVariant { method: config.method.name() });
        }
        if let Some(clusters) = self.clusters {
            clusters.apply(&mut config.method)?;
        }
        if let Some(layers) = &self.encoder {
            config.encoder = layers.parse()?;
        }
        if let Some(spelling) = &self.front_end {
            config.front_end = config.front_end.spelt(spelling)?;
        }
        config.front_end.rate = self.rate.or(config.front_end.rate);
        config.seed = self.seed.unwrap_or(config.seed);
        config.start_from = self.start_from.clone().or(config.start_from);
        config.reconstruction.epochs = self.pretrain_epochs.map_or(config.reconstruction.epochs, Epochs::Exactly);
        config.clustering.epochs = self.cluster_epochs.map_or(config.clustering.epochs, Epochs::Exactly);
        config.learning_rate = self.learning_rate.unwrap_or(config.learning_rate);
        config.holdout = self.holdout.unwrap_or(config.holdout);
        self.sets.iter().try_for_each(|assignment| set_setting(&mut config, assignment))?;
        Ok(config)
    }
}
