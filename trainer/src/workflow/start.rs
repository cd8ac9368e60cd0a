//! Starting and resuming a run.

use std::path::Path;

use super::error::WorkflowError;
use super::plan::Plan;
use super::start_from::kept_autoencoder;
use crate::data::DataRecord;
use crate::run::{ImportRecord, RunDir, RunFile, RunState, settings_differences};

/// What is done with a run that is already in the directory.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum ExistingRun {
    /// It is kept, and the new run refused.
    #[default]
    Refuse,
    /// It is kept until the new run is whole, which then takes its place.
    Replace,
    /// It is resumed, if it has the same samples and settings.
    Resume,
}

/// Starts a run, or resumes it. All checks precede the first change: a directory that is refused stays as it is, and files
/// that are not part of a run are never removed. A run that has no checkpoint yet is started again, whatever its settings.
///
/// ```
/// use edgemix::data::{self, Source};
/// use edgemix::methods::FitConfig;
/// use edgemix::training::CheckpointStore;
/// use edgemix::workflow::{ExistingRun, Plan, WorkflowError, start};
///
/// let folder = tempfile::tempdir()?;
/// let dataset = data::digits();
/// let plan = Plan::new(&Source::new("digits"), &dataset, FitConfig::default())?;
/// let mut run = start(folder.path(), &plan, ExistingRun::Refuse)?;
/// run.save(b"a checkpoint")?;
/// drop(run);
/// let again = start(folder.path(), &plan, ExistingRun::Refuse);
/// assert!(matches!(again, Err(WorkflowError::AlreadyStarted { .. })));
/// start(folder.path(), &plan, ExistingRun::Resume)?;
/// let other = start(folder.path(), &plan.with_seed(3)?, ExistingRun::Resume);
/// assert!(matches!(other, Err(WorkflowError::OtherSettings { .. })));
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
///
/// # Errors
/// [`WorkflowError::AlreadyStarted`], [`WorkflowError::Foreign`], [`WorkflowError::OtherSettings`],
/// [`WorkflowError::OtherSource`] and [`WorkflowError::OtherSamples`] if the directory is refused,
/// [`WorkflowError::StartFrom`] and [`WorkflowError::StartFromOtherPart`] if the run to start from has no autoencoder of these
/// samples and layers, and [`WorkflowError::Run`] if it can't be read or written.
/// A directory without a run is not an error when a run is to be resumed: the run is started.
pub fn start(out: &Path, plan: &Plan, existing: ExistingRun) -> Result<RunDir, WorkflowError> {
    start_run(out, plan, None, existing)
}

/// Starts or resumes a run, whose model begins with one of another program if there is a record of that.
///
/// # Errors
/// The errors of [`start`], and [`WorkflowError::OtherImport`].
pub(super) fn start_run(
    out: &Path,
    plan: &Plan,
    import: Option<&ImportRecord>,
    existing: ExistingRun,
) -> Result<RunDir, WorkflowError> {
    let check = |run: &RunDir| check(run, plan, import, existing);
    let kept = match check(&RunDir::open(out))? {
        // It has begun with the autoencoder.
        Action::Resume(run) if run.has_progress() => None,
        _ => kept_autoencoder(plan)?,
    };
    let run = RunDir::create(out)?;
    // Now that nobody else can write to the directory, it is checked again, since it may have changed in the meantime.
    let run = match check(&run)? {
        Action::Resume(run) => {
            // A line of the metrics that is not a report is refused now, and one that was cut off is removed. No phase has an
            // empty name, so no other line is.
            run.truncate_metrics("", 0)?;
            kept.map_or(Ok(()), |bytes| run.write(RunFile::Autoencoder, &bytes))?;
            import.map_or(Ok(()), |record| run.write_import_record(record))?;
            return Ok(run);
        }
        Action::Begin => {
            run.discard_replacement()?;
            run
        }
        Action::BeginBeside => run.replacement(),
    };
    run.clear()?;
    run.write_start(plan.record(), plan.config())?;
    kept.map_or(Ok(()), |bytes| run.write(RunFile::Autoencoder, &bytes))?;
    import.map_or(Ok(()), |record| run.write_import_record(record))?;
    Ok(run)
}

/// What is to be done with a directory.
enum Action {
    /// A run starts in it. Nothing that it contains would be missed.
    Begin,
    /// A run starts beside the one that is there.
    BeginBeside,
    /// This run continues.
    Resume(RunDir),
}

/// What is to be done with the directory, if it can be used.
fn check(
    run: &RunDir,
    plan: &Plan,
    import: Option<&ImportRecord>,
    existing: ExistingRun,
) -> Result<Action, WorkflowError> {
    let path = || run.path().to_owned();
    match (run.state()?, existing) {
        (RunState::Empty | RunState::Remainder, _) => Ok(Action::Begin),
        (RunState::Foreign(file), _) => Err(WorkflowError::Foreign { path: path(), file }),
        (RunState::Started, ExistingRun::Resume) => resumable(run.unfinished()?, plan, import).map(Action::Resume),
        (RunState::Started, _) if !run.has_progress() => Ok(Action::Begin),
        (RunState::Started, ExistingRun::Refuse) => Err(WorkflowError::AlreadyStarted { path: path() }),
        (RunState::Started, ExistingRun::Replace) => match run.replacement().state()? {
            RunState::Foreign(file) => {
                let directory = run.replacement().file(file);
                Err(WorkflowError::Foreign { path: directory.parent().map_or_else(path, Path::to_owned), file })
            }
            _ => Ok(Action::BeginBeside),
        },
    }
}

/// The run, if it has these samples and settings.
fn resumable(run: RunDir, plan: &Plan, import: Option<&ImportRecord>) -> Result<RunDir, WorkflowError> {
    let path = || run.path().to_owned();
    match (run.import_record()?, import) {
        (Some(record), _) if !record.fine_tuned => {
            return Err(WorkflowError::Imported { path: path(), from: record.path });
        }
        (Some(record), None) => return Err(WorkflowError::FineTuned { path: path(), from: record.path }),
        (Some(record), Some(now)) if !record.is_of_the_same(now) => {
            return Err(WorkflowError::OtherImport { path: path(), before: record.path });
        }
        // It was interrupted before its record was written.
        (None, Some(_)) if !run.has_progress() => {}
        (None, Some(_)) => {
            return Err(WorkflowError::OtherImport { path: path(), before: "an encoder of its own".into() });
        }
        (Some(_), Some(_)) | (None, None) => {}
    }
    let differences = settings_differences(&run.config()?, plan.config())?;
    if !differences.is_empty() {
        return Err(WorkflowError::OtherSettings { path: path(), differences });
    }
    check_samples(&run, plan.record())?;
    Ok(run)
}

/// Checks that a run, if it has begun, has these samples.
pub(super) fn check_samples(run: &RunDir, now: &DataRecord) -> Result<(), WorkflowError> {
    let Some(before) = run.record()? else { return Ok(()) };
    // The file may have been moved: its samples are what counts.
    let mut now = now.clone();
    let path = std::mem::replace(&mut now.source.path, before.source.path.clone());
    if before.source != now.source {
        return Err(WorkflowError::OtherSource { path: run.path().to_owned(), before: before.source.path });
    }
    if before != now {
        now.source.path = path;
        return Err(WorkflowError::other_samples(&before, &now));
    }
    Ok(())
}
