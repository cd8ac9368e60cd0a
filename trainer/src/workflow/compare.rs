//! Several methods with several seeds on the same samples.

use std::path::{Path, PathBuf};
use std::time::Instant;

use super::error::WorkflowError;
use super::evaluation::Evaluation;
use super::fit::{FitOptions, FitSummary, fit};
use super::plan::Plan;
use super::start::{ExistingRun, start};
use super::start_from::kept_autoencoder;
use super::table::{ComparisonRow, Outcome, TableFormat, comparison_table};
use crate::data::{Dataset, Source};
use crate::methods::{FitConfig, MethodConfig};
use crate::run::{RunDir, RunError, RunFile, write_whole};
use crate::training::{FitError, Observer};

/// A comparison of methods, or of values of a setting: each is run with each seed, in a directory `NAME-SEED` below a common
/// one. A run that is finished is skipped, so that a comparison that was interrupted continues.
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
    rows: Vec<ComparisonRow>,
    shares_reconstruction: bool,
}

/// What is compared with others: settings, and how the table names them.
#[derive(Clone, Debug)]
pub struct Compared {
    name: String,
    settings: FitConfig,
}

impl Compared {
    /// A method, which gives its name.
    ///
    /// ```
    /// use edgemix::methods::{FitConfig, MethodConfig};
    /// use edgemix::workflow::Compared;
    ///
    /// let method = MethodConfig::named("dec").unwrap();
    /// let dec = Compared::method(FitConfig { method, ..FitConfig::default() });
    /// assert_eq!((dec.name(), dec.varied("seed=3", FitConfig::default()).name()), ("dec", "dec seed=3"));
    /// ```
    pub fn method(settings: FitConfig) -> Self {
        Self { name: settings.method.name().to_owned(), settings }
    }

    /// The same method with other settings, of which `variation` names what differs.
    #[must_use]
    pub fn varied(&self, variation: &str, settings: FitConfig) -> Self {
        Self { name: format!("{} {variation}", self.name), settings }
    }

    /// How the table names it.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// The settings.
    pub fn settings(&self) -> &FitConfig {
        &self.settings
    }
}

/// A run of a comparison.
#[derive(Clone, Debug)]
pub struct ComparisonRun {
    compared: usize,
    name: String,
    settings: FitConfig,
}

impl ComparisonRun {
    /// The name of the method, and what is varied.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// The settings.
    pub fn settings(&self) -> &FitConfig {
        &self.settings
    }

    /// The seed.
    pub fn seed(&self) -> u64 {
        self.settings.seed
    }
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
        let seeded = |compared: usize, of: &Compared, seed| {
            let settings = FitConfig { seed, ..of.settings.clone() };
            ComparisonRun { compared, name: of.name.clone(), settings }
        };
        let of = |(index, own)| (0..seeds).map(move |seed| seeded(index, own, seed));
        let runs = compared.iter().enumerate().flat_map(of).collect();
        Self { out: out.into(), source, dataset, runs, rows: vec![], shares_reconstruction: false }
    }

    /// The same comparison, in which a run starts from the autoencoder of the first run before it that has the same seed and
    /// the same layers, if there is one.
    pub fn sharing_reconstruction(self) -> Self {
        Self { shares_reconstruction: true, ..self }
    }

    /// The runs, in the order of the table.
    pub fn runs(&self) -> Vec<ComparisonRun> {
        self.runs.clone()
    }

    /// Trains and evaluates a run, unless that was done before, and updates the tables `compare.txt`, `compare.csv` and
    /// `compare.md`. If a method fails on these samples, that is an outcome and not an error. Returns the summary of the fit;
    /// `None` if the run was finished before, or if it failed.
    ///
    /// # Errors
    /// [`WorkflowError::Fit`] if the observer stopped the run or a checkpoint can't be read or written, the errors of
    /// [`start`], [`WorkflowError::Data`] if the samples can't be read, and [`WorkflowError::Run`] if a file can't be read or
    /// written.
    pub fn train(
        &mut self,
        run: &ComparisonRun,
        options: &FitOptions,
        observer: &mut dyn Observer,
    ) -> Result<Option<FitSummary>, WorkflowError> {
        let failed = |error: &dyn std::fmt::Display| Outcome {
            failure: Some(format!("seed {}: {error}", run.seed())),
            ..Outcome::default()
        };
        let (outcome, fitted) = match self.outcome(run, options, observer) {
            Err(error @ WorkflowError::Fit(FitError::Stopped(_) | FitError::Checkpoint { .. })) => return Err(error),
            Err(error @ (WorkflowError::Fit(_) | WorkflowError::Quantize(_))) => (failed(&error), None),
            outcome => outcome?,
        };
        let directory = RunDir::open(&self.run_directory(run));
        if directory.contains(RunFile::Settings) {
            directory.write_json(RunFile::Outcome, &outcome)?;
        }
        match self.rows.last_mut().filter(|row| row.name == run.name) {
            Some(row) => row.outcomes.push(outcome),
            None => self.rows.push(ComparisonRow { name: run.name.clone(), outcomes: vec![outcome] }),
        }
        self.write_tables()?;
        Ok(fitted)
    }

    /// The directory of a run.
    pub fn run_directory(&self, run: &ComparisonRun) -> PathBuf {
        let is_kept = |c: char| c.is_alphanumeric() || matches!(c, '-' | '.' | '=');
        let name: String = run.name.chars().map(|c| if is_kept(c) { c } else { '_' }).collect();
        self.out.join(format!("{name}-{}", run.seed()))
    }

    fn plan(&self, run: &ComparisonRun) -> Result<Plan<'a>, WorkflowError> {
        let plan = |settings| Plan::new(self.source, self.dataset, settings);
        let own = plan(run.settings.clone())?;
        if !self.shares_reconstruction || own.encoder().encoder.is_none() {
            return Ok(own);
        }
        let before = self.runs.iter().take_while(|other| other.compared != run.compared);
        for other in before.filter(|other| other.seed() == run.seed()) {
            let start_from = Some(self.run_directory(other));
            let shared = match plan(FitConfig { start_from, ..run.settings.clone() }) {
                Err(WorkflowError::Fit(_)) => continue,
                shared => shared?,
            };
            match kept_autoencoder(&shared) {
                Ok(_) => return Ok(shared),
                Err(WorkflowError::StartFrom { .. } | WorkflowError::Run(_)) => {}
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
        let plan = self.plan(run)?;
        let out = self.run_directory(run);
        let was_started = RunDir::open(&out).contains(RunFile::Settings);
        let run = start(&out, &plan, ExistingRun::Resume)?;
        if let Ok(Some(outcome)) = run.json(RunFile::Outcome) {
            return Ok((outcome, None));
        }
        let begin = Instant::now();
        let fitted = fit(&run, &plan, options, observer)?;
        let run = &fitted.run;
        // The seconds before an interruption are unknown.
        let seconds = (!was_started).then(|| begin.elapsed().as_secs_f64());
        let file = run.model()?;
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
        Ok((Outcome { failure: None, values }, Some(fitted)))
    }

    /// The rows so far.
    pub fn rows(&self) -> &[ComparisonRow] {
        &self.rows
    }

    /// The table so far.
    pub fn table(&self, format: TableFormat) -> String {
        comparison_table(&self.rows, format)
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
