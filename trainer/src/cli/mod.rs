//! The command line: a file per command.

mod advice;
mod assign;
mod bug;
mod chips;
mod commands;
mod compare;
mod data;
mod decimals;
mod demo;
mod describe;
mod devices;
mod display;
mod error;
mod evaluate;
mod export;
mod generate;
mod import;
mod import_encoder;
mod inspect;
mod jobs;
mod notes;
mod output;
mod progress;
mod report;
mod seeds;
mod shell;
mod signals;
mod signature;
mod status;
mod train;
mod tui;
mod variation;
mod warnings;

use std::any::TypeId;
use std::io::{self, IsTerminal};
use std::process::ExitCode;

use clap::{CommandFactory, FromArgMatches, Parser, Subcommand};

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
    /// Imports a clustering that another program learned, such as scikit-learn, and exports it.
    Import(import::Import),
    /// Evaluates a model: clusters, agreement with labels, calibration.
    Evaluate(evaluate::Evaluate),
    /// Writes the report of a run, one HTML page.
    Report(report::Report),
    /// Draws samples of each cluster from the decoder of a generative method.
    Generate(generate::Generate),
    /// Trains several methods with several seeds, and prints a table of their scores.
    Compare(compare::Compare),
    /// Quantises the model of a run again, or writes it as a module in Rust or in C.
    Export(export::Export),
    /// Shows the layers, sizes and costs of a model file.
    Inspect(inspect::Inspect),
    /// Assigns samples to clusters with the arithmetic of the chip.
    Assign(assign::Assign),
    /// Lists the devices to train on, or checks that a device computes what the CPU computes.
    Devices(devices::Devices),
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
    let parsed = command().try_get_matches().and_then(|found| Program::from_arg_matches(&found));
    match parsed.map_err(|error| error.format(&mut command())) {
        Ok(program) => Ok(Some(program)),
        Err(error) if error.use_stderr() => Err(error.into()),
        Err(error) if io::stdout().is_terminal() => error.print().map(|()| None).map_err(output::output_error),
        Err(error) => output::show(&error.render().to_string()).map(|()| None),
    }
}

/// The command line, with what holds for the flags of every command.
fn command() -> clap::Command {
    Program::command().mut_subcommands(|command| {
        command.mut_args(|flag| {
            // What is negative is for the flag's own check to refuse: to the parser it looks like another flag.
            let flag = if flag.get_action().takes_values() { flag.allow_negative_numbers(true) } else { flag };
            let flag = if flag.get_id() == "out" { flag.alias("output") } else { flag };
            if flag.get_value_parser().type_id() == TypeId::of::<usize>() { flag.value_parser(count) } else { flag }
        })
    })
}

/// A number of things, such as epochs.
fn count(text: &str) -> Result<usize, String> {
    text.parse().map_err(|_| "expected a whole number of at least 0".into())
}

fn run(program: Program) -> Result<(), CliError> {
    match program.command {
        Command::Demo(demo) => demo.run(),
        Command::Train(train) => train.run(),
        Command::Import(import) => import.run(),
        Command::Evaluate(evaluate) => evaluate.run(),
        Command::Report(report) => report.run(),
        Command::Generate(generate) => generate.run(),
        Command::Compare(compare) => compare.run(),
        Command::Export(export) => export.run(),
        Command::Inspect(inspect) => inspect.run(),
        Command::Assign(assign) => assign.run(),
        Command::Devices(command) => command.run(),
        Command::Keys(keys) => keys.run(),
        Command::Sign(sign) => sign.run(),
        Command::Verify(verify) => verify.run(),
        Command::Completions(completions) => completions.run(command()),
        Command::Man(man) => man.run(command()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Each flag that has a value takes a negative one, so that its own check can say what is wrong.
    #[test]
    fn a_negative_number_is_a_value_of_every_flag() {
        let mut n = 0;
        command().build();
        for own in command().get_subcommands() {
            for flag in own.get_arguments().filter(|flag| flag.get_action().takes_values()) {
                let Some(name) = flag.get_long() else { continue };
                let found = command().try_get_matches_from(["edgemix", own.get_name(), &format!("--{name}"), "-1"]);
                let text = found.err().map_or_else(String::new, |error| error.to_string());
                assert!(!text.contains("'-1' found") && !text.contains("-- -1"), "{} --{name}: {text}", own.get_name());
                n += 1;
            }
        }
        assert!(n > 50, "{n}");
    }

    #[test]
    fn every_output_has_both_names() {
        for own in command().get_subcommands() {
            let outputs = own.get_arguments().filter(|flag| matches!(flag.get_long(), Some("out" | "output")));
            for flag in outputs {
                let aliases = flag.get_all_aliases().unwrap_or_default();
                assert_eq!((flag.get_long(), &aliases[..]), (Some("out"), &["output"][..]), "{}", own.get_name());
            }
        }
    }
}
