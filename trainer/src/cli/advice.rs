//! What a user can do about an error, in the words of the command line.

use std::io;

use crate::data::{CellProblem, ColumnRole, DataError, WindowingProblem};
use crate::device::DeviceError;
use crate::import::{ImportError, OnnxProblem};
use crate::quantize::QuantizeError;
use crate::run::RunError;
use crate::trained::DrawError;
use crate::training::{CheckpointMismatch, FitError};
use crate::workflow::WorkflowError;

pub(super) fn workflow_advice(error: &WorkflowError) -> Option<&'static str> {
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
        WorkflowError::StartFromOtherPart { .. } => "give the same --seed and --holdout, or omit --start-from",
        WorkflowError::Checkpoint { source: CheckpointMismatch::Damaged, .. } => "start again with --force",
        WorkflowError::Checkpoint { .. } => {
            "start again with --force, or give the samples and settings of the checkpoint"
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

pub(super) fn import_advice(error: &WorkflowError) -> Option<&'static str> {
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

pub(super) fn device_advice(error: &DeviceError) -> Option<&'static str> {
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
             fewer clusters, another seed, or settings of the method that are nearer to its defaults"
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

pub(super) fn io_advice(error: &io::Error) -> Option<&'static str> {
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
