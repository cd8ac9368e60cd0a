//! How a model clusters samples, compared with its trained form and with labels.

use edgemix_runtime::Model;
use serde::Serialize;

use super::calibration::PosteriorCalibration;
use super::error::WorkflowError;
use super::models::check_features;
use crate::assessment::inference;
use crate::assessment::lone::{LoneCluster, lone_clusters};
use crate::assessment::raw_counts::RawCounts;
use crate::assessment::sizes::Sizes;
use crate::assessment::smoothing::smooth;
use crate::base::metrics::{Scores, agreement, clusters_found, scores};
use crate::data::Dataset;
use crate::trained::Trained;

/// How a model clusters samples.
#[derive(Clone, Debug, Serialize)]
pub struct Evaluation {
    /// The trained model in floating point, if it is available.
    pub f32: Option<ModelScores>,
    /// The quantised model.
    pub int8: ModelScores,
    /// The clusters of the quantised model smoothed by the windows before, if the model knows how they follow each other.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub smoothed: Option<Smoothed>,
    /// The share of the samples that both models assign to the same cluster, if both are available.
    pub agreement: Option<f64>,
    /// The samples as raw counts, which are what a chip takes, compared with their values.
    pub raw_counts: RawCounts,
    /// The clusters of the quantised model by their sizes, and the classes of the labels.
    pub sizes: Sizes,
    /// The clusters of the quantised model that one group of the samples shows alone.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub lone: Vec<LoneCluster>,
    /// The same evaluation for only the samples that training did not see.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub held_out: Option<Box<HeldOutEvaluation>>,
    /// How well the posteriors are calibrated.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub posterior: Option<PosteriorCalibration>,
}

/// The clusters of one of the two models.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
pub struct ModelScores {
    /// Number of clusters that have samples.
    pub clusters: usize,
    /// Number of clusters that have at least 1 % of the samples.
    pub clusters_of_a_percent: usize,
    /// Agreement with the labels, if there are labels.
    pub scores: Option<Scores>,
}

impl ModelScores {
    /// The scores of each sample's cluster.
    pub(super) fn of(clusters: &[u16], labels: Option<&[u32]>) -> Self {
        Self {
            clusters: clusters_found(clusters, 0.0),
            clusters_of_a_percent: clusters_found(clusters, 0.01),
            scores: labels.map(|labels| scores(labels, clusters)),
        }
    }
}

/// The clusters of the smoother.
#[derive(Clone, Copy, Debug, Serialize)]
pub struct Smoothed {
    /// The share of the samples that are in another cluster than without it.
    pub changed: f64,
    /// The clusters.
    #[serde(flatten)]
    pub scores: ModelScores,
}

/// The evaluation of the samples that training did not see.
#[derive(Clone, Debug, Serialize)]
pub struct HeldOutEvaluation {
    /// Number of samples.
    pub samples: usize,
    /// Their evaluation.
    #[serde(flatten)]
    pub evaluation: Evaluation,
}

impl Evaluation {
    /// Assigns the samples with the quantised model and, if it is given, with the trained one.
    ///
    /// # Errors
    /// [`WorkflowError::Features`] if the samples do not fit the model, [`WorkflowError::Data`] if they can't be read, and
    /// [`WorkflowError::Assign`] if the trained model can't assign them.
    pub fn new(dataset: &Dataset, trained: Option<&Trained>, model: &Model) -> Result<Self, WorkflowError> {
        let samples = &dataset.samples;
        check_features(model, samples)?;
        let model_scores = |clusters: &[u16]| ModelScores::of(clusters, dataset.labels.as_deref());
        let int8: Vec<u16> = inference::assign_samples(model, samples)?.iter().map(|found| found.cluster).collect();
        let smoothed = smooth(model, samples)?
            .ok()
            .map(|clusters| Smoothed { changed: 1.0 - agreement(&clusters, &int8), scores: model_scores(&clusters) });
        let f32 = trained.map(|trained| trained.assign(samples)).transpose()?;
        Ok(Self {
            f32: f32.as_deref().map(model_scores),
            agreement: f32.as_deref().map(|clusters| agreement(clusters, &int8)),
            int8: model_scores(&int8),
            sizes: Sizes::of(&int8, model.n_clusters(), dataset.labels.as_deref()),
            smoothed,
            raw_counts: RawCounts::compare(model, samples)?,
            lone: dataset.groups.as_ref().map_or_else(Vec::new, |groups| lone_clusters(&int8, groups)),
            held_out: None,
            posterior: None,
        })
    }
}
