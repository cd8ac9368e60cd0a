//! Hostile models through the functions of the header, on the host.

use std::process::Stdio;

use anyhow::{Context, Result, ensure};

use super::library;
use super::programs::{HOST_LIBRARIES, host_compiler};
use crate::process::{program, root, run};

/// Feeds so many mutated models to `c-api/tests/hostile.c`.
pub(super) fn run_all(count: u64) -> Result<()> {
    let out = root().join("target/c/hostile");
    let mut compiler = host_compiler(&out);
    compiler.args(["-fsanitize=address,undefined", "-fno-sanitize-recover=all", "-fno-omit-frame-pointer", "-I"]);
    compiler.arg(root().join("c-api/include")).arg(root().join("c-api/tests/hostile.c"));
    run(compiler.arg(library::for_host()?).args(HOST_LIBRARIES))?;

    let count = count.to_string();
    let bin = ["run", "--locked", "--release", "--quiet", "--no-default-features", "--bin", "mutants", "--", &count];
    let mut mutants = program("cargo", &bin);
    mutants.current_dir(root().join("fuzz")).env("CARGO_TARGET_DIR", root().join("target/fuzz"));
    let mut mutants = mutants.stdout(Stdio::piped()).spawn().context("cargo cannot be started")?;
    let models = mutants.stdout.take().context("the models cannot be read")?;
    let tested = program(&out.display().to_string(), &[]).stdin(models).status()?;
    ensure!(tested.success(), "a hostile model found a fault in the library for C: {tested}");
    ensure!(mutants.wait()?.success(), "not all hostile models were made");
    Ok(())
}
