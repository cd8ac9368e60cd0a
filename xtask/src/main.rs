//! The project's own commands: `cargo xtask help` lists them.

mod bench;
mod ci;
mod cores;
mod cycles;
mod docs;
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
  docs                                   does what docs/own-data.md and docs/chip.md say, down to the emulated chip
  nopanic                                links a program that no panic can be reached from
  fuzz [--seconds 60]                    throws bytes at the reader of model files
  kernels [CORE]                         compares every emulated core's kernels with their definition
  bench [--check | --bless] [CORE]       counts the runtime's instructions on emulated cores; holds them to budgets
  cycles                                 estimates Cortex-M3's and M4's cycles from the instructions executed
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
        ["docs"] => docs::all(),
        ["nopanic"] => firmware::nopanic(),
        ["fuzz"] => fuzz::all(60),
        ["fuzz", "--seconds", seconds] => fuzz::all(seconds.parse().context("--seconds wants a whole number")?),
        ["kernels"] => cores::kernels(""),
        ["kernels", core] => cores::kernels(core),
        ["bench"] => bench::bench(bench::Mode::Print, ""),
        ["bench", "--check"] => bench::bench(bench::Mode::Check, ""),
        ["bench", "--bless"] => bench::bench(bench::Mode::Bless, ""),
        ["bench", core] => bench::bench(bench::Mode::Print, core),
        ["bench", "--check", core] => bench::bench(bench::Mode::Check, core),
        ["bench", "--bless", core] => bench::bench(bench::Mode::Bless, core),
        ["cycles"] => cycles::estimate(),
        ["ci"] => ci::run_all(),
        [] | ["help" | "--help" | "-h"] => {
            println!("{HELP}");
            Ok(())
        }
        _ => bail!("`{}` is not a command\n{HELP}", words.join(" ")),
    }
}
