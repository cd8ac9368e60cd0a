//! All tests, and everything that must pass before a change lands.

use std::time::Instant;

use anyhow::{Context, Result};

use crate::build_graph::{self, EXAMPLE, TRAINER_TESTS};
use crate::process::{cargo, program, run};
use crate::{bench, cores, deny, docs, firmware, fuzz, setup};

/// `cargo xtask test`: installs what is missing, then runs the tests on the host and on the emulated chip.
pub(crate) fn test() -> Result<()> {
    setup::install_missing()?;
    // The development profile checks for overflows, which the bounds in format and runtime exclude. Neither depends on
    // burn.
    cargo(&["test", "-p", "edgemix-format", "-p", "edgemix-runtime", "--all-features"])?;
    cargo(&["test", "--release", "-p", "edgemix-format", "-p", "edgemix-runtime"])?;
    cargo(&[&["test"], TRAINER_TESTS].concat())?;
    cargo(&["test", "-p", "xtask"])?;
    println!("all tests passed, including those on the emulated chip");
    Ok(())
}

/// `cargo xtask ci`.
pub(crate) fn run_all() -> Result<()> {
    type Step = (&'static str, fn() -> Result<()>);
    let steps: [Step; 15] = [
        ("fmt", || cargo(&["fmt", "--all", "--check"])),
        ("build-graph", build_graph::check),
        ("deny", deny::check),
        ("test", test),
        ("example", || cargo(&[&["run"], EXAMPLE].concat())),
        ("firmware", || firmware::example(false)),
        ("docs", docs::run),
        ("nopanic", firmware::nopanic),
        ("update", || firmware::update(100)),
        ("fuzz", || fuzz::run(60)),
        ("kernels", || cores::compare_kernels("")),
        ("bench", || bench::run(bench::Mode::Check, "")),
        ("clippy", clippy),
        ("cuda", || cargo(&["check", "--release", "-p", "edgemix", "--features", "cuda"])),
        ("doc", || {
            run(program("cargo", &["doc", "--release", "--workspace", "--exclude", "xtask", "--no-deps"])
                .env("RUSTDOCFLAGS", "-D warnings"))
        }),
    ];
    for (name, step) in steps {
        let begin = Instant::now();
        step().with_context(|| format!("the step `{name}` failed"))?;
        println!("== {name}: {:.0} s", begin.elapsed().as_secs_f64());
    }
    Ok(())
}

/// Lints everything, then format and runtime without their optional features.
fn clippy() -> Result<()> {
    cargo(&["clippy", "--release", "--workspace", "--exclude", "xtask", "--all-targets", "--", "-D", "warnings"])?;
    cargo(&["clippy", "-p", "xtask", "--all-targets", "--", "-D", "warnings"])?;
    let bare = ["clippy", "--release", "-p", "edgemix-format", "-p", "edgemix-runtime", "--no-default-features"];
    cargo(&[&bare[..], &["--", "-D", "warnings"]].concat())
}
