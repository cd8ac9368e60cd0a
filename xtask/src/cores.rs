//! The cores that the runtime is measured and compared on, and the firmware that does it.

use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use anyhow::Result;

use crate::process::{program, root, run};
use crate::setup;

/// A kind of core: its target and the machine that QEMU emulates it with.
pub(crate) struct Core {
    pub(crate) name: &'static str,
    pub(crate) target: &'static str,
    features: &'static str,
    /// Whether instructions are counted, too.
    pub(crate) is_counted: bool,
    emulator: &'static str,
    machine: &'static [&'static str],
}

pub(crate) const CORES: [Core; 6] = [
    arm("cortex-m4", "thumbv7em-none-eabihf", &["-M", "mps2-an386", "-icount", "shift=7"]),
    arm("cortex-m3", "thumbv7m-none-eabi", &["-M", "mps2-an385", "-icount", "shift=7"]),
    // No emulated board with a Cortex-M0+ has the memory: its code runs on a Cortex-M3 as well.
    arm("cortex-m0plus", "thumbv6m-none-eabi", &["-M", "mps2-an385", "-icount", "shift=7"]),
    Core {
        emulator: "qemu-system-riscv32",
        ..arm("riscv32imc", "riscv32imc-unknown-none-elf", &["-M", "virt", "-bios", "none", "-icount", "shift=0"])
    },
    Core { is_counted: false, ..arm("cortex-m33-without-dsp", "thumbv8m.main-none-eabihf", &["-M", "mps2-an505"]) },
    Core {
        is_counted: false,
        features: "dsp",
        ..arm("cortex-m33", "thumbv8m.main-none-eabihf", &["-M", "mps2-an505"])
    },
];

const fn arm(name: &'static str, target: &'static str, machine: &'static [&'static str]) -> Core {
    Core { name, target, features: "", is_counted: true, emulator: "qemu-system-arm", machine }
}

impl Core {
    /// Builds a program of the benchmark's firmware, with every feature of the runtime.
    pub(crate) fn build(&self, name: &str, profile: &str) -> Result<PathBuf> {
        self.build_with(name, profile, &[])
    }

    /// The same with more arguments for cargo.
    pub(crate) fn build_with(&self, name: &str, profile: &str, more: &[&str]) -> Result<PathBuf> {
        let mut cargo = setup::cargo()?;
        cargo.current_dir(root().join("bench/firmware"));
        cargo.args(["build", "--quiet", "--locked", "--profile", profile, "--target", self.target, "--bin", name]);
        run(cargo.args(["--features", self.features]).args(more))?;
        Ok(root().join("target/firmware").join(self.target).join(profile).join(name))
    }

    /// The emulator, which writes the address of every instruction that it executes to its standard error.
    pub(crate) fn tracer(&self, path: &Path) -> Command {
        let mut command = self.emulator(path);
        command.args(["-singlestep", "-d", "exec,nochain"]);
        command
    }

    /// The emulator with a program.
    pub(crate) fn emulator(&self, path: &Path) -> Command {
        let mut command = program(self.emulator, self.machine);
        command.args(["-display", "none", "-serial", "none", "-monitor", "none"]);
        command.args(["-semihosting-config", "enable=on,target=native", "-kernel"]);
        command.arg(path).stdin(Stdio::null());
        command
    }
}

/// `cargo xtask kernels`: every core's kernels against their definition, and every core against the host.
pub(crate) fn kernels(filter: &str) -> Result<()> {
    setup::run_quietly()?;
    for core in CORES.iter().filter(|core| core.name.contains(filter)) {
        let path = core.build("kernels", "release")?;
        print!("{}: ", core.name);
        std::io::stdout().flush()?;
        run(&mut core.emulator(&path))?;
    }
    Ok(())
}
