//! VaDE, variational deep embedding (Jiang, Zheng, Tan, Tang and Zhou, "Variational Deep Embedding: An Unsupervised and
//! Generative Approach to Clustering", 2017): a variational autoencoder whose prior is a Gaussian mixture.
//!
//! **Objective**: the evidence bound, `ln N(x; y, s^2) + sum_c gamma_c [ln pi_c - ln gamma_c - KL(q(z|x) || N_c)]`,
//! maximised. The bound's best `gamma_c ~ pi_c exp(-KL_c)` makes the sum `ln sum_c pi_c exp(-KL_c)`: no sampling is
//! needed, and the bound is never below the one with the paper's `gamma = p(c|z)`. The decoder's variance `s^2` is the
//! mean squared error of the last epoch, which maximises the bound (Rybkin, Daniilidis and Levine, "Simple and
//! Effective VAE Training with Calibrated Decoders", 2021). **Update**: weights, means and variances of the prior learn
//! with the encoder. **Schedule**: reconstruction without noise, EM, then the objective.

use burn::tensor::Tensor;
use burn::tensor::backend::AutodiffBackend;
use rand_chacha::ChaCha8Rng;
use serde::{Deserialize, Serialize};

use super::common::defaults::{ClusterEpochs, DefaultEncoder};
use super::common::joint::{self, LearnedClusters};
use super::common::learned_mixture::{LearnedMixture, LearnedMixtureState, log_sum_exp};
use super::common::learner::{Losses, gaussians};
use super::definition::{ClusterCount, MethodSettings};
use crate::data::Samples;
use crate::mixture::CovarianceType;
use crate::mixture::gmm::Gmm;
use crate::nn::{Latent, LayerShape, Optimizer};
use crate::trained::{Head, Trained};
use crate::training::{Batch, FitError, Fitting};
use crate::variant::Variant;

/// Settings of VaDE.
///
/// ```
/// use edgemix::methods::Vade;
/// use edgemix::mixture::{CovarianceType, gmm::Gmm};
///
/// let mixture = Gmm { n_components: 6, ..Vade::default().mixture };
/// assert_eq!(Vade { mixture }.mixture.covariance, CovarianceType::Diagonal);
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields, rename_all = "kebab-case")]
pub struct Vade {
    /// The mixture that the prior starts from. Its variance floor also holds during training.
    pub mixture: Gmm,
}

impl Default for Vade {
    fn default() -> Self {
        Self { mixture: Gmm { covariance: CovarianceType::Diagonal, ..Gmm::default() } }
    }
}

impl MethodSettings for Vade {
    const NAME: &'static str = "vade";
    const ENCODER_LEARNS_WITH_CLUSTERS: bool = true;
    const ENCODER: DefaultEncoder = DefaultEncoder::DEC;
    const WORKS_WITHOUT_ENCODER: bool = false;
    const CLUSTER_EPOCHS: ClusterEpochs = ClusterEpochs::ByReconstruction;
    const PAPER: Option<&'static str> = Some(include_str!("presets/vade.toml"));
    const CLUSTERING_WEIGHT: Option<&'static str> = None;

    fn cluster_count(&mut self) -> ClusterCount<'_> {
        ClusterCount::Given(&mut self.mixture.n_components)
    }

    fn set_variant(&mut self, _: Variant) -> bool {
        false
    }

    fn check(&self, _: &[LayerShape], _: &Samples) -> Result<(), FitError> {
        Ok(())
    }

    fn exported_encoder(&self, encoder: &[LayerShape], _: &Samples) -> Result<Vec<LayerShape>, FitError> {
        Ok(encoder.to_vec())
    }

    fn fit<B: AutodiffBackend>(&self, fit: &mut Fitting<'_, B>) -> Result<Trained, FitError> {
        joint::fit::<B, Prior<B>>(self, fit)
    }
}

/// The mixture that is the prior of the latents.
struct Prior<B: AutodiffBackend>(LearnedMixture<B>);

impl<B: AutodiffBackend> LearnedClusters<B> for Prior<B> {
    type Settings = Vade;
    type State = LearnedMixtureState;
    type Epoch = ();

    const MOVED: bool = true;
    const VARIATIONAL: bool = true;

    fn find(
        settings: &Vade,
        optimizer: Optimizer,
        z: &Tensor<B::InnerBackend, 2>,
        rng: &mut ChaCha8Rng,
    ) -> Result<Self, FitError> {
        let mixture = settings.mixture.fit(z, rng)?;
        Ok(Self(LearnedMixture::new(&mixture, settings.mixture.variance_floor, optimizer, &z.device())))
    }

    fn reconstruction_weight(_: &Vade, _: usize, squared_error: f64) -> f64 {
        1.0 / squared_error.max(1e-6)
    }

    fn begin_epoch(&mut self, _: &Vade, _: &Tensor<B::InnerBackend, 2>) -> Result<(), FitError> {
        Ok(())
    }

    fn losses(&mut self, _: &Vade, (): &(), latent: Latent<B>, _: &mut Batch<B>) -> Losses<B> {
        let evidence = log_sum_exp(self.0.parameters.log_evidence(gaussians(latent, 1.0), self.0.floor)).mean();
        vec![("cluster", -evidence)]
    }

    fn descend(&mut self, gradients: &mut B::Gradients, rate: f64) {
        self.0.descend(gradients, rate);
    }

    fn n_clusters(&self) -> usize {
        self.0.parameters.dims()[0]
    }

    fn head(&self, _: &Vade, z: &Tensor<B::InnerBackend, 2>) -> Result<Head, FitError> {
        let zero = z.clone().narrow(0, 0, 1).zeros_like();
        Ok(Head::Mixture(self.0.mixture(zero.clone(), zero + 1.0)))
    }

    fn state(&self) -> Result<LearnedMixtureState, FitError> {
        self.0.state()
    }

    fn restore(
        _: &Vade,
        optimizer: Optimizer,
        state: LearnedMixtureState,
        device: &B::Device,
    ) -> Result<Self, FitError> {
        LearnedMixture::restored(state, optimizer, device).map(Self)
    }
}
