//! The list of methods.

use burn::tensor::backend::AutodiffBackend;
use serde::{Deserialize, Serialize};

use super::abc::Abc;
use super::adaptive_gmm::AdaptiveGmm;
use super::alpha_jsd::AlphaJsd;
use super::common::defaults::DefaultEncoder;
use super::dcan::Dcan;
use super::dcn::Dcn;
use super::dec::{Dec, Idec};
use super::definition::{ClusterCount, MethodSettings};
use super::depict::Depict;
use super::dpm::Dpm;
use super::grow::Grow;
use super::kdvae::{KDae, KDvae};
use super::kld::Kld;
use super::on_features::{FeatureGmm, FeatureKMeans};
use super::two_step::{AeGmm, AeKMeans, VaeKMeans};
use super::vade::Vade;
use crate::data::Samples;
use crate::nn::{Architecture, LayerShape};
use crate::trained::Trained;
use crate::training::{FitError, Fitting, Method};
use crate::variant::Variant;

/// Defines the type of all methods from a list of their settings and names. Every call is forwarded to the chosen
/// method.
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

        // The name in a configuration is the method's own.
        $(const _: () = assert!(is_same($name, $method::NAME));)*

        impl MethodConfig {
            /// Every method's name on the command line.
            pub const NAMES: &[&'static str] = &[$($method::NAME),*];

            /// A method with its defaults.
            pub fn named(name: &str) -> Option<Self> {
                match name {
                    $($method::NAME => Some(Self::$method($method::default())),)*
                    _ => None,
                }
            }

            /// The method's name on the command line.
            pub fn name(&self) -> &'static str {
                match self {
                    $(Self::$method(_) => $method::NAME,)*
                }
            }

            /// Bounds the number of clusters; there is no upper bound if `most` is `None`. Returns whether the method
            /// finds the number by itself.
            ///
            /// ```
            /// use edgemix::methods::MethodConfig;
            ///
            /// let mut grow = MethodConfig::named("grow").unwrap();
            /// assert!(grow.set_cluster_bounds(8, Some(12)));
            /// assert!(matches!(grow, MethodConfig::Grow(grow) if grow.grouping.max_clusters == 12));
            /// // The number of clusters of k-means is given.
            /// assert!(!MethodConfig::named("ae-kmeans").unwrap().set_cluster_bounds(8, Some(12)));
            /// ```
            pub fn set_cluster_bounds(&mut self, least: usize, most: Option<usize>) -> bool {
                match self.cluster_count() {
                    ClusterCount::Given(_) | ClusterCount::StartsFrom(_) => false,
                    ClusterCount::Found { least: lower, most: upper } => {
                        (*lower, *upper) = (least, most.unwrap_or(0));
                        true
                    }
                }
            }

            /// Sets the number of clusters. A Dirichlet process on features takes it as the number of components to
            /// start from.
            ///
            /// ```
            /// use edgemix::methods::MethodConfig;
            ///
            /// let mut dec = MethodConfig::named("dec").unwrap();
            /// dec.set_n_clusters(6);
            /// assert!(matches!(dec, MethodConfig::Dec(dec) if dec.kmeans.n_clusters == 6));
            /// ```
            pub fn set_n_clusters(&mut self, n: usize) {
                match self.cluster_count() {
                    ClusterCount::Given(count) | ClusterCount::StartsFrom(count) => *count = n,
                    ClusterCount::Found { least, most } => (*least, *most) = (n, n),
                }
            }

            fn cluster_count(&mut self) -> ClusterCount<'_> {
                match self {
                    $(Self::$method(method) => method.cluster_count(),)*
                }
            }

            /// Chooses between the paper's form and the corrected one. Returns whether the method has both.
            ///
            /// ```
            /// use edgemix::methods::MethodConfig;
            /// use edgemix::variant::Variant;
            ///
            /// assert!(MethodConfig::named("dcan").unwrap().set_variant(Variant::Paper));
            /// assert!(!MethodConfig::named("dec").unwrap().set_variant(Variant::Paper));
            /// ```
            pub fn set_variant(&mut self, variant: Variant) -> bool {
                match self {
                    $(Self::$method(method) => method.set_variant(variant),)*
                }
            }

            /// The encoder of the method's paper, if it has one for such samples; otherwise an encoder chosen by their
            /// size.
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
                match self {
                    $(Self::$method(_) => $method::ENCODER.architecture(samples),)*
                }
            }

            /// The setting of the method that weighs its clustering loss, if there is one.
            ///
            /// ```
            /// use edgemix::methods::MethodConfig;
            ///
            /// let weight = |name| MethodConfig::named(name).unwrap().clustering_weight();
            /// assert_eq!((weight("dcn"), weight("ae-gmm")), (Some("lambda"), None));
            /// ```
            pub fn clustering_weight(&self) -> Option<&'static str> {
                match self {
                    $(Self::$method(_) => $method::CLUSTERING_WEIGHT,)*
                }
            }

            /// The settings of the method's paper as TOML; what they omit has the method's defaults. `None` if there are none.
            ///
            /// ```
            /// use edgemix::methods::MethodConfig;
            ///
            /// let paper = |name| MethodConfig::named(name).unwrap().paper_settings();
            /// assert!(paper("dcan").unwrap().contains("activation = \"tanh\""));
            /// assert!(paper("grow").is_none());
            /// ```
            pub fn paper_settings(&self) -> Option<&'static str> {
                match self {
                    $(Self::$method(_) => $method::PAPER,)*
                }
            }

            pub(super) fn cluster_epochs(&self, reconstruction: usize) -> usize {
                match self {
                    $(Self::$method(_) => $method::CLUSTER_EPOCHS.after(reconstruction),)*
                }
            }

            pub(crate) fn works_without_encoder(&self) -> bool {
                match self {
                    $(Self::$method(_) => $method::WORKS_WITHOUT_ENCODER,)*
                }
            }

            /// Whether the method can have an encoder.
            pub(crate) fn may_have_encoder(&self) -> bool {
                match self {
                    $(Self::$method(_) => !matches!($method::ENCODER, DefaultEncoder::None),)*
                }
            }

            pub(super) fn encoder_learns_with_clusters(&self) -> bool {
                match self {
                    $(Self::$method(_) => $method::ENCODER_LEARNS_WITH_CLUSTERS,)*
                }
            }

            pub(super) fn check(&self, encoder: &[LayerShape], samples: &Samples) -> Result<(), FitError> {
                match self {
                    $(Self::$method(method) => method.check(encoder, samples),)*
                }
            }

            pub(super) fn exported_encoder(
                &self,
                encoder: &[LayerShape],
                samples: &Samples,
            ) -> Result<Vec<LayerShape>, FitError> {
                match self {
                    $(Self::$method(method) => method.exported_encoder(encoder, samples),)*
                }
            }
        }

        impl<B: AutodiffBackend> Method<B> for MethodConfig {
            fn fit(&self, fit: &mut Fitting<'_, B>) -> Result<Trained, FitError> {
                match self {
                    $(Self::$method(method) => method.fit(fit),)*
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
    /// k-means on the features, without an encoder.
    FeatureKMeans = "kmeans",
    /// Gaussian mixture on the features, without an encoder.
    FeatureGmm = "gmm",
    /// Autoencoder, then k-means.
    AeKMeans = "ae-kmeans",
    /// Autoencoder, then a Gaussian mixture.
    AeGmm = "ae-gmm",
    /// Variational autoencoder, then k-means.
    VaeKMeans = "vae-kmeans",
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

impl MethodConfig {
    /// Refuses methods that can't train an encoder of another program further, together with their clusters.
    pub(crate) fn check_fine_tuning(&self) -> Result<(), FitError> {
        let learns = |method: &Self| method.encoder_learns_with_clusters();
        if learns(self) {
            return Ok(());
        }
        let possible = Self::NAMES.iter().filter(|name| Self::named(name).as_ref().is_some_and(learns));
        let possible = possible.copied().collect::<Vec<_>>().join(", ");
        let problem =
            format!("{} does not train a given encoder together with its clusters: use one of {possible}", self.name());
        Err(FitError::setting("method", problem))
    }

    /// The least number of clusters or components that is asked for.
    pub(crate) fn least_clusters(&self) -> usize {
        match self.clone().cluster_count() {
            ClusterCount::Given(n) => *n,
            ClusterCount::StartsFrom(_) => 1,
            ClusterCount::Found { least, .. } => *least,
        }
    }
}

impl Default for MethodConfig {
    fn default() -> Self {
        Self::Grow(Grow::default())
    }
}

const fn is_same(a: &str, b: &str) -> bool {
    let (a, b) = (a.as_bytes(), b.as_bytes());
    let mut at = 0;
    while at < a.len() && at < b.len() && a[at] == b[at] {
        at += 1;
    }
    at == a.len() && at == b.len()
}
