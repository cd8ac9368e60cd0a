//! Autoencoder first, clustering afterwards: the baselines AE + k-means, AE + GMM and VAE + k-means.
//!
//! **Objective**: reconstruction; of a variational autoencoder also the divergence from a standard normal distribution.
//! **Schedule**: one phase, after which the standardised latents are clustered once. Without an encoder the features are
//! clustered, or their principal axes.

use burn::tensor::Tensor;
use burn::tensor::backend::{AutodiffBackend, Backend};
use rand_chacha::ChaCha8Rng;
use serde::{Deserialize, Serialize};

use super::common::defaults::{ClusterEpochs, DefaultEncoder};
use super::common::learner::{Learner, Losses, divergence_from_standard, gaussians};
use super::common::linear::LinearLatents;
use super::common::reconstruction::{evidence, reconstruct};
use super::definition::{ClusterCount, MethodSettings};
use crate::data::Samples;
use crate::mixture::gmm::Gmm;
use crate::mixture::kmeans::KMeans;
use crate::mixture::{Mixture, NotPositiveDefinite};
use crate::nn::LayerShape;
use crate::trained::{Decoder, Head, Trained};
use crate::training::{Batch, FitError, Fitting};
use crate::variant::Variant;

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
    /// How the clusters are found.
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

/// Settings of variational autoencoder and k-means.
///
/// ```
/// use edgemix::methods::VaeKMeans;
///
/// let settings: VaeKMeans = toml::from_str("kmeans = { n-clusters = 6 }")?;
/// assert_eq!(settings.kmeans.n_clusters, 6);
/// # Ok::<(), toml::de::Error>(())
/// ```
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields, rename_all = "kebab-case")]
pub struct VaeKMeans {
    /// How the clusters are found.
    pub kmeans: KMeans,
}

impl MethodSettings for AeKMeans {
    const NAME: &'static str = "ae-kmeans";
    const ENCODER_LEARNS_WITH_CLUSTERS: bool = false;
    const ENCODER: DefaultEncoder = DefaultEncoder::DEC;
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

    fn exported_encoder(&self, encoder: &[LayerShape], _: &Samples) -> Result<Vec<LayerShape>, FitError> {
        Ok(encoder.to_vec())
    }

    fn fit<B: AutodiffBackend>(&self, fit: &mut Fitting<'_, B>) -> Result<Trained, FitError> {
        fit_two_steps(fit, false, |z, rng| Ok(Found::by_kmeans(&self.kmeans, z, rng)))
    }
}

impl MethodSettings for AeGmm {
    const NAME: &'static str = "ae-gmm";
    const ENCODER_LEARNS_WITH_CLUSTERS: bool = false;
    const ENCODER: DefaultEncoder = DefaultEncoder::DEC;
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

    fn exported_encoder(&self, encoder: &[LayerShape], _: &Samples) -> Result<Vec<LayerShape>, FitError> {
        Ok(encoder.to_vec())
    }

    fn fit<B: AutodiffBackend>(&self, fit: &mut Fitting<'_, B>) -> Result<Trained, FitError> {
        fit_two_steps(fit, false, |z, rng| Ok(Found { mixture: self.mixture.fit(z, rng)?, variance: None }))
    }
}

impl MethodSettings for VaeKMeans {
    const NAME: &'static str = "vae-kmeans";
    const ENCODER_LEARNS_WITH_CLUSTERS: bool = false;
    const ENCODER: DefaultEncoder = DefaultEncoder::DEC;
    const WORKS_WITHOUT_ENCODER: bool = false;
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

    fn exported_encoder(&self, encoder: &[LayerShape], _: &Samples) -> Result<Vec<LayerShape>, FitError> {
        Ok(encoder.to_vec())
    }

    fn fit<B: AutodiffBackend>(&self, fit: &mut Fitting<'_, B>) -> Result<Trained, FitError> {
        fit_two_steps(fit, true, |z, rng| Ok(Found::by_kmeans(&self.kmeans, z, rng)))
    }
}

/// The negative evidence bound of a variational autoencoder whose decoder has the variance that maximises it, the batch's mean
/// squared error (Rybkin, Daniilidis and Levine, "Simple and Effective VAE Training with Calibrated Decoders", 2021). With a
/// variance of 1, the divergence would outweigh all that can be learned of images.
fn calibrated<B: AutodiffBackend>(learner: &Learner<B>, batch: &mut Batch<B>) -> Losses<B> {
    let features = batch.clean.dims()[1] as f64;
    let latent = learner.autoencoder.encode(batch.augmented.clone());
    let mean_square = learner.reconstruction(&latent, batch) * (2.0 / features);
    let prior = divergence_from_standard(gaussians(latent, 1.0)).mean();
    vec![("reconstruction", mean_square.clamp_min(1e-6).log() * (0.5 * features)), ("prior", prior)]
}

/// The clusters of latents.
struct Found {
    mixture: Mixture,
    /// The variance of the latents about centres of k-means, which its mixture does not have.
    variance: Option<f64>,
}

impl Found {
    fn by_kmeans<B: Backend>(kmeans: &KMeans, z: &Tensor<B, 2>, rng: &mut ChaCha8Rng) -> Self {
        let centers = kmeans.fit(z, rng);
        let values: usize = z.dims().iter().product();
        Self { variance: Some(centers.inertia / values.max(1) as f64), mixture: centers.mixture() }
    }
}

/// Reconstructs, then clusters the standardised latents; or clusters the features, if there is no encoder.
fn fit_two_steps<B: AutodiffBackend>(
    fit: &mut Fitting<'_, B>,
    is_variational: bool,
    cluster: impl FnOnce(&Tensor<B::InnerBackend, 2>, &mut ChaCha8Rng) -> Result<Found, NotPositiveDefinite>,
) -> Result<Trained, FitError> {
    if fit.plan.encoder.is_empty() {
        fit.activity("fitting the clusters");
        let LinearLatents { scaling, encoder, z } = LinearLatents::of(fit)?;
        let mixture = cluster(&z, &mut fit.rng("cluster", u64::MAX))?.mixture;
        return Ok(Trained { scaling, ..fit.trained(encoder, Head::Mixture(mixture)) });
    }
    let learner = reconstruct(fit, is_variational, if is_variational { calibrated } else { evidence })?;
    fit.activity("last fit of the clusters");
    let (standardisation, z) = learner.standardised_latents(&fit.data)?;
    let Found { mixture, variance } = cluster(&z, &mut fit.rng("cluster", u64::MAX))?;
    let decoder = Decoder { variance, ..learner.to_decoder(Some(&standardisation), is_variational, &fit.data)? };
    let trained = fit.trained(standardisation.fold(learner.to_layers()), Head::Mixture(mixture));
    Ok(Trained { decoder: Some(decoder), ..trained })
}
