//! Several methods with several seeds on the same samples.

use std::path::{Path, PathBuf};
use std::time::Instant;

use super::compared::{Compared, ComparisonRun};
use super::error::WorkflowError;
use super::evaluation::Evaluation;
use super::fit::{FitOptions, FitSummary, fit};
use super::plan::Plan;
use super::start::{ExistingRun, check_samples, start};
use super::start_from::kept_autoencoder;
use super::table::{ComparisonRow, Outcome, TableFormat, comparison_table};
use crate::data::{DataRecord, Dataset, Source};
use crate::methods::{FitConfig, MethodConfig};
use crate::run::{RunDir, RunError, RunFile, write_whole};
use crate::training::{FitError, Observer};

/// A comparison of methods, or of values of a setting: each is run with each seed, in a directory `NAME-SEED` below a common
/// one. A run that is finished is skipped, so that a comparison that was interrupted continues. Several processes may share
/// the work of one directory, on one machine or on several: each run is locked by the process that trains it.
///
/// ```
/// use edgemix::data::{self, Source};
/// use edgemix::methods::{FitConfig, MethodConfig};
/// use edgemix::workflow::{Comparison, FitOptions, TableFormat};
///
/// # let folder = tempfile::tempdir()?;
/// # let out = folder.path();
/// let (source, dataset) = (Source::new("digits"), data::digits());
/// let epochs = edgemix::training::PhaseSettings::with_epochs(1);
/// let settings = FitConfig { encoder: "16-4".parse()?, reconstruction: epochs, clustering: epochs, ..FitConfig::default() };
/// let methods = ["ae-kmeans", "ae-gmm"].map(|name| MethodConfig::named(name).unwrap());
/// let mut comparison = Comparison::new(out, &source, &dataset, &settings, &methods, 1);
/// for run in comparison.runs() {
///     comparison.train(&run, &FitOptions::default(), &mut ())?;
/// }
/// assert_eq!(comparison.table(TableFormat::Csv).lines().count(), 3);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Debug)]
pub struct Comparison<'a> {
    out: PathBuf,
    source: &'a Source,
    dataset: &'a Dataset,
    runs: Vec<ComparisonRun>,
    /// What is known of each run.
    outcomes: Vec<Option<Outcome>>,
    shares_reconstruction: bool,
}

impl<'a> Comparison<'a> {
    /// Compares `methods` with the seeds from 0 to `seeds - 1`. All runs have the same `settings`, apart from the method and
    /// the seed.
    pub fn new(
        out: &Path,
        source: &'a Source,
        dataset: &'a Dataset,
        settings: &FitConfig,
        methods: &[MethodConfig],
        seeds: u64,
    ) -> Self {
        let of = |method: &MethodConfig| Compared::method(FitConfig { method: method.clone(), ..settings.clone() });
        Self::of(out, source, dataset, &methods.iter().map(of).collect::<Vec<_>>(), seeds)
    }

    /// Compares settings with the seeds from 0 to `seeds - 1`.
    pub fn of(out: &Path, source: &'a Source, dataset: &'a Dataset, compared: &[Compared], seeds: u64) -> Self {
        let of = |(at, own): (usize, &Compared)| {
            let (name, settings) = (own.name.clone(), own.settings.clone());
            (0..seeds).map(move |seed| {
                let settings = FitConfig { seed, ..settings.clone() };
                ComparisonRun { index: 0, compared: at, name: name.clone(), settings }
            })
        };
        let mut runs: Vec<ComparisonRun> = compared.iter().enumerate().flat_map(of).collect();
        runs.iter_mut().enumerate().for_each(|(index, run)| run.index = index);
        let outcomes = vec![None; runs.len()];
        Self { out: out.into(), source, dataset, runs, outcomes, shares_reconstruction: false }
    }

    /// The same comparison, in which a run starts from the autoencoder of the first run before it that has the same seed,
    /// the same layers and the same settings of the reconstruction, if there is one.
    pub fn sharing_reconstruction(self) -> Self {
        Self { shares_reconstruction: true, ..self }
    }

    /// The runs, in the order of the table.
    pub fn runs(&self) -> Vec<ComparisonRun> {
        self.runs.clone()
    }

    /// Checks that the runs below the common directory have these samples: those of this comparison, and those of others, whose
    /// tables have the same place.
    ///
    /// # Errors
    /// [`WorkflowError::OtherSource`] or [`WorkflowError::OtherSamples`] if one of them has others, and [`WorkflowError::Run`] if
    /// the file that says so can't be read.
    pub fn check_samples(&self) -> Result<(), WorkflowError> {
        let Ok(entries) = std::fs::read_dir(&self.out) else { return Ok(()) };
        let own: Vec<PathBuf> = self.runs.iter().map(|run| self.run_directory(run)).collect();
        let paths = entries.filter_map(|entry| Some(entry.ok()?.path()));
        let is_compared = |path: &PathBuf| own.contains(path) || RunDir::open(path).contains(RunFile::Outcome);
        let mut paths: Vec<PathBuf> = paths.filter(is_compared).collect();
        if paths.is_empty() {
            return Ok(());
        }
        paths.sort();
        let now = DataRecord::new(self.source, &self.dataset.samples);
        paths.iter().try_for_each(|path| check_samples(&RunDir::open(path), &now))
    }

    /// Whether the outcome of a run is known.
    pub fn is_finished(&self, run: &ComparisonRun) -> bool {
        self.outcomes[run.index].is_some()
    }

    /// Trains and evaluates a run, unless that was done before, and updates the tables `compare.txt`, `compare.csv` and
    /// `compare.md`. If a method fails on these samples, that is an outcome and not an error. Returns the summary of the fit;
    /// `None` if the run was finished before, or if it failed.
    ///
    /// # Errors
    /// [`WorkflowError::Run`] with [`RunError::Busy`] if another process trains the run, [`WorkflowError::NoReconstruction`] if
    /// it would start from the autoencoder of a run that has none yet, [`WorkflowError::Fit`] if the observer stopped the run or
    /// a checkpoint can't be read or written, the errors of [`start`], [`WorkflowError::Data`] if the samples can't be read, and
    /// [`WorkflowError::Run`] if a file can't be read or written.
    pub fn train(
        &mut self,
        run: &ComparisonRun,
        options: &FitOptions,
        observer: &mut dyn Observer,
    ) -> Result<Option<FitSummary>, WorkflowError> {
        let (outcome, fitted) = self.outcome(run, options, observer)?;
        self.outcomes[run.index] = Some(outcome);
        self.read_outcomes();
        self.write_tables()?;
        Ok(fitted)
    }

    /// Takes in what other processes found, and updates the tables. A run that none of them trained, and whose settings do
    /// not suit the samples, has failed.
    ///
    /// # Errors
    /// [`WorkflowError::Data`] if the samples can't be read, and [`WorkflowError::Run`] if a table can't be written.
    pub fn gather(&mut self) -> Result<(), WorkflowError> {
        self.read_outcomes();
        for run in self.runs() {
            let was_started = || RunDir::open(&self.run_directory(&run)).contains(RunFile::Settings);
            if self.outcomes[run.index].is_none() && !was_started() {
                self.outcomes[run.index] = match self.plan(&run) {
                    Ok(_) | Err(WorkflowError::NoReconstruction { .. }) => None,
                    Err(error) => Some(failed(&run, error)?),
                };
            }
        }
        self.write_tables()
    }

    fn read_outcomes(&mut self) {
        for run in self.runs() {
            let known = &self.outcomes[run.index];
            self.outcomes[run.index] = known.clone().or_else(|| self.written_outcome(&run));
        }
    }

    /// The outcome in the directory of a run, if it is whole.
    fn written_outcome(&self, run: &ComparisonRun) -> Option<Outcome> {
        RunDir::open(&self.run_directory(run)).json(RunFile::Outcome).ok().flatten()
    }

    /// The directory of a run.
    pub fn run_directory(&self, run: &ComparisonRun) -> PathBuf {
        let is_kept = |c: char| c.is_alphanumeric() || matches!(c, '-' | '.' | '=');
        let name: String = run.name.chars().map(|c| if is_kept(c) { c } else { '_' }).collect();
        self.out.join(format!("{name}-{}", run.seed()))
    }

    /// Whether a run is over or has learned to reconstruct, so that others may start from what it learned.
    pub fn may_be_started_from(&self, run: &ComparisonRun) -> bool {
        RunDir::open(&self.run_directory(run)).contains(RunFile::Autoencoder) || self.written_outcome(run).is_some()
    }

    fn plan(&self, run: &ComparisonRun) -> Result<Plan<'a>, WorkflowError> {
        let plan = |settings| Plan::new(self.source, self.dataset, settings);
        let own = plan(run.settings.clone())?;
        if !self.shares_reconstruction || own.encoder().encoder.is_none() {
            return Ok(own);
        }
        let before = self.runs.iter().take_while(|other| other.compared != run.compared);
        let is_alike =
            |other: &&ComparisonRun| other.seed() == run.seed() && other.settings.reconstructs_like(&run.settings);
        for other in before.filter(is_alike) {
            let path = self.run_directory(other);
            let shared = match plan(FitConfig { start_from: Some(path.clone()), ..run.settings.clone() }) {
                Err(WorkflowError::Fit(_)) => continue,
                shared => shared?,
            };
            // Once a run is over, it keeps what it has or lacks.
            let is_over = self.outcomes[other.index].is_some() || self.may_be_started_from(other);
            match kept_autoencoder(&shared) {
                Ok(_) => return Ok(shared),
                Err(error) if has_no_start(&error) && is_over => {}
                Err(error) if has_no_start(&error) => {
                    let learns = plan(other.settings.clone()).is_ok_and(|plan| !plan.encoder().encoder.is_none());
                    if learns {
                        return Err(WorkflowError::NoReconstruction { path });
                    }
                }
                Err(error) => return Err(error),
            }
        }
        Ok(own)
    }

    fn outcome(
        &self,
        run: &ComparisonRun,
        options: &FitOptions,
        observer: &mut dyn Observer,
    ) -> Result<(Outcome, Option<FitSummary>), WorkflowError> {
        let plan = match self.plan(run) {
            Err(error) => return Ok((failed(run, error)?, None)),
            Ok(plan) => plan,
        };
        let out = self.run_directory(run);
        let was_started = RunDir::open(&out).contains(RunFile::Settings);
        // It stays locked until its outcome is written, so that no other process takes the run up.
        let directory = start(&out, &plan, ExistingRun::Resume)?;
        if let Ok(Some(outcome)) = directory.json(RunFile::Outcome) {
            return Ok((outcome, None));
        }
        let begin = Instant::now();
        let fitted = fit(&directory, &plan, options, observer);
        // The seconds before an interruption are unknown.
        let seconds = (!was_started).then(|| begin.elapsed().as_secs_f64());
        let found = fitted.and_then(|fitted| Ok((self.evaluated(&fitted, seconds)?, Some(fitted))));
        let (outcome, fitted) = found.or_else(|error| Ok::<_, WorkflowError>((failed(run, error)?, None)))?;
        RunDir::open(&out).write_json(RunFile::Outcome, &outcome)?;
        drop(directory);
        Ok((outcome, fitted))
    }

    fn evaluated(&self, fitted: &FitSummary, seconds: Option<f64>) -> Result<Outcome, WorkflowError> {
        let file = fitted.run.model()?;
        let model = file.model()?;
        let evaluation = Evaluation::new(self.dataset, Some(&fitted.trained), &model)?;
        let scores = evaluation.int8.scores;
        let values = [
            scores.and_then(|scores| scores.acc),
            scores.map(|scores| scores.nmi),
            scores.map(|scores| scores.ari),
            Some(evaluation.int8.clusters_of_a_percent as f64),
            seconds,
            Some(file.flash() as f64),
            Some(model.arena_len() as f64),
            evaluation.agreement,
        ];
        Ok(Outcome { failure: None, values })
    }

    /// A row for each method, or for each value of a setting, with what is known so far.
    pub fn rows(&self) -> Vec<ComparisonRow> {
        let mut rows: Vec<ComparisonRow> = vec![];
        for (at, runs) in self.runs.chunk_by(|a, b| a.compared == b.compared).enumerate() {
            rows.push(ComparisonRow { name: runs[0].name.clone(), outcomes: vec![], unfinished: 0 });
            for run in runs {
                match &self.outcomes[run.index] {
                    Some(outcome) => rows[at].outcomes.push(outcome.clone()),
                    None => rows[at].unfinished += 1,
                }
            }
        }
        rows
    }

    /// The table so far.
    pub fn table(&self, format: TableFormat) -> String {
        comparison_table(&self.rows(), format)
    }

    fn write_tables(&self) -> Result<(), WorkflowError> {
        let files = [
            ("compare.txt", TableFormat::Text),
            ("compare.csv", TableFormat::Csv),
            ("compare.md", TableFormat::Markdown),
        ];
        for (name, format) in files {
            let path = self.out.join(name);
            // If all runs have failed so far, the directory may not exist yet.
            std::fs::create_dir_all(&self.out).map_err(RunError::io(&self.out))?;
            write_whole(&path, self.table(format).as_bytes()).map_err(RunError::io(&path))?;
        }
        Ok(())
    }
}

/// Whether the error says that another run has no autoencoder to start from.
fn has_no_start(error: &WorkflowError) -> bool {
    use WorkflowError::{Run, StartFrom, StartFromOtherPart};
    matches!(error, StartFrom { .. } | StartFromOtherPart { .. } | Run(_))
}

/// The outcome of a run whose method fails on these samples. Other errors remain errors.
fn failed(run: &ComparisonRun, error: WorkflowError) -> Result<Outcome, WorkflowError> {
    match error {
        WorkflowError::Fit(FitError::Stopped(_) | FitError::Checkpoint { .. }) => Err(error),
        WorkflowError::Fit(_) | WorkflowError::Checkpoint { .. } | WorkflowError::Quantize(_) => {
            Ok(Outcome { failure: Some(format!("seed {}: {error}", run.seed())), ..Outcome::default() })
        }
        error => Err(error),
    }
}
