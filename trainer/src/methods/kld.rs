//! Kullback-Leibler divergence to a Gaussian mixture: the baseline "KLD" of Lim, "Deep Clustering using Dirichlet
//! Process Gaussian Mixture and Alpha Jensen-Shannon Divergence Clustering Loss", 2024 (equations 2, 4 and 7 to 10).
//!
//! **Objective**: `reconstruction + lambda * KL[q(z|x) || N(eta*, 1/tau*)]`, where `eta*` and `tau*` belong to the
//! component with the highest score. **Update**: EM refits a diagonal Gaussian mixture once an epoch, and drops small
//! components if it is asked to. **Schedule**:
//! reconstruction, then both terms.

use burn::tensor::Tensor;
use burn::tensor::backend::{AutodiffBackend, Backend};
use rand_chacha::ChaCha8Rng;
use serde::{Deserialize, Serialize};

use super::common::defaults::{ClusterEpochs, DefaultEncoder};
use super::common::pulled::{self, Pull};
use super::definition::{ClusterCount, MethodSettings};
use crate::data::Samples;
use crate::divergence::{Divergence, Gaussians};
use crate::mixture::gmm::Gmm;
use crate::mixture::{CovarianceType, Mixture, NotPositiveDefinite, prune};
use crate::nn::LayerShape;
use crate::trained::Trained;
use crate::training::{Finding, FitError, Fitting};
use crate::variant::Variant;

/// Settings of the Kullback-Leibler baseline.
///
/// ```
/// use edgemix::methods::Kld;
/// use edgemix::mixture::CovarianceType;
///
/// let kld: Kld = toml::from_str("vae = true")?;
/// assert_eq!((kld.vae, kld.lambda, kld.mixture.covariance), (true, 0.1, CovarianceType::Diagonal));
/// # Ok::<(), toml::de::Error>(())
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields, rename_all = "kebab-case")]
pub struct Kld {
    /// The weight of the clustering loss.
    pub lambda: f64,
    /// Whether the autoencoder is variational.
    pub vae: bool,
    /// Components with a smaller share of the samples are dropped: the paper finds the number of clusters in this way, starting
    /// from more. By default none is.
    pub prune_share: f64,
    /// The printed form takes the divergence of equation 4.
    pub variant: Variant,
    /// The mixture. Its variances have a floor, because the divergence grows with their inverse.
    pub mixture: Gmm,
}

impl Default for Kld {
    fn default() -> Self {
        let mixture = Gmm { covariance: CovarianceType::Diagonal, variance_floor: 0.05, ..Gmm::default() };
        Self { lambda: 0.1, vae: false, prune_share: 0.0, variant: Variant::Corrected, mixture }
    }
}

impl Kld {
    /// Drops the component with the smallest share of the samples, as long as it has too little, and continues EM each time.
    fn pruned<B: Backend>(&self, z: &Tensor<B, 2>, mut mixture: Mixture) -> Result<Mixture, NotPositiveDefinite> {
        loop {
            let shares = mixture.log_weights.iter().map(|weight| weight.exp());
            let Some((smallest, share)) = shares.enumerate().min_by(|(_, a), (_, b)| a.total_cmp(b)) else {
                return Ok(mixture);
            };
            if share >= self.prune_share || mixture.n_components() == 1 {
                return Ok(mixture);
            }
            let kept: Vec<usize> = (0..mixture.n_components()).filter(|&k| k != smallest).collect();
            mixture = self.mixture.refine(z, prune::keep(&mixture, &kept))?;
        }
    }
}

impl MethodSettings for Kld {
    const NAME: &'static str = "kld";
    const ENCODER_LEARNS_WITH_CLUSTERS: bool = true;
    const ENCODER: DefaultEncoder = DefaultEncoder::DEC;
    const WORKS_WITHOUT_ENCODER: bool = false;
    const CLUSTER_EPOCHS: ClusterEpochs = ClusterEpochs::ByReconstruction;
    const PAPER: Option<&'static str> = Some(include_str!("presets/kld.toml"));
    const CLUSTERING_WEIGHT: Option<&'static str> = Some("lambda");

    fn cluster_count(&mut self) -> ClusterCount<'_> {
        let n = &mut self.mixture.n_components;
        if self.prune_share > 0.0 { ClusterCount::StartsFrom(n) } else { ClusterCount::Given(n) }
    }

    fn set_variant(&mut self, variant: Variant) -> bool {
        self.variant = variant;
        true
    }

    fn check(&self, _: &[LayerShape], _: &Samples) -> Result<(), FitError> {
        Ok(())
    }

    fn exported_encoder(&self, encoder: &[LayerShape], _: &Samples) -> Result<Vec<LayerShape>, FitError> {
        Ok(encoder.to_vec())
    }

    fn fit<B: AutodiffBackend>(&self, fit: &mut Fitting<'_, B>) -> Result<Trained, FitError> {
        pulled::fit(self, fit)
    }
}

impl<B: AutodiffBackend> Pull<B> for Kld {
    fn is_variational(&self) -> bool {
        self.vae
    }

    fn start(
        &self,
        z: &Tensor<B::InnerBackend, 2>,
        _: f64,
        rng: &mut ChaCha8Rng,
    ) -> Result<(Mixture, Option<Finding>), NotPositiveDefinite> {
        Ok((self.pruned(z, self.mixture.fit(z, rng)?)?, None))
    }

    fn refine(&self, z: &Tensor<B::InnerBackend, 2>, _: f64, mixture: Mixture) -> Result<Mixture, NotPositiveDefinite> {
        self.pruned(z, self.mixture.refine(z, mixture)?)
    }

    fn settle(&self, _: &Tensor<B::InnerBackend, 2>, mixture: Mixture) -> Result<Mixture, NotPositiveDefinite> {
        Ok(mixture)
    }

    fn pull(&self, q: Gaussians<B>, p: Gaussians<B>) -> Tensor<B, 1> {
        let divergence = match self.variant {
            Variant::Corrected => Divergence::KullbackLeibler,
            Variant::Paper => Divergence::PrintedKullbackLeibler,
        };
        divergence.between(q, p).mean() * self.lambda
    }
}
