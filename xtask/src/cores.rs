//! The emulated cores, and building and running firmware for them.

use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use anyhow::Result;

use crate::process::{program, root, run};
use crate::setup;

/// A core: its target, and the machine that QEMU emulates it with.
#[derive(Clone, Copy)]
pub(crate) struct Core {
    pub(crate) name: &'static str,
    pub(crate) target: &'static str,
    /// Features of the benchmark's firmware and of the library for C.
    pub(crate) features: &'static str,
    /// Whether instructions are counted: of one of each kind of core.
    pub(crate) is_counted: bool,
    emulator: &'static str,
    machine: &'static [&'static str],
}

/// Cortex-M4 with a floating-point unit.
pub(crate) const CORTEX_M4: Core =
    arm("cortex-m4", "thumbv7em-none-eabihf", &["-M", "mps2-an386", "-icount", "shift=7"]);

/// Cortex-M33.
const CORTEX_M33: Core = arm("cortex-m33", "thumbv8m.main-none-eabihf", &["-M", "mps2-an505", "-icount", "shift=7"]);

pub(crate) const CORES: [Core; 6] = [
    CORTEX_M4,
    arm("cortex-m3", "thumbv7m-none-eabi", &["-M", "mps2-an385", "-icount", "shift=7"]),
    // No emulated board with a Cortex-M0+ has enough memory. Its code also runs on a Cortex-M3.
    arm("cortex-m0plus", "thumbv6m-none-eabi", &["-M", "mps2-an385", "-icount", "shift=7"]),
    Core {
        emulator: "qemu-system-riscv32",
        ..arm("riscv32imc", "riscv32imc-unknown-none-elf", &["-M", "virt", "-bios", "none", "-icount", "shift=0"])
    },
    Core { name: "cortex-m33-without-dsp", is_counted: false, ..CORTEX_M33 },
    Core { features: "dsp", ..CORTEX_M33 },
];

const fn arm(name: &'static str, target: &'static str, machine: &'static [&'static str]) -> Core {
    Core { name, target, features: "", is_counted: true, emulator: "qemu-system-arm", machine }
}

/// The cores whose name contains `filter`.
pub(crate) fn named(filter: &str) -> Result<Vec<&'static Core>> {
    let cores: Vec<&Core> = CORES.iter().filter(|core| core.name.contains(filter)).collect();
    let names = CORES.map(|core| core.name).join(", ");
    anyhow::ensure!(!cores.is_empty(), "no core's name contains `{filter}`; the cores are {names}");
    Ok(cores)
}

impl Core {
    /// Builds a program of the benchmark's firmware with every feature of the runtime.
    pub(crate) fn build(&self, name: &str, profile: &str) -> Result<PathBuf> {
        self.build_with(name, profile, &[])
    }

    /// The same with more arguments for cargo.
    pub(crate) fn build_with(&self, name: &str, profile: &str, more: &[&str]) -> Result<PathBuf> {
        let mut cargo = setup::cargo()?;
        cargo.current_dir(root().join("bench/firmware")).args(self.build_arguments(name, profile));
        run(cargo.args(["--quiet", "--features", self.features]).args(more))?;
        Ok(self.program_path(name, profile))
    }

    /// Arguments for [`setup::cargo`] that build a program for this core.
    pub(crate) fn build_arguments<'a>(&self, name: &'a str, profile: &'a str) -> [&'a str; 8] {
        ["build", "--locked", "--profile", profile, "--target", self.target, "--bin", name]
    }

    /// Where [`setup::cargo`] puts a program for this core.
    pub(crate) fn program_path(&self, name: &str, profile: &str) -> PathBuf {
        root().join("target/firmware").join(self.target).join(profile).join(name)
    }

    /// The emulator, with the address of every executed instruction on its standard error.
    pub(crate) fn tracer(&self, path: &Path) -> Command {
        let mut command = self.emulator(path);
        command.args(["-singlestep", "-d", "exec,nochain"]);
        command
    }

    /// The emulator with a program, whose output it prints by semihosting.
    pub(crate) fn emulator(&self, path: &Path) -> Command {
        let mut command = program(self.emulator, self.machine);
        command.args(["-display", "none", "-serial", "none", "-monitor", "none"]);
        command.args(["-semihosting-config", "enable=on,target=native", "-kernel"]);
        command.arg(path).stdin(Stdio::null());
        command
    }
}

/// `cargo xtask kernels`: compares every core's kernels with their definition, and every core with the host.
pub(crate) fn compare_kernels(filter: &str) -> Result<()> {
    setup::install_missing()?;
    for core in named(filter)? {
        let path = core.build("kernels", "release")?;
        print!("{}: ", core.name);
        std::io::stdout().flush()?;
        run(&mut core.emulator(&path))?;
    }
    Ok(())
}
