//! Autoencoder-based clustering (Song, Liu, Huang, Wang and Tan, "Auto-encoder Based Data Clustering", 2013).
//!
//! **Objective**: `1/2 |x - y|^2 + lambda/2 |eta* - z|^2`, where `eta*` is the nearest centre. **Update**: k-means of
//! all standardised latents, once an epoch. **Schedule**: reconstruction, then both terms.

use burn::tensor::{Tensor, backend::AutodiffBackend};
use rand_chacha::ChaCha8Rng;
use serde::{Deserialize, Serialize};

use super::common::defaults::{ClusterEpochs, DefaultEncoder};
use super::common::pulled::{self, Pull};
use super::definition::{ClusterCount, MethodSettings};
use crate::data::Samples;
use crate::divergence::Gaussians;
use crate::mixture::kmeans::KMeans;
use crate::mixture::{Mixture, NotPositiveDefinite};
use crate::nn::LayerShape;
use crate::trained::Trained;
use crate::training::{Finding, FitError, Fitting};
use crate::variant::Variant;

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
    /// How the clusters are found.
    pub kmeans: KMeans,
}

impl Default for Abc {
    fn default() -> Self {
        Self { lambda: 0.1, kmeans: KMeans::default() }
    }
}

impl MethodSettings for Abc {
    const NAME: &'static str = "abc";
    const ENCODER_LEARNS_WITH_CLUSTERS: bool = true;
    const ENCODER: DefaultEncoder = DefaultEncoder::DEC;
    const WORKS_WITHOUT_ENCODER: bool = false;
    const CLUSTER_EPOCHS: ClusterEpochs = ClusterEpochs::ByReconstruction;
    const PAPER: Option<&'static str> = None;
    const CLUSTERING_WEIGHT: Option<&'static str> = Some("lambda");

    fn cluster_count(&mut self) -> ClusterCount<'_> {
        ClusterCount::Given(&mut self.kmeans.n_clusters)
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
        pulled::fit(self, fit)
    }
}

impl<B: AutodiffBackend> Pull<B> for Abc {
    fn is_variational(&self) -> bool {
        false
    }

    fn start(
        &self,
        z: &Tensor<B::InnerBackend, 2>,
        _: f64,
        rng: &mut ChaCha8Rng,
    ) -> Result<(Mixture, Option<Finding>), NotPositiveDefinite> {
        Ok((self.kmeans.fit(z, rng).mixture(), None))
    }

    fn refine(&self, z: &Tensor<B::InnerBackend, 2>, _: f64, mixture: Mixture) -> Result<Mixture, NotPositiveDefinite> {
        Ok(self.kmeans.refine(z, mixture.means).mixture())
    }

    fn settle(&self, _: &Tensor<B::InnerBackend, 2>, mixture: Mixture) -> Result<Mixture, NotPositiveDefinite> {
        Ok(mixture)
    }

    fn pull(&self, q: Gaussians<B>, p: Gaussians<B>) -> Tensor<B, 1> {
        let squares = (q.mean - p.mean).square().sum_dim(1).squeeze_dim::<1>(1);
        squares.mean() * (0.5 * self.lambda)
    }
}
