//! Building firmware, running it under emulation, and saying what it needs.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use anyhow::{Context, Result, ensure};

use crate::process::{output, program, root};
use crate::{log, setup, size};

/// A kind of core: its target and the machine that QEMU emulates it with.
struct Core {
    target: &'static str,
    machine: &'static str,
}

/// Cortex-M4 with FPU.
const M4: Core = Core { target: "thumbv7em-none-eabihf", machine: "mps2-an386" };

/// What the example may need at most.
const MOST_FLASH: u64 = 256 * 1024;
const MOST_RAM: u64 = 64 * 1024;
/// What format and runtime may need of it.
const MOST_LIBRARY: u64 = 13 * 1024;

/// What a model of dense layers and a mixture doesn't need: convolutions, autoencoders, floats as text.
const UNNEEDED: [&str; 5] = ["convolution", "autoencoders", "fmt::float", "flt2dec", "f32 as core::fmt"];

/// For programs that take any model.
const ALL_MODELS: [&str; 2] = ["--features", "all-models"];

/// `cargo xtask emulate`: prints what the chip prints.
pub(crate) fn emulate(model: &Path, samples: &Path) -> Result<()> {
    setup::run_quietly()?;
    let model = fs::canonicalize(model).with_context(|| model.display().to_string())?;
    let samples = fs::canonicalize(samples).with_context(|| samples.display().to_string())?;
    let mut cargo = setup::cargo()?;
    cargo.env("EDGEMIX_MODEL", model).env("EDGEMIX_SAMPLES", samples);
    let program = build(cargo, "parity", "release", &ALL_MODELS)?;
    print!("{}", output(&mut qemu(&program))?);
    Ok(())
}

/// `cargo xtask firmware`: builds the example, runs it, reads its log, and holds it to its bounds; builds it for the
/// board. With `bless` the log becomes the expected one.
pub(crate) fn example(bless: bool) -> Result<()> {
    setup::run_quietly()?;
    let path = build(setup::cargo()?, "firmware-example", "release", &[])?;
    let ran = qemu(&path).stderr(Stdio::inherit()).output().context("qemu-system-arm does not start")?;
    ensure!(ran.status.success(), "the example failed under emulation: {}", ran.status);
    let elf = fs::read(&path).with_context(|| path.display().to_string())?;
    let mut log = log::decode(&elf, &ran.stdout)?;
    // How much stack is used is the compiler's affair: it is reported, not compared.
    let last = log.pop().context("the example logged nothing")?;
    let stack = last.strip_suffix(" bytes of stack used").and_then(|line| line.rsplit(' ').next()?.parse().ok());
    let stack: u64 = stack.with_context(|| format!("the last line is to say how much stack was used: {last}"))?;
    log::compare(&log, &root().join("firmware-example/expected.log"), bless)?;

    let linked = size::linked(&elf, &UNNEEDED)?;
    ensure!(linked.is_empty(), "the example links what its model doesn't need:\n{}", linked.join("\n"));
    let size = size::of(&elf)?;
    let (flash, ram) = (size.text + size.rodata + size.data, size.data + size.bss + stack);
    println!("firmware-example on an emulated Cortex-M4: exit 0, {} lines of log as expected", log.len());
    println!("flash {flash} bytes: code {}, constants and model {}, data {}", size.text, size.rodata, size.data);
    println!("      {} bytes of the code are format, runtime and what they call", size.library);
    println!("RAM   {ram} bytes: statics {}, stack {stack} with workspace and loaded model", size.data + size.bss);
    ensure!(flash <= MOST_FLASH && ram <= MOST_RAM, "it must fit {MOST_FLASH} bytes of flash and {MOST_RAM} of RAM");
    ensure!(size.library <= MOST_LIBRARY, "format and runtime must fit {MOST_LIBRARY} bytes of code");

    let board = ["--no-default-features", "--features", "nucleo-f401re"];
    let size = size::of(&fs::read(build(setup::cargo()?, "firmware-example", "release", &board)?)?)?;
    println!("it builds for the Nucleo-F401RE: {} bytes of flash", size.text + size.rodata + size.data);
    Ok(())
}

/// `cargo xtask nopanic`: the program links, and would not if a panic could be reached.
pub(crate) fn nopanic() -> Result<()> {
    setup::run_quietly()?;
    let every = build(setup::cargo()?, "nopanic", "release", &ALL_MODELS)?;
    let linked = size::linked(&fs::read(every)?, &UNNEEDED)?;
    ensure!(
        !linked.is_empty(),
        "no name of `UNNEEDED` is in a program for all models: the example's check proves nothing"
    );
    let mut failing = setup::cargo()?;
    arguments(&mut failing, "nopanic", "release", &["--features", "all-models,reachable-panic"]);
    let failed = failing.output()?;
    let message = String::from_utf8_lossy(&failed.stderr);
    let is_seen = !failed.status.success() && message.contains("a_panic_is_reachable");
    ensure!(is_seen, "a reachable panic went unnoticed: the check proves nothing\n{message}");
    println!("no panic can be reached from loading and assigning; a reachable one is noticed");
    Ok(())
}

fn arguments(cargo: &mut Command, name: &str, profile: &str, more: &[&str]) {
    cargo.args(["build", "--locked", "--profile", profile, "--target", M4.target, "--bin", name]).args(more);
}

fn build(mut cargo: Command, name: &str, profile: &str, more: &[&str]) -> Result<PathBuf> {
    arguments(&mut cargo, name, profile, more);
    crate::process::run(&mut cargo)?;
    Ok(root().join("target/firmware").join(M4.target).join(profile).join(name))
}

fn qemu(path: &Path) -> Command {
    let mut command = program("qemu-system-arm", &["-M", M4.machine, "-display", "none", "-serial", "none"]);
    command.args(["-monitor", "none", "-semihosting-config", "enable=on,target=native", "-icount", "shift=0"]);
    command.arg("-kernel").arg(path).stdin(Stdio::null());
    command
}
