//! What `evaluate` says of held-out samples and of posteriors.

use std::fmt;

use edgemix_runtime::Model;
use serde::Serialize;

use super::CliError;
use super::evaluate::Evaluation;
use crate::assessment::inference::{self, Scored};
use crate::assessment::posterior;
use crate::data::split::Split;
use crate::data::{Dataset, Samples};
use crate::trained::Trained;

/// The samples that training did not see, alone.
#[derive(Serialize)]
pub(super) struct HeldOut {
    samples: usize,
    #[serde(flatten)]
    evaluation: Evaluation,
}

/// How far posteriors are from what they are to be the probability of.
#[derive(Serialize)]
pub(super) struct Posterior {
    /// Scores are divided by it.
    temperature: f64,
    /// Of nearest neighbours being in the same cluster.
    neighbours: Option<Errors>,
    /// Of the label being the commonest one of the cluster.
    labels: Option<Errors>,
}

/// Expected calibration errors.
#[derive(Serialize)]
struct Errors {
    /// At temperature 1.
    before: f64,
    after: f64,
}

/// Of a run's own samples: those that were held out, and the posteriors' errors on them.
pub(super) fn of_run(
    split: &Split,
    dataset: &Dataset,
    trained: &Trained,
    model: &Model,
) -> Result<(HeldOut, Posterior), CliError> {
    let labels = |labels: &Vec<u32>| split.held_out.iter().map(|&row| labels[row]).collect();
    let held_out = Dataset {
        samples: dataset.samples.select(&split.held_out)?,
        labels: dataset.labels.as_ref().map(labels),
        groups: None,
    };
    let training = dataset.samples.select(&split.training)?;
    let clusters: Vec<u16> = inference::assign_samples(model, &training)?.iter().map(|found| found.cluster).collect();
    let scored = inference::map_chunks(&held_out.samples, |values| inference::score(model, values))?;
    let asked = posterior::neighbour_agreement(trained, (&training, &clusters), &held_out.samples, &scored)?;
    let errors = Posterior {
        neighbours: Some(Errors::of(model, asked.found.iter().copied(), &asked.agrees)),
        ..of_labels(model, held_out.labels.as_deref(), &scored)
    };
    let evaluation = Evaluation::of(&held_out, Some(trained), model)?;
    Ok((HeldOut { samples: held_out.samples.n_samples(), evaluation }, errors))
}

/// Of any samples: the posteriors' errors against labels, where there are some.
pub(super) fn of_samples(model: &Model, samples: &Samples, labels: Option<&[u32]>) -> Result<Posterior, CliError> {
    let scored = match labels {
        Some(_) => inference::map_chunks(samples, |values| inference::score(model, values))?,
        None => vec![],
    };
    Ok(of_labels(model, labels, &scored))
}

fn of_labels(model: &Model, labels: Option<&[u32]>, scored: &[Scored]) -> Posterior {
    let clusters: Vec<u16> = scored.iter().map(|found| found.cluster).collect();
    let labels = labels.map(|labels| posterior::has_majority_label(&clusters, labels));
    Posterior {
        temperature: 1.0 / f64::from(model.file().calibration.inverse_temperature()),
        neighbours: None,
        labels: labels.map(|right| Errors::of(model, scored.iter(), &right)),
    }
}

impl Errors {
    fn of<'a>(model: &Model, found: impl Iterator<Item = &'a Scored> + Clone, events: &[bool]) -> Self {
        let error = |inverse_temperature| {
            let of_one =
                |found: &Scored| posterior::cluster_posterior(found, model.file().head.clusters(), inverse_temperature);
            let posteriors: Vec<f64> = found.clone().map(of_one).collect();
            posterior::expected_calibration_error(&posteriors, events)
        };
        Self { before: error(1.0), after: error(model.file().calibration.inverse_temperature().into()) }
    }
}

impl fmt::Display for HeldOut {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "held out    {} samples", self.samples)?;
        self.evaluation.to_string().lines().try_for_each(|line| writeln!(f, "  {line}"))
    }
}

impl fmt::Display for Posterior {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "posterior   temperature {:.2}", self.temperature)?;
        for (what, errors) in [("neighbours", &self.neighbours), ("labels", &self.labels)] {
            if let Some(Errors { before, after }) = errors {
                writeln!(f, "  calibration error against {what}: {after:.3}, {before:.3} at temperature 1")?;
            }
        }
        Ok(())
    }
}
