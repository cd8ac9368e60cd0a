//! What the methods share whose clusters learn together with the encoder: reconstruct, standardise once, find clusters,
//! then train encoder and clusters on one objective.

use burn::tensor::Tensor;
use burn::tensor::backend::AutodiffBackend;
use rand_chacha::ChaCha8Rng;
use serde::{Deserialize, Serialize};

use super::learner::{Learner, Losses, Saved, Standardisation, mismatch};
use crate::data::Samples;
use crate::nn::Latent;
use crate::random::stream;
use crate::trained::{Head, Trained};
use crate::training::{Batch, Data, FitConfig, FitError, Method, Position, Stage, Terms};

/// Clusters of standardised latents, with whatever of them is learned.
pub(crate) trait Clusters<B: AutodiffBackend>: Sized {
    /// What a user sets.
    type Settings: Copy;

    /// Whether the clustering loss sees moved samples; an epoch's targets always come from samples as they are.
    const MOVED: bool;

    /// Whether the autoencoder is variational in the second stage; in the first it never is.
    const VARIATIONAL: bool = false;

    /// Clusters of `N x D` latents.
    fn find(settings: &Self::Settings, z: &Tensor<B::InnerBackend, 2>, rng: &mut ChaCha8Rng) -> Result<Self, FitError>;

    /// The weight of the reconstruction in the second stage, of which half the squared error summed over `n_features`
    /// is the unit. `squared_error` is its mean over features and samples at the epoch's start, if variational.
    fn reconstruction(settings: &Self::Settings, n_features: usize, squared_error: f64) -> f64;

    /// What is taken anew once an epoch, from the latents of all samples.
    fn begin_epoch(&mut self, _: &Self::Settings, _z: &Tensor<B::InnerBackend, 2>) -> Result<(), FitError> {
        Ok(())
    }

    /// The clustering losses of a batch's standardised latents. What learns by a loss of its own does so here.
    fn losses(&mut self, settings: &Self::Settings, latent: Latent<B>, batch: &mut Batch<B>) -> Losses<B>;

    /// Moves what learns by the same losses as the encoder.
    fn descend(&mut self, _gradients: &mut B::Gradients, _rate: f64) {}

    /// Their number.
    fn n_clusters(&self) -> usize;

    /// What turns a latent into clusters, from the latents of all samples.
    ///
    /// # Errors
    /// If a mixture degenerates.
    fn head(&self, settings: &Self::Settings, z: &Tensor<B::InnerBackend, 2>) -> Result<Head, FitError>;

    /// What a checkpoint holds of them.
    fn save(&self) -> Result<Vec<u8>, FitError>;

    /// Takes up what was saved.
    fn restore(bytes: &[u8], device: &B::Device) -> Result<Self, FitError>;
}

/// An autoencoder and [`Clusters`].
pub(crate) struct JointMethod<B: AutodiffBackend, C: Clusters<B>> {
    name: &'static str,
    settings: C::Settings,
    config: FitConfig,
    n_samples: usize,
    reconstruction: f64,
    learner: Learner<B>,
    found: Option<(Standardisation, C)>,
}

/// What a checkpoint holds.
#[derive(Serialize, Deserialize)]
struct State {
    learner: Saved,
    found: Option<(Standardisation, Vec<u8>)>,
}

impl<B: AutodiffBackend, C: Clusters<B>> JointMethod<B, C> {
    pub(crate) fn new(
        name: &'static str,
        settings: C::Settings,
        config: &FitConfig,
        samples: &Samples,
        device: &B::Device,
    ) -> Self {
        Self {
            name,
            settings,
            config: config.clone(),
            n_samples: samples.n_samples(),
            reconstruction: 0.0,
            learner: Learner::new(config, samples, C::VARIATIONAL, device),
            found: None,
        }
    }

    /// The latents are standardised for good, and clusters found in them.
    fn find(&mut self, data: &Data<B::InnerBackend>) -> Result<(Standardisation, C), FitError> {
        let z = self.learner.latents(data)?;
        let standardisation = Standardisation::of(&z);
        let mut rng = stream(self.config.seed, "cluster", 0);
        let clusters = C::find(&self.settings, &standardisation.apply(z), &mut rng)?;
        self.learner.forget();
        Ok((standardisation, clusters))
    }
}

impl<B: AutodiffBackend, C: Clusters<B>> Method<B> for JointMethod<B, C> {
    fn stages(&self) -> Vec<Stage> {
        self.config.two_stages(self.n_samples)
    }

    fn begin_epoch(&mut self, at: Position, data: &Data<B::InnerBackend>) -> Result<Option<usize>, FitError> {
        if at.stage == 0 {
            return Ok(None);
        }
        let (standardisation, mut clusters) = match self.found.take() {
            Some(found) => found,
            None => self.find(data)?,
        };
        let z = self.learner.latents(data)?;
        let squared_error = if C::VARIATIONAL { self.learner.squared_error(&z, data)? } else { 0.0 };
        self.reconstruction = C::reconstruction(&self.settings, data.n_inputs(), squared_error);
        clusters.begin_epoch(&self.settings, &standardisation.apply(z))?;
        Ok(Some(self.found.insert((standardisation, clusters)).1.n_clusters()))
    }

    fn step(&mut self, at: Position, mut batch: Batch<B>) -> Terms {
        let rate = batch.learning_rate;
        let Some((standardisation, clusters)) = self.found.as_mut().filter(|_| at.stage > 0) else {
            let mean = self.learner.autoencoder.encode(batch.augmented.clone()).mean;
            let latent = Latent { mean, log_variance: None };
            let losses = vec![("reconstruction", self.learner.reconstruction(&latent, &mut batch))];
            return self.learner.descend(losses, rate, |_| ());
        };
        let seen = if C::MOVED { batch.augmented.clone() } else { batch.clean.clone() };
        let latent = self.learner.encode(seen, at);
        let latent = standardisation.noisy(latent, &self.learner.device);
        let mut losses = vec![];
        if self.reconstruction > 0.0 {
            losses.push(("reconstruction", self.learner.reconstruction(&latent, &mut batch) * self.reconstruction));
        }
        let standardised = standardisation.apply_to(latent, &self.learner.device);
        losses.extend(clusters.losses(&self.settings, standardised, &mut batch));
        self.learner.descend(losses, rate, |gradients| clusters.descend(gradients, rate))
    }

    fn save(&self) -> Result<Vec<u8>, FitError> {
        let found = match &self.found {
            Some((standardisation, clusters)) => Some((standardisation.clone(), clusters.save()?)),
            None => None,
        };
        postcard::to_stdvec(&State { learner: self.learner.save()?, found }).map_err(mismatch)
    }

    fn restore(&mut self, bytes: &[u8]) -> Result<(), FitError> {
        let state: State = postcard::from_bytes(bytes).map_err(mismatch)?;
        self.learner.restore(state.learner)?;
        self.found = match state.found {
            Some((standardisation, clusters)) => Some((standardisation, C::restore(&clusters, &self.learner.device)?)),
            None => None,
        };
        Ok(())
    }

    fn finish(mut self: Box<Self>, data: &Data<B::InnerBackend>) -> Result<Trained, FitError> {
        let (standardisation, clusters) = match self.found.take() {
            Some(found) => found,
            None => self.find(data)?,
        };
        let z = standardisation.apply(self.learner.latents(data)?);
        Ok(Trained {
            method: self.name.into(),
            scaling: data.scaling.clone(),
            encoder: standardisation.fold(&self.learner),
            head: clusters.head(&self.settings, &z)?,
            sticks: vec![],
        })
    }
}
