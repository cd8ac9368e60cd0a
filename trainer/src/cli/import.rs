//! `edgemix import`.

use std::path::PathBuf;

use clap::Args;

use super::commands::{commands_of, next_commands};
use super::data::{Cut, note_constant_columns};
use super::describe;
use super::error::CliError;
use super::import_encoder::{Clustering, Given};
use super::output::show;
use super::progress::during;
use super::report::write_page;
use super::warnings::warn_of_fit;
use crate::base::text::{counted, listed};
use crate::import::has_clusters;
use crate::run::RunFile;
use crate::workflow::{FitOptions, ImportOptions, ImportPlan, import};

#[derive(Args)]
#[command(after_help = "docs/import.md has the function that writes a model of scikit-learn to a file.

Examples:
  edgemix import model.npz --data samples.csv --out runs/imported
  edgemix import model.npz --data samples.csv --min-weight 0.01 --out runs/imported
  edgemix import encoder.onnx --data samples.npy --method grow --out runs/encoder
  edgemix import encoder.onnx --data samples.npy --fine-tune --method idec --clusters 10 --out runs/tuned
  edgemix import autoencoder.onnx --latent /encoder/Gemm_output_0 --data samples.npy --out runs/encoder
  edgemix import weights.safetensors --encoder conv:16k3p1,max2,10 --data images.npy --out runs/encoder")]
pub(super) struct Import {
    /// A pipeline of scikit-learn as an NPZ archive of its arrays or as an ONNX file, or an encoder: an ONNX file, or a state dict
    /// of PyTorch as safetensors.
    model: PathBuf,
    /// Samples like those that the model was fitted to, in the form and unit in which an encoder takes them: `digits`, a CSV (also .csv.gz), Parquet, NPY, NPZ or IDX file, or a folder
    /// of images. They calibrate the integers and novelty, and clusters are found in an encoder's latents of them.
    #[arg(long)]
    data: String,
    #[command(flatten)]
    cut: Cut,
    /// The directory of the run.
    #[arg(long, value_name = "DIR")]
    out: PathBuf,
    /// The smallest weight with which a component of a mixture is kept [default: 0.001 for a BayesianGaussianMixture, otherwise
    /// all are].
    #[arg(long, value_name = "SHARE", value_parser = share)]
    min_weight: Option<f64>,
    #[command(flatten)]
    clustering: Clustering,
    /// The seed of the draw of held-out samples, and of the search for clusters [default: 0].
    #[arg(long)]
    seed: Option<u64>,
    /// The share of the samples that is held out, for novelty and posteriors [default: 0.1].
    #[arg(long, value_name = "SHARE")]
    holdout: Option<f64>,
    /// Replaces a run that is already in the directory.
    #[arg(long)]
    force: bool,
    /// Writes the quantised model even if it disagrees with the imported model, and warns.
    #[arg(long)]
    allow_disagreement: bool,
}

fn share(text: &str) -> Result<f64, String> {
    let share = text.parse().ok().filter(|share| (0.0..1.0).contains(share));
    share.ok_or_else(|| "expected a share from 0 to 1, such as 0.01".into())
}

impl Import {
    pub(super) fn run(self) -> Result<(), CliError> {
        if self.is_encoder()? {
            return self.clustering.import_encoder(&self.for_encoder()?);
        }
        self.clustering.refuse()?;
        let source = self.cut.source(Some(&self.data), None)?;
        let dataset = self.cut.read(&source)?;
        let defaults = ImportOptions::default();
        let options = ImportOptions {
            least_weight: self.min_weight,
            seed: self.seed.unwrap_or(defaults.seed),
            holdout: self.holdout.unwrap_or(defaults.holdout),
        };
        let plan = ImportPlan::new(&self.model, &source, &dataset, &options).map_err(CliError::Import)?;
        let clustering = plan.clustering();
        if !clustering.is_of_features() {
            note_constant_columns(&dataset.samples);
        }
        let fit = FitOptions { allow_disagreement: self.allow_disagreement, ..FitOptions::default() };
        let summary = during("quantising", || import(&self.out, &plan, self.force, &fit)).map_err(CliError::Import)?;
        warn_of_fit(&summary, plan.plan().config());
        let run = &summary.run;
        write_page(run, &dataset, &commands_of(run, &source)?)?;
        let file = run.model()?;
        show(&format!(
            "{name}: {clusters} in {dims}\n{numbers}{0}: {sizes}\nreport: {report}\n{next}",
            file.path().display(),
            name = clustering.name,
            clusters = counted(clustering.n_clusters(), "cluster"),
            dims = counted(clustering.n_dims(), "dimension"),
            numbers = numbers(&clustering.numbers),
            sizes = describe::sizes(&file, dataset.samples.n_samples())?,
            report = run.file(RunFile::Report).display(),
            next = next_commands(file.path(), &self.out),
        ))
    }
}

impl Import {
    /// Whether the file has an encoder alone; an ONNX file may have clusters, too.
    fn is_encoder(&self) -> Result<bool, CliError> {
        let ends_in = |known: &str| self.model.extension().is_some_and(|ending| ending.eq_ignore_ascii_case(known));
        if ends_in("onnx") {
            return Ok(!has_clusters(&self.model).map_err(|error| CliError::Import(error.into()))?);
        }
        Ok(ends_in("safetensors"))
    }

    fn for_encoder(&self) -> Result<Given<'_>, CliError> {
        if self.min_weight.is_some() {
            return Err(CliError::Usage(
                "--min-weight is for mixtures of another program, and this file is an encoder: omit it".into(),
            ));
        }
        let Self { model, data, cut, out, seed, holdout, force, allow_disagreement, .. } = self;
        let (seed, holdout, allow_disagreement) = (*seed, *holdout, *allow_disagreement);
        Ok(Given { model, data, cut, out, seed, holdout, replaces: *force, allow_disagreement })
    }
}

/// Which numbers the clusters have in the other program, if they are others.
fn numbers(numbers: &[usize]) -> String {
    if numbers.iter().enumerate().all(|(own, other)| own == *other) {
        return String::new();
    }
    let pairs: Vec<String> =
        numbers.iter().enumerate().map(|(own, other)| format!("{own} is component {other}")).collect();
    format!("components: cluster {} (the weights of the others are below the least)\n", listed(&pairs))
}
