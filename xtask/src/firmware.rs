//! Building firmware, running it in the emulator, and checking what it needs.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context, Result, ensure};

use crate::cores::CORTEX_M4;
use crate::process::{output, output_bytes, root, run};
use crate::{log, setup, size};

/// Bytes of flash and RAM that the example may need.
const MAX_FLASH: u64 = 256 * 1024;
const MAX_RAM: u64 = 64 * 1024;
/// Bytes of code that format and runtime may have in it.
const MAX_LIBRARY: u64 = 22 * 1024;

/// Parts of function names that a model of a spectrum, dense layers and a mixture does not need: convolutions, autoencoders,
/// moments of signals, printing of floating-point numbers.
const UNNEEDED: [&str; 6] = ["convolution", "autoencoders", "moments", "fmt::float", "flt2dec", "f32 as core::fmt"];

/// For programs that take any model.
const ALL_MODELS: [&str; 2] = ["--features", "all-models"];

/// `cargo xtask emulate`: prints what the chip prints.
pub(crate) fn emulate(model: &Path, samples: &Path) -> Result<()> {
    setup::install_missing()?;
    let model = fs::canonicalize(model).with_context(|| model.display().to_string())?;
    let samples = fs::canonicalize(samples).with_context(|| samples.display().to_string())?;
    let mut cargo = setup::cargo()?;
    cargo.env("EDGEMIX_MODEL", model).env("EDGEMIX_SAMPLES", samples);
    let program = build(cargo, "parity", &ALL_MODELS)?;
    print!("{}", output(&mut CORTEX_M4.emulator(&program))?);
    Ok(())
}

/// `cargo xtask firmware`: builds the example, runs it, compares its log with the expected one and its size with the
/// limits above, and builds it for the board. `bless` makes the log the expected one.
pub(crate) fn example(bless: bool) -> Result<()> {
    setup::install_missing()?;
    let path = build(setup::cargo()?, "firmware-example", &[])?;
    let printed = output_bytes(&mut CORTEX_M4.emulator(&path)).context("the example failed in the emulator")?;
    let elf = read(&path)?;
    let mut log = log::decode(&elf, &printed)?;
    // The compiler decides how much stack is used, so the figure is printed and not compared.
    let last = log.pop().context("the example logged nothing")?;
    let stack = last.strip_suffix(" bytes of stack used").and_then(|line| line.rsplit(' ').next()?.parse().ok());
    let stack: u64 =
        stack.with_context(|| format!("the last line of the log should say how much stack was used: {last}"))?;
    log::compare(&log, &root().join("firmware-example/expected.log"), bless)?;

    let unneeded = size::functions_named(&elf, &UNNEEDED)?;
    ensure!(unneeded.is_empty(), "the example contains code that its model does not need:\n{}", unneeded.join("\n"));
    let size = size::measure(&elf)?;
    let (flash, ram) = (size.flash(), size.statics() + stack);
    println!("firmware-example on an emulated Cortex-M4: exit code 0, {} lines of log as expected", log.len());
    println!("flash {flash} bytes: code {}, constants and model {}, data {}", size.text, size.rodata, size.data);
    println!("      {} bytes of the code are format, runtime and what they call", size.library);
    println!("RAM   {ram} bytes: statics {}, stack {stack} with workspace and loaded model", size.statics());
    ensure!(flash <= MAX_FLASH && ram <= MAX_RAM, "the limits are {MAX_FLASH} bytes of flash and {MAX_RAM} of RAM");
    ensure!(size.library <= MAX_LIBRARY, "the limit for format and runtime is {MAX_LIBRARY} bytes of code");

    let board = ["--no-default-features", "--features", "nucleo-f401re"];
    let size = size::measure(&read(&build(setup::cargo()?, "firmware-example", &board)?)?)?;
    println!("the build for the Nucleo-F401RE needs {} bytes of flash", size.flash());
    Ok(())
}

/// `cargo xtask update`: an emulated chip whose power fails so often during an update starts each time with a whole model,
/// and refuses those that it must not start with.
pub(crate) fn update(failures: u32) -> Result<()> {
    setup::install_missing()?;
    let mut cargo = setup::cargo()?;
    cargo.env("EDGEMIX_POWER_FAILURES", failures.to_string());
    let path = build(cargo, "update", &["--features", "signature"])?;
    print!("{}", output(&mut CORTEX_M4.emulator(&path)).context("the emulated chip failed")?);
    let library = size::measure(&read(&path)?)?.library;
    println!("{library} bytes of the code are the program, format, runtime and what they call");
    Ok(())
}

/// `cargo xtask nopanic`: a program links that would not link if a panic could be reached.
pub(crate) fn nopanic() -> Result<()> {
    setup::install_missing()?;
    let path = build(setup::cargo()?, "nopanic", &ALL_MODELS)?;
    let named = size::functions_named(&read(&path)?, &UNNEEDED)?;
    // Otherwise the names have changed, and the check of the example would pass whatever the example contains.
    ensure!(!named.is_empty(), "a program for all models has no function with a name in `UNNEEDED`: update the list");
    let mut failing = setup::cargo()?;
    failing.args(CORTEX_M4.build_arguments("nopanic", "release"));
    let failed = failing.args(["--features", "all-models,reachable-panic"]).output()?;
    let message = String::from_utf8_lossy(&failed.stderr);
    let is_noticed = !failed.status.success() && message.contains("a_panic_is_reachable");
    ensure!(is_noticed, "a program with a reachable panic links, so the check proves nothing\n{message}");
    println!("no panic can be reached from loading and assigning; the same check refuses a program with one");
    Ok(())
}

fn read(path: &Path) -> Result<Vec<u8>> {
    fs::read(path).with_context(|| path.display().to_string())
}

/// Builds a program of the firmware example.
fn build(mut cargo: Command, name: &str, more: &[&str]) -> Result<PathBuf> {
    run(cargo.args(CORTEX_M4.build_arguments(name, "release")).args(more))?;
    Ok(CORTEX_M4.program_path(name, "release"))
}
