//! `edgemix import` of an encoder.

use std::path::{Path, PathBuf};

use clap::Args;

use super::commands::{commands_of, next_commands};
use super::data::{Cut, warn_of_far_values};
use super::describe;
use super::describe::title;
use super::devices::resolve;
use super::error::CliError;
use super::output::show;
use super::progress::{View, during, during_fit};
use super::report::write_page;
use super::warnings::{warn_of_cluster_count, warn_of_fit};
use crate::base::text::counted;
use crate::data::{Samples, ValueRange};
use crate::methods::{Clusters, FitConfig};
use crate::run::{Choices, EncoderRecord, RunFile, read_settings};
use crate::workflow::{
    EncoderFile, EncoderPlan, ExistingRun, FineTuning, FitOptions, FitSummary, fit_import, start_import,
};

/// How clusters are found in the latents of an encoder.
#[derive(Args)]
pub(super) struct Clustering {
    /// How clusters are found in an encoder's latents: grow, ae-kmeans, ae-gmm, kmeans, gmm or dpm [default: grow]. With --fine-tune:
    /// a method that trains its encoder with the clusters, such as grow, dec, idec or adaptive-gmm.
    #[arg(long)]
    method: Option<String>,
    /// Trains the encoder further, together with its clusters.
    #[arg(long)]
    fine_tune: bool,
    /// Epochs in which a decoder learns to reconstruct the samples from the latents of the encoder as it is [default: by the number
    /// of samples].
    #[arg(long, value_name = "N", requires = "fine_tune")]
    pretrain_epochs: Option<usize>,
    /// Epochs in which encoder and clusters learn together [default: by the method].
    #[arg(long, value_name = "N", requires = "fine_tune")]
    cluster_epochs: Option<usize>,
    /// The device to train on: cpu, cuda or cuda:1, wgpu or wgpu:1, or auto for a GPU where there is one [default: cpu].
    #[arg(long, requires = "fine_tune")]
    device: Option<String>,
    /// Resumes a run that was interrupted; the result has the same bits as without the interruption.
    #[arg(long, requires = "fine_tune", conflicts_with = "force")]
    resume: bool,
    /// The number of clusters in an encoder's latents. grow determines it itself, and also accepts auto or a range such as 8..12;
    /// for dpm it is the number of components to start from.
    #[arg(long, value_name = "N")]
    clusters: Option<Clusters>,
    /// The name of the value of the ONNX file that is the latent [default: its only output].
    #[arg(long, value_name = "NAME")]
    latent: Option<String>,
    /// The layers of a state dict, from the first to the latent, such as conv:16k3p1,max2,10: the spelling of `train --encoder`.
    #[arg(long, value_name = "LAYERS")]
    encoder: Option<String>,
    /// What follows each layer of a state dict but the last: relu, leaky-relu, leaky-relu=0.2, tanh, sigmoid, elu or none
    /// [default: relu].
    #[arg(long)]
    activation: Option<String>,
    /// How the names of a state dict's modules begin, such as encoder. [default: all modules].
    #[arg(long)]
    prefix: Option<String>,
    /// A TOML file of settings for the search, such as config.toml of a run; flags override it.
    #[arg(long, value_name = "FILE")]
    config: Option<PathBuf>,
    /// Sets any setting of the search by its path in config.toml, such as method.grouping.halves=40; may be repeated.
    #[arg(long = "set", value_name = "KEY=VALUE")]
    sets: Vec<String>,
}

impl Clustering {
    /// Refuses flags that a file with clusters of its own has no use for.
    pub(super) fn refuse(&self) -> Result<(), CliError> {
        let given = [
            ("--method", self.method.is_some()),
            ("--fine-tune", self.fine_tune),
            ("--clusters", self.clusters.is_some()),
            ("--latent", self.latent.is_some()),
            ("--encoder", self.encoder.is_some()),
            ("--activation", self.activation.is_some()),
            ("--prefix", self.prefix.is_some()),
            ("--config", self.config.is_some()),
            ("--set", !self.sets.is_empty()),
        ];
        match given.into_iter().find(|(_, is_given)| *is_given) {
            None => Ok(()),
            Some((flag, _)) => Err(CliError::Usage(format!(
                "{flag} is for encoders, such as encoder.onnx, and this file has clusters of its own: omit {flag}"
            ))),
        }
    }

    /// How the file is read. A state dict needs its layers, and an ONNX file has its own.
    fn reading(&self, model: &Path) -> Result<EncoderRecord, CliError> {
        let Self { latent, encoder, activation, prefix, .. } = self;
        let wrong = |problem: &str| Err(CliError::Usage(format!("{}: {problem}", model.display())));
        let is_graph = model.extension().is_some_and(|ending| ending.eq_ignore_ascii_case("onnx"));
        match (is_graph, encoder) {
            (true, None) if activation.is_none() && prefix.is_none() => {}
            (true, _) => {
                return wrong("an ONNX file has its layers itself: omit --encoder, --activation and --prefix");
            }
            (false, None) => {
                return wrong(
                    "a state dict does not say how its modules are connected: spell the layers with --encoder",
                );
            }
            (false, Some(_)) if latent.is_some() => return wrong("--latent is for ONNX files: omit it"),
            (false, Some(_)) => {}
        }
        let (latent, layers) = (latent.clone(), encoder.clone());
        Ok(EncoderRecord { latent, layers, activation: activation.clone(), prefix: prefix.clone() })
    }

    fn settings(&self, seed: Option<u64>, holdout: Option<f64>) -> Result<FitConfig, CliError> {
        let before = self.config.as_deref().map_or_else(|| Ok(FitConfig::default()), read_settings)?;
        let (method, clusters, sets) = (self.method.clone(), self.clusters, self.sets.clone());
        let &Self { pretrain_epochs, cluster_epochs, .. } = self;
        let chosen =
            Choices { method, clusters, seed, holdout, pretrain_epochs, cluster_epochs, sets, ..Choices::default() };
        Ok(chosen.applied(before)?)
    }
}

/// What every import is given.
pub(super) struct Given<'a> {
    pub(super) model: &'a Path,
    pub(super) data: &'a str,
    pub(super) cut: &'a Cut,
    pub(super) out: &'a Path,
    pub(super) seed: Option<u64>,
    pub(super) holdout: Option<f64>,
    pub(super) replaces: bool,
    pub(super) allow_disagreement: bool,
}

impl Clustering {
    /// Imports an encoder, and finds clusters in its latents.
    pub(super) fn import_encoder(&self, given: &Given) -> Result<(), CliError> {
        let &Given { model, data, cut, out, seed, holdout, replaces, allow_disagreement } = given;
        let config = self.settings(seed, holdout)?;
        let device = resolve(self.device.as_deref().unwrap_or("cpu"))?;
        let source = cut.source(Some(data), None)?;
        let dataset = cut.read(&source)?;
        warn_of_far_values(&dataset.samples)?;
        self.clusters.map_or(Ok(()), |clusters| clusters.check(dataset.samples.n_samples()))?;
        let file = EncoderFile { path: model.into(), reading: self.reading(model)? };
        let begin = if self.fine_tune { EncoderPlan::fine_tuned } else { EncoderPlan::new };
        let plan = during("encoding", || begin(&file, &source, &dataset, config)).map_err(CliError::Import)?;
        let existing = match (self.resume, replaces) {
            (true, _) => ExistingRun::Resume,
            (false, true) => ExistingRun::Replace,
            (false, false) => ExistingRun::Refuse,
        };
        let run = start_import(out, &plan, existing).map_err(CliError::Import)?;
        let options = FitOptions { device, allow_disagreement, ..FitOptions::default() };
        let title = title(plan.plan(), out);
        let summary = during_fit(&run, &title, View::Plain, |observer| fit_import(&run, &plan, &options, observer))?;
        let summary = summary.map_err(CliError::Import)?;
        warn_of_fit(&summary, plan.plan().config());
        let run = &summary.run;
        write_page(run, &dataset, &commands_of(run, &source)?)?;
        let search = run.cluster_count()?;
        let n_clusters = run.trained()?.head.n_clusters();
        warn_of_cluster_count(n_clusters, search.as_ref());
        let file = run.model()?;
        let encoder = plan.encoder();
        show(&format!(
            "{name}: {features} {range}, {layers}, a latent of {dims}\n{found}{changed}{0}: {sizes}\nreport: {report}\n{next}",
            file.path().display(),
            name = encoder.name,
            features = counted(encoder.n_features(), "feature"),
            range = range(&dataset.samples),
            layers = counted(encoder.layers().len(), "layer"),
            dims = counted(encoder.n_dims(), "dimension"),
            found = search.as_ref().map_or_else(String::new, |search| describe::search(search, n_clusters)),
            changed = changed(&plan, &summary, &options),
            sizes = describe::sizes(&file, dataset.samples.n_samples())?,
            report = run.file(RunFile::Report).display(),
            next = next_commands(file.path(), out),
        ))
    }
}

/// The values that the encoder is given. Samples in another unit than it was trained on are the commonest mistake, and no file
/// says which unit that is.
fn range(samples: &Samples) -> String {
    let all = samples.column_ranges().into_iter().fold(ValueRange::EMPTY, ValueRange::union);
    format!("from {} to {}", all.least, all.greatest)
}

/// What the further training changed, if there was any. The run is whole by now: what can't be compared is no failure.
fn changed(plan: &EncoderPlan, summary: &FitSummary, options: &FitOptions) -> String {
    if !plan.is_fine_tuned() {
        return String::new();
    }
    let compared =
        during("clusters of the encoder as imported", || FineTuning::compare(plan, &summary.trained, options, &mut ()));
    match compared {
        Ok(found) => describe::fine_tuning(&found),
        Err(error) => format!("The encoder as imported has no clusters to compare with: {error}\n"),
    }
}
