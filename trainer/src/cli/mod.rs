//! The command line: a file per command.

mod assign;
mod bug;
mod clusters;
mod commands;
mod compare;
mod data;
mod demo;
mod describe;
mod display;
mod error;
mod evaluate;
mod export;
mod inspect;
mod output;
mod progress;
mod report;
mod settings;
mod shell;
mod signals;
mod signature;
mod status;
mod train;
mod tui;
mod warnings;

use std::io::{self, IsTerminal};
use std::process::ExitCode;

use clap::{CommandFactory, Parser, Subcommand};

use error::CliError;

use crate::base::text::printable;

/// Deep clustering for microcontrollers: train, export one file, assign in integers.
#[derive(Parser)]
#[command(
    name = "edgemix",
    version,
    after_help = "Exit codes: 0 success, 1 the work failed, 2 wrong use, input or device, 3 a bug in edgemix; 128 and more: a signal.
Start with: edgemix demo"
)]
struct Program {
    #[command(subcommand)]
    command: Command,
}

#[derive(Subcommand)]
enum Command {
    /// Trains on the embedded digits, exports the model, and prints its scores.
    Demo(demo::Demo),
    /// Learns an encoder and its clusters, and exports the model.
    Train(train::Train),
    /// Evaluates a model: clusters, agreement with labels, calibration.
    Evaluate(evaluate::Evaluate),
    /// Writes the report of a run, one HTML page.
    Report(report::Report),
    /// Trains several methods with several seeds, and prints a table of their scores.
    Compare(compare::Compare),
    /// Quantises the model of a run again, or writes it as a Rust module.
    Export(export::Export),
    /// Shows the layers, sizes and costs of a model file.
    Inspect(inspect::Inspect),
    /// Assigns samples to clusters with the arithmetic of the chip.
    Assign(assign::Assign),
    /// Makes a key pair for signing models.
    Keys(signature::Keys),
    /// Signs a model file, so that a firmware can tell who made it.
    Sign(signature::Sign),
    /// Checks who signed a model file.
    Verify(signature::Verify),
    /// Prints completions for a shell.
    Completions(shell::Completions),
    /// Prints a manual page.
    Man(shell::Man),
}

/// Runs the program.
pub fn main() -> ExitCode {
    bug::guarded(|| {
        let error = match parse().and_then(|program| program.map_or(Ok(()), run)) {
            Ok(()) => return ExitCode::SUCCESS,
            Err(error) => error,
        };
        tell(&error);
        if let CliError::Interrupted(signal) = error {
            signals::die(signal);
        }
        ExitCode::from(error.code())
    })
}

/// Writes an error to standard error.
fn tell(error: &CliError) {
    match error {
        CliError::CommandLine(error) => {
            let text = error.render().to_string();
            // The parser's message has colours on a terminal, but what was typed must not control it.
            if io::stderr().is_terminal() && printable(&text) == text {
                let _ = error.print();
            } else {
                output::tell(text.trim_end());
            }
        }
        _ => output::tell(&format!("edgemix: {error}")),
    }
}

/// The command line; `None` if help or the version was asked for and shown.
fn parse() -> Result<Option<Program>, CliError> {
    match Program::try_parse() {
        Ok(program) => Ok(Some(program)),
        Err(error) if error.use_stderr() => Err(error.into()),
        Err(error) if io::stdout().is_terminal() => error.print().map(|()| None).map_err(output::output_error),
        Err(error) => output::show(&error.render().to_string()).map(|()| None),
    }
}

fn run(program: Program) -> Result<(), CliError> {
    match program.command {
        Command::Demo(demo) => demo.run(),
        Command::Train(train) => train.run(),
        Command::Evaluate(evaluate) => evaluate.run(),
        Command::Report(report) => report.run(),
        Command::Compare(compare) => compare.run(),
        Command::Export(export) => export.run(),
        Command::Inspect(inspect) => inspect.run(),
        Command::Assign(assign) => assign.run(),
        Command::Keys(keys) => keys.run(),
        Command::Sign(sign) => sign.run(),
        Command::Verify(verify) => verify.run(),
        Command::Completions(completions) => completions.run(Program::command()),
        Command::Man(man) => man.run(Program::command()),
    }
}
