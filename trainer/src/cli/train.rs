//! `edgemix train` and `edgemix demo`.

use std::fs;
use std::path::{Path, PathBuf};
use std::time::Instant;

use clap::Args;
use sha2::{Digest, Sha256};

use super::clusters::Clusters;
use super::data::{Cut, note_constant_columns};
use super::evaluate::Evaluation;
use super::output::show;
use super::progress::{Progress, View, during};
use super::{CliError, evaluate, inspect, report, seeds, settings};
use crate::assessment::collapse;
use crate::data::split::{MIN_HELD_OUT, Split, SplitSamples};
use crate::data::{self, DataRecord, Dataset, Source};
use crate::device::Device;
use crate::methods::{FitConfig, MethodConfig};
use crate::mixture::ClusterCountReport;
use crate::nn::{Architecture, ArchitectureError};
use crate::quantize::{HeldOut, Provenance, QuantizeError, check, quantize};
use crate::run::{RunDir, write_whole};
use crate::trained::Trained;
use crate::training::{Epochs, FitError};
use crate::variant::Variant;

fn encoder_help() -> String {
    format!(
        "The encoder's layers, from the first hidden one to the latent, as in 256-128-10 [default: the method's, or by the \
         number of inputs]. {}",
        Architecture::spelling()
    )
}

#[derive(Args)]
#[command(after_help = "Examples:
  edgemix train digits --out runs/digits
  edgemix train mnist/train-images-idx3-ubyte --encoder 500-500-2000-10 --out runs/mnist
  edgemix train features.npy --method ae-gmm --clusters 6 --out runs/gmm
  edgemix train imu.csv --label-column activity --group-column user --window 128 --step 64 --out runs/imu
  edgemix train digits --clusters 8..12 --seeds 5 --out runs/digits5
  edgemix train digits --set batch-size=128 --set method.grouping.halves=40 --out runs/digits
  edgemix train --out runs/digits --resume             # after it was killed")]
pub(super) struct Train {
    /// `digits`, a CSV (also .csv.gz), Parquet, NPY, NPZ or IDX file, or a folder of images; with --resume the run's own.
    #[arg(required_unless_present_any = ["resume", "print_config"])]
    data: Option<String>,
    #[command(flatten)]
    cut: Cut,
    /// The run's directory.
    #[arg(long, value_name = "DIR", required_unless_present = "print_config")]
    out: Option<PathBuf>,
    #[arg(long, help = format!("One of {} [default: grow]", MethodConfig::NAMES.join(", ")))]
    method: Option<String>,
    /// As the paper prints it, or corrected, where both are defined [default: corrected].
    #[arg(long)]
    variant: Option<Variant>,
    /// How many clusters there are to be: a number, or for grow and alpha-jsd, which find it, auto or a range as in 8..12;
    /// for dpm the number of components to start from.
    #[arg(long, value_name = "N")]
    clusters: Option<Clusters>,
    #[arg(long, help = encoder_help())]
    encoder: Option<String>,
    /// A TOML file of settings, such as a run's config.toml; flags override it.
    #[arg(long, value_name = "FILE")]
    config: Option<PathBuf>,
    /// Sets any setting by its path in config.toml, as in augmentation.shift=0.2; may be given several times.
    #[arg(long = "set", value_name = "KEY=VALUE")]
    sets: Vec<String>,
    /// Prints the complete settings and does nothing else.
    #[arg(long)]
    print_config: bool,
    /// Seed of every random draw [default: 0].
    #[arg(long)]
    seed: Option<u64>,
    /// Trains so many times, with seeds from the first on, each in a directory of its own below the run's: says how far the
    /// number of clusters and each cluster can be trusted, and keeps the run that agrees best with the others. What is
    /// done is not done again.
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u64).range(2..=100))]
    seeds: Option<u64>,
    /// Epochs of reconstruction; 0 for none [default: by the number of samples].
    #[arg(long)]
    pretrain_epochs: Option<usize>,
    /// Epochs with the clustering loss; 0 for none [default: by the number of samples].
    #[arg(long)]
    cluster_epochs: Option<usize>,
    /// The share of the samples that training does not see, for novelty and posteriors [default: 0.1].
    #[arg(long, value_name = "SHARE")]
    holdout: Option<f64>,
    /// The optimiser's step size [default: 0.001].
    #[arg(long)]
    learning_rate: Option<f64>,
    /// cpu, ndarray, cuda or cuda:1.
    #[arg(long, default_value = "cpu")]
    device: String,
    /// Takes up a run that was interrupted, with its samples and settings; ends with the same bits.
    #[arg(long, conflicts_with = "force")]
    resume: bool,
    /// Forgets a run that is already there.
    #[arg(long)]
    force: bool,
    /// Shows the fit on the whole terminal, with curves of its losses and clusters; q stops it.
    #[arg(long)]
    tui: bool,
    /// Writes the model even if its integers are not the f32 model's, and says so.
    #[arg(long)]
    allow_disagreement: bool,
}

impl Train {
    pub(super) fn run(self) -> Result<(), CliError> {
        let out = match &self.out {
            Some(out) if !self.print_config => out,
            _ => return show(&settings::text(&self.config(FitConfig::default())?)?),
        };
        let (config, source) = if self.resume { self.taken_up(out)? } else { self.anew()? };
        let dataset = self.cut.read(&source)?;
        note_constant_columns(&dataset.samples);
        self.clusters.map_or(Ok(()), |clusters| clusters.check(dataset.samples.n_samples()))?;
        let device: Device = self.device.parse()?;
        device.check()?;
        let options = FitOptions { device, view: View::wanted(self.tui)?, allow_disagreement: self.allow_disagreement };
        let record = DataRecord::new(&source, &dataset.samples);
        let (run, found) = if let Some(n) = self.seeds {
            let interval = seeds::train(out, n, &dataset, &record, &config, options, self.force)?;
            (RunDir::open(out), seeds::print(&interval))
        } else {
            let run = start(out, &config, &record, self.resume, self.force)?;
            fit(&run, &dataset, &config, options)?;
            let found = run.number().map_or_else(String::new, |number| told(&number));
            (run, found)
        };
        let (model, page) = (run.file("model.emx"), run.file("report.html"));
        during("writing the report", || report::write(&run, out, &source, &dataset, &page))?;
        let summary = evaluate::sizes(&run.file("model.emx"), dataset.samples.n_samples())?;
        self.warn_of_number(&run)?;
        show(&format!(
            "{found}{0} {summary}\n{1} shows it\nnext: edgemix inspect {0}\n      edgemix evaluate {2}\n",
            model.display(),
            page.display(),
            out.display()
        ))
    }

    /// Samples need not hold as many clusters as were asked for.
    fn warn_of_number(&self, run: &RunDir) -> Result<(), CliError> {
        let path = run.file("model.emx");
        let bytes = evaluate::model_bytes(&path)?;
        let found = evaluate::model(&path, &bytes)?.n_clusters();
        match self.clusters {
            Some(asked @ Clusters::Within(least, most)) if !(least..=most).contains(&found) => {
                eprintln!("warning: --clusters {asked}: {found} is as near as these samples allow; look at the report");
            }
            _ => {}
        }
        Ok(())
    }

    fn anew(&self) -> Result<(FitConfig, Source), CliError> {
        Ok((self.config(FitConfig::default())?, self.cut.source(self.data.as_deref(), None)?))
    }

    /// What the run was started with; whoever says otherwise is told so.
    fn taken_up(&self, out: &Path) -> Result<(FitConfig, Source), CliError> {
        let first = self.seeds.map(|_| seeds::directory(out, self.seed.unwrap_or(0)));
        let run = RunDir::open(first.as_deref().unwrap_or(out));
        if !run.is_started() {
            let out = out.display();
            return Err(CliError::Use(format!("{out}: there is no run to take up: leave --resume away to start one")));
        }
        let before = settings::read(&run.file("config.toml"))?;
        if let Some(difference) = settings::difference(&before, &self.config(before.clone())?)? {
            let out = out.display();
            return Err(CliError::Use(format!(
                "{out}: the run was started with other settings ({difference}): leave them away, or start another run"
            )));
        }
        let record = super::data::record(&run)?;
        let source = self.cut.source(self.data.as_deref(), record.as_ref())?;
        if let Some(record) = record.filter(|record| record.source != source) {
            let (out, path) = (out.display(), record.source.path);
            return Err(CliError::Use(format!(
                "{out}: the run was started with other samples, {path}: leave them away"
            )));
        }
        Ok((before, source))
    }

    /// Settings from the file and the flags, over those of a run.
    fn config(&self, before: FitConfig) -> Result<FitConfig, CliError> {
        let mut config = self.config.as_deref().map_or(Ok(before), settings::read)?;
        if let Some(name) = &self.method
            && config.method.name() != name
        {
            config.method = settings::method(name)?;
        }
        if let Some(variant) = self.variant
            && !config.method.set_variant(variant)
        {
            return Err(CliError::Use(format!("--variant: {} has one form only", config.method.name())));
        }
        if let Some(clusters) = self.clusters {
            clusters.tell(&mut config.method)?;
        }
        if let Some(layers) = &self.encoder {
            config.encoder =
                layers.parse().map_err(|error: ArchitectureError| CliError::Use(format!("--encoder: {error}")))?;
        }
        config.seed = self.seed.unwrap_or(config.seed);
        config.reconstruction.epochs = self.pretrain_epochs.map_or(config.reconstruction.epochs, Epochs::Exactly);
        config.clustering.epochs = self.cluster_epochs.map_or(config.clustering.epochs, Epochs::Exactly);
        config.learning_rate = self.learning_rate.unwrap_or(config.learning_rate);
        config.holdout = self.holdout.unwrap_or(config.holdout);
        self.sets.iter().try_for_each(|assignment| settings::set(&mut config, assignment))?;
        Ok(config)
    }
}

#[derive(Args)]
pub(super) struct Demo {
    /// Seed of every random draw.
    #[arg(long, default_value_t = 0)]
    seed: u64,
    /// The run's directory; a run that is already there is forgotten.
    #[arg(long, value_name = "DIR", default_value = "runs/demo")]
    out: PathBuf,
    /// Shows the fit on the whole terminal, with curves of its losses and clusters; q stops it.
    #[arg(long)]
    tui: bool,
}

impl Demo {
    pub(super) fn run(self) -> Result<(), CliError> {
        let begin = Instant::now();
        let view = View::wanted(self.tui)?;
        let dataset = data::digits();
        let config = FitConfig { seed: self.seed, ..FitConfig::default() };
        show("1,797 handwritten digits of 8 x 8 pixels; how many kinds there are is not told\n")?;
        let source = Source::new("digits");
        let run = start(&self.out, &config, &DataRecord::new(&source, &dataset.samples), false, true)?;
        let trained = fit(&run, &dataset, &config, FitOptions { view, ..FitOptions::on(Device::Cpu) })?;
        let page = run.file("report.html");
        during("writing the report", || report::write(&run, &self.out, &source, &dataset, &page))?;
        let bytes = evaluate::model_bytes(&run.file("model.emx"))?;
        let model = evaluate::model(&run.file("model.emx"), &bytes)?;
        show(&format!(
            "{}flash       {} bytes\nRAM         {} bytes\nmultiply-accumulates {}\nfiles       {}\n{:.0} s\n",
            Evaluation::of(&dataset, Some(&trained), &model)?,
            bytes.len(),
            model.arena_len(),
            inspect::macs(model.file()),
            self.out.display(),
            begin.elapsed().as_secs_f64()
        ))
    }
}

/// How the number of clusters was found, in a line.
fn told(number: &ClusterCountReport) -> String {
    let ClusterCountReport { clusters, components, threshold, curve, seconds, .. } = number;
    let agreement = curve.iter().find(|choice| choice.threshold == *threshold).map(|choice| choice.agreement);
    let halves = agreement.map_or_else(String::new, |agreement| {
        format!("; random halves agree by {agreement:.2} if components confused with {threshold} are one")
    });
    format!("{components} components in {clusters} clusters{halves} ({seconds:.1} s)\n")
}

/// Begins a run or takes it up.
pub(super) fn start(
    out: &Path,
    config: &FitConfig,
    record: &DataRecord,
    resume: bool,
    force: bool,
) -> Result<RunDir, CliError> {
    let run = RunDir::create(out).map_err(CliError::io(out))?;
    let other = |what: &str| {
        let out = out.display();
        CliError::Use(format!(
            "{out}: the run was started with other {what}: give the same, or choose another directory"
        ))
    };
    if run.is_started() && resume {
        if let Some(difference) = settings::difference(&settings::read(&run.file("config.toml"))?, config)? {
            return Err(other(&format!("settings ({difference})")));
        }
        if super::data::record(&run)?.is_some_and(|before| before != *record) {
            return Err(other(&format!("samples than {} is now", record.source.path)));
        }
        return Ok(run);
    }
    if run.is_started() && !force {
        return Err(CliError::Use(format!(
            "{}: there is a run already: take it up with --resume, forget it with --force, or choose another --out",
            out.display()
        )));
    }
    run.clear().map_err(CliError::io(out))?;
    // A run has begun once its settings are there: they come last.
    let data = toml::to_string(record).map_err(|error| CliError::Use(error.to_string()))?;
    for (name, text) in [("data.toml", data), ("config.toml", settings::text(config)?)] {
        let path = run.file(name);
        write_whole(&path, text.as_bytes()).map_err(CliError::io(&path))?;
    }
    Ok(run)
}

/// How a fit is done, apart from what is learned.
#[derive(Clone, Copy)]
pub(super) struct FitOptions {
    pub(super) device: Device,
    pub(super) view: View,
    /// Whether a model is written whose integers are not the f32 model's.
    pub(super) allow_disagreement: bool,
}

impl FitOptions {
    pub(super) fn on(device: Device) -> Self {
        Self { device, view: View::Plain, allow_disagreement: false }
    }
}

/// Trains, quantises, and writes both models.
pub(super) fn fit(
    run: &RunDir,
    dataset: &Dataset,
    config: &FitConfig,
    options: FitOptions,
) -> Result<Trained, CliError> {
    let parts = Split::draw(dataset, config.holdout, config.seed).parts(&dataset.samples)?;
    let title = format!("{} by {}, {}", dataset.samples.name(), config.method.name(), run.file("").display());
    let mut progress = Progress::new(run.clone(), &title, options.view)?;
    let trained = options.device.fit(&parts.training, config, &mut run.clone(), &mut progress)?.trained;
    progress.activity("quantising");
    let collapse = collapse::find_collapse(&trained, &parts.training).map_err(FitError::from)?;
    let path = run.file("trained.bin");
    let bytes = postcard::to_stdvec(&trained).map_err(|error| CliError::Use(error.to_string()))?;
    write_whole(&path, &bytes).map_err(CliError::io(&path))?;
    export(run, &trained, &parts, config, options.allow_disagreement, &run.file("model.emx"))?;
    drop(progress);
    if parts.held_out.is_none() && config.holdout > 0.0 {
        eprintln!(
            "note: {:.0} % of the samples are fewer than {MIN_HELD_OUT}: none are held out, and the novelty's p-values, of the \
             training samples themselves, are too small",
            100.0 * config.holdout
        );
    }
    if let Some(collapse) = collapse {
        eprintln!("warning: {collapse}");
    }
    Ok(trained)
}

/// Quantises and writes a model, unless its integers are not the f32 model's.
pub(super) fn export(
    run: &RunDir,
    trained: &Trained,
    parts: &SplitSamples,
    config: &FitConfig,
    allow_disagreement: bool,
    out: &Path,
) -> Result<(), CliError> {
    let path = run.file("config.toml");
    let text = fs::read(&path).map_err(CliError::io(&path))?;
    let name = parts.training.name().to_owned();
    let provenance = Provenance { name, config: Sha256::digest(&text).into(), seed: config.seed };
    let held_out = parts.held_out.as_ref().map(|samples| HeldOut { samples, finest_rate: config.finest_rate });
    let bytes = quantize(trained, &parts.training, held_out, &provenance)?;
    let model = evaluate::model(out, &bytes)?;
    match check(trained, &model, &parts.training) {
        Err(error @ QuantizeError::Disagreement { .. }) if allow_disagreement => eprintln!("warning: {error}"),
        checked => checked?,
    }
    write_whole(out, &bytes).map_err(CliError::io(out))
}
