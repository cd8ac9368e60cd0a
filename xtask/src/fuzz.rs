//! Fuzzing with libFuzzer. The stable compiler can instrument for coverage, so no nightly compiler is needed. Where one
//! is installed with cargo-fuzz, `cargo fuzz run load` works as well.

use std::fs;

use anyhow::{Context, Result, ensure};

use crate::process::{self, host, program, root};

const TARGETS: [&str; 2] = ["load", "mended"];

/// The flags of cargo-fuzz without the address sanitizer, since the fuzzed code has no unsafe blocks.
const FLAGS: &str = "--cfg fuzzing -Cpasses=sancov-module -Cllvm-args=-sanitizer-coverage-level=4 \
    -Cllvm-args=-sanitizer-coverage-inline-8bit-counters -Cllvm-args=-sanitizer-coverage-pc-table \
    -Cllvm-args=-sanitizer-coverage-trace-compares -Ccodegen-units=1";

/// `cargo xtask fuzz`: runs the mutations and each target for its share of the seconds. The targets start from the committed
/// seeds.
pub(crate) fn run(seconds: u64) -> Result<()> {
    let share = (seconds / (TARGETS.len() as u64 + 1)).max(1);
    mutations(u64::MAX, Some(share))?;
    let host = host()?;
    let folder = root().join("fuzz");
    let target = root().join("target/fuzz");
    // With a named target, cargo does not instrument build scripts.
    let mut build = program("cargo", &["build", "--locked", "--release", "--target", &host]);
    for name in TARGETS {
        build.args(["--bin", name]);
    }
    process::run(build.current_dir(&folder).env("RUSTFLAGS", FLAGS).env("CARGO_TARGET_DIR", &target))?;
    for name in TARGETS {
        let (found, artifacts) = (target.join("corpus").join(name), target.join("artifacts").join(name));
        fs::create_dir_all(&found).with_context(|| found.display().to_string())?;
        fs::create_dir_all(&artifacts).with_context(|| artifacts.display().to_string())?;
        let path = target.join(&host).join("release").join(name);
        let mut fuzzer = program(path.to_str().context("the path to the fuzz target is not UTF-8")?, &[]);
        fuzzer
            // The fuzzer writes new inputs to the first folder and only reads the seeds in the second.
            .args([found.as_os_str(), folder.join("corpus").join(name).as_os_str()])
            .arg(format!("-max_total_time={share}"))
            .args(["-max_len=1048576", "-timeout=10", "-rss_limit_mb=2048", "-print_final_stats=1", "-verbosity=0"])
            .arg(format!("-artifact_prefix={}/", artifacts.display()));
        let ran = fuzzer.output().with_context(|| path.display().to_string())?;
        let log = String::from_utf8_lossy(&ran.stderr);
        ensure!(ran.status.success(), "{name} found an input that fails: it is in {}\n{log}", artifacts.display());
        let statistic = |name: &str| log.lines().find_map(|line| line.strip_prefix(name)).unwrap_or("?").trim();
        let (runs, new) = (statistic("stat::number_of_executed_units:"), statistic("stat::new_units_added:"));
        println!("{name}: {runs} inputs, {new} of them reached new code, none failed");
    }
    Ok(())
}

/// `cargo xtask mutations`: exercises so many mutations of models, without instrumentation, and until the seconds are over.
pub(crate) fn mutations(count: u64, seconds: Option<u64>) -> Result<()> {
    let mut mutations = program(
        "cargo",
        &["run", "--locked", "--release", "--no-default-features", "--bin", "mutations", "--", &count.to_string()],
    );
    mutations.args(seconds.map(|seconds| seconds.to_string()));
    process::run(mutations.current_dir(root().join("fuzz")).env("CARGO_TARGET_DIR", root().join("target/fuzz")))
}
