//! Why a command fails: the library's error, with advice that names flags.

use std::fmt;
use std::io;
use std::path::{Path, PathBuf};

use super::advice::{device_advice, import_advice, io_advice, workflow_advice};
use super::signals;

use crate::assessment::chips::Misfit;
use crate::base::text::counted;
use crate::data::DataError;
use crate::device::DeviceError;
use crate::methods::ClustersError;
use crate::run::{ChoiceError, RunError, RunFile};
use crate::training::FitError;
use crate::workflow::WorkflowError;

/// Why a command fails.
#[derive(Debug)]
pub(super) enum CliError {
    /// The library's error.
    Workflow(WorkflowError),
    /// The library's error about a run of a comparison.
    Comparison(WorkflowError),
    /// The library's error about a model that is imported: training it otherwise is no advice.
    Import(WorkflowError),
    /// The device can't be used.
    Device(DeviceError),
    /// A device computes something else than the CPU.
    WrongDevice { device: String, summary: String },
    /// The command was used wrongly; the sentence says what is wrong, and what to do.
    Usage(String),
    /// The command line can't be parsed, or its help is to be shown.
    CommandLine(clap::Error),
    /// A signal ended a fit.
    Interrupted(i32),
    /// Standard output or the terminal can't be written to.
    Output { name: &'static str, source: io::Error },
    /// A model is trained and whole, but does not fit its chip.
    Misfit { model: PathBuf, misfit: Misfit },
    /// Runs of a series are not finished, since the processes ended that trained them: what happened to each.
    Lost { lost: Vec<String>, is_wrong_use: bool },
    /// Runs of a comparison failed, of all that it has.
    FailedRuns { failed: usize, runs: usize },
    /// A run is whole, but its report can't be written; the command writes it.
    Report { source: Box<CliError>, command: String },
}

impl CliError {
    pub(super) fn io(path: &Path) -> impl FnOnce(io::Error) -> Self {
        let named = RunError::io(path);
        move |source| named(source).into()
    }

    /// Refuses a path that is neither a file nor the directory of a run.
    pub(super) fn check_model(path: &Path) -> Result<(), Self> {
        let problem = match (path.is_dir(), run_below(path)) {
            (true, Some(run)) => contains_runs(&run),
            (true, None) if !is_run(path) => {
                "this directory contains no run: give that of a run, or an .emx file".to_owned()
            }
            (false, _) if !path.exists() => {
                "there is nothing at this path: give the directory of a run, or an .emx file".to_owned()
            }
            _ => return Ok(()),
        };
        Err(Self::Usage(format!("{}: {problem}", path.display())))
    }

    /// Refuses a path that is not a directory, such as that of a run. If it is a file of a run, the error names the run.
    pub(super) fn check_directory(path: &Path) -> Result<(), Self> {
        if path.is_dir() {
            return match run_below(path) {
                Some(run) => Err(Self::Usage(format!("{}: {}", path.display(), contains_runs(&run)))),
                None => Ok(()),
            };
        }
        let problem = if !path.exists() {
            "there is nothing at this path: give the directory of a run".to_owned()
        } else {
            match path.parent().filter(|parent| parent.join(RunFile::Settings.name()).is_file()) {
                Some(run) if run.as_os_str().is_empty() => {
                    "this is a file of a run: give the run's directory, `.`".to_owned()
                }
                Some(run) => format!("this is a file of a run: give the run's directory, `{}`", run.display()),
                None => "this is a file: give the directory of a run".to_owned(),
            }
        };
        Err(Self::Usage(format!("{}: {problem}", path.display())))
    }

    /// The exit code, as listed in docs/exit-codes.md.
    pub(super) fn code(&self) -> u8 {
        match self {
            Self::Usage(_) | Self::Device(_) | Self::CommandLine(_) => 2,
            Self::Interrupted(signal) => u8::try_from(128 + signal).unwrap_or(1),
            Self::Lost { is_wrong_use, .. } => 1 + u8::from(*is_wrong_use),
            Self::Output { .. } | Self::Misfit { .. } | Self::WrongDevice { .. } | Self::FailedRuns { .. } => 1,
            Self::Report { source, .. } => source.code(),
            Self::Workflow(error) | Self::Comparison(error) | Self::Import(error) => 1 + u8::from(error.is_of_input()),
        }
    }

    /// What the user can do about the error, if that is known.
    fn advice(&self) -> Option<&'static str> {
        match self {
            Self::Workflow(error) => workflow_advice(error),
            Self::Import(error) => import_advice(error).or_else(|| workflow_advice(error)),
            Self::Comparison(
                WorkflowError::OtherSettings { .. }
                | WorkflowError::OtherSource { .. }
                | WorkflowError::OtherSamples { .. },
            ) => Some(
                "a comparison goes on with the samples and settings that it began with: give those, or choose another \
                 directory with --out",
            ),
            Self::Comparison(error) => workflow_advice(error),
            Self::Output { source, .. } => io_advice(source),
            Self::WrongDevice { .. } => Some("do not train on it: update its driver, or use --device cpu"),
            Self::Device(error) => device_advice(error),
            Self::Interrupted(_) => {
                Some("the state is saved; to continue, repeat the command with --resume, or a comparison as it was")
            }
            Self::Lost { is_wrong_use: true, .. } => Some("the messages above say why"),
            Self::Lost { .. } => Some(
                "the others are kept; the same command takes up what is not finished, `train` with --resume instead of --force",
            ),
            Self::FailedRuns { .. } => Some("the lines above say why; the table has the others"),
            Self::Usage(_) | Self::CommandLine(_) | Self::Report { .. } | Self::Misfit { .. } => None,
        }
    }
}

fn contains_runs(run: &Path) -> String {
    format!("this directory contains runs, and is none itself: give one of them, such as `{}`", run.display())
}

fn is_run(path: &Path) -> bool {
    path.join(RunFile::Settings.name()).is_file()
}

/// A run in a directory that is none itself, such as that of a comparison.
fn run_below(directory: &Path) -> Option<PathBuf> {
    if is_run(directory) {
        return None;
    }
    let entries = std::fs::read_dir(directory).ok()?.filter_map(|entry| Some(entry.ok()?.path()));
    entries.filter(|path| is_run(path)).min()
}

impl fmt::Display for CliError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Workflow(error) | Self::Comparison(error) | Self::Import(error) => error.fmt(f)?,
            Self::Device(error) => error.fmt(f)?,
            Self::Usage(sentence) => f.write_str(sentence)?,
            Self::CommandLine(error) => error.fmt(f)?,
            Self::Interrupted(signal) => write!(f, "stopped by {}", signals::name(*signal))?,
            Self::Output { name, source } => write!(f, "{name}: {source}")?,
            Self::Misfit { model, misfit } => write!(f, "{}: the run is whole, but {misfit}", model.display())?,
            Self::Lost { lost, .. } => write!(f, "{} not finished ({})", counted(lost.len(), "run"), lost.join("; "))?,
            Self::FailedRuns { failed, runs } => write!(f, "{failed} of {} failed", counted(*runs, "run"))?,
            Self::WrongDevice { device, summary } => write!(f, "{device} computes wrong results: only {summary}")?,
            Self::Report { source, command } => {
                write!(f, "{source}; the run is whole, and `{command}` writes its report")?
            }
        }
        match self.advice() {
            // Flags in parentheses follow advice that the library gave.
            Some(advice) if advice.starts_with('(') => write!(f, " {advice}"),
            Some(advice) => write!(f, ": {advice}"),
            None => Ok(()),
        }
    }
}

/// Errors of the library become errors of a command.
macro_rules! from_library {
    ($($error:ty),+) => {
        $(impl From<$error> for CliError {
            fn from(error: $error) -> Self {
                Self::Workflow(error.into())
            }
        })+
    };
}

from_library!(WorkflowError, RunError, DataError, FitError);

impl From<ClustersError> for CliError {
    fn from(error: ClustersError) -> Self {
        Self::Usage(format!("--clusters {error}"))
    }
}

/// Choices are made by flags, which the sentences name.
impl From<ChoiceError> for CliError {
    fn from(error: ChoiceError) -> Self {
        match error {
            ChoiceError::Method { .. } => Self::Usage(error.to_string()),
            ChoiceError::Setting { .. } => Self::Usage(format!("--set {error}")),
            ChoiceError::SingleVariant { .. } => Self::Usage(format!("--variant: {error}; omit the flag")),
            ChoiceError::Clusters(error) => error.into(),
            ChoiceError::Encoder(error) => Self::Usage(format!("--encoder: {error}")),
            ChoiceError::FrontEnd(error) => WorkflowError::from(error).into(),
            ChoiceError::Run(error) => error.into(),
        }
    }
}

impl From<clap::Error> for CliError {
    fn from(error: clap::Error) -> Self {
        Self::CommandLine(error)
    }
}

impl From<DeviceError> for CliError {
    fn from(error: DeviceError) -> Self {
        Self::Device(error)
    }
}
