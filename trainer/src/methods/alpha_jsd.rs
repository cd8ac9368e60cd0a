//! alpha-JSD with a Dirichlet process mixture.
//!
//! Lim, "Deep Clustering using Dirichlet Process Gaussian Mixture and Alpha Jensen-Shannon Divergence Clustering Loss",
//! 2024.
//!
//! **Objective**: `reconstruction + lambda3 * alphaJSD[q(z|x) || p(z|phi*)]`, where `phi*` is the component with the
//! highest score. **Update**: the mixture is refitted to all standardised latents once an epoch, by mean-field
//! inference, and small components are pruned. **Schedule**: reconstruction; then components are found by split and
//! merge moves, components that are confused with each other are grouped into one cluster, and both terms are trained.
//! Finally, the mixture is refitted to the latents with soft assignments and without the encoder's variance, and its
//! components are grouped again: a Dirichlet process finds how many Gaussians describe the latents, and there are usually
//! more of them than clusters. The paper's form starts from k-means, trains the divergence alone after the reconstruction,
//! and groups nothing.

use burn::tensor::{Int, Tensor, backend::AutodiffBackend};
use ndarray::Array2;
use rand_chacha::ChaCha8Rng;
use serde::{Deserialize, Serialize};

use super::common::defaults::{ClusterEpochs, DefaultEncoder};
use super::common::pulled::{self, Pull};
use super::definition::{ClusterCount, MethodSettings};
use crate::base::arrays::to_array;
use crate::data::Samples;
use crate::divergence::{Divergence, Gaussians};
use crate::mixture::dirichlet::{Assignment, DirichletProcess};
use crate::mixture::merging::ClusterBounds;
use crate::mixture::split_merge::SplitMerge;
use crate::mixture::{Mixture, NotPositiveDefinite, demp};
use crate::nn::LayerShape;
use crate::trained::Trained;
use crate::training::{Finding, FitError, Fitting};
use crate::variant::Variant;

/// Settings of alpha-JSD with a Dirichlet process mixture.
///
/// ```
/// use edgemix::methods::{AlphaJsd, DivergenceSide};
///
/// let settings: AlphaJsd = toml::from_str("alpha = 0.5\ndivergence = \"dual\"\nmax-clusters = 12")?;
/// assert_eq!((settings.alpha, settings.divergence), (0.5, DivergenceSide::Dual));
/// assert_eq!((settings.min_clusters, settings.max_clusters), (1, 12));
/// # Ok::<(), toml::de::Error>(())
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields, rename_all = "kebab-case")]
pub struct AlphaJsd {
    /// The skew, in (0, 1).
    pub alpha: f64,
    /// lambda3, the weight of the clustering loss: 1 in the paper, where `q(z|x)` has a variance of 1. With the smaller variance
    /// of the corrected form, squared distances weigh more in the divergence, and the default makes up for it.
    pub lambda: f64,
    /// The direction of the divergence.
    pub divergence: DivergenceSide,
    /// Whether the autoencoder is variational.
    pub vae: bool,
    /// The confusion threshold: components that are confused more often than this are grouped into one cluster at the
    /// end ([`demp::group`]).
    pub merge_threshold: f64,
    /// The least number of clusters.
    pub min_clusters: usize,
    /// The greatest number of clusters; 0 means no limit.
    pub max_clusters: usize,
    /// How the corrected form finds the components that the latents are then pulled to.
    pub components: SplitMerge,
    /// The mixture. Its latent variance is that of a plain encoder's `q(z|x)` during training, in the divergence as in the
    /// mixture; a variational encoder learns its own. The final mixture does not use it, nor does the printed form, whose
    /// `q(z|x)` has a variance of 1.
    pub mixture: DirichletProcess,
}

/// The direction of the geometric Jensen-Shannon divergence.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum DivergenceSide {
    /// From the distributions to their geometric mean.
    Primal,
    /// From the geometric mean to the distributions.
    Dual,
}

impl Default for AlphaJsd {
    fn default() -> Self {
        Self {
            alpha: 0.65,
            lambda: 0.45,
            divergence: DivergenceSide::Primal,
            vae: false,
            merge_threshold: demp::CUSTOMARY,
            min_clusters: 1,
            max_clusters: 0,
            components: SplitMerge::default(),
            mixture: DirichletProcess { latent_variance: 0.05, ..DirichletProcess::default() },
        }
    }
}

/// The least variance of a plain encoder's `q(z|x)`: a point has no finite divergence from a Gaussian.
const LEAST_LATENT_VARIANCE: f64 = 1e-3;

impl AlphaJsd {
    /// The mixture during training, where `q(z|x)` has this variance.
    fn mixture_of(&self, variance: f64) -> DirichletProcess {
        DirichletProcess { latent_variance: variance, ..self.mixture }
    }

    fn bounds(&self) -> ClusterBounds {
        ClusterBounds {
            least: self.min_clusters,
            most: if self.max_clusters == 0 { usize::MAX } else { self.max_clusters },
        }
    }
}

impl MethodSettings for AlphaJsd {
    const NAME: &'static str = "alpha-jsd";
    const ENCODER_LEARNS_WITH_CLUSTERS: bool = true;
    const ENCODER: DefaultEncoder = DefaultEncoder::DEC;
    const WORKS_WITHOUT_ENCODER: bool = false;
    const CLUSTER_EPOCHS: ClusterEpochs = ClusterEpochs::ByReconstruction;
    const PAPER: Option<&'static str> = Some(include_str!("presets/alpha-jsd.toml"));
    const CLUSTERING_WEIGHT: Option<&'static str> = Some("lambda");

    fn cluster_count(&mut self) -> ClusterCount<'_> {
        ClusterCount::Found { least: &mut self.min_clusters, most: &mut self.max_clusters }
    }

    fn set_variant(&mut self, variant: Variant) -> bool {
        if variant != self.mixture.variant {
            self.mixture.variant = variant;
            self.lambda = match variant {
                Variant::Paper => 1.0,
                Variant::Corrected => Self::default().lambda,
            };
        }
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

impl<B: AutodiffBackend> Pull<B> for AlphaJsd {
    fn is_variational(&self) -> bool {
        self.vae
    }

    fn reconstructs(&self) -> bool {
        self.mixture.variant == Variant::Corrected
    }

    fn latent_variance(&self) -> f64 {
        match self.mixture.variant {
            Variant::Paper => 1.0,
            Variant::Corrected => self.mixture.latent_variance.max(LEAST_LATENT_VARIANCE),
        }
    }

    fn start(
        &self,
        z: &Tensor<B::InnerBackend, 2>,
        variance: f64,
        rng: &mut ChaCha8Rng,
    ) -> Result<(Mixture, Option<Finding>), NotPositiveDefinite> {
        let (mixture, sticks) = match self.mixture.variant {
            Variant::Paper => self.mixture.fit_with_sticks(z, rng)?,
            Variant::Corrected => {
                let components = SplitMerge { min_components: self.min_clusters, ..self.components };
                let grown = components.fit(to_array(z.clone()).view(), rng)?;
                self.mixture_of(variance).adopt(z, &demp::group(grown, z, self.merge_threshold, self.bounds())?)?
            }
        };
        Ok((mixture, Some(Finding::StickWeights(sticks))))
    }

    fn refine(
        &self,
        z: &Tensor<B::InnerBackend, 2>,
        variance: f64,
        mixture: Mixture,
    ) -> Result<Mixture, NotPositiveDefinite> {
        self.mixture_of(variance).refine(z, mixture)
    }

    fn settle(&self, z: &Tensor<B::InnerBackend, 2>, mixture: Mixture) -> Result<Mixture, NotPositiveDefinite> {
        // Equation 13 is hard, and the paper's components are its clusters.
        if self.mixture.variant == Variant::Paper {
            return Ok(mixture);
        }
        let last = DirichletProcess { assignment: Assignment::Soft, ..self.mixture_of(0.0) };
        demp::group(last.refine(z, mixture)?, z, self.merge_threshold, self.bounds())
    }

    fn log_variances(
        &self,
        z: &Tensor<B::InnerBackend, 2>,
        mixture: &Mixture,
        best: &Tensor<B::InnerBackend, 1, Int>,
    ) -> Array2<f64> {
        match self.mixture.variant {
            Variant::Paper => self.mixture.printed_precisions(z, best, mixture.means.view()).mapv(|tau| -tau.ln()),
            Variant::Corrected => mixture.log_variances(),
        }
    }

    fn pull(&self, q: Gaussians<B>, p: Gaussians<B>) -> Tensor<B, 1> {
        let divergence = match (self.mixture.variant, self.divergence) {
            (Variant::Paper, _) => Divergence::Printed(self.alpha),
            (Variant::Corrected, DivergenceSide::Primal) => Divergence::Primal(self.alpha),
            (Variant::Corrected, DivergenceSide::Dual) => Divergence::Dual(self.alpha),
        };
        divergence.between(q, p).mean() * self.lambda
    }
}
