//! What the methods share that pull an autoencoder's latents to a mixture: reconstruct, standardise, cluster, pull,
//! cluster again.

use burn::tensor::backend::AutodiffBackend;
use burn::tensor::{Int, Tensor};
use rand_chacha::ChaCha8Rng;
use serde::{Deserialize, Serialize};

use super::learner::{Learner, Saved, Standardisation, mismatch};
use crate::base::arrays::to_tensor;
use crate::data::Samples;
use crate::divergence::Gaussians;
use crate::mixture::{Mixture, NotPositiveDefinite};
use crate::nn::Latent;
use crate::random::stream;
use crate::trained::{Head, Trained};
use crate::training::{Batch, Data, FitConfig, FitError, Method, Position, Stage, Terms};

/// How clusters are found in standardised latents, and what pulls the latents to them.
pub(crate) trait Objective<B: AutodiffBackend> {
    /// Fits `N x D` standardised latents, from the last epoch's mixture if there is one.
    fn cluster(
        &self,
        z: &Tensor<B::InnerBackend, 2>,
        start: Option<Mixture>,
        rng: &mut ChaCha8Rng,
    ) -> Result<Mixture, NotPositiveDefinite>;

    /// The first fit, and the weights of its sticks before any was pruned; none where there are no sticks.
    fn start(
        &self,
        z: &Tensor<B::InnerBackend, 2>,
        rng: &mut ChaCha8Rng,
    ) -> Result<(Mixture, Vec<f64>), NotPositiveDefinite> {
        Ok((self.cluster(z, None, rng)?, vec![]))
    }

    /// The mixture that is kept in the end, from the last one of training.
    fn settle(&self, _z: &Tensor<B::InnerBackend, 2>, mixture: Mixture) -> Result<Mixture, NotPositiveDefinite> {
        Ok(mixture)
    }

    /// The pull of each latent to its component, averaged over the batch and weighted; none for two-step methods, which
    /// then have no clustering stage.
    fn pull(&self, _q: Gaussians<B>, _p: Gaussians<B>) -> Option<Tensor<B, 1>> {
        None
    }

    /// Whether there is a clustering stage.
    fn pulls(&self) -> bool {
        false
    }

    /// Whether the autoencoder is variational.
    fn is_variational(&self) -> bool {
        false
    }
}

/// An autoencoder and an [`Objective`].
pub(crate) struct LatentMethod<B: AutodiffBackend> {
    name: &'static str,
    config: FitConfig,
    n_samples: usize,
    objective: Box<dyn Objective<B>>,
    learner: Learner<B>,
    clusters: Option<Clusters>,
    targets: Option<Tensor<B::InnerBackend, 1, Int>>,
}

/// A mixture of standardised latents and the standardisation.
#[derive(Clone, Debug, Serialize, Deserialize)]
struct Clusters {
    mixture: Mixture,
    standardisation: Standardisation,
    /// As [`Objective::start`] found them.
    sticks: Vec<f64>,
}

/// What a checkpoint holds.
#[derive(Serialize, Deserialize)]
struct State {
    learner: Saved,
    clusters: Option<Clusters>,
}

impl<B: AutodiffBackend> LatentMethod<B> {
    pub(crate) fn new(
        name: &'static str,
        config: &FitConfig,
        samples: &Samples,
        objective: Box<dyn Objective<B>>,
        device: &B::Device,
    ) -> Self {
        Self {
            name,
            config: config.clone(),
            n_samples: samples.n_samples(),
            learner: Learner::new(config, samples, objective.is_variational(), device),
            objective,
            clusters: None,
            targets: None,
        }
    }

    /// Standardises the latents, refits the clusters and remembers each sample's best component.
    fn recluster(&mut self, data: &Data<B::InnerBackend>, index: u64, is_last: bool) -> Result<Clusters, FitError> {
        let z = self.learner.latents(data)?;
        let standardisation = Standardisation::of(&z);
        let z = standardisation.apply(z);
        let mut rng = stream(self.config.seed, "cluster", index);
        let (mut mixture, sticks) = match self.clusters.take() {
            Some(before) => (self.objective.cluster(&z, Some(before.mixture), &mut rng)?, before.sticks),
            None => self.objective.start(&z, &mut rng)?,
        };
        if is_last {
            mixture = self.objective.settle(&z, mixture)?;
        }
        let best = mixture.log_density(&z)?.argmax(1);
        self.targets = Some(best.squeeze_dim::<1>(1));
        Ok(Clusters { mixture, standardisation, sticks })
    }

    /// The pull of a batch's latents to the components of their clean selves.
    fn pull(&self, latent: &Latent<B>, indices: Tensor<B, 1, Int>) -> Option<Tensor<B, 1>> {
        let (Some(clusters), Some(targets)) = (&self.clusters, &self.targets) else { return None };
        let device = &self.learner.device;
        let z = clusters.standardisation.apply(latent.mean.clone());
        let log_variance = match &latent.log_variance {
            Some(log_variance) => log_variance.clone() - clusters.standardisation.log_variance(device),
            // A plain autoencoder's latent has unit variance in standardised units.
            None => z.zeros_like(),
        };
        let best = Tensor::from_inner(targets.clone().select(0, indices.inner()));
        let means = to_tensor::<B>(clusters.mixture.means.view(), device).select(0, best.clone());
        let variances = to_tensor::<B>(clusters.mixture.log_variances().view(), device).select(0, best);
        let q = Gaussians { mean: z, log_variance };
        self.objective.pull(q, Gaussians { mean: means, log_variance: variances })
    }
}

impl<B: AutodiffBackend> Method<B> for LatentMethod<B> {
    fn stages(&self) -> Vec<Stage> {
        let mut stages = self.config.two_stages(self.n_samples);
        stages.truncate(if self.objective.pulls() { 2 } else { 1 });
        stages
    }

    fn begin_epoch(&mut self, at: Position, data: &Data<B::InnerBackend>) -> Result<Option<usize>, FitError> {
        if at.stage == 0 {
            return Ok(None);
        }
        let clusters = self.recluster(data, at.epoch as u64, false)?;
        Ok(Some(self.clusters.insert(clusters).mixture.n_clusters()))
    }

    fn step(&mut self, at: Position, mut batch: Batch<B>) -> Terms {
        let losses = if at.stage == 0 {
            self.learner.pretraining(&mut batch)
        } else {
            // A pull on moved samples, which the clusters have never seen, tears the clusters apart.
            let latent = self.learner.encode(batch.clean.clone(), at);
            let mut losses = vec![("reconstruction", self.learner.reconstruction(&latent, &mut batch))];
            losses.extend(self.pull(&latent, batch.indices).map(|pull| ("cluster", pull)));
            losses
        };
        self.learner.descend(losses, batch.learning_rate, |_| ())
    }

    fn save(&self) -> Result<Vec<u8>, FitError> {
        let state = State { learner: self.learner.save()?, clusters: self.clusters.clone() };
        postcard::to_stdvec(&state).map_err(mismatch)
    }

    fn restore(&mut self, bytes: &[u8]) -> Result<(), FitError> {
        let state: State = postcard::from_bytes(bytes).map_err(mismatch)?;
        self.learner.restore(state.learner)?;
        self.clusters = state.clusters;
        Ok(())
    }

    fn finish(mut self: Box<Self>, data: &Data<B::InnerBackend>) -> Result<Trained, FitError> {
        let clusters = self.recluster(data, u64::MAX, true)?;
        Ok(Trained {
            method: self.name.into(),
            scaling: data.scaling.clone(),
            encoder: clusters.standardisation.fold(&self.learner),
            head: Head::Mixture(clusters.mixture),
            sticks: clusters.sticks,
        })
    }
}
