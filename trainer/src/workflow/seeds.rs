//! Several runs on the same samples with different seeds.

use std::ops::Range;
use std::path::{Path, PathBuf};

use super::error::WorkflowError;
use super::fit::{FitOptions, FitSummary, fit};
use super::models::{RunModels, is_finished};
use super::plan::Plan;
use super::start::{ExistingRun, start};
use crate::assessment::interval::SeedInterval;
use crate::run::{RunDir, RunError, RunFile, RunState};
use crate::training::{FitError, Observer};

/// The files that are copied from the medoid to the common directory; the settings are last, as when a run starts.
const OF_MEDOID: [RunFile; 8] = [
    RunFile::Data,
    RunFile::ClusterCount,
    RunFile::StickWeights,
    RunFile::Metrics,
    RunFile::Latents,
    RunFile::Trained,
    RunFile::Model,
    RunFile::Settings,
];

/// Runs with consecutive seeds, each in a directory of its own below a common one. The run that agrees best with the others,
/// the medoid, is copied to the common directory at the end. Several processes may share the work of one directory, on one
/// machine or on several: each run is locked by the process that trains it.
///
/// ```
/// use edgemix::data::{self, Source};
/// use edgemix::methods::FitConfig;
/// use edgemix::workflow::{FitOptions, Plan, SeedSeries};
///
/// # let folder = tempfile::tempdir()?;
/// # let out = folder.path();
/// let (source, dataset) = (Source::new("digits"), data::digits());
/// let epochs = edgemix::training::PhaseSettings::with_epochs(1);
/// let config = FitConfig { encoder: "16-4".parse()?, reconstruction: epochs, clustering: epochs, ..FitConfig::default() };
/// let plan = Plan::new(&source, &dataset, config)?;
/// let options = FitOptions { allow_disagreement: true, ..FitOptions::default() };
/// let mut series = SeedSeries::new(out, &plan, 2, false)?;
/// for seed in series.seeds() {
///     series.train(seed, &options, &mut ())?;
/// }
/// let interval = series.finish()?;
/// assert_eq!(interval.runs.len(), 2);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Debug)]
pub struct SeedSeries<'a> {
    out: PathBuf,
    plan: Plan<'a>,
    seeds: Range<u64>,
    existing: ExistingRun,
    found: Vec<(u64, Vec<u16>)>,
}

/// A run of the series.
#[derive(Debug)]
pub struct SeedSummary {
    /// Its directory.
    pub run: RunDir,
    /// The summary of the fit; `None` if the run was finished before and was skipped.
    pub fitted: Option<FitSummary>,
}

impl<'a> SeedSeries<'a> {
    /// Prepares `n` runs, whose seeds start at that of the plan. Runs that are already there are replaced if `replace` is
    /// set, and otherwise resumed.
    ///
    /// # Errors
    /// [`WorkflowError::Fit`] if the settings start from another run, [`WorkflowError::SingleRun`] if the directory contains a run that is not a series, [`WorkflowError::Foreign`] if it
    /// contains files that a run would overwrite, the errors of [`Plan::new`] for one of the seeds, and
    /// [`WorkflowError::Run`] if the directory can't be read or written.
    pub fn new(out: &Path, plan: &Plan<'a>, n: u64, replace: bool) -> Result<Self, WorkflowError> {
        if plan.config().start_from.is_some() {
            let problem =
                "the runs of a series hold out different samples, so that no autoencoder fits them all: omit it";
            return Err(FitError::setting("start-from", problem).into());
        }
        let first = plan.config().seed;
        let seeds = first..first.saturating_add(n);
        seeds.clone().try_for_each(|seed| plan.with_seed(seed).map(drop))?;
        check_directory(&RunDir::open(out))?;
        // What can't be created or locked is told before hours of training; a series that is ending holds the lock.
        match RunDir::create(out) {
            Err(RunError::Busy { .. }) => {}
            directory => drop(directory?),
        }
        let existing = if replace { ExistingRun::Replace } else { ExistingRun::Resume };
        Ok(Self { out: out.into(), plan: plan.clone(), seeds, existing, found: vec![] })
    }

    /// Whether a series of `n` runs with seeds from `first` on has nothing left to train, and its result is there.
    ///
    /// # Errors
    /// [`WorkflowError::Run`] if a directory can't be read.
    pub fn is_finished(out: &Path, first: u64, n: u64) -> Result<bool, WorkflowError> {
        let seeds = first..first.saturating_add(n);
        let interval = RunDir::open(out).interval();
        let is_whole = |interval: SeedInterval| interval.runs.iter().map(|run| run.seed).eq(seeds.clone());
        if !interval.ok().flatten().is_some_and(is_whole) {
            return Ok(false);
        }
        for seed in seeds {
            if !is_finished(&RunDir::open(&Self::run_directory(out, seed)))? {
                return Ok(false);
            }
        }
        is_finished(&RunDir::open(out))
    }

    /// The common directory.
    pub fn directory(&self) -> &Path {
        &self.out
    }

    /// The directory of the run with this seed.
    pub fn run_directory(out: &Path, seed: u64) -> PathBuf {
        out.join(format!("seed-{seed}"))
    }

    /// The seeds.
    pub fn seeds(&self) -> Range<u64> {
        self.seeds.clone()
    }

    /// Trains the run with this seed; a run that is finished is skipped.
    ///
    /// # Errors
    /// [`WorkflowError::Run`] with [`RunError::Busy`] if another process trains the run, the errors of [`start`] and [`fit`],
    /// and [`WorkflowError::Assign`] if the trained model can't assign the samples.
    pub fn train(
        &mut self,
        seed: u64,
        options: &FitOptions,
        observer: &mut dyn Observer,
    ) -> Result<SeedSummary, WorkflowError> {
        let plan = self.plan.with_seed(seed)?;
        let run = start(&Self::run_directory(&self.out, seed), &plan, self.existing)?;
        let finished = RunModels::read(&run).ok().map(|models| models.trained);
        let (run, trained, fitted) = match finished {
            Some(trained) => (run, trained, None),
            None => {
                let fitted = fit(&run, &plan, options, observer)?;
                (fitted.run.clone(), fitted.trained.clone(), Some(fitted))
            }
        };
        self.found.push((seed, trained.assign(&plan.dataset().samples)?));
        Ok(SeedSummary { run, fitted })
    }

    /// The seeds of the runs that are not finished, whichever process trains them.
    ///
    /// # Errors
    /// [`WorkflowError::Run`] if a directory can't be read.
    pub fn unfinished(&self) -> Result<Vec<u64>, WorkflowError> {
        let mut seeds = vec![];
        for seed in self.seeds() {
            if !is_finished(&RunDir::open(&Self::run_directory(&self.out, seed)))? {
                seeds.push(seed);
            }
        }
        Ok(seeds)
    }

    /// Compares the runs, and makes the medoid the run of the common directory. Runs that other processes trained are read.
    ///
    /// # Errors
    /// [`WorkflowError::Run`] with [`RunError::Busy`] if another process ends the same series, with [`RunError::Unfinished`] if
    /// a run is not finished, and if a file can't be read or written, [`WorkflowError::Mismatch`] if the models of a run are not
    /// the same model, and [`WorkflowError::Assign`] if one can't assign the samples.
    pub fn finish(mut self) -> Result<SeedInterval, WorkflowError> {
        for seed in self.seeds() {
            if self.found.iter().all(|&(found, _)| found != seed) {
                let models = RunModels::read(&RunDir::open(&Self::run_directory(&self.out, seed)))?;
                self.found.push((seed, models.trained.assign(&self.plan.dataset().samples)?));
            }
        }
        self.found.sort_by_key(|&(seed, _)| seed);
        let interval = SeedInterval::new(&self.found);
        let medoid = interval.runs[interval.medoid].seed;
        let medoid = RunDir::open(&Self::run_directory(&self.out, medoid));
        let directory = RunDir::create(&self.out)?;
        check_directory(&directory)?;
        // The result of an earlier series stays whole until this one is.
        let result = directory.replacement();
        result.clear()?;
        result.write_interval(&interval)?;
        OF_MEDOID.into_iter().try_for_each(|file| result.copy_from(&medoid, file))?;
        result.publish()?;
        Ok(interval)
    }
}

/// Refuses a common directory with files that the result of a series would overwrite.
fn check_directory(directory: &RunDir) -> Result<(), WorkflowError> {
    let path = || directory.path().to_owned();
    match directory.state()? {
        RunState::Foreign(file) => Err(WorkflowError::Foreign { path: path(), file }),
        RunState::Started if !directory.contains(RunFile::Interval) => Err(WorkflowError::SingleRun { path: path() }),
        _ => Ok(()),
    }
}
