//! Clusters of the features themselves, without an encoder: the baselines k-means and Gaussian mixture, which are also the
//! smallest models for a chip.
//!
//! **Objective**: that of k-means, or the likelihood of the mixture. **Schedule**: no phase; all features, centred and divided
//! by their common deviation, are the latents. (`ae-kmeans` and `ae-gmm` without an encoder cluster at most 32 principal
//! axes instead.)

use burn::tensor::backend::AutodiffBackend;
use rand_chacha::ChaCha8Rng;
use serde::{Deserialize, Serialize};

use super::common::defaults::{ClusterEpochs, DefaultEncoder};
use super::common::features::CenteredFeatures;
use super::definition::{ClusterCount, MethodSettings};
use crate::data::Samples;
use crate::mixture::gmm::Gmm;
use crate::mixture::kmeans::KMeans;
use crate::mixture::{CovarianceType, Mixture, NotPositiveDefinite};
use crate::nn::LayerShape;
use crate::trained::{Head, Trained};
use crate::training::{FitError, Fitting};
use crate::variant::Variant;

/// Settings of k-means on features.
///
/// ```
/// use edgemix::methods::FeatureKMeans;
///
/// let settings: FeatureKMeans = toml::from_str("[kmeans]\nn-clusters = 6")?;
/// assert_eq!((settings.kmeans.n_clusters, settings.kmeans.n_init), (6, 20));
/// # Ok::<(), toml::de::Error>(())
/// ```
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields, rename_all = "kebab-case")]
pub struct FeatureKMeans {
    /// How the clusters are found.
    pub kmeans: KMeans,
}

/// Settings of a Gaussian mixture on features.
///
/// ```
/// use edgemix::methods::FeatureGmm;
/// use edgemix::mixture::CovarianceType;
///
/// // As many numbers for each component as a sample has.
/// assert_eq!(FeatureGmm::default().mixture.covariance, CovarianceType::Diagonal);
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields, rename_all = "kebab-case")]
pub struct FeatureGmm {
    /// The mixture.
    pub mixture: Gmm,
}

impl Default for FeatureGmm {
    fn default() -> Self {
        Self { mixture: Gmm { covariance: CovarianceType::Diagonal, ..Gmm::default() } }
    }
}

impl MethodSettings for FeatureKMeans {
    const NAME: &'static str = "kmeans";
    const ENCODER_LEARNS_WITH_CLUSTERS: bool = false;
    const ENCODER: DefaultEncoder = DefaultEncoder::None;
    const WORKS_WITHOUT_ENCODER: bool = true;
    const CLUSTER_EPOCHS: ClusterEpochs = ClusterEpochs::ByReconstruction;
    const PAPER: Option<&'static str> = None;
    const CLUSTERING_WEIGHT: Option<&'static str> = None;

    fn cluster_count(&mut self) -> ClusterCount<'_> {
        ClusterCount::Given(&mut self.kmeans.n_clusters)
    }

    fn set_variant(&mut self, _: Variant) -> bool {
        false
    }

    fn check(&self, _: &[LayerShape], _: &Samples) -> Result<(), FitError> {
        Ok(())
    }

    fn exported_encoder(&self, _: &[LayerShape], _: &Samples) -> Result<Vec<LayerShape>, FitError> {
        Ok(vec![])
    }

    fn fit<B: AutodiffBackend>(&self, fit: &mut Fitting<'_, B>) -> Result<Trained, FitError> {
        fit_features(fit, |features, rng| Ok(self.kmeans.fit(&features.z, rng).mixture()))
    }
}

impl MethodSettings for FeatureGmm {
    const NAME: &'static str = "gmm";
    const ENCODER_LEARNS_WITH_CLUSTERS: bool = false;
    const ENCODER: DefaultEncoder = DefaultEncoder::None;
    const WORKS_WITHOUT_ENCODER: bool = true;
    const CLUSTER_EPOCHS: ClusterEpochs = ClusterEpochs::ByReconstruction;
    const PAPER: Option<&'static str> = None;
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

    fn exported_encoder(&self, _: &[LayerShape], _: &Samples) -> Result<Vec<LayerShape>, FitError> {
        Ok(vec![])
    }

    fn fit<B: AutodiffBackend>(&self, fit: &mut Fitting<'_, B>) -> Result<Trained, FitError> {
        fit_features(fit, |features, rng| self.mixture.fit(&features.z, rng))
    }
}

/// Clusters the features of all samples.
fn fit_features<B: AutodiffBackend>(
    fit: &mut Fitting<'_, B>,
    cluster: impl FnOnce(&CenteredFeatures<B::InnerBackend>, &mut ChaCha8Rng) -> Result<Mixture, NotPositiveDefinite>,
) -> Result<Trained, FitError> {
    fit.activity("fitting the clusters");
    let features = CenteredFeatures::of(fit)?;
    let mixture = cluster(&features, &mut fit.rng("cluster", 0))?;
    Ok(Trained { scaling: features.scaling, ..fit.trained(vec![], Head::Mixture(mixture)) })
}
