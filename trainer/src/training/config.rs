//! What a fit is told.

use serde::{Deserialize, Serialize};

use super::{FitError, Stage};
use crate::data::Samples;
use crate::data::augmentation::Augmentation;
use crate::methods::MethodConfig;
use crate::nn::{Architecture, LayerError, LayerShape};

/// Everything that decides what is learned, but the data and the device.
///
/// A run keeps it as TOML, complete; what a file leaves out is as in [`FitConfig::default`], or,
/// of a method's own tables, as the program has it for that method.
///
/// ```
/// use edgemix::training::FitConfig;
///
/// let text = "seed = 3\nencoder = \"dec\"\n[method]\nname = \"idec\"\n[method.kmeans]\nn-clusters = 6\n";
/// let config: FitConfig = toml::from_str(text)?;
/// assert_eq!((config.seed, config.batch_size, config.method.name()), (3, 256, "idec"));
/// // Small data are seen more often than large ones.
/// assert!(config.epochs(1_797).0 > config.epochs(70_000).0);
/// assert!(toml::from_str::<FitConfig>("sede = 3").is_err());
/// # Ok::<(), toml::de::Error>(())
/// ```
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields, rename_all = "kebab-case")]
pub struct FitConfig {
    /// The seed of every random draw.
    pub seed: u64,
    /// The encoder's layers; none: the method's own, or by the input's size.
    pub encoder: Architecture,
    /// Samples per step.
    pub batch_size: usize,
    /// Adam's step size.
    pub learning_rate: f64,
    /// Epochs of reconstruction; 0: by the number of samples.
    pub pretrain_epochs: usize,
    /// Epochs with the clustering loss; 0: by the number of samples.
    pub cluster_epochs: usize,
    /// Random movements of images; other data are left as they are.
    pub augmentation: Augmentation,
    /// The share of the samples that is held out of training, for novelty and posteriors; 0 for none.
    pub holdout: f64,
    /// A cluster has a novelty table of its own where so small a false-alarm rate can be asked of it.
    pub finest_rate: f64,
    /// Once there are clusters, the encoder learns with the weights and activations that int8 would have.
    pub fake_quantization: bool,
    /// Epochs between two checkpoints.
    pub checkpoint_every: usize,
    /// The method and its settings.
    pub method: MethodConfig,
}

impl Default for FitConfig {
    fn default() -> Self {
        Self {
            seed: 0,
            encoder: Architecture::default(),
            batch_size: 256,
            learning_rate: 1e-3,
            pretrain_epochs: 0,
            cluster_epochs: 0,
            augmentation: Augmentation::default(),
            holdout: 0.1,
            finest_rate: 0.01,
            fake_quantization: false,
            checkpoint_every: 10,
            method: MethodConfig::default(),
        }
    }
}

impl FitConfig {
    /// The encoder's layers for such samples: those that were asked for, the method's own, or by the input's size.
    fn layers(&self, samples: &Samples) -> Result<Vec<LayerShape>, FitError> {
        let own = if self.encoder.is_default() { self.method.architecture(samples) } else { self.encoder.clone() };
        let problem = |error: LayerError| FitError::Setting { setting: "encoder", problem: error.to_string() };
        own.shapes(samples.n_features(), samples.image()).map_err(problem)
    }

    /// The same, of a configuration that was checked.
    pub(crate) fn shapes(&self, samples: &Samples) -> Vec<LayerShape> {
        self.layers(samples).expect("a configuration that was checked")
    }

    /// Epochs of reconstruction and of clustering: small data are seen more often. See [`FitConfig`] for an example.
    pub fn epochs(&self, n_samples: usize) -> (usize, usize) {
        let by_size = (540_000 / n_samples.max(1)).clamp(45, 300);
        let or = |asked: usize, default: usize| if asked > 0 { asked } else { default };
        (or(self.pretrain_epochs, by_size), or(self.cluster_epochs, self.method.cluster_epochs(by_size)))
    }

    /// The schedule of a method that first reconstructs and then clusters.
    pub(crate) fn two_stages(&self, n_samples: usize) -> Vec<Stage> {
        let (pretrain, cluster) = self.epochs(n_samples);
        let stage = |name, epochs| Stage { name, epochs, learning_rate: self.learning_rate };
        vec![stage("reconstruct", pretrain), stage("cluster", cluster)]
    }

    /// Settings that can't be, or not for such samples, are refused.
    pub(super) fn check(&self, samples: &Samples) -> Result<(), FitError> {
        let needed = 20;
        if samples.n_samples() < needed {
            return Err(FitError::TooFew { found: samples.n_samples(), needed });
        }
        self.layers(samples)?;
        if let Some(Err(error)) = self.method.student().map(|own| own.shapes(samples.n_features(), samples.image())) {
            return Err(FitError::Setting { setting: "student", problem: error.to_string() });
        }
        let setting = |setting, problem: &str| Err(FitError::Setting { setting, problem: problem.into() });
        if self.batch_size == 0 {
            return setting("batch-size", "is 0; 256 is usual");
        }
        if !(self.learning_rate > 0.0 && self.learning_rate.is_finite()) {
            return setting("learning-rate", "must be a positive number; 0.001 is usual");
        }
        if !(0.0..=0.5).contains(&self.holdout) {
            return setting("holdout", "must be a share between 0 and 0.5 of the samples; 0.1 is usual");
        }
        if !(self.finest_rate > 0.0 && self.finest_rate < 1.0) {
            return setting("finest-rate", "must be a false-alarm rate between 0 and 1; 0.01 is usual");
        }
        if self.fake_quantization && !self.method.learns_with_clusters() {
            let problem = format!("{} does not train its encoder in that way: leave it out", self.method.name());
            return setting("fake-quantization", &problem);
        }
        Ok(())
    }
}
