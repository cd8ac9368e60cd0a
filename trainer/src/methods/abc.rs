//! Autoencoder-based clustering (Song, Liu, Huang, Wang and Tan, 2013).
//!
//! **Objective**: `1/2 |x - y|^2 + lambda/2 |eta* - z|^2`, eta* the nearest centre. **Update**: k-means of all
//! standardised latents, once an epoch. **Schedule**: reconstruction, then both terms.

use burn::tensor::{Tensor, backend::AutodiffBackend};
use rand_chacha::ChaCha8Rng;
use serde::{Deserialize, Serialize};

use super::latent::Objective;
use crate::divergence::Gaussians;
use crate::mixture::kmeans::KMeans;
use crate::mixture::{Mixture, NotPositiveDefinite};

/// Settings of autoencoder-based clustering.
///
/// ```
/// use edgemix::methods::Abc;
///
/// let abc: Abc = toml::from_str("lambda = 0.5\nkmeans = { n-clusters = 6 }")?;
/// assert_eq!((abc.lambda, abc.kmeans.n_clusters, abc.kmeans.n_init), (0.5, 6, 20));
/// # Ok::<(), toml::de::Error>(())
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields, rename_all = "kebab-case")]
pub struct Abc {
    /// The weight of the distance to the centre.
    pub lambda: f64,
    /// The clustering.
    pub kmeans: KMeans,
}

impl Default for Abc {
    fn default() -> Self {
        Self { lambda: 0.1, kmeans: KMeans::default() }
    }
}

impl<B: AutodiffBackend> Objective<B> for Abc {
    fn cluster(
        &self,
        z: &Tensor<B::InnerBackend, 2>,
        start: Option<Mixture>,
        rng: &mut ChaCha8Rng,
    ) -> Result<Mixture, NotPositiveDefinite> {
        let centers = match start {
            Some(mixture) => self.kmeans.refine(z, mixture.means),
            None => self.kmeans.fit(z, rng),
        };
        Ok(centers.mixture())
    }

    fn pull(&self, q: Gaussians<B>, p: Gaussians<B>) -> Option<Tensor<B, 1>> {
        let squares = (q.mean - p.mean).square().sum_dim(1).squeeze_dim::<1>(1);
        Some(squares.mean() * (0.5 * self.lambda))
    }

    fn pulls(&self) -> bool {
        true
    }
}
