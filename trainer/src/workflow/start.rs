//! Starting and resuming a run.

use std::path::Path;

use super::error::WorkflowError;
use super::plan::Plan;
use crate::run::{RunDir, RunState, settings_differences};

/// What is done with a run that is already in the directory.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum ExistingRun {
    /// It is kept, and the new run refused.
    #[default]
    Refuse,
    /// It is removed.
    Replace,
    /// It is resumed, if it has the same samples and settings.
    Resume,
}

/// Starts a run, or resumes it. All checks precede the first change: a directory that is refused stays as it is, and files
/// that are not part of a run are never removed.
///
/// ```
/// use edgemix::data::{self, Source};
/// use edgemix::methods::FitConfig;
/// use edgemix::workflow::{ExistingRun, Plan, WorkflowError, start};
///
/// let folder = tempfile::tempdir()?;
/// let dataset = data::digits();
/// let plan = Plan::new(&Source::new("digits"), &dataset, FitConfig::default())?;
/// drop(start(folder.path(), &plan, ExistingRun::Refuse)?);
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
/// [`WorkflowError::OtherSource`] and [`WorkflowError::OtherSamples`] if the directory is refused, and
/// [`WorkflowError::Run`] if it can't be read or written.
/// A directory without a run is not an error when a run is to be resumed: the run is started.
pub fn start(out: &Path, plan: &Plan, existing: ExistingRun) -> Result<RunDir, WorkflowError> {
    check(&RunDir::open(out), plan, existing)?;
    let run = RunDir::create(out)?;
    // Now that nobody else can write to the directory, it is checked again, since it may have changed in the meantime.
    if check(&run, plan, existing)? == RunState::Started && existing == ExistingRun::Resume {
        return Ok(run);
    }
    run.clear()?;
    run.write_start(plan.record(), plan.config())?;
    Ok(run)
}

/// Whether the directory can be used, and what it contains.
fn check(run: &RunDir, plan: &Plan, existing: ExistingRun) -> Result<RunState, WorkflowError> {
    let path = || run.path().to_owned();
    let state = run.state()?;
    match (state, existing) {
        (RunState::Empty | RunState::Remainder, _) | (RunState::Started, ExistingRun::Replace) => Ok(state),
        (RunState::Foreign(file), _) => Err(WorkflowError::Foreign { path: path(), file }),
        (RunState::Started, ExistingRun::Refuse) => Err(WorkflowError::AlreadyStarted { path: path() }),
        (RunState::Started, ExistingRun::Resume) => {
            let differences = settings_differences(&run.config()?, plan.config())?;
            if !differences.is_empty() {
                return Err(WorkflowError::OtherSettings { path: path(), differences });
            }
            match run.record()? {
                Some(before) if before.source != plan.record().source => {
                    Err(WorkflowError::OtherSource { path: path(), before: before.source.path })
                }
                Some(before) if before != *plan.record() => Err(WorkflowError::other_samples(&before, plan.record())),
                _ => Ok(state),
            }
        }
    }
}
