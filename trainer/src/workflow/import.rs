//! A run whose model another program learned.

use std::fs;
use std::path::Path;

use sha2::{Digest, Sha256};

use super::error::WorkflowError;
use super::fit::{FitOptions, FitSummary, complete};
use super::plan::Plan;
use super::start::{ExistingRun, start_run};
use crate::data::split::Split;
use crate::data::{Dataset, Source};
use crate::front_end::{FrontEndKind, FrontEndSettings};
use crate::import::{ImportedClustering, ImportedClusters, read_onnx_clustering, read_scikit};
use crate::methods::{AeGmm, AeKMeans, FitConfig, MethodConfig};
use crate::nn::Architecture;
use crate::run::{ImportRecord, RunError};

/// The settings of an import.
#[derive(Clone, Copy, Debug)]
pub struct ImportOptions {
    /// Components of a mixture with a smaller weight are left out; `None` for scikit-learn's `BayesianGaussianMixture`
    /// below 0.001 and no others.
    pub least_weight: Option<f64>,
    /// The seed of the draw of held-out samples.
    pub seed: u64,
    /// The share of the samples that is held out for novelty and posteriors.
    pub holdout: f64,
}

impl Default for ImportOptions {
    fn default() -> Self {
        let FitConfig { seed, holdout, .. } = FitConfig::default();
        Self { least_weight: None, seed, holdout }
    }
}

/// A model of another program and samples for it, which were checked against each other.
#[derive(Clone, Debug)]
pub struct ImportPlan<'a> {
    plan: Plan<'a>,
    clustering: ImportedClustering,
    record: ImportRecord,
}

impl<'a> ImportPlan<'a> {
    /// Reads a model that scikit-learn learned, from an archive as `docs/import.md` writes it or from an ONNX file.
    ///
    /// # Errors
    /// [`WorkflowError::Import`] if the model can't be imported, [`WorkflowError::Features`] if the samples have another number
    /// of features, and the errors of [`Plan::new`].
    pub fn new(
        model: &Path,
        source: &Source,
        dataset: &'a Dataset,
        options: &ImportOptions,
    ) -> Result<Self, WorkflowError> {
        let is_graph = model.extension().is_some_and(|ending| ending.eq_ignore_ascii_case("onnx"));
        let read = if is_graph { read_onnx_clustering } else { read_scikit };
        let clustering = read(model, options.least_weight)?;
        let (expected, found) = (clustering.n_features(), dataset.samples.n_features());
        if expected != found {
            return Err(WorkflowError::Features { expected, samples: dataset.samples.name().to_owned(), found });
        }
        let record = ImportRecord {
            path: model.to_string_lossy().into_owned(),
            sha256: sha256(model)?,
            model: clustering.name.clone(),
            least_weight: options.least_weight,
            numbers: clustering.numbers.clone(),
            encoder: None,
            fine_tuned: false,
        };
        Ok(Self { plan: Plan::new(source, dataset, settings(&clustering, options))?, clustering, record })
    }

    /// The model, in f64.
    pub fn clustering(&self) -> &ImportedClustering {
        &self.clustering
    }

    /// The samples and settings of the run.
    pub fn plan(&self) -> &Plan<'a> {
        &self.plan
    }
}

/// Imports the model: starts a run in the directory `out`, quantises the model with the samples, and checks that the integers
/// find its clusters. The run is like one that was trained. A run that replaces another one takes its place at the end.
///
/// # Errors
/// The errors of [`super::start`], and [`WorkflowError::Quantize`] if the model can't be quantised.
pub fn import(
    out: &Path,
    plan: &ImportPlan,
    replaces: bool,
    options: &FitOptions,
) -> Result<FitSummary, WorkflowError> {
    let ImportPlan { plan, clustering, record } = plan;
    let existing = if replaces { ExistingRun::Replace } else { ExistingRun::Refuse };
    let run = start_run(out, plan, Some(record), existing)?;
    let (dataset, config) = (plan.dataset(), plan.config());
    let parts = Split::draw(dataset, config.holdout, config.seed).parts(&dataset.samples)?;
    let trained = clustering.trained(&parts.training)?;
    complete(&run, plan, trained, parts, options)
}

/// The settings of a run that would train such a model.
fn settings(clustering: &ImportedClustering, options: &ImportOptions) -> FitConfig {
    let method = match &clustering.clusters {
        ImportedClusters::Centers(_) => MethodConfig::AeKMeans(AeKMeans::default()),
        ImportedClusters::Mixture(mixture) => {
            let mut method = AeGmm::default();
            method.mixture.covariance = mixture.covariance.covariance_type();
            MethodConfig::AeGmm(method)
        }
    };
    let encoder = match clustering.is_of_features() {
        true => Architecture::none(),
        false => Architecture::dense(&[clustering.n_dims()]),
    };
    let mut config = FitConfig {
        seed: options.seed,
        holdout: options.holdout,
        encoder,
        // The model learned from the samples themselves.
        front_end: FrontEndSettings { kind: FrontEndKind::None, ..FrontEndSettings::default() },
        method,
        ..FitConfig::default()
    };
    config.method.set_n_clusters(clustering.n_clusters());
    config
}

/// The SHA-256 of a file in hexadecimal digits.
pub(super) fn sha256(path: &Path) -> Result<String, RunError> {
    let bytes = fs::read(path).map_err(RunError::io(path))?;
    Ok(Sha256::digest(&bytes).iter().map(|byte| format!("{byte:02x}")).collect())
}
