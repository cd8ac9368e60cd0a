//! The settings, and the two methods that they belong to.

use burn::tensor::backend::AutodiffBackend;
use serde::{Deserialize, Serialize};

use super::likelihood::Likelihood;
use super::members::Model;
use super::phases::{Distilled, Ensemble};
use super::start::StartClusters;
use crate::data::{Samples, Scaling};
use crate::methods::common::defaults::{ClusterEpochs, DefaultEncoder};
use crate::methods::definition::{ClusterCount, MethodSettings};
use crate::methods::vade::Vade;
use crate::nn::{Architecture, LayerError, LayerShape};
use crate::trained::{Decoders, Head, Trained};
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
    /// The layers of its encoder, such as 500-500-2000-10 in the paper; by default those of the members.
    pub start_encoder: Architecture,
    /// Which clusters of its latents the members learn first.
    pub start_clusters: StartClusters,
    /// The distribution of a sample given its reconstruction. What is not the default has no place in a model file, so that
    /// only the distilled model can be exported.
    pub likelihood: Likelihood,
    /// The printed form assigns samples by equation 8, without weights of clusters, and is exported distilled. k-DAE has no
    /// other form.
    pub variant: Variant,
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
        Self {
            start: Vade::default(),
            start_encoder: Architecture::default(),
            start_clusters: StartClusters::default(),
            likelihood: Likelihood::default(),
            variant: Variant::default(),
            export: Export::default(),
            student: Architecture::dense(&[128, 10]),
        }
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

            fn set_variant(&mut self, variant: Variant) -> bool {
                if $variational {
                    self.0.variant = variant;
                }
                $variational
            }

            fn check(&self, encoder: &[LayerShape], samples: &Samples) -> Result<(), FitError> {
                self.0.check_decoders(encoder)?;
                self.0.check_likelihood(samples)?;
                self.0.start_shapes(samples)?;
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
        let model = Model { variational, likelihood: self.likelihood, variant: self.variant, black: 0.0 };
        let layers = self.start_shapes(fit.data.samples())?;
        let (start, start_clusters) = (&self.start, self.start_clusters);
        let ensemble = Ensemble { start, start_encoder: &layers, start_clusters, model };
        match self.export {
            Export::Full => {
                let members = ensemble.fit(fit)?;
                let decoder = Some(fit.data.decoder(Decoders::OfHead, variational)?);
                Ok(Trained { decoder, ..fit.trained(vec![], Head::Autoencoders(members)) })
            }
            Export::Distilled => {
                let shapes = self.student_shapes(fit.data.samples())?;
                let Distilled { encoder, head, decoder } = ensemble.fit_student(&shapes, fit)?;
                Ok(Trained { decoder: Some(decoder), ..fit.trained(encoder, head) })
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

    /// A model file has a single variance and the scores of the bound. Bernoulli's distribution is one of numbers from 0 to 1.
    fn check_likelihood(&self, samples: &Samples) -> Result<(), FitError> {
        let is_plain = self.likelihood == Likelihood::Gaussian && self.variant == Variant::Corrected;
        if self.export == Export::Full && !is_plain {
            let problem = "\"full\" needs likelihood = \"gaussian\" and variant = \"corrected\": a model file has nothing else; \
                           or export the distilled model";
            return Err(FitError::setting("method.export", problem));
        }
        if self.likelihood == Likelihood::Bernoulli && !Scaling::fit(samples)?.gives_shares(samples) {
            let problem =
                "\"bernoulli\" needs samples that are scaled to 0 to 1, such as images: use gaussian or per-feature";
            return Err(FitError::setting("method.likelihood", problem));
        }
        Ok(())
    }

    /// The layers of the encoder of the first clusters; none if it has those of the members.
    fn start_shapes(&self, samples: &Samples) -> Result<Vec<LayerShape>, FitError> {
        if self.start_encoder.is_default() {
            return Ok(vec![]);
        }
        let refused = |problem: String| FitError::setting("method.start-encoder", problem);
        if self.start_encoder.is_none() {
            return Err(refused("must have layers, as in 500-500-2000-10".into()));
        }
        self.start_encoder.shapes_for(samples).map_err(|error: LayerError| refused(error.to_string()))
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
