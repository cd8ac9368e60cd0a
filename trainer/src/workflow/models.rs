//! The two models of a run.

use edgemix_runtime::Model;

use super::error::WorkflowError;
use crate::base::text::counted;
use crate::data::Samples;
use crate::run::{ModelFile, RunDir, RunFile, RunState};
use crate::trained::{LevelChoice, Trained};

/// The trained model of a run and its quantised form, checked to be the same model.
#[derive(Clone, Debug)]
pub struct RunModels {
    /// In floating point, with the clusters of the level that the quantised form has.
    pub trained: Trained,
    /// In integers.
    pub quantised: ModelFile,
}

impl RunModels {
    /// Reads both models of a run.
    ///
    /// # Errors
    /// [`WorkflowError::Run`] if a file can't be read, and [`WorkflowError::Mismatch`] if the two models have different
    /// numbers of features, components or clusters.
    pub fn read(run: &RunDir) -> Result<Self, WorkflowError> {
        let (trained, quantised) = (run.trained()?, run.model()?);
        let level = LevelChoice::Clusters(quantised.model()?.n_clusters());
        let trained = trained.at_level(level).unwrap_or(trained);
        let in_trained = (trained.n_values(), trained.head.n_components(), trained.head.n_clusters());
        let in_model = {
            let model = quantised.model()?;
            (model.input_len(), model.file().head.n_components(), model.n_clusters())
        };
        if in_trained != in_model {
            let describe = |(features, components, clusters)| {
                let (features, components) = (counted(features, "feature"), counted(components, "component"));
                format!("{features}, {components} and {}", counted(clusters, "cluster"))
            };
            return Err(WorkflowError::Mismatch {
                trained: run.file(RunFile::Trained),
                in_trained: describe(in_trained),
                model: run.file(RunFile::Model),
                in_model: describe(in_model),
            });
        }
        Ok(Self { trained, quantised })
    }
}

/// Whether a run has nothing left to train: both of its models are there and whole, and no other run is to replace it.
///
/// # Errors
/// [`WorkflowError::Run`] if the directory can't be read.
pub fn is_finished(run: &RunDir) -> Result<bool, WorkflowError> {
    Ok(run.replacement().state()? != RunState::Started && RunModels::read(run).is_ok())
}

/// Checks that samples have as many features as the model takes.
///
/// # Errors
/// [`WorkflowError::Features`] if they do not.
pub fn check_features(model: &Model, samples: &Samples) -> Result<(), WorkflowError> {
    let (expected, found) = (model.input_len(), samples.n_features());
    if expected == found {
        return Ok(());
    }
    Err(WorkflowError::Features { expected, samples: samples.name().to_owned(), found })
}
