//! Fuzzing with libFuzzer, on the stable compiler: its coverage instrumentation needs no other. (`cargo fuzz run load`
//! works too, where cargo-fuzz and a nightly compiler are installed.)

use std::fs;

use anyhow::{Context, Result, ensure};

use crate::process::{output, program, root, run};

const TARGETS: [&str; 2] = ["load", "mended"];

/// What cargo-fuzz passes, without the address sanitizer: there is no unsafe code to watch.
const FLAGS: &str = "--cfg fuzzing -Cpasses=sancov-module -Cllvm-args=-sanitizer-coverage-level=4 \
    -Cllvm-args=-sanitizer-coverage-inline-8bit-counters -Cllvm-args=-sanitizer-coverage-pc-table \
    -Cllvm-args=-sanitizer-coverage-trace-compares -Ccodegen-units=1";

/// `cargo xtask fuzz`: each target for its share of the seconds, from the committed seeds.
pub(crate) fn all(seconds: u64) -> Result<()> {
    let host = output(&mut program("rustc", &["-vV"]))?;
    let host = host.lines().find_map(|line| line.strip_prefix("host: ")).context("rustc -vV names no host")?;
    let folder = root().join("fuzz");
    let target = root().join("target/fuzz");
    // Naming the host keeps build scripts out of the instrumentation.
    let mut build = program("cargo", &["build", "--locked", "--release", "--target", host]);
    for name in TARGETS {
        build.args(["--bin", name]);
    }
    run(build.current_dir(&folder).env("RUSTFLAGS", FLAGS).env("CARGO_TARGET_DIR", &target))?;
    for name in TARGETS {
        let (found, artifacts) = (target.join("corpus").join(name), target.join("artifacts").join(name));
        fs::create_dir_all(&found).with_context(|| found.display().to_string())?;
        fs::create_dir_all(&artifacts).with_context(|| artifacts.display().to_string())?;
        let path = target.join(host).join("release").join(name);
        let mut fuzzer = program(path.to_str().context("a path that is not UTF-8")?, &[]);
        fuzzer
            // New inputs go to the first folder; the seeds stay as they are.
            .args([found.as_os_str(), folder.join("corpus").join(name).as_os_str()])
            .arg(format!("-max_total_time={}", (seconds / TARGETS.len() as u64).max(1)))
            .args(["-max_len=4096", "-timeout=10", "-rss_limit_mb=2048", "-print_final_stats=1", "-verbosity=0"])
            .arg(format!("-artifact_prefix={}/", artifacts.display()));
        let ran = fuzzer.output().with_context(|| path.display().to_string())?;
        let log = String::from_utf8_lossy(&ran.stderr);
        ensure!(ran.status.success(), "{name} has a finding: the input is in {}\n{log}", artifacts.display());
        let statistic = |name: &str| log.lines().find_map(|line| line.strip_prefix(name)).unwrap_or("?").trim();
        let (runs, new) = (statistic("stat::number_of_executed_units:"), statistic("stat::new_units_added:"));
        println!("{name}: {runs} inputs, {new} of them reached something new; no finding");
    }
    Ok(())
}
