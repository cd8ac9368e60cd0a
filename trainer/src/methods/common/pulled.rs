//! The clustering phase of methods that pull an autoencoder's latents towards a mixture: each epoch standardises the
//! latents, refits the mixture, and pulls the latents.

use burn::tensor::backend::AutodiffBackend;
use burn::tensor::{Int, Tensor};
use ndarray::Array2;
use rand_chacha::ChaCha8Rng;
use serde::{Deserialize, Serialize};

use super::learner::{Learner, LearnerState, gaussians};
use super::reconstruction::{evidence, reconstruct};
use super::standardisation::Standardisation;
use crate::base::arrays::to_tensor;
use crate::divergence::Gaussians;
use crate::mixture::{Mixture, NotPositiveDefinite};
use crate::nn::Latent;
use crate::trained::{Head, Trained};
use crate::training::{Batch, Data, Finding, FitError, Fitting, Phase, Terms};

/// How clusters are found in standardised latents, and the loss that pulls the latents towards them.
pub(in crate::methods) trait Pull<B: AutodiffBackend> {
    /// Whether the autoencoder is variational.
    fn is_variational(&self) -> bool;

    /// Whether the autoencoder still learns to reconstruct while its latents are pulled.
    fn reconstructs(&self) -> bool {
        true
    }

    /// The variance of `q(z|x)` about each standardised latent of a plain encoder.
    fn latent_variance(&self) -> f64 {
        1.0
    }

    /// The first fit to `N x D` standardised latents with this variance of `q(z|x)`, and a finding if there is one.
    ///
    /// # Errors
    /// If a covariance is not positive definite.
    fn start(
        &self,
        z: &Tensor<B::InnerBackend, 2>,
        variance: f64,
        rng: &mut ChaCha8Rng,
    ) -> Result<(Mixture, Option<Finding>), NotPositiveDefinite>;

    /// The fit of an epoch, starting from the mixture of the one before.
    ///
    /// # Errors
    /// If a covariance is not positive definite.
    fn refine(
        &self,
        z: &Tensor<B::InnerBackend, 2>,
        variance: f64,
        mixture: Mixture,
    ) -> Result<Mixture, NotPositiveDefinite>;

    /// The mixture to export, given the last mixture of the training.
    ///
    /// # Errors
    /// If a covariance is not positive definite.
    fn settle(&self, z: &Tensor<B::InnerBackend, 2>, mixture: Mixture) -> Result<Mixture, NotPositiveDefinite>;

    /// The logarithms of the components' variances, `K x D`, as the pull takes them, given the latents' best components.
    fn log_variances(
        &self,
        _z: &Tensor<B::InnerBackend, 2>,
        mixture: &Mixture,
        _best: &Tensor<B::InnerBackend, 1, Int>,
    ) -> Array2<f64> {
        mixture.log_variances()
    }

    /// The weighted loss that pulls each latent towards its component, averaged over the batch.
    fn pull(&self, q: Gaussians<B>, p: Gaussians<B>) -> Tensor<B, 1>;
}

/// Trains the reconstruction alone, then the pull, together with the reconstruction if the method keeps it.
///
/// # Errors
/// See [`FitError`].
pub(in crate::methods) fn fit<B: AutodiffBackend, P: Pull<B>>(
    pull: &P,
    fit: &mut Fitting<'_, B>,
) -> Result<Trained, FitError> {
    let plan = fit.plan.clustering;
    let PulledPhase { learner, clusters, .. } = fit.phase(
        plan,
        |fit| PulledPhase::begin(pull, fit),
        |state: PulledState, fit| {
            let learner = Learner::restored(fit, plan.optimizer, pull.is_variational(), state.learner)?;
            Ok(PulledPhase { pull, learner, clusters: state.clusters })
        },
    )?;
    fit.activity("last fit of the clusters");
    let (standardisation, z) = learner.standardised_latents(&fit.data)?;
    let variance = latent_variance(pull, &learner, &standardisation, &fit.data)?;
    let mixture = pull.settle(&z, pull.refine(&z, variance, clusters.mixture)?)?;
    // Without a reconstruction, the decoder stayed behind when the encoder learned on.
    let decoder =
        pull.reconstructs().then(|| learner.to_decoder(Some(&standardisation), pull.is_variational(), &fit.data));
    let decoder = decoder.transpose()?;
    Ok(Trained { decoder, ..fit.trained(standardisation.fold(learner.to_layers()), Head::Mixture(mixture)) })
}

/// The variance of `q(z|x)`: what a variational encoder has learned, on average, or what the method takes it to be.
fn latent_variance<B: AutodiffBackend>(
    pull: &impl Pull<B>,
    learner: &Learner<B>,
    standardisation: &Standardisation,
    data: &Data<B::InnerBackend>,
) -> Result<f64, FitError> {
    Ok(learner.standardised_variance(standardisation, data)?.unwrap_or_else(|| pull.latent_variance()))
}

/// An autoencoder and the mixture that its latents are pulled towards.
struct PulledPhase<'p, B: AutodiffBackend, P> {
    pull: &'p P,
    learner: Learner<B>,
    clusters: LatentMixture,
}

/// A mixture of standardised latents, and their standardisation.
#[derive(Clone, Serialize, Deserialize)]
struct LatentMixture {
    mixture: Mixture,
    standardisation: Standardisation,
}

/// The state of the phase in a checkpoint.
#[derive(Serialize, Deserialize)]
struct PulledState {
    learner: LearnerState,
    clusters: LatentMixture,
}

impl<'p, B: AutodiffBackend, P: Pull<B>> PulledPhase<'p, B, P> {
    fn begin(pull: &'p P, fit: &mut Fitting<'_, B>) -> Result<Self, FitError> {
        let mut learner = reconstruct(fit, pull.is_variational(), evidence)?;
        learner.autoencoder.continue_with(fit.plan.clustering.optimizer);
        fit.activity("finding clusters");
        let (standardisation, z) = learner.standardised_latents(&fit.data)?;
        let variance = latent_variance(pull, &learner, &standardisation, &fit.data)?;
        let (mixture, finding) = pull.start(&z, variance, &mut fit.rng("cluster", 0))?;
        finding.into_iter().for_each(|finding| fit.found(finding));
        Ok(Self { pull, learner, clusters: LatentMixture { mixture, standardisation } })
    }

    /// The pull of a batch's latents towards their components.
    fn loss(&self, latent: &Latent<B>, components: &Components<B>, indices: Tensor<B, 1, Int>) -> Tensor<B, 1> {
        let LatentMixture { mixture, standardisation } = &self.clusters;
        let device = &self.learner.device;
        let q = gaussians(standardisation.apply_to(latent.clone(), device), self.pull.latent_variance());
        let best = Tensor::from_inner(components.best.clone().select(0, indices.inner()));
        let mean = to_tensor::<B>(mixture.means.view(), device).select(0, best.clone());
        let log_variance = to_tensor::<B>(components.log_variances.view(), device).select(0, best);
        self.pull.pull(q, Gaussians { mean, log_variance })
    }
}

/// What the latents are pulled to during an epoch.
struct Components<B: AutodiffBackend> {
    /// Each sample's best component.
    best: Tensor<B::InnerBackend, 1, Int>,
    log_variances: Array2<f64>,
}

impl<B: AutodiffBackend, P: Pull<B>> Phase<B> for PulledPhase<'_, B, P> {
    type State = PulledState;
    type Epoch = Components<B>;

    fn begin_epoch(&mut self, epoch: usize, fit: &mut Fitting<'_, B>) -> Result<Self::Epoch, FitError> {
        let (standardisation, z) = self.learner.standardised_latents(&fit.data)?;
        // The first epoch's clusters have just been found.
        if epoch > 0 {
            let variance = latent_variance(self.pull, &self.learner, &standardisation, &fit.data)?;
            let mixture = self.pull.refine(&z, variance, self.clusters.mixture.clone())?;
            self.clusters = LatentMixture { mixture, standardisation };
        }
        let mixture = &self.clusters.mixture;
        let best = mixture.log_density(&z)?.argmax(1).squeeze_dim::<1>(1);
        Ok(Components { log_variances: self.pull.log_variances(&z, mixture, &best), best })
    }

    fn step(&mut self, components: &Self::Epoch, mut batch: Batch<B>) -> Terms<B::InnerBackend> {
        // The clusters are never fitted to augmented samples: pulling those would tear the clusters apart.
        let latent = self.learner.encode(batch.clean.clone());
        let mut losses = vec![];
        if self.pull.reconstructs() {
            losses.push(("reconstruction", self.learner.error(&latent, batch.clean, &mut batch.rng)));
        }
        losses.push(("cluster", self.loss(&latent, components, batch.indices)));
        self.learner.descend(losses, batch.learning_rate, |_| ())
    }

    fn n_clusters(&self) -> Option<usize> {
        Some(self.clusters.mixture.n_clusters())
    }

    fn latents(&self, x: Tensor<B::InnerBackend, 2>) -> Option<Tensor<B::InnerBackend, 2>> {
        Some(self.learner.latents_of(x))
    }

    fn state(&self) -> Result<PulledState, FitError> {
        Ok(PulledState { learner: self.learner.state()?, clusters: self.clusters.clone() })
    }
}
