//! Kullback-Leibler divergence to a Gaussian mixture: the baseline "KLD" of the alpha-JSD paper (Lim, equations 2, 4
//! and 7 to 10).
//!
//! **Objective**: `reconstruction + lambda * KL[q(z|x) || N(eta*, 1/tau*)]`, the best-scoring component.
//! **Update**: diagonal Gaussian mixture by EM, once an epoch. **Schedule**: reconstruction, then both terms.

use burn::tensor::{Tensor, backend::AutodiffBackend};
use rand_chacha::ChaCha8Rng;
use serde::{Deserialize, Serialize};

use super::latent::Objective;
use crate::divergence::{Divergence, Gaussians};
use crate::mixture::gmm::Gmm;
use crate::mixture::{CovarianceType, Mixture, NotPositiveDefinite};

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
    /// The mixture; its variances are kept from vanishing, as the divergence grows with their inverse.
    pub mixture: Gmm,
}

impl Default for Kld {
    fn default() -> Self {
        let mixture = Gmm { covariance: CovarianceType::Diagonal, variance_floor: 0.05, ..Gmm::default() };
        Self { lambda: 0.1, vae: false, mixture }
    }
}

impl<B: AutodiffBackend> Objective<B> for Kld {
    fn cluster(
        &self,
        z: &Tensor<B::InnerBackend, 2>,
        start: Option<Mixture>,
        rng: &mut ChaCha8Rng,
    ) -> Result<Mixture, NotPositiveDefinite> {
        match start {
            Some(mixture) => self.mixture.refine(z, mixture),
            None => self.mixture.fit(z, rng),
        }
    }

    fn pull(&self, q: Gaussians<B>, p: Gaussians<B>) -> Option<Tensor<B, 1>> {
        Some(Divergence::KullbackLeibler.of(q, p).mean() * self.lambda)
    }

    fn pulls(&self) -> bool {
        true
    }

    fn is_variational(&self) -> bool {
        self.vae
    }
}
