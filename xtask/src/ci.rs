//! All tests, and everything that must pass before a change lands.

use std::fs;
use std::time::Instant;

use anyhow::{Context, Result};

use crate::build_graph::{self, EXAMPLE, TRAINER_TESTS};
use crate::process::{cargo, program, root, run};
use crate::{bench, c, cores, deny, docs, firmware, fuzz, gpu, package, python, setup, slow};

/// `cargo xtask test`: installs what is missing, then runs the tests on the host and on the emulated chip.
pub(crate) fn test() -> Result<()> {
    setup::install_missing()?;
    // The development profile checks for overflows, which the bounds in format and runtime exclude. Neither depends on
    // burn.
    cargo(&["test", "-p", "edgemix-format", "-p", "edgemix-runtime", "-p", "edgemix-c", "--all-features"])?;
    cargo(&["test", "--release", "-p", "edgemix-format", "-p", "edgemix-runtime"])?;
    cargo(&[&["test"], TRAINER_TESTS].concat())?;
    cargo(&["test", "-p", "xtask"])?;
    println!("all tests passed, including those on the emulated chip");
    Ok(())
}

/// A step of `cargo xtask ci`.
struct Step {
    name: &'static str,
    run: fn() -> Result<()>,
    /// A folder of builds that no later step needs.
    leaves: Option<&'static str>,
}

const fn step(name: &'static str, run: fn() -> Result<()>) -> Step {
    Step { name, run, leaves: None }
}

/// The firmware comes before the tests, so that its builds are gone when those of the trainer take their place.
const STEPS: [Step; 20] = [
    step("fmt", fmt),
    step("build-graph", build_graph::check),
    step("deny", deny::check),
    step("package", package::check),
    step("firmware", || firmware::example(false)),
    step("nopanic", firmware::nopanic),
    step("update", || firmware::update(100)),
    step("kernels", || cores::compare_kernels("")),
    step("c", || c::run(false)),
    step("slow", || slow::run("m4")),
    Step { leaves: Some("target/firmware"), ..step("bench", || bench::run(bench::Mode::Check, "")) },
    Step { leaves: Some("target/fuzz"), ..step("fuzz", || fuzz::run(60)) },
    step("test", test),
    step("example", || cargo(&[&["run"], EXAMPLE].concat())),
    Step { leaves: Some("target/python"), ..step("python", python::run_all) },
    Step { leaves: Some("target/firmware"), ..step("docs", docs::run) },
    step("clippy", clippy),
    step("backends", backends),
    step("doc", || {
        run(program("cargo", &["doc", "--release", "--workspace", "--exclude", "xtask", "--no-deps"])
            .env("RUSTDOCFLAGS", "-D warnings"))
    }),
    // The last one, since it leaves a program with another backend.
    step("gpu", gpu::run_in_software),
];

/// `cargo xtask ci`. Where `CI` is set, the checkout is thrown away afterwards, and what no later step needs makes room
/// for the others.
pub(crate) fn run_all() -> Result<()> {
    let is_thrown_away = std::env::var_os("CI").is_some();
    for step in STEPS {
        let begin = Instant::now();
        (step.run)().with_context(|| format!("the step `{}` failed", step.name))?;
        println!("== {}: {:.0} s", step.name, begin.elapsed().as_secs_f64());
        if let Some(folder) =
            step.leaves.map(|folder| root().join(folder)).filter(|folder| is_thrown_away && folder.exists())
        {
            fs::remove_dir_all(&folder).with_context(|| folder.display().to_string())?;
        }
    }
    Ok(())
}

/// Checks the form of every workspace: firmware and fuzz targets have their own.
fn fmt() -> Result<()> {
    for folder in [".", "bench/firmware", "firmware-example", "fuzz"] {
        let manifest = root().join(folder).join("Cargo.toml").display().to_string();
        cargo(&["fmt", "--all", "--check", "--manifest-path", &manifest])?;
    }
    Ok(())
}

/// Lints the trainer with every backend, of which the other steps build what this machine can run.
fn backends() -> Result<()> {
    let features = "cuda,wgpu,unfused,ndarray";
    cargo(&["clippy", "--release", "-p", "edgemix", "--features", features, "--", "-D", "warnings"])
}

/// Lints everything, then format and runtime without their optional features.
fn clippy() -> Result<()> {
    cargo(&["clippy", "--release", "--workspace", "--exclude", "xtask", "--all-targets", "--", "-D", "warnings"])?;
    cargo(&["clippy", "-p", "xtask", "--all-targets", "--", "-D", "warnings"])?;
    let bare = ["clippy", "--release", "-p", "edgemix-format", "-p", "edgemix-runtime", "--no-default-features"];
    cargo(&[&bare[..], &["--", "-D", "warnings"]].concat())
}
