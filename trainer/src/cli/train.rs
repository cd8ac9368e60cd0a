//! `edgemix train` and `edgemix demo`.

use std::fs;
use std::path::{Path, PathBuf};
use std::time::Instant;

use clap::Args;
use sha2::{Digest, Sha256};

use super::evaluate::Evaluation;
use super::progress::Progress;
use super::{CliError, evaluate, inspect};
use crate::collapse;
use crate::data::{self, Dataset, Samples};
use crate::device::Device;
use crate::methods::MethodConfig;
use crate::nn::ArchitectureError;
use crate::quantize::{Provenance, quantize};
use crate::run::{RunDir, write_whole};
use crate::trained::Trained;
use crate::training::{FitConfig, FitError};
use crate::variant::Variant;

#[derive(Args)]
#[command(after_help = "Examples:
  edgemix train digits --out runs/digits
  edgemix train mnist/train-images-idx3-ubyte --encoder 500-500-2000-10 --out runs/mnist
  edgemix train features.npy --method ae-gmm --clusters 6 --out runs/gmm
  edgemix train digits --out runs/digits --resume      # after it was killed")]
pub(super) struct Train {
    /// `digits`, or an NPY, NPZ or IDX file of samples.
    data: String,
    /// The run's directory.
    #[arg(long, value_name = "DIR")]
    out: PathBuf,
    #[arg(long, help = format!("One of {} [default: alpha-jsd]", MethodConfig::NAMES.join(", ")))]
    method: Option<String>,
    /// As the paper prints it, or corrected, where both are defined [default: corrected].
    #[arg(long)]
    variant: Option<Variant>,
    /// Number of clusters; for alpha-jsd and dpm the number of components to start from.
    #[arg(long)]
    clusters: Option<usize>,
    /// The encoder's layers, by name (small, dec, k-dvae, depict, tiny) or spelt, from the first hidden one to the latent:
    /// 256-128-10, conv:50k4s2,50k5s2p2,10 [default: the method's, or by the input's size].
    #[arg(long)]
    encoder: Option<String>,
    /// A TOML file of settings, such as a run's config.toml; flags override it.
    #[arg(long, value_name = "FILE")]
    config: Option<PathBuf>,
    /// Seed of every random draw [default: 0].
    #[arg(long)]
    seed: Option<u64>,
    /// Epochs of reconstruction [default: by the number of samples].
    #[arg(long)]
    pretrain_epochs: Option<usize>,
    /// Epochs with the clustering loss [default: by the number of samples].
    #[arg(long)]
    cluster_epochs: Option<usize>,
    /// Adam's step size [default: 0.001].
    #[arg(long)]
    learning_rate: Option<f64>,
    /// cpu, ndarray, cuda or cuda:1.
    #[arg(long, default_value = "cpu")]
    device: String,
    /// Takes up a run that was interrupted; ends with the same bits.
    #[arg(long, conflicts_with = "force")]
    resume: bool,
    /// Forgets a run that is already there.
    #[arg(long)]
    force: bool,
}

impl Train {
    pub(super) fn run(self) -> Result<(), CliError> {
        let config = self.config()?;
        let dataset = data::read(&self.data)?;
        let device: Device = self.device.parse()?;
        device.check()?;
        let run = start(&self.out, &config, self.resume, self.force)?;
        fit(&run, &dataset, &config, device)?;
        println!("{} {}", run.file("model.emx").display(), summary(&run, &dataset)?);
        println!(
            "next: edgemix inspect {0}\n      edgemix evaluate {1} --data {2}",
            run.file("model.emx").display(),
            self.out.display(),
            self.data
        );
        Ok(())
    }

    fn config(&self) -> Result<FitConfig, CliError> {
        let mut config = match &self.config {
            Some(path) => {
                let text = fs::read_to_string(path).map_err(CliError::io(path))?;
                toml::from_str(&text).map_err(|error| CliError::Use(format!("{}: {error}", path.display())))?
            }
            None => FitConfig::default(),
        };
        if let Some(name) = &self.method
            && config.method.name() != name
        {
            config.method = MethodConfig::named(name).ok_or_else(|| {
                CliError::Use(format!("no method is called {name:?}: use one of {}", MethodConfig::NAMES.join(", ")))
            })?;
        }
        if let Some(variant) = self.variant
            && !config.method.set_variant(variant)
        {
            return Err(CliError::Use(format!("--variant: {} has one form only", config.method.name())));
        }
        if let Some(n) = self.clusters {
            config.method.set_n_clusters(n);
        }
        if let Some(layers) = &self.encoder {
            config.encoder =
                layers.parse().map_err(|error: ArchitectureError| CliError::Use(format!("--encoder: {error}")))?;
        }
        config.seed = self.seed.unwrap_or(config.seed);
        config.pretrain_epochs = self.pretrain_epochs.unwrap_or(config.pretrain_epochs);
        config.cluster_epochs = self.cluster_epochs.unwrap_or(config.cluster_epochs);
        config.learning_rate = self.learning_rate.unwrap_or(config.learning_rate);
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
}

impl Demo {
    pub(super) fn run(self) -> Result<(), CliError> {
        let begin = Instant::now();
        let dataset = data::digits();
        let config = FitConfig { seed: self.seed, ..FitConfig::default() };
        println!("1,797 handwritten digits of 8 x 8 pixels; how many kinds there are is not told");
        let run = start(&self.out, &config, false, true)?;
        let trained = fit(&run, &dataset, &config, Device::Cpu)?;
        let bytes = evaluate::model_bytes(&run.file("model.emx"))?;
        let model = evaluate::model(&run.file("model.emx"), &bytes)?;
        print!("{}", Evaluation::of(&dataset, Some(&trained), &model)?);
        println!("flash       {} bytes\nRAM         {} bytes", bytes.len(), model.arena_len());
        println!("multiply-accumulates {}", inspect::macs(model.file()));
        println!("files       {}", self.out.display());
        println!("{:.0} s", begin.elapsed().as_secs_f64());
        Ok(())
    }
}

/// Begins a run or takes it up.
pub(super) fn start(out: &Path, config: &FitConfig, resume: bool, force: bool) -> Result<RunDir, CliError> {
    let run = RunDir::create(out).map_err(CliError::io(out))?;
    let text = toml::to_string(config).map_err(|error| CliError::Use(error.to_string()))?;
    let path = run.file("config.toml");
    if run.is_started() && resume {
        let before = fs::read_to_string(&path).map_err(CliError::io(&path))?;
        if before != text {
            return Err(CliError::Use(format!(
                "{}: the run was started with other settings: give the same ones, or --config {0}",
                path.display()
            )));
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
    write_whole(&path, text.as_bytes()).map_err(CliError::io(&path))?;
    Ok(run)
}

pub(super) fn fit(run: &RunDir, dataset: &Dataset, config: &FitConfig, device: Device) -> Result<Trained, CliError> {
    let metrics = run.file("metrics.jsonl");
    let mut progress = Progress::new(run.clone(), false);
    let trained = device.fit(&dataset.samples, config, &mut run.clone(), &mut progress)?;
    progress.finish().map_err(CliError::io(&metrics))?;
    if let Some(collapse) = collapse::look(&trained, &dataset.samples).map_err(FitError::from)? {
        eprintln!("warning: {collapse}");
    }
    let path = run.file("trained.bin");
    let bytes = postcard::to_stdvec(&trained).map_err(|error| CliError::Use(error.to_string()))?;
    write_whole(&path, &bytes).map_err(CliError::io(&path))?;
    export(run, &trained, &dataset.samples, config, &run.file("model.emx"))?;
    Ok(trained)
}

/// Quantises and writes a model.
pub(super) fn export(
    run: &RunDir,
    trained: &Trained,
    samples: &Samples,
    config: &FitConfig,
    out: &Path,
) -> Result<(), CliError> {
    let path = run.file("config.toml");
    let text = fs::read(&path).map_err(CliError::io(&path))?;
    let provenance = Provenance { name: samples.name.clone(), config: Sha256::digest(&text).into(), seed: config.seed };
    let bytes = quantize(trained, samples, &provenance)?;
    write_whole(out, &bytes).map_err(CliError::io(out))
}

fn summary(run: &RunDir, dataset: &Dataset) -> Result<String, CliError> {
    let path = run.file("model.emx");
    let bytes = evaluate::model_bytes(&path)?;
    let model = evaluate::model(&path, &bytes)?;
    Ok(format!(
        "{} clusters of {} samples, {} bytes of flash, {} bytes of RAM",
        model.n_clusters(),
        dataset.samples.n_samples,
        bytes.len(),
        model.arena_len()
    ))
}
