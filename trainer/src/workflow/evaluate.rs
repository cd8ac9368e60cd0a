//! Evaluating a run or a model file.

use edgemix_runtime::Model;

use super::calibration::PosteriorCalibration;
use super::error::WorkflowError;
use super::evaluation::{Evaluation, HeldOutEvaluation};
use super::models::RunModels;
use crate::data::split::Split;
use crate::data::{DataRecord, Dataset, Source};
use crate::run::RunDir;

/// Evaluates both models of a run. If the samples are those of the run, the ones that training did not see are evaluated
/// separately, too.
///
/// ```
/// # use edgemix::data::{self, Source};
/// # use edgemix::methods::FitConfig;
/// # use edgemix::workflow::{ExistingRun, FitOptions, Plan, fit, start};
/// use edgemix::workflow::evaluate_run;
///
/// # let folder = tempfile::tempdir()?;
/// # let (source, dataset) = (Source::new("digits"), data::digits());
/// # let epochs = edgemix::training::PhaseSettings::with_epochs(1);
/// # let config = FitConfig { encoder: "16-4".parse()?, reconstruction: epochs, clustering: epochs, ..FitConfig::default() };
/// # let plan = Plan::new(&source, &dataset, config)?;
/// # let run = start(folder.path(), &plan, ExistingRun::Refuse)?;
/// # fit(&run, &plan, &FitOptions { allow_disagreement: true, ..FitOptions::default() }, &mut ())?;
/// let evaluation = evaluate_run(&run, &source, &dataset)?;
/// // A tenth of the 1,797 samples was held out.
/// assert_eq!(evaluation.held_out.map(|held_out| held_out.samples), Some(180));
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
///
/// # Errors
/// [`WorkflowError::Run`] if a file of the run can't be read, [`WorkflowError::Mismatch`] if the two models of the run differ
/// in their sizes, [`WorkflowError::Features`] if the samples do not fit the model, [`WorkflowError::Data`] if they can't be
/// read, and [`WorkflowError::Assign`] if the trained model can't assign them.
pub fn evaluate_run(run: &RunDir, source: &Source, dataset: &Dataset) -> Result<Evaluation, WorkflowError> {
    let RunModels { trained, quantised } = RunModels::read(run)?;
    let model = quantised.model()?;
    let mut evaluation = Evaluation::new(dataset, Some(&trained), &model)?;
    let labels = dataset.labels.as_deref();
    let Some(split) = split_of_run(run, source, dataset)? else {
        evaluation.posterior = Some(PosteriorCalibration::of_samples(&model, &dataset.samples, labels)?);
        return Ok(evaluation);
    };
    let held_out = Dataset {
        samples: dataset.samples.select(&split.held_out)?,
        labels: labels.map(|labels| split.held_out.iter().map(|&row| labels[row]).collect()),
        groups: None,
    };
    let training = dataset.samples.select(&split.training)?;
    let (samples, labels) = (&held_out.samples, held_out.labels.as_deref());
    let posterior = PosteriorCalibration::of_held_out(&model, &trained, &training, samples, labels)?;
    let alone = Evaluation::new(&held_out, Some(&trained), &model)?;
    evaluation.held_out = Some(Box::new(HeldOutEvaluation { samples: samples.n_samples(), evaluation: alone }));
    evaluation.posterior = Some(posterior);
    Ok(evaluation)
}

/// How the run split these samples, if they are its own and some were held out.
fn split_of_run(run: &RunDir, source: &Source, dataset: &Dataset) -> Result<Option<Split>, WorkflowError> {
    let found = DataRecord::new(source, &dataset.samples);
    if run.record()?.is_none_or(|record| record.fingerprint != found.fingerprint) {
        return Ok(None);
    }
    let config = run.config()?;
    let split = Split::draw(dataset, config.holdout, config.seed);
    Ok(Some(split).filter(|split| !split.held_out.is_empty()))
}

/// Evaluates a model file alone.
///
/// # Errors
/// [`WorkflowError::Features`] if the samples do not fit the model, and [`WorkflowError::Data`] if they can't be read.
pub fn evaluate_model(model: &Model, dataset: &Dataset) -> Result<Evaluation, WorkflowError> {
    let evaluation = Evaluation::new(dataset, None, model)?;
    let posterior = PosteriorCalibration::of_samples(model, &dataset.samples, dataset.labels.as_deref())?;
    Ok(Evaluation { posterior: Some(posterior), ..evaluation })
}
