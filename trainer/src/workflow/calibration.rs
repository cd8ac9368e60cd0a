//! How well the posteriors of a model are calibrated.

use edgemix_runtime::Model;
use serde::Serialize;

use super::error::WorkflowError;
use crate::assessment::inference::{self, Scored};
use crate::assessment::posterior::{
    cluster_posterior, expected_calibration_error, has_majority_label, neighbour_agreement,
};
use crate::data::Samples;
use crate::trained::Trained;

/// The calibration of posteriors.
#[derive(Clone, Debug, Serialize)]
pub struct PosteriorCalibration {
    /// The temperature by which scores are divided.
    pub temperature: f64,
    /// The errors of the posteriors as probabilities that the nearest neighbour is in the same cluster; only for the
    /// samples that a run held out.
    pub neighbours: Option<CalibrationErrors>,
    /// The errors of the posteriors as probabilities that the label is the most frequent one of the cluster; only for
    /// samples with labels.
    pub labels: Option<CalibrationErrors>,
}

/// Expected calibration errors, from 0 to 1 (Guo, Pleiss, Sun and Weinberger, "On calibration of modern neural networks",
/// 2017, equation 3).
#[derive(Clone, Copy, Debug, Serialize)]
pub struct CalibrationErrors {
    /// At temperature 1.
    pub before: f64,
    /// At the temperature of the model.
    pub after: f64,
}

impl PosteriorCalibration {
    /// The calibration on samples that training did not see, whose neighbours are among the training samples.
    pub(super) fn of_held_out(
        model: &Model,
        trained: &Trained,
        training: &Samples,
        held_out: &Samples,
        labels: Option<&[u32]>,
    ) -> Result<Self, WorkflowError> {
        let clusters: Vec<u16> =
            inference::assign_samples(model, training)?.iter().map(|found| found.cluster).collect();
        let scored = inference::map_chunks(held_out, |values| inference::score(model, values))?;
        let events = neighbour_agreement(trained, (training, &clusters), held_out, &scored)?;
        let neighbours = CalibrationErrors::new(model, events.found.iter().copied(), &events.agrees);
        Ok(Self { neighbours: Some(neighbours), ..Self::from_scores(model, labels, &scored) })
    }

    /// The calibration on any samples.
    pub(super) fn of_samples(model: &Model, samples: &Samples, labels: Option<&[u32]>) -> Result<Self, WorkflowError> {
        let scored = match labels {
            Some(_) => inference::map_chunks(samples, |values| inference::score(model, values))?,
            None => vec![],
        };
        Ok(Self::from_scores(model, labels, &scored))
    }

    fn from_scores(model: &Model, labels: Option<&[u32]>, scored: &[Scored]) -> Self {
        let clusters: Vec<u16> = scored.iter().map(|found| found.cluster).collect();
        let events = labels.map(|labels| has_majority_label(&clusters, labels));
        Self {
            temperature: 1.0 / f64::from(model.file().calibration.inverse_temperature()),
            neighbours: None,
            labels: events.map(|events| CalibrationErrors::new(model, scored.iter(), &events)),
        }
    }
}

impl CalibrationErrors {
    fn new<'a>(model: &Model, found: impl Iterator<Item = &'a Scored> + Clone, events: &[bool]) -> Self {
        let clusters = model.file().head.clusters();
        let error = |inverse_temperature| {
            let posteriors = found.clone().map(|found| cluster_posterior(found, clusters, inverse_temperature));
            expected_calibration_error(&posteriors.collect::<Vec<_>>(), events)
        };
        Self { before: error(1.0), after: error(model.file().calibration.inverse_temperature().into()) }
    }
}
