//! The configuration of a fit, before and after it is checked.

use std::path::PathBuf;
use std::sync::Arc;

use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

use super::common::reconstruction::ReconstructionTarget;
use super::ranges;
use super::registry::MethodConfig;
use crate::data::augmentation::Augmentation;
use crate::data::{InputRange, Samples, WindowAugmentation};
use crate::front_end::FrontEndSettings;
use crate::import::ImportedEncoder;
use crate::nn::{Architecture, HiddenActivation, LayerError, LayerShape};
use crate::training::{CLUSTERING, FitError, PhasePlan, PhaseSettings, Plan, RECONSTRUCTION};

/// The least number of samples.
const FEWEST: usize = 20;

/// How many times fewer epochs of reconstruction there are if the decoder learns alone, since the encoder is given.
const DECODER_ALONE: usize = 3;

/// Everything that determines what is learned, except the data and the device.
///
/// A run stores the complete configuration as TOML. Settings that a file omits have the values of
/// [`FitConfig::default`], and in the method's tables the defaults of that method.
///
/// ```
/// use edgemix::methods::FitConfig;
/// use edgemix::training::Epochs;
///
/// let config: FitConfig = toml::from_str(
///     "seed = 3
///      encoder = \"dec\"
///      [reconstruction]
///      epochs = 80
///      [clustering]
///      optimizer = { name = \"sgd\", momentum = 0.9 }
///      [method]
///      name = \"idec\"
///      kmeans = { n-clusters = 6 }",
/// )?;
/// assert_eq!((config.seed, config.batch_size, config.method.name()), (3, 256, "idec"));
/// assert_eq!((config.reconstruction.epochs, config.clustering.epochs), (Epochs::Exactly(80), Epochs::Auto));
/// assert!(toml::from_str::<FitConfig>("sede = 3").is_err());
/// # Ok::<(), toml::de::Error>(())
/// ```
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields, rename_all = "kebab-case")]
pub struct FitConfig {
    /// The seed of every random draw.
    pub seed: u64,
    /// The encoder's layers. If there are none, the method's paper or the size of the input decides.
    pub encoder: Architecture,
    /// The activation of the hidden layers of encoder and decoder.
    pub activation: HiddenActivation,
    /// The range that images are scaled to.
    pub input_range: InputRange,
    /// The directory of a run whose autoencoder the fit starts from, instead of learning to reconstruct.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub start_from: Option<PathBuf>,
    /// The encoder of another program that the fit trains further. No file of settings has it.
    #[serde(skip)]
    pub imported: Option<Arc<ImportedEncoder>>,
    /// Samples per step, in phases that have no batch size of their own.
    pub batch_size: usize,
    /// The step size at the start, in phases that have none of their own.
    pub learning_rate: f64,
    /// The share of the samples that is held out of training to calibrate novelty and posteriors; 0 holds out none.
    pub holdout: f64,
    /// The lowest false-alarm rate that should be available for a single cluster. A cluster has a novelty table of its
    /// own if it has enough held-out samples for this rate.
    pub finest_rate: f64,
    /// Whether the clustering phase trains the encoder with weights and activations rounded as int8 rounds them.
    pub fake_quantization: bool,
    /// What a decoder learns to reconstruct from the latents of an augmented sample.
    pub reconstruct: ReconstructionTarget,
    /// Epochs between two checkpoints.
    pub checkpoint_every: usize,
    /// The phases in which autoencoders learn to reconstruct.
    pub reconstruction: PhaseSettings,
    /// The phases in which the clustering loss is trained.
    pub clustering: PhaseSettings,
    /// What computes features of the windows of a recording.
    pub front_end: FrontEndSettings,
    /// Random movements of images.
    pub augmentation: Augmentation,
    /// Random changes of the windows of a recording.
    pub window_augmentation: WindowAugmentation,
    /// The method and its settings.
    pub method: MethodConfig,
}

impl Default for FitConfig {
    fn default() -> Self {
        Self {
            seed: 0,
            encoder: Architecture::default(),
            activation: HiddenActivation::default(),
            input_range: InputRange::default(),
            start_from: None,
            imported: None,
            batch_size: 256,
            learning_rate: 1e-3,
            holdout: 0.1,
            finest_rate: 0.01,
            fake_quantization: false,
            reconstruct: ReconstructionTarget::default(),
            checkpoint_every: 10,
            reconstruction: PhaseSettings::default(),
            clustering: PhaseSettings::default(),
            front_end: FrontEndSettings::default(),
            augmentation: Augmentation::default(),
            window_augmentation: WindowAugmentation::default(),
            method: MethodConfig::default(),
        }
    }
}

/// A configuration that [`FitConfig::check`] found valid for given samples.
#[derive(Clone, Debug, PartialEq)]
pub struct CheckedConfig {
    pub(crate) plan: Plan,
    pub(crate) method: MethodConfig,
}

impl CheckedConfig {
    /// Epochs of reconstruction and of the clustering phase.
    ///
    /// ```
    /// use edgemix::data::Samples;
    /// use edgemix::methods::FitConfig;
    ///
    /// let epochs = |n: usize| FitConfig::default().check(&Samples::new("zeros", vec![0.0; n], 1)).unwrap().epochs();
    /// // Small data are seen more often.
    /// assert_eq!((epochs(1_800), epochs(60_000)), ((300, 6), (45, 6)));
    /// ```
    pub fn epochs(&self) -> (usize, usize) {
        (self.plan.reconstruction.epochs, self.plan.clustering.epochs)
    }

    /// Whether an encoder is trained.
    pub(crate) fn trains_an_encoder(&self) -> bool {
        !self.plan.encoder.is_empty()
    }

    /// The layers of the encoder that is exported; none if the features themselves are clustered.
    pub(crate) fn exported_encoder(&self, samples: &Samples) -> Result<Vec<LayerShape>, FitError> {
        self.method.exported_encoder(&self.plan.encoder, samples)
    }
}

impl FitConfig {
    /// Whether an autoencoder learns to reconstruct by the same settings as with `other`: those of the phase, of its inputs and of
    /// what is reconstructed. Layers and samples are not compared.
    pub(crate) fn reconstructs_like(&self, other: &Self) -> bool {
        let settings = |config: &Self| {
            let Self { activation, input_range, batch_size, learning_rate, reconstruct, reconstruction, .. } =
                config.clone();
            let Self { front_end, augmentation, window_augmentation, .. } = config.clone();
            let phase = (activation, batch_size, learning_rate, reconstruction);
            (phase, input_range, reconstruct, front_end, augmentation, window_augmentation)
        };
        settings(self) == settings(other)
    }

    /// Checks the settings against the training samples and fills in the values that the settings leave open.
    ///
    /// ```
    /// use edgemix::methods::FitConfig;
    /// use edgemix::training::FitError;
    ///
    /// let digits = edgemix::data::digits().samples;
    /// assert!(FitConfig::default().check(&digits).is_ok());
    /// let config = FitConfig { holdout: 0.9, ..FitConfig::default() };
    /// assert!(matches!(config.check(&digits), Err(FitError::Setting { setting, .. }) if setting == "holdout"));
    /// ```
    ///
    /// # Errors
    /// [`FitError::TooFew`] samples, or a [`FitError::Setting`] that is not allowed.
    pub fn check(&self, samples: &Samples) -> Result<CheckedConfig, FitError> {
        if samples.n_samples() < FEWEST {
            return Err(FitError::TooFew { found: samples.n_samples(), needed: FEWEST });
        }
        self.check_numbers()?;
        let encoder = self.shapes(samples)?;
        self.method.check(&encoder, samples)?;
        if self.start_from.is_some() && encoder.is_empty() {
            let problem = format!("{} trains no autoencoder on these samples: omit it", self.method.name());
            return Err(FitError::setting("start-from", problem));
        }

        let n = samples.n_samples();
        let by_size = (540_000 / n).clamp(45, 300);
        let (batch_size, rate) = (self.batch_size, self.learning_rate);
        // A decoder alone is learned sooner than both.
        let epochs = if self.imported.is_some() { by_size / DECODER_ALONE } else { by_size };
        let reconstruction =
            PhasePlan::check("reconstruct", &self.reconstruction, &RECONSTRUCTION, n, epochs, batch_size, rate)?;
        let epochs = self.method.cluster_epochs(by_size);
        let clustering = PhasePlan::check("cluster", &self.clustering, &CLUSTERING, n, epochs, batch_size, rate)?;
        let plan = Plan {
            method: self.method.name(),
            seed: self.seed,
            encoder,
            imported: self.imported.clone(),
            reconstruction,
            clustering,
            input_range: self.input_range,
            activation: self.activation,
            augmentation: self.augmentation,
            reconstructs_moved: self.reconstruct.is_moved(samples.image()),
            fake_quantization: self.fake_quantization,
            starts_from_kept: self.start_from.is_some(),
            checkpoint_every: self.checkpoint_every,
            fingerprint: self.fingerprint(),
        };
        Ok(CheckedConfig { plan, method: self.method.clone() })
    }

    /// The sizes of the encoder's layers.
    fn shapes(&self, samples: &Samples) -> Result<Vec<LayerShape>, FitError> {
        if let Some(imported) = &self.imported {
            self.method.check_fine_tuning()?;
            return Ok(imported.shapes());
        }
        let layers = self.encoder_for(samples)?.encoder;
        if layers.is_none() && !self.method.works_without_encoder() {
            let problem =
                format!("{} does not work without an encoder: name its layers, as in 256-128-10", self.method.name());
            return Err(FitError::setting("encoder", problem));
        }
        layers.shapes_for(samples).map_err(|error: LayerError| FitError::setting("encoder", error.to_string()))
    }

    /// Refuses numbers that no samples allow.
    pub(crate) fn check_numbers(&self) -> Result<(), FitError> {
        let refused = |setting: &'static str, problem: &str| Err(FitError::setting(setting, problem));
        // Settings are kept as TOML, whose integers are signed.
        if i64::try_from(self.seed).is_err() {
            return refused("seed", "must be at most 9223372036854775807, the largest integer of a settings file");
        }
        if self.batch_size == 0 {
            return refused("batch-size", "must be at least 1; 256 is usual");
        }
        if !(self.learning_rate > 0.0 && self.learning_rate.is_finite()) {
            return refused("learning-rate", "must be a positive number; 0.001 is usual");
        }
        if !(0.0..=0.5).contains(&self.holdout) {
            return refused("holdout", "must be a share between 0 and 0.5 of the samples; 0.1 is usual");
        }
        if !(self.finest_rate > 0.0 && self.finest_rate < 1.0) {
            return refused("finest-rate", "must be a false-alarm rate between 0 and 1; 0.01 is usual");
        }
        if self.fake_quantization && !self.method.encoder_learns_with_clusters() {
            let problem = format!("{} does not train its encoder in that way: omit it", self.method.name());
            return refused("fake-quantization", &problem);
        }
        if !(0.0..=1.0).contains(&self.augmentation.shift) {
            return refused("augmentation.shift", "must be a share from 0 to 1 of the image's size; 0.1 is usual");
        }
        if !(0.0..=180.0).contains(&self.augmentation.rotation) {
            return refused("augmentation.rotation", "must be from 0 to 180 degrees; 10 is usual");
        }
        let phases =
            [("reconstruct", &self.reconstruction, &RECONSTRUCTION), ("cluster", &self.clustering, &CLUSTERING)];
        for (name, phase, names) in phases {
            PhasePlan::check(name, phase, names, FEWEST, 0, self.batch_size, self.learning_rate)?;
        }
        ranges::check(&self.method)
    }

    /// The SHA-256 of all settings that determine what is learned. How often checkpoints are written and how novelty is
    /// tabulated are not among them.
    fn fingerprint(&self) -> [u8; 32] {
        let decisive = Self { checkpoint_every: 0, finest_rate: 0.0, ..self.clone() };
        Sha256::digest(format!("{decisive:?}")).into()
    }
}
