//! Fitting a model and quantising it.

use super::error::WorkflowError;
use super::export::{Export, check_and_write};
use super::plan::Plan;
use super::recorder::Recorder;
use super::window_variations::WindowVariations;
use crate::assessment::collapse::{Collapse, find_collapse};
use crate::assessment::lone::{LoneCluster, lone_clusters};
use crate::data::split::{Split, SplitSamples};
use crate::device::Device;
use crate::quantize::QuantizeError;
use crate::run::{RunDir, RunFile};
use crate::trained::{LevelChoice, Trained};
use crate::training::{FitError, Observer};

/// Options of a fit that are not settings of the run.
#[derive(Clone, Copy, Debug, Default)]
pub struct FitOptions {
    /// Where the networks are trained.
    pub device: Device,
    /// Whether a quantised model is written even if it does not agree with the trained one.
    pub allow_disagreement: bool,
    /// The level of which the quantised model has the clusters; those that were trained if there is no such level.
    pub level: LevelChoice,
}

/// What a fit returns, beyond the files in the run's directory.
#[derive(Debug)]
pub struct FitSummary {
    /// The directory of the run, which is now whole.
    pub run: RunDir,
    /// The trained model in floating point, with the clusters of the quantised one.
    pub trained: Trained,
    /// How the clustering collapsed, if it did.
    pub collapse: Option<Collapse>,
    /// The clusters that one group of the samples shows alone.
    pub lone: Vec<LoneCluster>,
    /// By how much the quantised model disagrees with the trained one, if it does and that was allowed.
    pub disagreement: Option<QuantizeError>,
    /// Number of samples that were held out of training.
    pub held_out: usize,
}

/// Trains, quantises, and writes both models to the run's directory. A run that was interrupted continues from its last
/// checkpoint and ends with the same bits as an uninterrupted run. A run that replaces another one takes its place at the end.
///
/// # Errors
/// [`WorkflowError::Fit`] if the training fails or the observer stops it, [`WorkflowError::Checkpoint`] if its checkpoint is
/// damaged or of another run, [`WorkflowError::Assign`] if the trained model
/// can't assign the samples, [`WorkflowError::Quantize`] if it can't be quantised, [`WorkflowError::Data`] if the samples
/// can't be read, and [`WorkflowError::Run`] if a file can't be written.
pub fn fit(
    run: &RunDir,
    plan: &Plan,
    options: &FitOptions,
    observer: &mut dyn Observer,
) -> Result<FitSummary, WorkflowError> {
    let (dataset, config) = (plan.dataset(), plan.config());
    let split = Split::draw(dataset, config.holdout, config.seed);
    let parts = split.parts(&dataset.samples)?;
    let mut recorder = Recorder::new(run, observer);
    let mut inputs = split.parts(plan.inputs())?.training.into_owned();
    if let Some(groups) = &dataset.groups {
        inputs = inputs.with_groups(split.training.iter().map(|&row| groups[row]).collect());
    }
    if let Some(variations) = WindowVariations::new(plan, &parts.training)? {
        inputs = inputs.with_variations(variations);
    }
    let fitted = options.device.fit(&inputs, config, &mut run.clone(), &mut recorder);
    let mut trained = fitted.map_err(|error| with_checkpoint(run, error))?.trained;
    trained.front_end = plan.front_end().cloned();
    dataset.samples.check_unchanged()?;
    recorder.activity("quantising");
    complete(run, plan, trained, parts, options)
}

/// The error of a fit, with the file if its checkpoint can't be used.
fn with_checkpoint(run: &RunDir, error: FitError) -> WorkflowError {
    match error {
        FitError::Mismatch(source) => WorkflowError::Checkpoint { path: run.file(RunFile::Checkpoint), source },
        error => error.into(),
    }
}

/// Writes a trained model to the run's directory, quantises it, and makes the run the one in the directory. `parts` are the
/// samples as the settings split them.
pub(super) fn complete(
    run: &RunDir,
    plan: &Plan,
    trained: Trained,
    parts: SplitSamples,
    options: &FitOptions,
) -> Result<FitSummary, WorkflowError> {
    let dataset = plan.dataset();
    run.write_trained(&trained)?;
    // What is missing here must not cost what was trained.
    let trained = trained.at_level(options.level).unwrap_or(trained);
    let collapse = find_collapse(&trained, &parts.training)?;
    let lone = match &dataset.groups {
        Some(groups) => lone_clusters(&trained.assign(&dataset.samples)?, groups),
        None => vec![],
    };
    if dataset.groups.is_some() {
        run.write_lone_clusters(&lone)?;
    }
    let held_out = parts.held_out.as_ref().map_or(0, |samples| samples.n_samples());
    let export = Export { run: run.clone(), trained, parts, config: plan.config().clone(), chip: None };
    let disagreement = check_and_write(&export, &run.file(RunFile::Model), options.allow_disagreement)?;
    Ok(FitSummary { run: export.run.publish()?, trained: export.trained, collapse, lone, disagreement, held_out })
}
