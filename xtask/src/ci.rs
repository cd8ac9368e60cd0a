//! All tests, and everything that must hold before a change lands.

use std::time::Instant;

use anyhow::{Context, Result};

use crate::process::{program, run};
use crate::{bench, cores, docs, firmware, fuzz, setup};

/// `cargo xtask test`: what is missing is set up; host tests; the emulated parity test.
pub(crate) fn test() -> Result<()> {
    setup::run_quietly()?;
    // Format and runtime once more with overflow checks: what their bounds promise must hold.
    cargo(&["test", "-p", "edgemix-format", "-p", "edgemix-runtime", "--all-features"])?;
    // One profile and the same features as `cargo run --release`, so that burn is built once. This program's own
    // dependencies ask for other features, so it is left out, and tested in the profile in which it was built.
    cargo(&["test", "--release", "--workspace", "--exclude", "xtask", "--features", "edgemix-tests/emulator"])?;
    cargo(&["test", "-p", "xtask"])?;
    println!("all tests passed, those on the emulated chip too");
    Ok(())
}

/// `cargo xtask ci`.
pub(crate) fn run_all() -> Result<()> {
    type Step = (&'static str, fn() -> Result<()>);
    let steps: [Step; 11] = [
        ("fmt", || cargo(&["fmt", "--all", "--check"])),
        ("test", test),
        ("firmware", || firmware::example(false)),
        ("docs", docs::all),
        ("nopanic", firmware::nopanic),
        ("fuzz", || fuzz::all(60)),
        ("kernels", || cores::kernels("")),
        ("bench", || bench::bench(bench::Mode::Check, "")),
        ("clippy", clippy),
        ("cuda", || cargo(&["check", "--release", "-p", "edgemix", "--features", "cuda"])),
        ("doc", || {
            run(program("cargo", &["doc", "--release", "--workspace", "--exclude", "xtask", "--no-deps"])
                .env("RUSTDOCFLAGS", "-D warnings"))
        }),
    ];
    for (name, step) in steps {
        let begin = Instant::now();
        step().with_context(|| format!("step {name}"))?;
        println!("== {name}: {:.0} s", begin.elapsed().as_secs_f64());
    }
    Ok(())
}

/// Everything, and what a firmware takes without any feature.
fn clippy() -> Result<()> {
    cargo(&["clippy", "--release", "--workspace", "--exclude", "xtask", "--all-targets", "--", "-D", "warnings"])?;
    cargo(&["clippy", "-p", "xtask", "--all-targets", "--", "-D", "warnings"])?;
    let least = ["-p", "edgemix-format", "-p", "edgemix-runtime", "--no-default-features"];
    cargo(&[&["clippy", "--release"][..], &least, &["--", "-D", "warnings"]].concat())
}

fn cargo(arguments: &[&str]) -> Result<()> {
    run(&mut program("cargo", arguments))
}
