//! `edgemix compare`.

use std::path::{Path, PathBuf};

use clap::{Args, ValueEnum};

use super::data::Cut;
use super::error::CliError;
use super::jobs::{Jobs, Remaining, Series, Turn};
use super::output::{show, tell};
use super::progress::{View, during_fit};
use super::variation::Variation;
use super::warnings::warn_of_fit;
use crate::base::text::listed;
use crate::data::{Dataset, Source};
use crate::device::Device;
use crate::methods::{Clusters, FitConfig, MethodConfig};
use crate::run::{Preset, RunDir, RunError, method_named, read_settings, set_setting};
use crate::training::Observer;
use crate::variant::Variant;
use crate::workflow::{Compared, Comparison, ComparisonRun, FitOptions, TableFormat, WorkflowError};

#[derive(Args)]
#[command(after_help = "Examples:
  edgemix compare digits --out runs/digits-all
  edgemix compare mnist.npz --methods idec,depict --seeds 3 --out runs/mnist --format markdown
  edgemix compare mnist.npz --preset paper --seeds 1 --out runs/papers
  edgemix compare mnist.npz --set encoder=500-500-2000-10 --share-reconstruction --seeds 1 --out runs/shared
  edgemix compare digits --methods adaptive-gmm --vary method.eta=0,0.001,0.01,0.1 --out runs/eta
  edgemix compare mnist.npz --devices cuda:0,cuda:1 --out runs/mnist
Finished runs are skipped; the same command resumes a comparison that was interrupted. Started once more, in another
terminal or on a machine that shares the directory, it takes part in the work, and leaves to the others what they train.")]
pub(super) struct Compare {
    /// `digits`, or a file of samples and labels.
    data: String,
    #[command(flatten)]
    cut: Cut,
    /// The directory of the comparison. Each run is in a folder METHOD-SEED below it, with the value of a setting that is varied, and the table is in compare.txt, .csv
    /// and .md.
    #[arg(long, value_name = "DIR")]
    out: PathBuf,
    #[arg(
        long,
        value_delimiter = ',',
        help = format!(
            "The methods to compare, separated by commas: some of {} [default: all]",
            MethodConfig::NAMES.join(", ")
        )
    )]
    methods: Vec<String>,
    /// Number of runs of each method; their seeds start at 0.
    #[arg(long, default_value_t = 4, value_parser = clap::value_parser!(u64).range(1..))]
    seeds: u64,
    /// The number of clusters; for dpm the number of components to start from [default: chosen by the method].
    #[arg(long, value_name = "N")]
    clusters: Option<usize>,
    /// A TOML file of settings for all methods; its table `method` is ignored.
    #[arg(long, value_name = "FILE")]
    config: Option<PathBuf>,
    /// The settings of each method's paper, as docs/PAPERS.md lists them; --set overrides them [default methods: all that have
    /// such settings].
    #[arg(long, conflicts_with = "config")]
    preset: Option<Preset>,
    /// Sets any setting of each method by its path in config.toml, such as encoder="500-500-2000-10"; may be repeated.
    #[arg(long = "set", value_name = "KEY=VALUE")]
    sets: Vec<String>,
    /// Varies a setting: a row of the table for each method and each of these values; commas within brackets or quotation marks
    /// belong to a value.
    #[arg(long, value_name = "KEY=VALUE,...")]
    vary: Option<Variation>,
    /// The methods as printed in their papers, or corrected; methods with a single variant remain what they are.
    #[arg(long, conflicts_with = "preset")]
    variant: Option<Variant>,
    /// Learns to reconstruct once for each seed and encoder: methods whose encoder has the layers of an earlier method's, and whose
    /// settings of the reconstruction are the same, start from that one's autoencoder.
    #[arg(long)]
    share_reconstruction: bool,
    /// The device to train on: cpu, cuda or cuda:1, wgpu or wgpu:1, or auto for a GPU where there is one; `edgemix devices`
    /// lists them.
    #[arg(long, default_value = "cpu")]
    device: String,
    #[command(flatten)]
    jobs: Jobs,
    /// The format in which the table is printed.
    #[arg(long, value_enum, default_value_t)]
    format: Format,
}

/// The format of the table.
#[derive(Clone, Copy, Default, ValueEnum)]
enum Format {
    /// Aligned columns.
    #[default]
    Text,
    /// Comma-separated values, with a column for each mean and for each deviation.
    Csv,
    /// Markdown.
    Markdown,
}

impl From<Format> for TableFormat {
    fn from(format: Format) -> Self {
        match format {
            Format::Text => Self::Text,
            Format::Csv => Self::Csv,
            Format::Markdown => Self::Markdown,
        }
    }
}

impl Compare {
    pub(super) fn run(self) -> Result<(), CliError> {
        let (compared, device, source, dataset) = self.jobs.prepare(|| self.read())?;
        let mut comparison = Comparison::of(&self.out, &source, &dataset, &compared, self.seeds);
        if self.share_reconstruction {
            comparison = comparison.sharing_reconstruction();
        }
        comparison.check_samples().map_err(CliError::Comparison)?;
        let options = FitOptions { device, ..FitOptions::default() };
        let mut runs = ComparedRuns { runs: comparison.runs(), comparison, options };
        let Some(Remaining { held, lost }) = self.jobs.train(&mut runs, &self.device)? else { return Ok(()) };
        let names = runs.names();
        let mut comparison = runs.comparison;
        comparison.gather()?;
        show(&comparison.table(self.format.into()))?;
        let mut failed = 0;
        for row in comparison.rows() {
            for failure in row.outcomes.iter().filter_map(|outcome| outcome.failure.as_ref()) {
                tell(&format!("{}: {failure}", row.name));
                failed += 1;
            }
        }
        // Some of them may have ended in the meantime.
        let runs = comparison.runs();
        let unfinished =
            runs.iter().zip(&names).filter(|(run, name)| !comparison.is_finished(run) && held.contains(name));
        let held: Vec<String> = unfinished.map(|(_, name)| name.clone()).collect();
        if !held.is_empty() {
            tell(&format!(
                "note: other processes train {}; the last of them completes the table, and so does this command when they \
                 have ended",
                listed(&held)
            ));
        }
        if !lost.is_empty() {
            return Err(CliError::Lost { lost, is_wrong_use: false });
        }
        if failed > 0 { Err(CliError::FailedRuns { failed, runs: names.len() }) } else { Ok(()) }
    }

    /// What is compared, where, and on which samples.
    fn read(&self) -> Result<(Vec<Compared>, Device, Source, Dataset), CliError> {
        let compared = self.compared()?;
        let device = self.jobs.device(&self.device)?;
        let source = self.cut.source(Some(&self.data), None)?;
        let dataset = self.cut.read(&source)?;
        if let Some(n) = self.clusters {
            Clusters::Within(n, n).check(dataset.samples.n_samples())?;
        }
        Ok((compared, device, source, dataset))
    }

    /// What is compared: each method, with each value of a setting that is varied.
    fn compared(&self) -> Result<Vec<Compared>, CliError> {
        let methods = self.settings()?.into_iter().map(Compared::method);
        let Some(Variation { key, values }) = &self.vary else { return Ok(methods.collect()) };
        let name = key.rsplit('.').next().unwrap_or(key);
        let mut compared = vec![];
        for method in methods {
            for value in values {
                let mut config = method.settings().clone();
                set_setting(&mut config, &format!("{key}={value}"))?;
                compared.push(method.varied(&format!("{name}={value}"), config));
            }
        }
        Ok(compared)
    }

    /// The settings of each method.
    fn settings(&self) -> Result<Vec<FitConfig>, CliError> {
        let base = self.config.as_ref().map_or_else(|| Ok(FitConfig::default()), |path| read_settings(path))?;
        let of = |name: &str| {
            let method = method_named(name)?;
            let mut config = match self.preset {
                Some(preset) => preset.settings(&method)?,
                None => FitConfig { method, ..base.clone() },
            };
            if let Some(variant) = self.variant {
                config.method.set_variant(variant);
            }
            self.sets.iter().try_for_each(|assignment| set_setting(&mut config, assignment))?;
            if let Some(n) = self.clusters {
                config.method.set_n_clusters(n);
            }
            Ok(config)
        };
        let names = self.names();
        if names.iter().any(|name| name.is_empty()) {
            return Err(CliError::Usage("--methods: there is no name before or after a comma".into()));
        }
        if let Some((_, twice)) = names.iter().enumerate().find(|(at, name)| names[..*at].contains(name)) {
            return Err(CliError::Usage(format!("--methods: {twice} is given twice")));
        }
        names.into_iter().map(of).collect()
    }

    /// The names of the methods.
    fn names(&self) -> Vec<&str> {
        match self.preset {
            _ if !self.methods.is_empty() => self.methods.iter().map(|name| name.trim()).collect(),
            Some(preset) => preset.methods(),
            None => MethodConfig::NAMES.to_vec(),
        }
    }
}

/// The runs of a comparison.
struct ComparedRuns<'a> {
    comparison: Comparison<'a>,
    runs: Vec<ComparisonRun>,
    options: FitOptions,
}

impl Series for ComparedRuns<'_> {
    fn names(&self) -> Vec<String> {
        self.runs.iter().map(|run| format!("{} seed {}", run.name(), run.seed())).collect()
    }

    fn train(&mut self, index: usize) -> Result<Turn, CliError> {
        let run = &self.runs[index];
        let path = self.comparison.run_directory(run);
        let title = format!("{}/{} {} seed {}", index + 1, self.runs.len(), run.name(), run.seed());
        let fit = |observer: &mut dyn Observer| self.comparison.train(run, &self.options, observer);
        match during_fit(&RunDir::open(&path), &title, View::Plain, fit)? {
            Ok(Some(fitted)) => warn_of_fit(&fitted, run.settings()),
            Ok(None) => {}
            Err(WorkflowError::Run(RunError::Busy { .. })) => return Ok(Turn::Held),
            Err(WorkflowError::NoReconstruction { path }) => {
                return Ok(self.index_of(&path).map_or(Turn::Held, Turn::WaitsFor));
            }
            Err(error) => return Err(CliError::Comparison(error)),
        }
        Ok(Turn::Done)
    }

    fn may_be_started_from(&self, index: usize) -> bool {
        self.comparison.may_be_started_from(&self.runs[index])
    }
}

impl ComparedRuns<'_> {
    /// The run with this directory.
    fn index_of(&self, path: &Path) -> Option<usize> {
        self.runs.iter().position(|run| self.comparison.run_directory(run) == path)
    }
}
