//! `edgemix train`.

use std::path::{Path, PathBuf};

use clap::Args;

use super::chips::ForChip;
use super::commands::{commands, next_commands, quoted};
use super::data::{Cut, note_constant_columns, warn_of_far_values};
use super::describe;
use super::error::CliError;
use super::jobs::Jobs;
use super::notes::{note_few_groups, note_front_end};
use super::output::{show, tell};
use super::progress::{View, during, during_fit};
use super::report::write_page;
use super::seeds::{patiently, train_series};
use super::warnings::{warn_of_cluster_count, warn_of_fit};
use crate::data::{Dataset, Layout, Samples, Source};
use crate::device::Device;
use crate::front_end::FrontEndSettings;
use crate::methods::{Clusters, FitConfig, MethodConfig};
use crate::nn::Architecture;
use crate::run::{
    Choices, ModelFile, Preset, RunDir, RunFile, chosen_settings, read_settings, settings_differences, settings_to_toml,
};
use crate::trained::LevelChoice;
use crate::variant::Variant;
use crate::workflow::{ExistingRun, FitOptions, Plan, SeedSeries, WorkflowError, fit, is_finished, start};

fn encoder_help() -> String {
    format!(
        "The layers of the encoder from the first hidden one to the latent, such as 256-128-10 [default: chosen by the \
         method and the samples]. {}",
        Architecture::spelling()
    )
}

fn front_end_help() -> String {
    format!(
        "What computes features of the windows of a recording, in integers and on the chip as in training: {} [default: \
         auto, a spectrum of windows of at least 16 instants]",
        FrontEndSettings::spelling()
    )
}

fn preset_help() -> String {
    format!(
        "The settings of the method's paper, as docs/PAPERS.md lists them; flags and --set override them. Methods that have \
         one: {}",
        Preset::Paper.methods().join(", ")
    )
}

#[derive(Args)]
#[command(after_help = "Examples:
  edgemix train digits --out runs/digits
  edgemix train mnist/train-images-idx3-ubyte --encoder 500-500-2000-10 --out runs/mnist
  edgemix train features.npy --method ae-gmm --clusters 6 --out runs/gmm
  edgemix train imu.csv --label-column activity --group-column user --window 128 --step 64 --rate 50 --out runs/imu
  edgemix train imu.csv --window 128 --rate 50 --front-end spectrum:fft=64,bands=6,high=20 --out runs/imu6
  edgemix train mnist.npz --method dcan --preset paper --out runs/dcan
  edgemix train digits --clusters 8..12 --seeds 5 --out runs/digits5
  edgemix train mnist.npz --seeds 4 --devices cuda:0,cuda:1 --out runs/mnist4
  edgemix train digits --set batch-size=128 --set method.grouping.halves=40 --out runs/digits
  edgemix train --out runs/digits --resume             # after an interruption")]
pub(super) struct Train {
    /// `digits`, a CSV (also .csv.gz), Parquet, NPY, NPZ or IDX file, or a folder of images; with --resume, the samples of the run.
    #[arg(required_unless_present_any = ["resume", "print_config"])]
    data: Option<String>,
    #[command(flatten)]
    cut: Cut,
    /// The directory of the run.
    #[arg(long, value_name = "DIR", required_unless_present = "print_config")]
    out: Option<PathBuf>,
    #[arg(long, help = format!("One of {} [default: grow]", MethodConfig::NAMES.join(", ")))]
    method: Option<String>,
    /// The method as printed in its paper, or corrected, if there are both variants [default: corrected].
    #[arg(long)]
    variant: Option<Variant>,
    /// The number of clusters. The methods grow and alpha-jsd determine it themselves, and also accept auto or a range such
    /// as 8..12; for dpm it is the number of components to start from.
    #[arg(long, value_name = "N")]
    clusters: Option<Clusters>,
    #[arg(long, help = encoder_help())]
    encoder: Option<String>,
    #[arg(long, value_name = "FRONT-END", help = front_end_help())]
    front_end: Option<String>,
    /// Instants in a second of a recording, so that bands of its spectrum have frequencies.
    #[arg(long, value_name = "HZ")]
    rate: Option<f64>,
    /// A TOML file of settings, such as config.toml of a run; flags override it.
    #[arg(long, value_name = "FILE")]
    config: Option<PathBuf>,
    #[arg(long, help = preset_help(), conflicts_with = "config")]
    preset: Option<Preset>,
    /// Sets any setting by its path in config.toml, such as augmentation.shift=0.2; may be repeated.
    #[arg(long = "set", value_name = "KEY=VALUE")]
    sets: Vec<String>,
    /// Prints the complete settings and exits.
    #[arg(long)]
    print_config: bool,
    /// The seed of all random draws [default: 0].
    #[arg(long)]
    seed: Option<u64>,
    /// Trains this many times with consecutive seeds, each in a directory of its own below the run's, and reports how stable
    /// the number of clusters and each cluster are. The run that agrees best with the others is kept as the result. The same
    /// command resumes a series that was interrupted; finished runs are skipped. Started once more, in another terminal or on a
    /// machine that shares the directory, it takes part in the work; the process that ends last compares the runs.
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u64).range(2..=100))]
    seeds: Option<u64>,
    /// Number of epochs of reconstruction; 0 for none [default: chosen by the number of samples].
    #[arg(long)]
    pretrain_epochs: Option<usize>,
    /// Starts from the autoencoder of another run, whatever its method, instead of learning to reconstruct: a run with the same
    /// samples, seed, held-out share and layers.
    #[arg(long, value_name = "RUN", conflicts_with_all = ["pretrain_epochs", "seeds"])]
    start_from: Option<PathBuf>,
    /// Number of epochs with the clustering loss; 0 for none [default: chosen by the number of samples].
    #[arg(long)]
    cluster_epochs: Option<usize>,
    /// The share of the samples that is held out of training, for novelty and posteriors [default: 0.1].
    #[arg(long, value_name = "SHARE")]
    holdout: Option<f64>,
    /// The learning rate of the optimiser [default: 0.001].
    #[arg(long)]
    learning_rate: Option<f64>,
    /// The level of which model.emx has the clusters: coarse or fine for the one with the fewest or most clusters, or its number
    /// of clusters. It changes nothing in the training: `edgemix export --level` takes another one later [default: the clusters
    /// that are trained].
    #[arg(long, value_name = "LEVEL")]
    level: Option<LevelChoice>,
    /// The device to train on: cpu, cuda or cuda:1, wgpu or wgpu:1, or auto for a GPU where there is one; `edgemix devices`
    /// lists them.
    #[arg(long, default_value = "cpu")]
    device: String,
    #[command(flatten)]
    jobs: Jobs,
    /// Resumes a run that was interrupted, with its samples and settings; the result has the same bits as without the
    /// interruption.
    #[arg(long, conflicts_with = "force")]
    resume: bool,
    /// Replaces a run that is already in the directory.
    #[arg(long)]
    force: bool,
    /// Shows the progress on the whole terminal, with curves of the losses and the number of clusters; q stops the run.
    #[arg(long)]
    tui: bool,
    /// Writes the quantised model even if it disagrees with the trained model, and warns.
    #[arg(long)]
    allow_disagreement: bool,
    #[command(flatten)]
    for_chip: ForChip,
}

impl Train {
    pub(super) fn run(self) -> Result<(), CliError> {
        let out = match &self.out {
            Some(out) if !self.print_config => out,
            _ => return self.print_settings(),
        };
        self.check_jobs()?;
        let read = || if self.resume { self.resumed(out) } else { self.new_run() };
        let (config, source) = self.jobs.prepare(read)?;
        if self.resume && !self.jobs.is_worker() && self.is_finished(out)? {
            return show(&self.nothing_left(out));
        }
        let (dataset, device) = self.jobs.prepare(|| self.read(&config, &source))?;
        let view = View::wanted(self.tui)?;
        let level = self.level.unwrap_or_default();
        let options = FitOptions { device, allow_disagreement: self.allow_disagreement, level };
        let plan = self.jobs.prepare(|| self.plan(&source, &dataset, config))?;
        let found = match self.seeds {
            Some(n) => {
                let series = SeedSeries::new(out, &plan, n, self.force)?;
                match train_series(series, &plan, &options, &self.jobs, &self.device)? {
                    Some(interval) => describe::interval(&interval),
                    None => return Ok(()),
                }
            }
            None => self.train_once(out, &plan, &options, view)?,
        };
        let run = patiently(|| Ok(RunDir::create(out)?))?;
        write_page(&run, plan.dataset(), &commands(run.path(), &plan.record().source, None))?;
        let file = run.model()?;
        self.warn_of_clusters(&file)?;
        let trained = run.trained()?;
        if let Err(no_level) = trained.at_level(level) {
            tell(&format!("warning: --level {level}: {no_level}; the model file has the clusters that were trained"));
        }
        show(&format!(
            "{found}{4}{5}{0}: {1}\nreport: {2}\n{3}",
            file.path().display(),
            describe::sizes(&file, dataset.samples.n_samples())?,
            run.file(RunFile::Report).display(),
            next_commands(file.path(), out),
            describe::levels(&trained).map_or_else(String::new, |levels| format!("levels: {levels}\n")),
            describe::dwell(&file.model()?, run.seconds_a_step()?)
                .map_or_else(String::new, |each| format!("clusters last {each}\n"))
        ))?;
        let on_chip = self.for_chip.check_trained(file.path(), file.model()?.file())?;
        on_chip.map_or(Ok(()), |chip| show(&format!("{chip}\n")))
    }

    /// Refuses flags for several runs if there is one.
    fn check_jobs(&self) -> Result<(), CliError> {
        if self.seeds.is_none() && self.jobs.is_given() {
            let problem =
                "--jobs and --devices are for several runs: give --seeds, too, or name one device with --device";
            return Err(CliError::Usage(problem.into()));
        }
        Ok(())
    }

    /// The samples, and the device to train on.
    fn read(&self, config: &FitConfig, source: &Source) -> Result<(Dataset, Device), CliError> {
        let dataset = self.cut.read(source)?;
        self.check_rate(config, &dataset.samples)?;
        note_constant_columns(&dataset.samples);
        warn_of_far_values(&dataset.samples)?;
        self.clusters.map_or(Ok(()), |clusters| clusters.check(dataset.samples.n_samples()))?;
        Ok((dataset, self.jobs.device(&self.device)?))
    }

    fn plan<'a>(&self, source: &Source, dataset: &'a Dataset, config: FitConfig) -> Result<Plan<'a>, CliError> {
        let plan = during("computing features", || Plan::new(source, dataset, config))?;
        self.for_chip.chip.map_or(Ok(()), |chip| plan.check_chip(chip, self.for_chip.max_ms))?;
        self.note_preset(plan.config())?;
        note_front_end(&plan);
        note_few_groups(dataset);
        if plan.encoder().dimension.is_some() {
            tell(&format!("note: {}", plan.encoder()));
        }
        Ok(plan)
    }

    /// Whether a run, or a series of runs, that is to be resumed has nothing left to train. Another level is not trained, but
    /// quantised anew.
    fn is_finished(&self, out: &Path) -> Result<bool, CliError> {
        let is_finished = match self.seeds {
            Some(n) => SeedSeries::is_finished(out, self.seed.unwrap_or(0), n)?,
            None => is_finished(&RunDir::open(out))?,
        };
        Ok(is_finished && self.level.is_none())
    }

    fn nothing_left(&self, out: &Path) -> String {
        let what = if self.seeds.is_some() { "the series" } else { "the run" };
        let page = match RunDir::open(out).contains(RunFile::Report) {
            true => String::new(),
            false => format!("      edgemix report {0}\n", quoted(&out.to_string_lossy())),
        };
        format!(
            "{}: {what} is finished, so that nothing is left to train; to train again, name the samples and give --force in \
             the place of --resume\nnext: edgemix evaluate {}\n{page}",
            out.display(),
            quoted(&out.to_string_lossy())
        )
    }

    /// Says what a preset chose, with what the other flags changed of it.
    fn note_preset(&self, config: &FitConfig) -> Result<(), CliError> {
        if self.preset.is_some() {
            let (method, chosen) = (config.method.name(), chosen_settings(config)?.join("\n  "));
            tell(&format!("note: the settings of the paper of {method}, where they are not the defaults:\n  {chosen}"));
        }
        Ok(())
    }

    /// Refuses a rate for samples that have none, and notes that the rate of a settings file means nothing for them.
    fn check_rate(&self, config: &FitConfig, samples: &Samples) -> Result<(), CliError> {
        if matches!(samples.layout(), Layout::Windows { .. }) {
            return Ok(());
        }
        let name = samples.name();
        if self.rate.is_some() {
            return Err(CliError::Usage(format!(
                "--rate is for windows of a recording, and {name} has none: give --window, too, or omit --rate"
            )));
        }
        if config.front_end.rate.is_some() {
            tell(&format!("note: the rate in the settings is ignored, since {name} has no windows of a recording"));
        }
        Ok(())
    }

    fn print_settings(&self) -> Result<(), CliError> {
        let config = self.settings(FitConfig::default())?;
        config.check_numbers()?;
        show(&settings_to_toml(&config)?)
    }

    fn train_once(&self, out: &Path, plan: &Plan, options: &FitOptions, view: View) -> Result<String, CliError> {
        let existing = match (self.resume, self.force) {
            (true, _) => ExistingRun::Resume,
            (false, true) => ExistingRun::Replace,
            (false, false) => ExistingRun::Refuse,
        };
        let run = start(out, plan, existing)?;
        let summary =
            during_fit(&run, &describe::title(plan, out), view, |observer| fit(&run, plan, options, observer))??;
        warn_of_fit(&summary, plan.config());
        let search = summary.run.cluster_count()?;
        // The model file may have another level.
        let n_clusters = summary.run.trained()?.head.n_clusters();
        warn_of_cluster_count(n_clusters, search.as_ref());
        Ok(search.as_ref().map_or_else(String::new, |search| describe::search(search, n_clusters)))
    }

    /// Warns if the model does not have the number of clusters that was asked for, which not all samples allow.
    fn warn_of_clusters(&self, file: &ModelFile) -> Result<(), CliError> {
        let found = file.model()?.n_clusters();
        match self.clusters {
            Some(asked @ Clusters::Within(least, most)) if !(least..=most).contains(&found) => tell(&format!(
                "warning: --clusters {asked}: the nearest number that these samples allow is {found}; see the report"
            )),
            _ => {}
        }
        Ok(())
    }

    fn new_run(&self) -> Result<(FitConfig, Source), CliError> {
        Ok((self.settings(FitConfig::default())?, self.cut.source(self.data.as_deref(), None)?))
    }

    /// The settings and samples of the run in the directory; a flag that contradicts them is an error.
    fn resumed(&self, out: &Path) -> Result<(FitConfig, Source), CliError> {
        let first = self.seeds.map(|_| SeedSeries::run_directory(out, self.seed.unwrap_or(0)));
        let run = RunDir::open(first.as_deref().unwrap_or(out)).unfinished()?;
        if !run.contains(RunFile::Settings) {
            return Err(WorkflowError::NoRun { path: out.into() }.into());
        }
        let before = run.config()?;
        let differences = settings_differences(&before, &self.settings(before.clone())?)?;
        if !differences.is_empty() {
            return Err(WorkflowError::OtherSettings { path: out.into(), differences }.into());
        }
        let Some(record) = run.record()? else {
            return Ok((before, self.cut.source(self.data.as_deref(), None)?));
        };
        // The file may have been moved.
        let mut moved = record.clone();
        moved.source.path = self.data.clone().unwrap_or(moved.source.path);
        let source = self.cut.source(None, Some(&moved))?;
        if moved.source != source {
            return Err(WorkflowError::OtherSource { path: out.into(), before: record.source.path }.into());
        }
        Ok((before, source))
    }

    /// The settings of the file, or `before` if there is no file, with the changes that the flags make.
    fn settings(&self, before: FitConfig) -> Result<FitConfig, CliError> {
        let before = self.config.as_deref().map_or(Ok(before), read_settings)?;
        let config = self.choices().applied(before)?;
        if self.encoder.is_some() && !config.encoder.is_none() && !config.method.may_have_encoder() {
            let name = config.method.name();
            tell(&format!("note: {name} clusters the features themselves, so that --encoder changes nothing"));
        }
        Ok(config)
    }

    fn choices(&self) -> Choices {
        Choices {
            preset: self.preset,
            method: self.method.clone(),
            variant: self.variant,
            clusters: self.clusters,
            encoder: self.encoder.clone(),
            front_end: self.front_end.clone(),
            rate: self.rate,
            seed: self.seed,
            start_from: self.start_from.clone(),
            pretrain_epochs: self.pretrain_epochs,
            cluster_epochs: self.cluster_epochs,
            learning_rate: self.learning_rate,
            holdout: self.holdout,
            sets: self.sets.clone(),
        }
    }
}
