//! Programs in C: compiling them for the host and for emulated cores, and what is in them.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context, Result, ensure};

use super::library;
use crate::cores::Core;
use crate::process::{program, root, run};
use crate::size;

/// Warnings are errors.
const WARNINGS: [&str; 4] = ["-std=c11", "-Wall", "-Wextra", "-Werror"];

/// Parts of the names of functions that need a panic or a heap.
const FORBIDDEN: [&str; 8] =
    ["panic", "core::fmt", "unwind", "unwrap_failed", "slice_index", "__rust", "alloc::", "bounds_check"];

/// Compiles a program of `c-api/example` for a core. `least.c` is linked with nothing but the library.
pub(super) fn for_core(core: &Core, source: &str, models: &Path, library: &Path, more: &[&str]) -> Result<PathBuf> {
    let compiler = core.compiler.with_context(|| format!("there is no compiler for {}", core.name))?;
    let out = root().join("target/c").join(format!("{source}-{}{}.elf", core.name, more.concat()));
    let example = root().join("c-api/example");
    let mut command = program(compiler.name, compiler.flags);
    command.args(WARNINGS).args(["-Os", "-ffunction-sections", "-fdata-sections", "-Wl,--gc-sections,-z,noexecstack"]);
    include(&mut command, models);
    command.arg(example.join(source)).arg(models.join("models.c"));
    let is_arm = compiler.name.starts_with("arm");
    if source == "least.c" {
        command.args(["-nostdlib", "-Wl,-Ttext=0", "-Wl,--entry=reset"]);
    } else if is_arm {
        command.arg(example.join("emulator/start.c"));
        command.args(["-nostartfiles", "--specs=nano.specs"]);
        command.arg("-L").arg(example.join("emulator")).args(compiler.start);
    } else {
        command.args(compiler.start);
    }
    command.args(more).arg(library).arg("-o").arg(&out);
    run(&mut command)?;
    Ok(out)
}

/// Compiles a program of `c-api/example` for the host.
pub(super) fn for_host(source: &str, models: &Path) -> Result<Command> {
    let out = root().join("target/c").join(source).with_extension("host");
    let mut command = host_compiler(&out);
    include(&mut command, models);
    command.arg(root().join("c-api/example").join(source)).arg(models.join("models.c"));
    run(command.arg(library::for_host()?).args(HOST_LIBRARIES))?;
    Ok(Command::new(out))
}

/// What the standard library of Rust needs, which the host's static library contains.
pub(super) const HOST_LIBRARIES: [&str; 3] = ["-lpthread", "-ldl", "-lm"];

/// The host's compiler, with warnings as errors.
pub(super) fn host_compiler(out: &Path) -> Command {
    let mut command = program("cc", &WARNINGS);
    command.args(["-O1", "-g", "-o"]).arg(out);
    command
}

fn include(command: &mut Command, models: &Path) {
    command.arg("-I").arg(root().join("c-api/include")).arg("-I").arg(models);
}

/// Checks that a program has no function of a panic or a heap.
pub(super) fn check_symbols(program: &Path) -> Result<()> {
    let found = size::functions_named(&read(program)?, &FORBIDDEN)?;
    ensure!(found.is_empty(), "{} contains what panics or allocates: {}", program.display(), found.join(", "));
    Ok(())
}

/// Bytes of code of `least.c`: the library, and a function of its own with some hundred bytes.
pub(super) fn code(program: &Path) -> Result<u64> {
    Ok(size::measure(&read(program)?)?.library)
}

fn read(path: &Path) -> Result<Vec<u8>> {
    fs::read(path).with_context(|| path.display().to_string())
}
