//! The emulated cores, and building and running firmware for them. Everything that a command of the project knows of a core
//! stands in [`CORES`].

use std::collections::{BTreeMap, BTreeSet};
use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use anyhow::Result;

use crate::process::{program, root, run};
use crate::setup;
use crate::timing::Model;

/// A core: its target, and the machine that QEMU emulates it with.
#[derive(Clone, Copy)]
pub(crate) struct Core {
    pub(crate) name: &'static str,
    pub(crate) target: &'static str,
    /// Features of the benchmark's firmware and of the library for C.
    pub(crate) features: &'static str,
    /// Whether instructions are counted: of one of each kind of core.
    pub(crate) is_counted: bool,
    /// Whether the costs of operations are measured, from which times on named chips are estimated.
    pub(crate) has_costs: bool,
    /// How long its instructions take.
    pub(crate) timing: Model,
    /// The compiler for programs in C, which are tried on one of each kind of core.
    pub(crate) compiler: Option<Compiler>,
    emulator: &'static str,
    machine: &'static [&'static str],
}

/// A compiler for programs in C, and what a core needs of it.
#[derive(Clone, Copy)]
pub(crate) struct Compiler {
    pub(crate) name: &'static str,
    pub(crate) flags: &'static [&'static str],
    /// Where code and memory are, and what starts `main`.
    pub(crate) start: &'static [&'static str],
}

/// Cortex-M4 with a floating-point unit.
pub(crate) const CORTEX_M4: Core = Core {
    name: "cortex-m4",
    target: "thumbv7em-none-eabihf",
    features: "",
    is_counted: true,
    has_costs: true,
    timing: Model::M4,
    compiler: gcc(&["-mcpu=cortex-m4", "-mthumb", "-mfloat-abi=hard", "-mfpu=fpv4-sp-d16"], &["-Tmps2.ld"]),
    emulator: "qemu-system-arm",
    machine: &["-M", "mps2-an386", "-icount", "shift=7"],
};

const CORTEX_M33: Core = Core {
    name: "cortex-m33",
    target: "thumbv8m.main-none-eabihf",
    features: "dsp",
    compiler: gcc(&["-mcpu=cortex-m33", "-mthumb", "-mfloat-abi=hard", "-mfpu=fpv5-sp-d16"], &["-Tmps2-an505.ld"]),
    machine: &["-M", "mps2-an505", "-icount", "shift=7"],
    ..CORTEX_M4
};

const CORTEX_M3: Core = Core {
    name: "cortex-m3",
    target: "thumbv7m-none-eabi",
    timing: Model::M3,
    compiler: gcc(&["-mcpu=cortex-m3", "-mthumb", "-mfloat-abi=soft"], &["-Tmps2.ld"]),
    machine: &["-M", "mps2-an385", "-icount", "shift=7"],
    ..CORTEX_M4
};

pub(crate) const CORES: [Core; 8] = [
    CORTEX_M4,
    CORTEX_M3,
    // No emulated board with a Cortex-M0+ has enough memory. Its code also runs on a Cortex-M3.
    Core {
        name: "cortex-m0plus",
        target: "thumbv6m-none-eabi",
        timing: Model::M0Plus,
        compiler: gcc(&["-mcpu=cortex-m0plus", "-mthumb", "-mfloat-abi=soft"], &["-Tmps2.ld"]),
        ..CORTEX_M3
    },
    Core {
        name: "riscv32imc",
        target: "riscv32imc-unknown-none-elf",
        timing: Model::RiscV,
        compiler: Some(Compiler {
            name: "riscv64-unknown-elf-gcc",
            flags: &["-march=rv32imc", "-mabi=ilp32", "--specs=picolibc.specs"],
            start: &[
                "--crt0=semihost",
                "--oslib=semihost",
                "-Wl,--defsym=__flash=0x80000000,--defsym=__flash_size=16M,--defsym=__ram=0x81000000,--defsym=__ram_size=16M",
            ],
        }),
        emulator: "qemu-system-riscv32",
        machine: &["-M", "virt", "-bios", "none", "-icount", "shift=0"],
        ..CORTEX_M4
    },
    Core {
        name: "cortex-m33-without-dsp",
        features: "",
        is_counted: false,
        has_costs: false,
        compiler: None,
        ..CORTEX_M33
    },
    CORTEX_M33,
    // Arm publishes no timings of it, and no named chip has one.
    Core {
        name: "cortex-m55",
        features: "mve",
        has_costs: false,
        compiler: None,
        machine: &["-M", "mps3-an547", "-icount", "shift=7"],
        ..CORTEX_M33
    },
    // The kernels of hosts, without a system.
    Core {
        name: "aarch64",
        target: "aarch64-unknown-none",
        features: "",
        is_counted: false,
        has_costs: false,
        compiler: None,
        emulator: "qemu-system-aarch64",
        machine: &["-M", "virt", "-cpu", "max", "-nic", "none"],
        ..CORTEX_M4
    },
];

/// GCC for Cortex-M, with newlib-nano; the core for RISC-V has picolibc.
const fn gcc(flags: &'static [&'static str], start: &'static [&'static str]) -> Option<Compiler> {
    Some(Compiler { name: "arm-none-eabi-gcc", flags, start })
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
        build_together(&[self], name, profile, more)?;
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

/// Builds a program of the benchmark's firmware for several cores. One command builds for all cores that need the same features,
/// so that cargo compiles for their targets side by side: optimising one program at the link keeps one processor busy. Where two
/// cores share a target, the program of the last one is left, and [`Core::build`] puts that of the other there again.
pub(crate) fn build_together(cores: &[&Core], name: &str, profile: &str, more: &[&str]) -> Result<()> {
    for targets in targets_by_features(cores) {
        let mut cargo = setup::cargo()?;
        cargo.current_dir(root().join("bench/firmware"));
        cargo.args(["build", "--locked", "--quiet", "--profile", profile, "--bin", name]).args(targets);
        run(cargo.args(more))?;
    }
    Ok(())
}

/// For each set of features that some of the cores need, cargo's arguments that ask for them and for those cores' targets. Kinds of
/// cores are kept apart, since cargo gives a crate the features that any target of a command asks for.
fn targets_by_features<'a>(cores: &[&'a Core]) -> Vec<Vec<&'a str>> {
    let mut targets: BTreeMap<(&str, &str), BTreeSet<&str>> = BTreeMap::new();
    for core in cores {
        targets.entry((core.features, core.emulator)).or_default().insert(core.target);
    }
    let targets = targets.into_iter();
    let arguments = targets.map(|((features, _), targets)| {
        let targets = targets.into_iter().flat_map(|target| ["--target", target]);
        ["--features", features].into_iter().chain(targets).collect()
    });
    arguments.collect()
}

/// `cargo xtask kernels`: compares every core's kernels with their definition, and every core with the host.
pub(crate) fn compare_kernels(filter: &str) -> Result<()> {
    setup::install_missing()?;
    let cores = named(filter)?;
    build_together(&cores, "kernels", "release", &[])?;
    for core in cores {
        let path = core.build("kernels", "release")?;
        print!("{}: ", core.name);
        std::io::stdout().flush()?;
        run(&mut core.emulator(&path))?;
    }
    Ok(())
}
