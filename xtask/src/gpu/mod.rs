//! What must hold on a GPU before anybody trains on it: the same operations, losses and models as on the CPU, and its speed.
//!
//! A GPU is often on a machine without a compiler and without a network. So a folder with two programs and the samples is made
//! here, carried there, and run there by one command. Each part runs in processes of its own with a limit of time, and the results
//! are written after each: a driver that crashes costs one part.

mod build;
mod bundle;
mod methods;
mod operations;
mod results;
mod setting;
mod speed;
mod training;
mod trials;

use std::path::PathBuf;
use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail};

use build::build;
pub(crate) use bundle::bundle;
use results::{Part, Results};
use setting::Setting;

use crate::process::root;
use crate::setup;

/// Compares or measures something in a limited time.
type Trials = fn(&Setting, Duration) -> Result<Part>;

/// The parts in their order; the first two are those that a slow device bears.
const PARTS: [(&str, Trials); 4] = [
    ("operations", operations::check),
    ("methods", methods::compare),
    ("speed", speed::measure),
    ("runs", training::run),
];

/// How much is run.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Extent {
    /// All parts.
    Whole,
    /// What a slow device bears within minutes: small shapes, two methods, nothing that is timed.
    Small,
    /// The same with all methods, which takes a multiple of the time.
    SmallWithEveryMethod,
}

/// `cargo xtask gpu`: builds the program with a backend and runs the set on this machine.
pub(crate) fn run_here(backend: &str, extent: Extent, samples: Option<PathBuf>) -> Result<()> {
    let is_small = extent != Extent::Whole;
    build(backend, !is_small)?;
    let minutes = match extent {
        Extent::Whole => 10,
        Extent::Small => 20,
        Extent::SmallWithEveryMethod => 90,
    };
    run(&Setting {
        program: root().join("target/release/edgemix"),
        backend: backend.to_owned(),
        samples,
        pytorch: root().join("bench/pytorch.py"),
        out: root().join("target/gpu").join(backend),
        limit: Duration::from_secs(minutes * 60),
        is_small,
        every_method: extent != Extent::Small,
    })
}

/// The step of `cargo xtask ci`: the set on a GPU that Mesa's driver imitates on the CPU, where there is no other.
pub(crate) fn run_in_software() -> Result<()> {
    setup::install_vulkan()?;
    run_here("wgpu", Extent::Small, None)
}

/// `xtask gpu-run`: runs the set with programs that were carried here.
pub(crate) fn run_bundle(backend: &str, options: &[&str]) -> Result<()> {
    let mut setting = Setting {
        program: "edgemix".into(),
        backend: backend.to_owned(),
        samples: None,
        pytorch: "pytorch.py".into(),
        out: "results".into(),
        limit: Duration::from_secs(600),
        is_small: false,
        every_method: true,
    };
    for option in options.chunks(2) {
        match *option {
            ["--program", path] => setting.program = path.into(),
            ["--samples", path] => setting.samples = Some(path.into()),
            ["--pytorch", path] => setting.pytorch = path.into(),
            ["--out", path] => setting.out = path.into(),
            ["--seconds", seconds] => setting.limit = Duration::from_secs(seconds.parse().context("--seconds")?),
            _ => bail!("unknown option `{}`", option.join(" ")),
        }
    }
    run(&setting)
}

/// Runs all parts, and writes their results to `results.json` and `results.md`.
///
/// # Errors
/// If a part that must hold does not, after all parts have run.
pub(crate) fn run(setting: &Setting) -> Result<()> {
    std::fs::create_dir_all(&setting.out).with_context(|| setting.out.display().to_string())?;
    let begin = Instant::now();
    let mut results = Results::new(setting)?;
    for (name, part) in if setting.is_small { &PARTS[..2] } else { &PARTS[..] } {
        let left = setting.limit.saturating_sub(begin.elapsed());
        if left < Duration::from_secs(10) {
            results.add(Part::left_out(name, "no time was left"))?;
            continue;
        }
        println!("-- {name}, with {} s left", left.as_secs());
        let begin = Instant::now();
        let part = part(setting, left).unwrap_or_else(|error| Part::failed(name, &format!("{error:#}")));
        results.add(part.after(begin.elapsed()))?;
    }
    println!("{}", results.table());
    results.verdict()
}
