//! What the further training of an imported encoder changed.

use super::error::WorkflowError;
use super::evaluation::ModelScores;
use super::fit::FitOptions;
use super::import_encoder::EncoderPlan;
use crate::base::metrics::adjusted_rand;
use crate::data::split::Split;
use crate::methods::{AeGmm, AeKMeans, FitConfig, MethodConfig};
use crate::nn::Architecture;
use crate::trained::Trained;
use crate::training::Observer;

/// Clusters of all samples in the latents of an imported encoder, before and after it was trained further.
#[derive(Clone, Debug)]
pub struct FineTuning {
    /// The method that found the clusters of the encoder as it was.
    pub before_by: &'static str,
    /// Those clusters.
    pub before: ModelScores,
    /// The clusters of the encoder that was trained further, in floating point.
    pub after: ModelScores,
    /// The adjusted Rand index between both.
    pub agreement: f64,
}

impl FineTuning {
    /// Finds clusters in the latents of the encoder as it was, and compares them with those of the trained model. The method is
    /// the same where it can do without training an encoder; otherwise it is what the method's clusters begin with, k-means or a
    /// Gaussian mixture with as many clusters.
    ///
    /// # Errors
    /// [`WorkflowError::Fit`] if no clusters are found, or the observer stops the search, [`WorkflowError::Assign`] if one of the
    /// models can't assign the samples, and [`WorkflowError::Data`] if they can't be read.
    pub fn compare(
        plan: &EncoderPlan,
        trained: &Trained,
        options: &FitOptions,
        observer: &mut dyn Observer,
    ) -> Result<Self, WorkflowError> {
        let (dataset, config) = (plan.plan().dataset(), plan.plan().config());
        let mut method = match &config.method {
            own if own.works_without_encoder() => own.clone(),
            MethodConfig::Abc(_) | MethodConfig::Dec(_) | MethodConfig::Idec(_) | MethodConfig::Dcn(_) => {
                MethodConfig::AeKMeans(AeKMeans::default())
            }
            _ => MethodConfig::AeGmm(AeGmm::default()),
        };
        if method != config.method {
            method.set_n_clusters(trained.head.n_clusters());
        }
        let before_by = method.name();
        let config = FitConfig {
            method,
            encoder: Architecture::none(),
            imported: None,
            fake_quantization: false,
            ..config.clone()
        };
        let latents = plan.encoder().latents(&dataset.samples)?;
        let split = Split::draw(dataset, config.holdout, config.seed);
        let mut training = split.parts(&latents)?.training.into_owned();
        if let Some(groups) = &dataset.groups {
            training = training.with_groups(split.training.iter().map(|&row| groups[row]).collect());
        }
        let frozen = options.device.fit(&training, &config, &mut (), observer)?.trained;
        let (before, after) = (frozen.assign(&latents)?, trained.assign(&dataset.samples)?);
        let labels = dataset.labels.as_deref();
        Ok(Self {
            before_by,
            before: ModelScores::of(&before, labels),
            after: ModelScores::of(&after, labels),
            agreement: adjusted_rand(&before, &after),
        })
    }
}
