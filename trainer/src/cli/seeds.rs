//! The runs of `edgemix train --seeds`.

use std::path::PathBuf;
use std::thread;
use std::time::{Duration, Instant};

use super::commands::commands;
use super::describe::title;
use super::error::CliError;
use super::jobs::{Jobs, Remaining, Series, Turn};
use super::output::tell;
use super::progress::{View, during_fit};
use super::report::write_page;
use super::warnings::warn_of_fit;
use crate::assessment::interval::SeedInterval;
use crate::base::text::listed;
use crate::run::{RunDir, RunError};
use crate::training::Observer;
use crate::workflow::{FitOptions, Plan, SeedSeries, WorkflowError};

/// How long a directory is waited for that another process holds, which writes a result there.
const PATIENCE: Duration = Duration::from_secs(60);

/// Trains the runs of a series and compares them. `None` if this process is a worker, or if other processes still train some of
/// the runs, the last of which compares them.
///
/// # Errors
/// Those of the runs, and [`CliError::Lost`] if a worker ended before its run.
pub(super) fn train_series(
    series: SeedSeries,
    plan: &Plan,
    options: &FitOptions,
    jobs: &Jobs,
    device: &str,
) -> Result<Option<SeedInterval>, CliError> {
    let mut runs = SeedRuns { seeds: series.seeds().collect(), series, plan, options };
    let Some(Remaining { held, lost }) = jobs.train(&mut runs, device)? else { return Ok(None) };
    if !lost.is_empty() {
        return Err(CliError::Lost { lost, is_wrong_use: false });
    }
    let series = runs.series;
    let unfinished = series.unfinished()?;
    if !unfinished.is_empty() {
        let paths = unfinished.iter().map(|&seed| path_of(&series, seed).display().to_string());
        tell(&format!(
            "note: other processes train {}; the last of them compares the runs, and so does this command when they have ended",
            listed(&paths.collect::<Vec<_>>())
        ));
        return Ok(None);
    }
    if !held.is_empty() {
        tell(&format!("note: other processes trained {}", listed(&held)));
    }
    patiently(|| Ok(series.clone().finish()?)).map(Some)
}

fn path_of(series: &SeedSeries, seed: u64) -> PathBuf {
    SeedSeries::run_directory(series.directory(), seed)
}

/// Does work in a directory as soon as no other process writes to it.
///
/// # Errors
/// Those of the work.
pub(super) fn patiently<T>(work: impl Fn() -> Result<T, CliError>) -> Result<T, CliError> {
    let begin = Instant::now();
    loop {
        match work() {
            Err(CliError::Workflow(WorkflowError::Run(RunError::Busy { .. }))) if begin.elapsed() < PATIENCE => {
                thread::sleep(Duration::from_millis(200));
            }
            done => return done,
        }
    }
}

/// The runs of a series.
struct SeedRuns<'a> {
    series: SeedSeries<'a>,
    seeds: Vec<u64>,
    plan: &'a Plan<'a>,
    options: &'a FitOptions,
}

impl Series for SeedRuns<'_> {
    fn names(&self) -> Vec<String> {
        self.seeds.iter().map(|&seed| path_of(&self.series, seed).display().to_string()).collect()
    }

    fn train(&mut self, index: usize) -> Result<Turn, CliError> {
        let (plan, seed) = (self.plan, self.seeds[index]);
        let path = path_of(&self.series, seed);
        let fit = |observer: &mut dyn Observer| self.series.train(seed, self.options, observer);
        let summary = match during_fit(&RunDir::open(&path), &title(plan, &path), View::Plain, fit)? {
            Err(WorkflowError::Run(RunError::Busy { .. })) => return Ok(Turn::Held),
            summary => summary?,
        };
        match &summary.fitted {
            Some(fitted) => warn_of_fit(fitted, plan.config()),
            None => tell("note: this run is finished, and kept"),
        }
        write_page(&summary.run, plan.dataset(), &commands(summary.run.path(), &plan.record().source, None))?;
        Ok(Turn::Done)
    }

    fn may_be_started_from(&self, _: usize) -> bool {
        true
    }
}
