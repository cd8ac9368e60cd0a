//! The project's own commands: `cargo xtask setup | test | firmware | emulate | nopanic | fuzz | ci`.

mod ci;
mod firmware;
mod fuzz;
mod log;
mod process;
mod setup;
mod size;

use anyhow::{Context, Result, bail};

const HELP: &str = "cargo xtask COMMAND
  setup                                  installs what firmware needs: compiler, library source, emulator
  test                                   all tests, the emulated ones too
  firmware [--bless]                     builds the example, runs it under emulation, says what it needs
  emulate --model FILE --samples FILE    assigns raw u8 samples on an emulated Cortex-M4
  nopanic                                links a program that no panic can be reached from
  fuzz [--seconds 60]                    throws bytes at the reader of model files
  ci                                     everything that must hold before a change lands";

fn main() -> Result<()> {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let words: Vec<&str> = arguments.iter().map(String::as_str).collect();
    match words[..] {
        ["setup"] => setup::announce(),
        ["test"] => ci::test(),
        ["firmware"] => firmware::example(false),
        ["firmware", "--bless"] => firmware::example(true),
        ["emulate", "--model", model, "--samples", samples] => firmware::emulate(model.as_ref(), samples.as_ref()),
        ["nopanic"] => firmware::nopanic(),
        ["fuzz"] => fuzz::all(60),
        ["fuzz", "--seconds", seconds] => fuzz::all(seconds.parse().context("--seconds wants a whole number")?),
        ["ci"] => ci::run_all(),
        [] | ["help" | "--help" | "-h"] => {
            println!("{HELP}");
            Ok(())
        }
        _ => bail!("`{}` is not a command\n{HELP}", words.join(" ")),
    }
}
