//! The report of a run's directory.

use std::path::Path;

use super::input::ReportInput;
use crate::data::Dataset;
use crate::data::split::Split;
use crate::run::{RunDir, RunError, write_whole};
use crate::training::LatentHistory;
use crate::workflow::{RunModels, WorkflowError, check_features};

/// Writes the report of a run about these samples. `commands`, which reproduce the run, are shown at its end.
///
/// ```
/// # use edgemix::data::{self, Source};
/// # use edgemix::methods::FitConfig;
/// # use edgemix::workflow::{ExistingRun, FitOptions, Plan, fit, start};
/// use edgemix::report::write_report;
/// use edgemix::run::RunFile;
///
/// # let folder = tempfile::tempdir()?;
/// # let (source, dataset) = (Source::new("digits"), data::digits());
/// # let epochs = edgemix::training::PhaseSettings::with_epochs(1);
/// # let config = FitConfig { encoder: "16-4".parse()?, reconstruction: epochs, clustering: epochs, ..FitConfig::default() };
/// # let plan = Plan::new(&source, &dataset, config)?;
/// # let run = start(folder.path(), &plan, ExistingRun::Refuse)?;
/// # fit(&run, &plan, &FitOptions { allow_disagreement: true, ..FitOptions::default() }, &mut ())?;
/// let path = run.file(RunFile::Report);
/// write_report(&run, &dataset, "edgemix train digits", &path)?;
/// assert!(std::fs::read_to_string(path)?.starts_with("<!DOCTYPE html>"));
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
///
/// # Errors
/// [`WorkflowError::Run`] if a file of the run can't be read or the report can't be written, [`WorkflowError::Mismatch`] if
/// the two models of the run differ in their sizes, [`WorkflowError::Features`] if the samples do not fit the model,
/// [`WorkflowError::Data`] if they can't be read, and [`WorkflowError::Assign`] if the trained model can't assign them.
pub fn write_report(run: &RunDir, dataset: &Dataset, commands: &str, out: &Path) -> Result<(), WorkflowError> {
    let RunModels { trained, quantised } = RunModels::read(run)?;
    let model = quantised.model()?;
    check_features(&model, &dataset.samples)?;
    let (cluster_count, interval) = (run.cluster_count()?, run.interval()?);
    let sticks = run.stick_weights()?.unwrap_or_default();
    let history = run.latent_history()?;
    let rows = match &history {
        Some(history) => rows_of(run, dataset, history)?,
        None => None,
    };
    let input = ReportInput {
        dataset,
        trained: &trained,
        model: &model,
        flash: quantised.flash(),
        metrics: &run.metrics()?,
        config: &run.config_text()?,
        commands,
        cluster_count: cluster_count.as_ref(),
        sticks: &sticks,
        interval: interval.as_ref(),
        history: history.as_ref().zip(rows.as_deref()),
        seconds_a_step: run.seconds_a_step()?,
    };
    let page = input.page()?;
    Ok(write_whole(out, page.as_bytes()).map_err(RunError::io(out))?)
}

/// The samples whose latents were kept; `None` if these are not the samples that the run was trained on.
fn rows_of(run: &RunDir, dataset: &Dataset, history: &LatentHistory) -> Result<Option<Vec<usize>>, WorkflowError> {
    let fingerprint: String = dataset.samples.fingerprint().iter().map(|byte| format!("{byte:02x}")).collect();
    if run.record()?.is_none_or(|record| record.fingerprint != fingerprint) {
        return Ok(None);
    }
    let config = run.config()?;
    let split = Split::draw(dataset, config.holdout, config.seed);
    Ok(history.rows.iter().map(|&row| split.training.get(row).copied()).collect())
}
