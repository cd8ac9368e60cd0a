//! The command line: a file per command.

mod assign;
mod clusters;
mod compare;
mod data;
mod display;
mod evaluate;
mod export;
mod held_out;
mod inspect;
mod module;
mod output;
mod progress;
mod report;
mod seeds;
mod settings;
mod shell;
mod status;
mod train;
mod tui;

use std::process::ExitCode;

use clap::{CommandFactory, Parser, Subcommand};
use thiserror::Error;

use crate::data::DataError;
use crate::device::DeviceError;
use crate::quantize::QuantizeError;
use crate::training::FitError;

/// Deep clustering for microcontrollers: train, export one file, assign in integers.
#[derive(Parser)]
#[command(
    name = "edgemix",
    version,
    after_help = "Exit codes: 0 done, 1 the work failed, 2 wrong use, input or device.
Start with: edgemix demo"
)]
struct Program {
    #[command(subcommand)]
    command: Command,
}

#[derive(Subcommand)]
enum Command {
    /// Trains on the embedded digits, exports, and shows what came out.
    Demo(train::Demo),
    /// Learns an encoder and its clusters, and exports them.
    Train(train::Train),
    /// Compares a run's f32 model and its integers with labels.
    Evaluate(evaluate::Evaluate),
    /// Shows a run on one page: `report.html`.
    Report(report::Report),
    /// Trains several methods with several seeds, and tables what came out.
    Compare(compare::Compare),
    /// Quantises a run's model again.
    Export(export::Export),
    /// Says what a model file needs and holds.
    Inspect(inspect::Inspect),
    /// Assigns samples with the arithmetic of the chip.
    Assign(assign::Assign),
    /// Prints a shell's completions.
    Completions(shell::Completions),
    /// Prints a manual page.
    Man(shell::Man),
}

/// Why a command fails.
#[derive(Debug, Error)]
pub(crate) enum CliError {
    #[error("{}{}", .0, data::flags(.0))]
    Data(#[from] DataError),
    #[error("{0}{advice}", advice = device_advice(.0))]
    Device(#[from] DeviceError),
    #[error("{error}{advice}", error = .0, advice = advice_on_fit(.0))]
    Fit(#[from] FitError),
    #[error("{0}{advice}", advice = quantize_advice(.0))]
    Quantize(#[from] QuantizeError),
    /// Wrong use: the sentence says what to do.
    #[error("{0}")]
    Use(String),
    /// A file can't be read or written.
    #[error("{path}: {source}{}", advice(source))]
    Io { path: String, source: std::io::Error },
}

/// What to do about it, where that can be said.
fn advice(error: &std::io::Error) -> &'static str {
    use std::io::ErrorKind::{
        NotADirectory, NotFound, PermissionDenied, QuotaExceeded, ReadOnlyFilesystem, StorageFull,
    };
    match error.kind() {
        NotFound => ": is the path right?",
        NotADirectory => ": a part of the path is a file; is it right?",
        PermissionDenied | ReadOnlyFilesystem => ": ask for permission, or choose another place",
        StorageFull | QuotaExceeded => ": make room, or choose another place",
        _ => "",
    }
}

/// What to do about a device that can't be used, where that can be said.
fn device_advice(error: &DeviceError) -> &'static str {
    match error {
        DeviceError::NotBuilt | DeviceError::NoDriver | DeviceError::NoHeaders => {
            "; use --device cpu to train on the CPU"
        }
        DeviceError::Unknown(_) => "",
    }
}

/// What to do about a model that can't be quantised, where that can be said.
fn quantize_advice(error: &QuantizeError) -> &'static str {
    match error {
        QuantizeError::NarrowComponent { .. } => {
            ". If the samples are rows of a recording, cut it into windows with --window; otherwise remove duplicate samples, \
             or try fewer clusters or another seed"
        }
        QuantizeError::Disagreement { .. } => {
            ". Train longer, or with another seed or encoder; --allow-disagreement writes the file anyway"
        }
        QuantizeError::Features { .. } => ". Use the data that the model was trained on",
        _ => "",
    }
}

/// What to do about a fit that failed, where that can be said.
fn advice_on_fit(error: &FitError) -> &'static str {
    match error {
        FitError::Diverged { .. } => ": lower --learning-rate, or check the scale of the data",
        FitError::Stopped(_) => "; what was learned up to the last checkpoint is kept: continue with --resume",
        FitError::Checkpoint { .. } => "; the last one is untouched: fix the cause, then continue with --resume",
        FitError::Mismatch(_) => ": start again with --force, or give the samples and settings it was made with",
        _ => "",
    }
}

impl CliError {
    pub(crate) fn io(path: &std::path::Path) -> impl FnOnce(std::io::Error) -> Self {
        let path = path.display().to_string();
        move |source| Self::Io { path, source }
    }

    fn code(&self) -> u8 {
        match self {
            Self::Data(DataError::Scratch { .. }) => 1,
            Self::Data(_) | Self::Device(_) | Self::Use(_) => 2,
            Self::Fit(FitError::Setting { .. } | FitError::TooFew { .. } | FitError::Mismatch(_)) => 2,
            Self::Fit(_) | Self::Quantize(_) | Self::Io { .. } => 1,
        }
    }
}

/// Runs the program.
pub fn main() -> ExitCode {
    let result = match Program::parse().command {
        Command::Demo(demo) => demo.run(),
        Command::Train(train) => train.run(),
        Command::Evaluate(evaluate) => evaluate.run(),
        Command::Report(report) => report.run(),
        Command::Compare(compare) => compare.run(),
        Command::Export(export) => export.run(),
        Command::Inspect(inspect) => inspect.run(),
        Command::Assign(assign) => assign.run(),
        Command::Completions(completions) => completions.run(Program::command()),
        Command::Man(man) => man.run(Program::command()),
    };
    match result {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("edgemix: {error}");
            ExitCode::from(error.code())
        }
    }
}
