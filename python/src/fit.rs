//! A fit, by the path of `edgemix train`.

use std::path::Path;

use edgemix::data::{Saturated, Source};
use edgemix::run::RunDir;
use edgemix::training::Observer;
use edgemix::workflow::{Plan, remarks_on_count, start};
use pyo3::prelude::*;

use crate::array::Given;
use crate::errors::Failure;
use crate::fitted::{Fitted, Outcome};
use crate::model::Model;
use crate::progress::watched;
use crate::settings::Parameters;

/// Fits a model to the samples of an array. `callback` is told of each epoch.
#[pyfunction]
#[pyo3(signature = (array, parameters, names, groups, callback))]
pub(crate) fn fit(
    py: Python<'_>,
    array: Given<'_>,
    parameters: Parameters,
    names: Vec<String>,
    groups: Option<Vec<u32>>,
    callback: Option<Py<PyAny>>,
) -> PyResult<Fitted> {
    let array = array.bytes()?;
    let is_kept = parameters.run_dir.is_some();
    let outcome = watched(py, callback, is_kept, |observer| {
        let (config, clusters) = parameters.config()?;
        let source = Source::new(&*parameters.name);
        let dataset = source.read_array(array, &names, groups)?;
        let n_samples = dataset.samples.n_samples();
        let refused = |error: edgemix::methods::ClustersError| Failure::Parameter(format!("n_clusters: {error}"));
        clusters.map_or(Ok(()), |clusters| clusters.check(n_samples)).map_err(refused)?;
        let plan = Plan::new(&source, &dataset, config)?;
        match &parameters.run_dir {
            Some(folder) => train(folder, &plan, &parameters, observer),
            None => {
                let folder = tempfile::tempdir().map_err(|error| {
                    Failure::Parameter(format!("there is no room for the checkpoints of a run: {error}; give run_dir"))
                })?;
                train(folder.path(), &plan, &parameters, observer)
            }
        }
    })?;
    Ok(Fitted(outcome?))
}

fn train(folder: &Path, plan: &Plan, parameters: &Parameters, observer: &mut dyn Observer) -> Result<Outcome, Failure> {
    let samples = &plan.dataset().samples;
    let mut warnings: Vec<String> = Saturated::of(samples)?.iter().map(ToString::to_string).collect();
    let mut notes: Vec<String> = samples.notes().iter().map(ToString::to_string).collect();
    if plan.encoder().dimension.is_some() {
        notes.push(plan.encoder().to_string());
    }
    notes.extend(plan.front_end().map(|front_end| front_end.describe()));

    let (options, existing) = parameters.options()?;
    let run = start(folder, plan, existing)?;
    let summary = edgemix::workflow::fit(&run, plan, &options, observer)?;
    let run: &RunDir = &summary.run;
    let (trained, search) = (run.trained()?, run.cluster_count()?);
    let remarks = summary.remarks(plan.config().holdout);
    for remark in remarks.into_iter().chain(remarks_on_count(trained.head.n_clusters(), search.as_ref())) {
        let told = if remark.is_warning() { &mut warnings } else { &mut notes };
        told.push(remark.to_string());
    }
    if let Err(no_level) = trained.at_level(options.level) {
        warnings.push(format!("level: {no_level}; the model file has the clusters that were trained"));
    }
    let model = Model::new(run.model()?, plan.record().trained_columns());
    Ok(Outcome { model, warnings, notes, history: run.metrics()? })
}
