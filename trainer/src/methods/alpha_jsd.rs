//! alpha-JSD with a Dirichlet process mixture.
//!
//! Lim, "Deep Clustering using Dirichlet Process Gaussian Mixture and Alpha Jensen-Shannon Divergence Clustering Loss".
//!
//! **Objective**: `reconstruction + lambda3 * alphaJSD[q(z|x) || p(z|phi*)]`, phi* the best-scoring component.
//! **Update**: the mixture of all standardised latents, once an epoch, by mean-field inference; small components are
//! pruned. **Schedule**: reconstruction; then components are found by split and merge moves, those that are confused
//! with each other become one cluster, and both terms are trained. (The paper's form starts from k-means.) In the end
//! the mixture is refitted to the latents themselves, soft and without the encoder's variance, and grouped further: a
//! Dirichlet process finds how many Gaussians describe the latents, which is more than there are clusters.

use burn::tensor::{Tensor, backend::AutodiffBackend};
use rand_chacha::ChaCha8Rng;
use serde::{Deserialize, Serialize};

use super::latent::Objective;
use crate::base::arrays::to_array;
use crate::divergence::{Divergence, Gaussians};
use crate::mixture::dirichlet::{Assignment, DirichletProcess};
use crate::mixture::merging::ClusterBounds;
use crate::mixture::split_merge::SplitMerge;
use crate::mixture::{Mixture, NotPositiveDefinite, demp};
use crate::variant::Variant;

/// Settings of alpha-JSD with a Dirichlet process mixture.
///
/// ```
/// use edgemix::methods::{AlphaJsd, Side};
///
/// let settings: AlphaJsd = toml::from_str("alpha = 0.5\ndivergence = \"dual\"\nmax-clusters = 12")?;
/// assert_eq!((settings.alpha, settings.divergence), (0.5, Side::Dual));
/// assert_eq!((settings.min_clusters, settings.max_clusters), (1, 12));
/// # Ok::<(), toml::de::Error>(())
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields, rename_all = "kebab-case")]
pub struct AlphaJsd {
    /// The skew, in (0, 1).
    pub alpha: f64,
    /// lambda3, the weight of the clustering loss. The effective weight of squared distances is
    /// `lambda3 * alpha * (1 - alpha)`.
    pub lambda: f64,
    /// Which side of the divergence.
    pub divergence: Side,
    /// Whether the autoencoder is variational.
    pub vae: bool,
    /// Components more often confused than this are one cluster in the end ([`demp::group`]).
    pub merge_threshold: f64,
    /// Clusters at least.
    pub min_clusters: usize,
    /// Clusters at most; 0: as many as there are.
    pub max_clusters: usize,
    /// How components are found before the encoder is pulled to them, in the corrected form.
    pub components: SplitMerge,
    /// The mixture; its latent variance is that of `q(z|x)` in the divergence's clusters, not of the final mixture.
    pub mixture: DirichletProcess,
}

/// Which side of the geometric Jensen-Shannon divergence. See [`AlphaJsd`] for an example.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Side {
    /// To the geometric mean.
    Primal,
    /// From the geometric mean.
    Dual,
}

impl Default for AlphaJsd {
    fn default() -> Self {
        Self {
            alpha: 0.65,
            lambda: 1.0,
            divergence: Side::Primal,
            vae: false,
            merge_threshold: demp::CUSTOMARY,
            min_clusters: 1,
            max_clusters: 0,
            components: SplitMerge::default(),
            mixture: DirichletProcess { latent_variance: 0.05, ..DirichletProcess::default() },
        }
    }
}

impl AlphaJsd {
    fn bounds(&self) -> ClusterBounds {
        ClusterBounds {
            least: self.min_clusters,
            most: if self.max_clusters == 0 { usize::MAX } else { self.max_clusters },
        }
    }
}

impl<B: AutodiffBackend> Objective<B> for AlphaJsd {
    fn cluster(
        &self,
        z: &Tensor<B::InnerBackend, 2>,
        start: Option<Mixture>,
        rng: &mut ChaCha8Rng,
    ) -> Result<Mixture, NotPositiveDefinite> {
        match start {
            Some(mixture) => self.mixture.refine(z, mixture),
            None => Ok(Objective::<B>::start(self, z, rng)?.0),
        }
    }

    fn start(
        &self,
        z: &Tensor<B::InnerBackend, 2>,
        rng: &mut ChaCha8Rng,
    ) -> Result<(Mixture, Vec<f64>), NotPositiveDefinite> {
        if self.mixture.variant == Variant::Paper {
            return self.mixture.fit_with_sticks(z, rng);
        }
        let components = SplitMerge { min_components: self.min_clusters, ..self.components };
        let grown = components.fit(to_array(z.clone()).view(), rng)?;
        self.mixture.adopt(z, &demp::group(grown, z, self.merge_threshold, self.bounds())?)
    }

    fn settle(&self, z: &Tensor<B::InnerBackend, 2>, mixture: Mixture) -> Result<Mixture, NotPositiveDefinite> {
        let last = DirichletProcess { latent_variance: 0.0, assignment: Assignment::Soft, ..self.mixture };
        demp::group(last.refine(z, mixture)?, z, self.merge_threshold, self.bounds())
    }

    fn pull(&self, q: Gaussians<B>, p: Gaussians<B>) -> Option<Tensor<B, 1>> {
        let divergence = match (self.mixture.variant, self.divergence) {
            (Variant::Paper, _) => Divergence::Printed(self.alpha),
            (Variant::Corrected, Side::Primal) => Divergence::Primal(self.alpha),
            (Variant::Corrected, Side::Dual) => Divergence::Dual(self.alpha),
        };
        Some(divergence.of(q, p).mean() * self.lambda)
    }

    fn pulls(&self) -> bool {
        true
    }

    fn is_variational(&self) -> bool {
        self.vae
    }
}
