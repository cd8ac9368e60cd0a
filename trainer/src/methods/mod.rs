//! The methods, a file each, reading like their papers: objective, update, schedule.
//!
//! A method implements [`Method`]. Those that train an autoencoder and then pull its latents to clusters that are
//! refitted share `latent` and say only how clusters are found and what pulls; those whose clusters learn together with
//! the encoder share `joint`.

mod abc;
mod adaptive_gmm;
mod alpha_jsd;
mod dcan;
mod dcn;
mod dec;
mod dpm;
mod grow;
mod joint;
mod kld;
mod latent;
mod learned_mixture;
mod learner;
mod two_step;
mod vade;

pub use abc::Abc;
pub use adaptive_gmm::AdaptiveGmm;
pub use alpha_jsd::{AlphaJsd, Side};
pub use dcan::Dcan;
pub use dcn::Dcn;
pub use dec::{Dec, Idec};
pub use dpm::Dpm;
pub use grow::{Grow, Kind};
pub use kld::Kld;
pub use two_step::{AeGmm, AeKMeans};
pub use vade::Vade;

use burn::tensor::backend::AutodiffBackend;
use serde::{Deserialize, Serialize};

use crate::data::Samples;
use crate::mixture::dirichlet::Form;
use crate::training::{FitConfig, Method};
use joint::Clusters;

/// A method and its settings.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(tag = "name", rename_all = "kebab-case")]
pub enum MethodConfig {
    /// alpha-Jensen-Shannon divergence to a Dirichlet process mixture.
    AlphaJsd(AlphaJsd),
    /// Kullback-Leibler divergence to a Gaussian mixture.
    Kld(Kld),
    /// Dirichlet process mixture on the features, without an encoder.
    Dpm(Dpm),
    /// Autoencoder-based clustering: latents pulled to k-means centres.
    Abc(Abc),
    /// Autoencoder, then k-means.
    AeKmeans(AeKMeans),
    /// Autoencoder, then a Gaussian mixture.
    AeGmm(AeGmm),
    /// Autoencoder, grown components, a softmax head on their clusters.
    Grow(Grow),
    /// Deep embedded clustering.
    Dec(Dec),
    /// Deep embedded clustering with reconstruction.
    Idec(Idec),
    /// Deep clustering network.
    Dcn(Dcn),
    /// Adversarial clustering loss.
    Dcan(Dcan),
    /// Encoder and Gaussian mixture trained together.
    AdaptiveGmm(AdaptiveGmm),
    /// Variational deep embedding.
    Vade(Vade),
}

/// As the paper prints it, or corrected, where both are defined.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, clap::ValueEnum)]
#[serde(rename_all = "kebab-case")]
pub enum Variant {
    /// As printed.
    Paper,
    /// Corrected.
    #[default]
    Corrected,
}

impl Default for MethodConfig {
    fn default() -> Self {
        Self::AlphaJsd(AlphaJsd::default())
    }
}

impl MethodConfig {
    /// Every method's name on the command line.
    pub const NAMES: [&'static str; 13] = [
        "alpha-jsd",
        "kld",
        "dpm",
        "abc",
        "ae-kmeans",
        "ae-gmm",
        "grow",
        "dec",
        "idec",
        "dcn",
        "dcan",
        "adaptive-gmm",
        "vade",
    ];

    /// A method with its defaults.
    pub fn named(name: &str) -> Option<Self> {
        Some(match name {
            "alpha-jsd" => Self::AlphaJsd(AlphaJsd::default()),
            "kld" => Self::Kld(Kld::default()),
            "dpm" => Self::Dpm(Dpm::default()),
            "abc" => Self::Abc(Abc::default()),
            "ae-kmeans" => Self::AeKmeans(AeKMeans::default()),
            "ae-gmm" => Self::AeGmm(AeGmm::default()),
            "grow" => Self::Grow(Grow::default()),
            "dec" => Self::Dec(Dec::default()),
            "idec" => Self::Idec(Idec::default()),
            "dcn" => Self::Dcn(Dcn::default()),
            "dcan" => Self::Dcan(Dcan::default()),
            "adaptive-gmm" => Self::AdaptiveGmm(AdaptiveGmm::default()),
            "vade" => Self::Vade(Vade::default()),
            _ => return None,
        })
    }

    /// The method's name on the command line.
    pub fn name(&self) -> &'static str {
        let index = match self {
            Self::AlphaJsd(_) => 0,
            Self::Kld(_) => 1,
            Self::Dpm(_) => 2,
            Self::Abc(_) => 3,
            Self::AeKmeans(_) => 4,
            Self::AeGmm(_) => 5,
            Self::Grow(_) => 6,
            Self::Dec(_) => 7,
            Self::Idec(_) => 8,
            Self::Dcn(_) => 9,
            Self::Dcan(_) => 10,
            Self::AdaptiveGmm(_) => 11,
            Self::Vade(_) => 12,
        };
        Self::NAMES[index]
    }

    /// Sets the number of clusters, or of components at most where the method finds their number itself.
    pub fn set_n_clusters(&mut self, n: usize) {
        match self {
            Self::AlphaJsd(method) => method.mixture.truncation = n,
            Self::Dpm(method) => method.mixture.truncation = n,
            Self::Kld(method) => method.mixture.n_components = n,
            Self::AeGmm(method) => method.mixture.n_components = n,
            Self::Grow(method) => method.components.max_components = n,
            Self::Abc(method) => method.kmeans.n_clusters = n,
            Self::AeKmeans(method) => method.kmeans.n_clusters = n,
            Self::Dec(method) => method.kmeans.n_clusters = n,
            Self::Idec(method) => method.kmeans.n_clusters = n,
            Self::Dcn(method) => method.kmeans.n_clusters = n,
            Self::Dcan(method) => method.mixture.n_components = n,
            Self::AdaptiveGmm(method) => method.mixture.n_components = n,
            Self::Vade(method) => method.mixture.n_components = n,
        }
    }

    /// Takes the paper's form or the corrected one; whether the method has both.
    pub fn set_variant(&mut self, variant: Variant) -> bool {
        let form = match variant {
            Variant::Paper => Form::Paper,
            Variant::Corrected => Form::Corrected,
        };
        match self {
            Self::AlphaJsd(method) => method.mixture.form = form,
            Self::Dpm(method) => method.mixture.form = form,
            Self::Dcan(method) => method.variant = variant,
            Self::AdaptiveGmm(method) => method.variant = variant,
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
    fn joint<B: AutodiffBackend, C: Clusters<B> + 'static>(
        settings: C::Settings,
        config: &FitConfig,
        samples: &Samples,
        device: &B::Device,
    ) -> Box<dyn Method<B>> {
        Box::new(joint::JointMethod::<B, C>::new(config.method.name(), settings, config, samples, device))
    }
    match &config.method {
        MethodConfig::AlphaJsd(method) => latent(Box::new(*method)),
        MethodConfig::Kld(method) => latent(Box::new(*method)),
        MethodConfig::Abc(method) => latent(Box::new(*method)),
        MethodConfig::AeKmeans(method) => latent(Box::new(*method)),
        MethodConfig::AeGmm(method) => latent(Box::new(*method)),
        MethodConfig::Dec(method) => joint::<B, dec::StudentClusters<B>>((*method).into(), config, samples, device),
        MethodConfig::Idec(method) => joint::<B, dec::StudentClusters<B>>((*method).into(), config, samples, device),
        MethodConfig::Dcn(method) => joint::<B, dcn::RunningCenters>(*method, config, samples, device),
        MethodConfig::Dcan(method) => joint::<B, dcan::Adversary<B>>(*method, config, samples, device),
        MethodConfig::AdaptiveGmm(method) => joint::<B, adaptive_gmm::Adaptive<B>>(*method, config, samples, device),
        MethodConfig::Vade(method) => joint::<B, vade::Prior<B>>(*method, config, samples, device),
        MethodConfig::Grow(method) => Box::new(grow::GrowMethod::new(*method, config, samples, device)),
        MethodConfig::Dpm(method) => Box::new(dpm::FeatureMethod::new(*method, config.seed)),
    }
}
