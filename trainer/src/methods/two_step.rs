//! Autoencoder first, clustering afterwards: the baselines AE + k-means and AE + GMM.
//!
//! **Objective**: reconstruction. **Schedule**: one stage; then the standardised latents are clustered once.

use burn::tensor::{Tensor, backend::AutodiffBackend};
use rand_chacha::ChaCha8Rng;
use serde::{Deserialize, Serialize};

use super::latent::Objective;
use crate::mixture::gmm::Gmm;
use crate::mixture::kmeans::KMeans;
use crate::mixture::{Mixture, NotPositiveDefinite};

/// Settings of autoencoder and k-means.
///
/// ```
/// use edgemix::methods::AeKMeans;
///
/// let settings: AeKMeans = toml::from_str("[kmeans]\nn-clusters = 6\nn-init = 5")?;
/// assert_eq!((settings.kmeans.n_clusters, settings.kmeans.n_init, settings.kmeans.max_iter), (6, 5, 100));
/// # Ok::<(), toml::de::Error>(())
/// ```
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields, rename_all = "kebab-case")]
pub struct AeKMeans {
    /// The clustering.
    pub kmeans: KMeans,
}

/// Settings of autoencoder and Gaussian mixture.
///
/// ```
/// use edgemix::methods::AeGmm;
/// use edgemix::mixture::CovarianceType;
///
/// let settings: AeGmm = toml::from_str("[mixture]\nn-components = 6\ncovariance = \"spherical\"")?;
/// assert_eq!((settings.mixture.n_components, settings.mixture.covariance), (6, CovarianceType::Spherical));
/// # Ok::<(), toml::de::Error>(())
/// ```
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields, rename_all = "kebab-case")]
pub struct AeGmm {
    /// The mixture.
    pub mixture: Gmm,
}

impl<B: AutodiffBackend> Objective<B> for AeKMeans {
    fn cluster(
        &self,
        z: &Tensor<B::InnerBackend, 2>,
        _: Option<Mixture>,
        rng: &mut ChaCha8Rng,
    ) -> Result<Mixture, NotPositiveDefinite> {
        Ok(self.kmeans.fit(z, rng).mixture())
    }
}

impl<B: AutodiffBackend> Objective<B> for AeGmm {
    fn cluster(
        &self,
        z: &Tensor<B::InnerBackend, 2>,
        _: Option<Mixture>,
        rng: &mut ChaCha8Rng,
    ) -> Result<Mixture, NotPositiveDefinite> {
        self.mixture.fit(z, rng)
    }
}
