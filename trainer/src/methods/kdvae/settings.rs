//! The settings, and the two methods that they belong to.

use burn::tensor::backend::AutodiffBackend;
use serde::{Deserialize, Serialize};

use super::phases::Ensemble;
use crate::data::Samples;
use crate::methods::common::defaults::{ClusterEpochs, DefaultEncoder};
use crate::methods::definition::{ClusterCount, MethodSettings};
use crate::methods::vade::Vade;
use crate::nn::{Architecture, LayerError, LayerShape};
use crate::trained::{Head, Trained};
use crate::training::{FitError, Fitting};
use crate::variant::Variant;

/// Settings of k-DVAE and of k-DAE.
///
/// ```
/// use edgemix::methods::{Export, KAutoencoders};
///
/// let small: KAutoencoders = toml::from_str("student = \"64-8\"")?;
/// assert_eq!((small.export, small.student.to_string()), (Export::Distilled, "64-8".to_owned()));
/// let whole: KAutoencoders = toml::from_str("export = \"full\"")?;
/// assert_eq!((whole.export, whole.start.mixture.n_components), (Export::Full, 10));
/// # Ok::<(), toml::de::Error>(())
/// ```
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields, rename_all = "kebab-case")]
pub struct KAutoencoders {
    /// The method that finds the first clusters; the number of its components is the number of members.
    pub start: Vade,
    /// The model that is exported.
    pub export: Export,
    /// The layers of the student.
    pub student: Architecture,
}

/// One variational autoencoder per cluster.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct KDvae(pub KAutoencoders);

/// One autoencoder per cluster.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct KDae(pub KAutoencoders);

/// The model that a mixture of autoencoders is exported as.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Export {
    /// Every encoder and decoder.
    Full,
    /// A small encoder with a softmax head that learned the full model's assignments.
    #[default]
    Distilled,
}

impl Default for KAutoencoders {
    fn default() -> Self {
        Self { start: Vade::default(), export: Export::default(), student: Architecture::dense(&[128, 10]) }
    }
}

/// The answers that both methods share.
macro_rules! method {
    ($method:ident, $name:literal, variational: $variational:literal) => {
        impl MethodSettings for $method {
            const NAME: &'static str = $name;
            const ENCODER_LEARNS_WITH_CLUSTERS: bool = false;
            const ENCODER: DefaultEncoder = DefaultEncoder::BySize { small: &[100, 50, 10], large: &[500, 100, 10] };
            const WORKS_WITHOUT_ENCODER: bool = false;
            const CLUSTER_EPOCHS: ClusterEpochs = ClusterEpochs::ByReconstruction;
            const PAPER: Option<&'static str> = Some(include_str!(concat!("../presets/", $name, ".toml")));
            const CLUSTERING_WEIGHT: Option<&'static str> = None;

            fn cluster_count(&mut self) -> ClusterCount<'_> {
                ClusterCount::Given(&mut self.0.start.mixture.n_components)
            }

            fn set_variant(&mut self, _: Variant) -> bool {
                false
            }

            fn check(&self, encoder: &[LayerShape], samples: &Samples) -> Result<(), FitError> {
                self.0.check_decoders(encoder)?;
                self.0.student_shapes(samples).map(|_| ())
            }

            fn exported_encoder(&self, encoder: &[LayerShape], samples: &Samples) -> Result<Vec<LayerShape>, FitError> {
                self.0.exported_encoder(encoder, samples)
            }

            fn fit<B: AutodiffBackend>(&self, fit: &mut Fitting<'_, B>) -> Result<Trained, FitError> {
                self.0.fit($variational, fit)
            }
        }
    };
}

method!(KDvae, "k-dvae", variational: true);
method!(KDae, "k-dae", variational: false);

impl KAutoencoders {
    fn fit<B: AutodiffBackend>(&self, variational: bool, fit: &mut Fitting<'_, B>) -> Result<Trained, FitError> {
        let ensemble = Ensemble { start: &self.start, variational };
        match self.export {
            Export::Full => {
                let members = ensemble.fit(fit)?;
                Ok(fit.trained(vec![], Head::Autoencoders(members)))
            }
            Export::Distilled => {
                let shapes = self.student_shapes(fit.data.samples())?;
                let (encoder, head) = ensemble.fit_student(&shapes, fit)?;
                Ok(fit.trained(encoder, head))
            }
        }
    }

    /// A model file holds the decoders, and the mirror of a convolution or a pooling has no place in it.
    fn check_decoders(&self, encoder: &[LayerShape]) -> Result<(), FitError> {
        if self.export == Export::Full && !encoder.iter().all(|layer| matches!(layer, LayerShape::Dense(_))) {
            let problem = "export = \"full\" needs dense layers, such as 100-50-10: a model file has no decoders of \
                           convolutions and poolings; or export the distilled model";
            return Err(FitError::setting("encoder", problem));
        }
        Ok(())
    }

    /// The layers of the model that is exported.
    fn exported_encoder(&self, encoder: &[LayerShape], samples: &Samples) -> Result<Vec<LayerShape>, FitError> {
        match self.export {
            Export::Full => Ok(encoder.to_vec()),
            Export::Distilled => self.student_shapes(samples),
        }
    }

    /// The student's layers for such samples.
    fn student_shapes(&self, samples: &Samples) -> Result<Vec<LayerShape>, FitError> {
        let problem = |error: LayerError| FitError::setting("student", error.to_string());
        self.student.shapes_for(samples).map_err(problem)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::data::digits;
    use crate::methods::{FitConfig, MethodConfig};

    #[test]
    fn decoders_that_a_model_file_cannot_hold_are_refused_before_training() {
        let digits = digits().samples;
        let check = |export, encoder: &str| {
            let method = MethodConfig::KDae(KDae(KAutoencoders { export, ..KAutoencoders::default() }));
            FitConfig { encoder: encoder.parse().unwrap(), method, ..FitConfig::default() }.check(&digits).map(|_| ())
        };
        for encoder in ["conv:4k3s2,10", "conv:max2,10"] {
            assert!(
                matches!(check(Export::Full, encoder), Err(FitError::Setting { setting, .. }) if setting == "encoder")
            );
            assert!(check(Export::Distilled, encoder).is_ok());
        }
        assert!(check(Export::Full, "100-10").is_ok());
    }
}
