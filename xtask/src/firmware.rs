//! Building firmware, running it under emulation, and saying what it needs.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use anyhow::{Context, Result, ensure};
use object::{Object, ObjectSection};

use crate::process::{output, program, root};
use crate::setup;

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

/// Bytes of a program by kind.
struct Size {
    text: u64,
    rodata: u64,
    data: u64,
    bss: u64,
}

/// `cargo xtask emulate`: prints what the chip prints.
pub(crate) fn emulate(model: &Path, samples: &Path) -> Result<()> {
    setup::run_quietly()?;
    let model = fs::canonicalize(model).with_context(|| model.display().to_string())?;
    let samples = fs::canonicalize(samples).with_context(|| samples.display().to_string())?;
    let mut cargo = setup::cargo()?;
    cargo.env("EDGEMIX_MODEL", model).env("EDGEMIX_SAMPLES", samples);
    let program = build(cargo, "parity", "release", &[])?;
    print!("{}", output(&mut qemu(&program))?);
    Ok(())
}

/// `cargo xtask firmware`: builds the example, runs it, and holds it to its bounds.
pub(crate) fn example() -> Result<()> {
    setup::run_quietly()?;
    let path = build(setup::cargo()?, "firmware-example", "release", &[])?;
    // The log is defmt's: compressed on the chip, told apart by the ELF file. That it arrives is enough here.
    let log = qemu(&path).stderr(Stdio::inherit()).output().context("qemu-system-arm does not start")?;
    ensure!(log.status.success(), "the example failed under emulation: {}", log.status);
    ensure!(!log.stdout.is_empty(), "the example logged nothing");
    let size = size(&path)?;
    let (flash, ram) = (size.text + size.rodata + size.data, size.data + size.bss);
    println!("firmware-example on an emulated Cortex-M4: exit 0, {} bytes of defmt log", log.stdout.len());
    println!("flash {flash} bytes: code {}, constants and model {}, data {}", size.text, size.rodata, size.data);
    println!("RAM   {ram} bytes of statics; the workspace and the loaded model are on the stack");
    ensure!(flash <= MOST_FLASH && ram <= MOST_RAM, "it must fit {MOST_FLASH} bytes of flash and {MOST_RAM} of RAM");
    Ok(())
}

/// `cargo xtask nopanic`: the program links, and would not if a panic could be reached.
pub(crate) fn nopanic() -> Result<()> {
    setup::run_quietly()?;
    build(setup::cargo()?, "nopanic", "proof", &[])?;
    let mut failing = setup::cargo()?;
    arguments(&mut failing, "nopanic", "proof", &["--features", "reachable-panic"]);
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

fn size(path: &Path) -> Result<Size> {
    let bytes = fs::read(path).with_context(|| path.display().to_string())?;
    let file = object::File::parse(&*bytes)?;
    let of = |names: &[&str]| -> u64 { names.iter().filter_map(|n| file.section_by_name(n)).map(|s| s.size()).sum() };
    Ok(Size {
        text: of(&[".vector_table", ".text"]),
        rodata: of(&[".rodata"]),
        data: of(&[".data"]),
        bss: of(&[".bss"]),
    })
}
