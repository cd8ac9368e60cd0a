//! Why a command fails: the library's error, with advice that names flags.

use std::fmt;
use std::io;
use std::path::{Path, PathBuf};

use super::signals;

use crate::assessment::chips::Misfit;
use crate::base::text::counted;
use crate::data::{CellProblem, ColumnRole, DataError, WindowingProblem};
use crate::device::DeviceError;
use crate::import::{ImportError, OnnxProblem};
use crate::methods::ClustersError;
use crate::quantize::QuantizeError;
use crate::run::{ChoiceError, RunError, RunFile};
use crate::trained::DrawError;
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

    /// Refuses a path at which there is nothing.
    pub(super) fn check_exists(path: &Path) -> Result<(), Self> {
        if path.exists() {
            return Ok(());
        }
        let expected = "there is nothing at this path: give the directory of a run, or an .emx file";
        Err(Self::Usage(format!("{}: {expected}", path.display())))
    }

    /// Refuses a path that is not a directory, such as that of a run. If it is a file of a run, the error names the run.
    pub(super) fn check_directory(path: &Path) -> Result<(), Self> {
        if path.is_dir() {
            return match run_below(path) {
                Some(run) => Err(Self::Usage(format!(
                    "{}: this directory contains runs, and is none itself: give one of them, such as `{}`",
                    path.display(),
                    run.display()
                ))),
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

/// A run in a directory that is none itself, such as that of a comparison.
fn run_below(directory: &Path) -> Option<PathBuf> {
    let is_run = |path: &Path| path.join(RunFile::Settings.name()).is_file();
    if is_run(directory) {
        return None;
    }
    let entries = std::fs::read_dir(directory).ok()?.filter_map(|entry| Some(entry.ok()?.path()));
    entries.filter(|path| is_run(path)).min()
}

fn workflow_advice(error: &WorkflowError) -> Option<&'static str> {
    Some(match error {
        WorkflowError::Run(RunError::Io { source, .. }) => return io_advice(source),
        WorkflowError::Data(error) => return data_advice(error),
        WorkflowError::Fit(error) => return fit_advice(error),
        WorkflowError::Quantize(error) => return quantize_advice(error),
        WorkflowError::Run(RunError::OverwritesInput { .. } | RunError::OverwritesRun { .. }) => {
            "choose another file to write"
        }
        WorkflowError::Run(RunError::NotADirectory { .. }) => "choose another path with --out",
        WorkflowError::Run(RunError::Lock { .. }) => "choose a directory on another file system",
        WorkflowError::Run(RunError::Busy { .. }) => "wait until it ends, or choose another directory",
        WorkflowError::Run(RunError::Trained { .. }) => "train again",
        WorkflowError::Run(RunError::Unfinished { .. }) => "continue it with train --resume",
        WorkflowError::Run(RunError::NotExported { .. }) => "train again, or export it with --allow-disagreement",
        WorkflowError::AlreadyStarted { .. } => {
            "resume it with train --resume, replace it with --force, or choose another directory with --out"
        }
        WorkflowError::Imported { .. } => "train in another directory, or replace the run with --force",
        WorkflowError::FineTuned { .. } => {
            "resume it with import --fine-tune --resume, or replace the run with --force"
        }
        WorkflowError::OtherImport { .. } => {
            "give that file with the flags that it was read with, or choose another directory with --out"
        }
        WorkflowError::Import(ImportError::Data(error)) => return data_advice(error),
        WorkflowError::NoRun { .. } => {
            "omit --resume to start one; a series is resumed with the --seeds that it was started with"
        }
        WorkflowError::StartFrom { .. } => {
            "name a run that has ended its reconstruction, with the same samples, --seed, --holdout and --encoder, or omit \
             --start-from"
        }
        WorkflowError::NoReconstruction { .. } => "wait until it has",
        WorkflowError::Foreign { .. } => "choose another directory with --out, or move the file",
        WorkflowError::SingleRun { .. } => "choose another directory with --out for several seeds",
        WorkflowError::OtherSettings { .. } => {
            "omit the flags that set them, or start another run in another directory with --out"
        }
        WorkflowError::OtherSource { .. } => {
            "omit the samples and the flags that describe them, or start another run in another directory with --out"
        }
        WorkflowError::OtherSamples { .. } => "give the samples of the run, since they calibrate the integers",
        WorkflowError::Features { expected, found, .. } if *found > 0 && expected > found && expected % found == 0 => {
            "if these are rows of a recording, cut them into windows with --window, as for training"
        }
        WorkflowError::Mismatch { .. } => "train again",
        WorkflowError::TooFewDifferent { .. } => "ask for fewer clusters, or check which columns are read",
        WorkflowError::ClusterNames { .. } | WorkflowError::RepeatedName { .. } => {
            "correct --names; `edgemix inspect` prints the number of clusters, and the report shows samples of each"
        }
        WorkflowError::Prefix { .. } => "correct --prefix",
        WorkflowError::Draw(DrawError::NotGenerative { .. }) => {
            "train anew with --method vade, vae-kmeans or k-dvae, or with alpha-jsd or kld and --set method.vae=true; runs that \
             were trained before decoders were kept have none"
        }
        WorkflowError::TooManyDrawn { .. } => "(--per-cluster)",
        WorkflowError::NoLevel(_) => "choose one of them with export --level",
        WorkflowError::Rate(_) => "correct --finest-rate",
        _ => return None,
    })
}

fn import_advice(error: &WorkflowError) -> Option<&'static str> {
    Some(match error {
        WorkflowError::Quantize(QuantizeError::NarrowComponent { .. }) => {
            "fit the mixture with a greater reg_covar, such as a thousandth of the features' variance, or put a PCA before it"
        }
        WorkflowError::Quantize(QuantizeError::Disagreement { .. }) => {
            "let the PCA keep fewer components, or give more samples; --allow-disagreement writes the model anyway"
        }
        WorkflowError::Quantize(QuantizeError::LatentTooLong(_)) => "put a PCA before the clustering",
        WorkflowError::AlreadyStarted { .. } => {
            "replace it with --force, resume it with --resume if it was begun with --fine-tune, or choose another directory with --out"
        }
        WorkflowError::Import(ImportError::Onnx { problem, .. })
            if matches!(**problem, OnnxProblem::NotOne { what: "output", .. }) =>
        {
            "name the one that is the latent with --latent"
        }
        _ => return None,
    })
}

fn device_advice(error: &DeviceError) -> Option<&'static str> {
    match error {
        DeviceError::Unknown(_) => None,
        DeviceError::NoSuchIndex { .. } => Some("`edgemix devices` lists the devices"),
        DeviceError::NoUnfused => Some("(or leave out `-unfused`)"),
        _ => Some("(or use --device cpu)"),
    }
}

fn quantize_advice(error: &QuantizeError) -> Option<&'static str> {
    Some(match error {
        QuantizeError::NarrowComponent { .. } => {
            "if the samples are rows of a recording, cut it into windows with --window; else remove duplicate samples, or try \
             fewer clusters or another seed"
        }
        QuantizeError::Disagreement { .. } => {
            "train longer, or with another seed or encoder; --allow-disagreement writes the model anyway"
        }
        QuantizeError::Features { .. } => "use the data that the model was trained on",
        QuantizeError::Data(error) => return data_advice(error),
        _ => return None,
    })
}

fn fit_advice(error: &FitError) -> Option<&'static str> {
    Some(match error {
        FitError::Diverged { .. } => "lower --learning-rate, or check the scale of the data",
        FitError::Data(error) => return data_advice(error),
        FitError::Checkpoint { .. } => {
            "the checkpoint before it is intact; remove the cause, then continue with --resume"
        }
        FitError::Gpu { .. } => {
            "the last checkpoint is whole: continue with --resume, where --device cpu does without the GPU"
        }
        FitError::GpuMemory { .. } => {
            "lower the batch size (--set batch-size=..., --set clustering.batch-size=...) or give --encoder narrower layers; \
             --device cpu does without the GPU"
        }
        FitError::Mismatch(_) => "start again with --force, or give the samples and settings of the checkpoint",
        FitError::Stopped(_) => {
            "the state at the last checkpoint is kept; to continue, repeat the command with --resume"
        }
        _ => return None,
    })
}

fn data_advice(error: &DataError) -> Option<&'static str> {
    Some(match error {
        DataError::Io { source, .. } => return io_advice(source),
        DataError::Scratch { .. } => "(--memory)",
        DataError::Column { role: ColumnRole::Labels, .. } | DataError::NotLabels { .. } => "(--label-column)",
        DataError::Column { role: ColumnRole::Groups, .. } => "(--group-column)",
        DataError::Column { role: ColumnRole::Times, .. } => "(--time-column)",
        DataError::Column { role: ColumnRole::LeftOut, .. } => "(--drop-column)",
        DataError::Cell { problem: CellProblem::Text(_), .. }
        | DataError::Value { problem: CellProblem::Text(_), .. } => "(--drop-column, --label-column, --group-column)",
        DataError::Cell { problem: CellProblem::Time(_), .. }
        | DataError::Value { problem: CellProblem::Time(_), .. } => "(--drop-column)",
        DataError::Windowing { problem: WindowingProblem::Gap { .. }, .. } => "(--gaps split)",
        DataError::Windowing { problem: WindowingProblem::TimeGoesBack { .. }, .. } => "(--group-column)",
        DataError::Windowing {
            problem: WindowingProblem::SameTimes | WindowingProblem::EmptyColumn { .. }, ..
        } => "(--drop-column)",
        DataError::Cell { problem, .. } | DataError::Value { problem, .. } if problem.is_missing() => {
            "(in a recording, --gaps split with --window)"
        }
        DataError::Windowing { .. } => "(--window, --step)",
        _ => return None,
    })
}

fn io_advice(error: &io::Error) -> Option<&'static str> {
    use io::ErrorKind::{
        AlreadyExists, FileTooLarge, NotADirectory, NotFound, PermissionDenied, QuotaExceeded, ReadOnlyFilesystem,
        StorageFull,
    };
    match error.kind() {
        FileTooLarge => Some("the system limits the size of files (ulimit -f)"),
        NotFound => Some("check the path"),
        // Only a directory is created where something may be.
        AlreadyExists => Some("a link of this name leads nowhere; remove it, or choose another path"),
        NotADirectory => Some("a part of the path is a file; check the path"),
        PermissionDenied | ReadOnlyFilesystem => Some("ask for permission, or choose another place"),
        StorageFull | QuotaExceeded => Some("free some space, or choose another place"),
        _ => None,
    }
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
