//! The methods, a file each, reading like their papers: objective, update, schedule.
//!
//! A method implements `training::Method`. Those that train an autoencoder and then pull its latents to clusters that are
//! refitted share `latent` and say only how clusters are found and what pulls; those whose clusters learn together with
//! the encoder share `joint`.

mod abc;
mod adaptive_gmm;
mod alpha_jsd;
mod dcan;
mod dcn;
mod dec;
mod depict;
mod dpm;
mod grow;
mod joint;
mod kdvae;
mod kld;
mod latent;
mod learned_mixture;
mod learner;
mod optimized;
mod softmax_head;
#[cfg(test)]
mod tests;
mod two_step;
mod vade;

pub use abc::Abc;
pub use adaptive_gmm::AdaptiveGmm;
pub use alpha_jsd::{AlphaJsd, Side};
pub use dcan::Dcan;
pub use dcn::Dcn;
pub use dec::{Dec, Idec};
pub use depict::{Depict, Start, Target};
pub use dpm::Dpm;
pub use grow::{Grow, Kind, Reconstruct};
pub use kdvae::{Export, KAutoencoders, KDae, KDvae};
pub use kld::Kld;
pub use two_step::{AeGmm, AeKMeans};
pub use vade::Vade;

use burn::tensor::backend::AutodiffBackend;
use serde::{Deserialize, Serialize};

use crate::data::Samples;
use crate::mixture::CovarianceType;
use crate::nn::Architecture;
use crate::training::{FitConfig, Method};
use crate::variant::Variant;
use joint::Clusters;

/// The list of methods: each one's settings, and its name on the command line and in a configuration.
macro_rules! methods {
    ($($(#[$doc:meta])* $method:ident = $name:literal,)*) => {
        /// A method and its settings.
        ///
        /// ```
        /// use edgemix::methods::MethodConfig;
        ///
        /// for &name in MethodConfig::NAMES {
        ///     let mut method = MethodConfig::named(name).unwrap();
        ///     method.set_n_clusters(6);
        ///     assert_eq!(method.name(), name);
        /// }
        /// ```
        #[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
        #[serde(tag = "name")]
        pub enum MethodConfig {
            $($(#[$doc])* #[serde(rename = $name)] $method($method),)*
        }

        impl MethodConfig {
            /// Every method's name on the command line. See [`MethodConfig`] for an example.
            pub const NAMES: &[&'static str] = &[$($name),*];

            /// A method with its defaults. See [`MethodConfig`] for an example.
            pub fn named(name: &str) -> Option<Self> {
                match name {
                    $($name => Some(Self::$method($method::default())),)*
                    _ => None,
                }
            }

            /// The method's name on the command line. See [`MethodConfig`] for an example.
            pub fn name(&self) -> &'static str {
                match self {
                    $(Self::$method(_) => $name,)*
                }
            }
        }
    };
}

methods! {
    /// alpha-Jensen-Shannon divergence to a Dirichlet process mixture.
    AlphaJsd = "alpha-jsd",
    /// Kullback-Leibler divergence to a Gaussian mixture.
    Kld = "kld",
    /// Dirichlet process mixture on the features, without an encoder.
    Dpm = "dpm",
    /// Autoencoder-based clustering: latents pulled to k-means centres.
    Abc = "abc",
    /// Autoencoder, then k-means.
    AeKMeans = "ae-kmeans",
    /// Autoencoder, then a Gaussian mixture.
    AeGmm = "ae-gmm",
    /// Autoencoder, grown components, a softmax head on their clusters.
    Grow = "grow",
    /// Deep embedded clustering.
    Dec = "dec",
    /// Deep embedded clustering with reconstruction.
    Idec = "idec",
    /// Deep clustering network.
    Dcn = "dcn",
    /// Adversarial clustering loss.
    Dcan = "dcan",
    /// Encoder and Gaussian mixture trained together.
    AdaptiveGmm = "adaptive-gmm",
    /// Variational deep embedding.
    Vade = "vade",
    /// Convolutional autoencoder, softmax layer and balanced targets.
    Depict = "depict",
    /// One variational autoencoder per cluster.
    KDvae = "k-dvae",
    /// One autoencoder per cluster.
    KDae = "k-dae",
}

impl Default for MethodConfig {
    fn default() -> Self {
        Self::Grow(Grow::default())
    }
}

impl MethodConfig {
    /// Bounds the number of clusters, without an upper bound if there is no `most`; whether the method finds a number.
    ///
    /// ```
    /// use edgemix::methods::MethodConfig;
    ///
    /// let mut grow = MethodConfig::named("grow").unwrap();
    /// assert!(grow.set_cluster_bounds(8, Some(12)));
    /// assert!(matches!(grow, MethodConfig::Grow(grow) if grow.grouping.max_clusters == 12));
    /// // k-means is told how many there are.
    /// assert!(!MethodConfig::named("ae-kmeans").unwrap().set_cluster_bounds(8, Some(12)));
    /// ```
    pub fn set_cluster_bounds(&mut self, least: usize, most: Option<usize>) -> bool {
        let bounds = (least, most.unwrap_or(0));
        match self {
            Self::AlphaJsd(method) => (method.min_clusters, method.max_clusters) = bounds,
            Self::Grow(method) => (method.grouping.min_clusters, method.grouping.max_clusters) = bounds,
            _ => return false,
        }
        true
    }

    /// Sets the number of clusters; for a Dirichlet process on features that of components to start from.
    ///
    /// ```
    /// use edgemix::methods::MethodConfig;
    ///
    /// let mut dec = MethodConfig::named("dec").unwrap();
    /// dec.set_n_clusters(6);
    /// assert!(matches!(dec, MethodConfig::Dec(dec) if dec.kmeans.n_clusters == 6));
    /// ```
    pub fn set_n_clusters(&mut self, n: usize) {
        match self {
            Self::AlphaJsd(method) => (method.min_clusters, method.max_clusters) = (n, n),
            Self::Dpm(method) => method.mixture.truncation = n,
            Self::Kld(method) => method.mixture.n_components = n,
            Self::AeGmm(method) => method.mixture.n_components = n,
            Self::Grow(method) => (method.grouping.min_clusters, method.grouping.max_clusters) = (n, n),
            Self::Abc(method) => method.kmeans.n_clusters = n,
            Self::AeKMeans(method) => method.kmeans.n_clusters = n,
            Self::Dec(method) => method.kmeans.n_clusters = n,
            Self::Idec(method) => method.kmeans.n_clusters = n,
            Self::Dcn(method) => method.kmeans.n_clusters = n,
            Self::Dcan(method) => method.mixture.n_components = n,
            Self::AdaptiveGmm(method) => method.mixture.n_components = n,
            Self::Vade(method) => method.mixture.n_components = n,
            Self::Depict(method) => method.kmeans.n_clusters = n,
            Self::KDvae(method) | Self::KDae(method) => method.start.mixture.n_components = n,
        }
    }

    /// The encoder of the method's paper, where it has one for such samples, else one by their size.
    ///
    /// ```
    /// use edgemix::methods::MethodConfig;
    ///
    /// let digits = edgemix::data::digits().samples;
    /// let layers = |name| MethodConfig::named(name).unwrap().architecture(&digits).to_string();
    /// assert_eq!(layers("dec"), "256-128-10");
    /// assert_eq!(layers("depict"), "conv:50k4s2,50k5s2p2,10");
    /// ```
    pub fn architecture(&self, samples: &Samples) -> Architecture {
        let is_small = samples.n_features() <= 256;
        match self {
            Self::Depict(_) if samples.image().is_some() => Architecture::depict(),
            Self::KDvae(_) | Self::KDae(_) => {
                Architecture::dense(if is_small { &[100, 50, 10] } else { &[500, 100, 10] })
            }
            _ => Architecture::dense(if is_small { &[256, 128, 10] } else { &[500, 500, 2000, 10] }),
        }
    }

    /// The layers of a student that learns what the method found, where there is one.
    pub(crate) fn student(&self) -> Option<&Architecture> {
        match self {
            Self::KDvae(method) | Self::KDae(method) => Some(&method.student),
            _ => None,
        }
    }

    /// Epochs with the clustering loss after so many of reconstruction, unless others are asked for.
    pub(crate) fn cluster_epochs(&self, reconstruction: usize) -> usize {
        match self {
            Self::Grow(_) => Grow::EPOCHS,
            _ => reconstruction * 2 / 15,
        }
    }

    /// Whether the encoder that is exported goes on learning once there are clusters, and without dropout.
    pub(crate) fn learns_with_clusters(&self) -> bool {
        !matches!(
            self,
            Self::Dpm(_) | Self::AeKMeans(_) | Self::AeGmm(_) | Self::Depict(_) | Self::KDvae(_) | Self::KDae(_)
        )
    }

    /// Takes the paper's form or the corrected one; whether the method has both. See [`Variant`] for an example.
    pub fn set_variant(&mut self, variant: Variant) -> bool {
        match self {
            Self::AlphaJsd(method) => method.mixture.variant = variant,
            Self::Dpm(method) => method.mixture.variant = variant,
            Self::Dcan(method) => method.variant = variant,
            Self::AdaptiveGmm(method) => {
                method.variant = variant;
                method.refit = if variant == Variant::Paper { CovarianceType::Diagonal } else { CovarianceType::Full };
            }
            _ => return false,
        }
        true
    }
}

/// The method of a configuration, ready to be trained on a device.
pub(crate) fn build<B: AutodiffBackend>(
    config: &FitConfig,
    samples: &Samples,
    device: &B::Device,
) -> Box<dyn Method<B>> {
    let name = config.method.name();
    let latent = |objective: Box<dyn latent::Objective<B>>| -> Box<dyn Method<B>> {
        Box::new(latent::LatentMethod::new(name, config, samples, objective, device))
    };
    match &config.method {
        MethodConfig::AlphaJsd(method) => latent(Box::new(*method)),
        MethodConfig::Kld(method) => latent(Box::new(*method)),
        MethodConfig::Abc(method) => latent(Box::new(*method)),
        MethodConfig::AeKMeans(method) => latent(Box::new(*method)),
        MethodConfig::AeGmm(method) => latent(Box::new(*method)),
        MethodConfig::Dec(method) => joint::<B, dec::StudentClusters<B>>(*method, config, samples, device),
        MethodConfig::Idec(method) => joint::<B, dec::StudentClusters<B>>(*method, config, samples, device),
        MethodConfig::Dcn(method) => joint::<B, dcn::RunningCenters>(*method, config, samples, device),
        MethodConfig::Dcan(method) => joint::<B, dcan::Adversary<B>>(*method, config, samples, device),
        MethodConfig::AdaptiveGmm(method) => joint::<B, adaptive_gmm::Adaptive<B>>(*method, config, samples, device),
        MethodConfig::Vade(method) => joint::<B, vade::Prior<B>>(*method, config, samples, device),
        MethodConfig::Depict(method) => Box::new(depict::DepictMethod::new(*method, config, samples, device)),
        MethodConfig::KDvae(method) => Box::new(kdvae::MemberMethod::new(true, method, config, samples, device)),
        MethodConfig::KDae(method) => Box::new(kdvae::MemberMethod::new(false, method, config, samples, device)),
        MethodConfig::Grow(method) => Box::new(grow::GrowMethod::new(*method, config, samples, device)),
        MethodConfig::Dpm(method) => Box::new(dpm::FeatureMethod::new(*method, config.seed)),
    }
}

fn joint<B: AutodiffBackend, C: Clusters<B> + 'static>(
    settings: impl Into<C::Settings>,
    config: &FitConfig,
    samples: &Samples,
    device: &B::Device,
) -> Box<dyn Method<B>> {
    Box::new(joint::JointMethod::<B, C>::new(config.method.name(), settings.into(), config, samples, device))
}
