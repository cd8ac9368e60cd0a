//! `edgemix evaluate`.

use std::fmt;
use std::fs;
use std::path::{Path, PathBuf};

use clap::Args;
use edgemix_format::write::AlignedBytes;
use edgemix_runtime::Model;
use serde::Serialize;

use super::data::{Cut, record, run_of};
use super::held_out::{self, HeldOut, Posterior};
use super::output::show;
use super::progress::during;
use super::{CliError, settings};
use crate::assessment::inference;
use crate::data::split::Split;
use crate::data::{DataRecord, Dataset, Samples};
use crate::metrics::{Scores, agreement, clusters_found, scores};
use crate::run::RunDir;
use crate::trained::{Layer, Trained};

#[derive(Args)]
#[command(after_help = "Examples:
  edgemix evaluate runs/demo
  edgemix evaluate runs/mnist --data mnist/t10k-images-idx3-ubyte --labels mnist/t10k-labels-idx1-ubyte --json")]
pub(super) struct Evaluate {
    /// A run's directory, or an .emx file.
    model: PathBuf,
    /// `digits`, a CSV (also .csv.gz), Parquet, NPY, NPZ or IDX file, or a folder of images, cut as the run's were [default: the run's].
    #[arg(long)]
    data: Option<String>,
    #[command(flatten)]
    cut: Cut,
    /// As JSON.
    #[arg(long)]
    json: bool,
}

/// What the f32 model and the integers make of the same samples.
#[derive(Serialize)]
pub(super) struct Evaluation {
    f32: Option<Side>,
    pub(super) int8: Side,
    pub(super) agreement: Option<f64>,
    /// Of a run's own samples, those that training did not see, alone.
    #[serde(skip_serializing_if = "Option::is_none")]
    held_out: Option<Box<HeldOut>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    posterior: Option<Posterior>,
}

#[derive(Serialize)]
pub(super) struct Side {
    clusters: usize,
    pub(super) clusters_of_a_percent: usize,
    pub(super) scores: Option<Scores>,
}

impl Evaluate {
    pub(super) fn run(self) -> Result<(), CliError> {
        let run = run_of(&self.model);
        let record = record(&run)?;
        let source = self.cut.source(self.data.as_deref(), record.as_ref())?;
        let dataset = self.cut.read(&source)?;
        let is_run = self.model.is_dir();
        let trained = if is_run { Some(trained(&RunDir::open(&self.model))?) } else { None };
        let path = model_path(&self.model);
        let bytes = model_bytes(&path)?;
        let model = model(&path, &bytes)?;
        if let Some(trained) = &trained {
            check_pair(&run, trained, &model)?;
        }
        let mut evaluation = during("assigning", || Evaluation::of(&dataset, trained.as_ref(), &model))?;
        let now = DataRecord::new(&source, &dataset.samples);
        let split = match (&trained, record.filter(|before| before.fingerprint == now.fingerprint)) {
            (Some(trained), Some(_)) => {
                let config = settings::read(&run.file("config.toml"))?;
                Some((trained, Split::draw(&dataset, config.holdout, config.seed)))
            }
            _ => None,
        };
        evaluation.posterior = match split.filter(|(_, split)| !split.held_out.is_empty()) {
            Some((trained, split)) => {
                let (of_held_out, posterior) = held_out::of_run(&split, &dataset, trained, &model)?;
                evaluation.held_out = Some(Box::new(of_held_out));
                Some(posterior)
            }
            None => Some(held_out::of_samples(&model, &dataset.samples, dataset.labels.as_deref())?),
        };
        if self.json {
            let json = serde_json::to_string_pretty(&evaluation).map_err(|e| CliError::Use(e.to_string()))?;
            show(&format!("{json}\n"))
        } else {
            show(&evaluation.to_string())
        }
    }
}

impl Evaluation {
    pub(super) fn of(dataset: &Dataset, trained: Option<&Trained>, model: &Model) -> Result<Self, CliError> {
        let samples = &dataset.samples;
        check_features(model, samples)?;
        let side = |clusters: &[u16]| Side {
            clusters: clusters_found(clusters, 0.0),
            clusters_of_a_percent: clusters_found(clusters, 0.01),
            scores: dataset.labels.as_ref().map(|labels| scores(labels, clusters)),
        };
        let int8: Vec<u16> = inference::assign_samples(model, samples)?.iter().map(|found| found.cluster).collect();
        let f32 = trained.map(|trained| trained.assign(samples)).transpose();
        let f32 = f32.map_err(|error| CliError::Use(error.to_string()))?;
        Ok(Self {
            f32: f32.as_deref().map(side),
            agreement: f32.as_deref().map(|clusters| agreement(clusters, &int8)),
            int8: side(&int8),
            held_out: None,
            posterior: None,
        })
    }
}

impl fmt::Display for Evaluation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut line = |name: &str, side: &Side| {
            write!(f, "{name:<12}{} clusters ({} of >= 1 %)", side.clusters, side.clusters_of_a_percent)?;
            match side.scores {
                Some(s) => writeln!(f, ", ACC {:.3}, NMI {:.3}, ARI {:.3}", s.acc, s.nmi, s.ari),
                None => writeln!(f),
            }
        };
        self.f32.as_ref().map_or(Ok(()), |side| line("f32", side))?;
        line("int8", &self.int8)?;
        self.agreement.map_or(Ok(()), |share| writeln!(f, "agreement   {:.2} %", 100.0 * share))?;
        self.held_out.as_ref().map_or(Ok(()), |held_out| write!(f, "{held_out}"))?;
        self.posterior.as_ref().map_or(Ok(()), |posterior| write!(f, "{posterior}"))
    }
}

/// Samples that the model does not take are refused.
pub(super) fn check_features(model: &Model, samples: &Samples) -> Result<(), CliError> {
    let (takes, name, has) = (model.input_len(), samples.name(), samples.n_features());
    if takes == has {
        Ok(())
    } else {
        Err(CliError::Use(format!("the model takes {takes} features, {name} has {has}")))
    }
}

/// A run whose f32 model and integers are not one and the same model is refused.
pub(super) fn check_pair(run: &RunDir, trained: &Trained, model: &Model) -> Result<(), CliError> {
    let head = &model.file().head;
    let first = trained.encoder.first().map_or(trained.head.n_dims(), Layer::inputs);
    let integers = (model.input_len(), head.n_components(), model.n_clusters());
    let exact = (first, trained.head.n_components(), trained.head.n_clusters());
    if exact == integers {
        return Ok(());
    }
    let count = |(features, components, clusters)| {
        format!("{features} features, {components} components and {clusters} clusters")
    };
    let (exact, integers) = (count(exact), count(integers));
    let [trained, model] = ["trained.bin", "model.emx"].map(|name| run.file(name).display().to_string());
    Err(CliError::Use(format!("{trained} has {exact}, {model} {integers}: not of one run: train again")))
}

/// A run's trained model.
pub(super) fn trained(run: &RunDir) -> Result<Trained, CliError> {
    let path = run.file("trained.bin");
    let bytes = fs::read(&path).map_err(CliError::io(&path))?;
    postcard::from_bytes(&bytes)
        .map_err(|error| CliError::Use(format!("{}: not a trained model ({error}): train again", path.display())))
}

/// The file that a path names: itself, or that of a run's directory.
pub(super) fn model_path(path: &Path) -> PathBuf {
    if path.is_dir() { path.join("model.emx") } else { path.into() }
}

/// A model file's bytes, aligned.
pub(super) fn model_bytes(path: &Path) -> Result<AlignedBytes, CliError> {
    fs::read(path).map(|bytes| AlignedBytes::from(&bytes[..])).map_err(CliError::io(path))
}

/// The model in a file's bytes.
pub(super) fn model<'a>(path: &Path, bytes: &'a AlignedBytes) -> Result<Model<'a>, CliError> {
    Model::from_bytes(bytes).map_err(|error| CliError::Use(format!("{}: {error}", path.display())))
}

/// What a model file is, in a few words.
pub(super) fn sizes(path: &Path, n_samples: usize) -> Result<String, CliError> {
    let bytes = model_bytes(path)?;
    let model = model(path, &bytes)?;
    Ok(format!(
        "{} clusters of {n_samples} samples, {} bytes of flash, {} bytes of RAM",
        model.n_clusters(),
        bytes.len(),
        model.arena_len()
    ))
}
