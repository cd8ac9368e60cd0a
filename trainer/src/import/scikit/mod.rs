//! Pipelines of scikit-learn, from an NPZ archive of their arrays.
//!
//! The array `steps` describes the estimators as JSON: a list of objects with the class and the parameters of each. The
//! fitted attributes of step `i` are arrays named `i.attribute_`. `docs/import.md` has the function that writes such a file.

mod bayesian;
mod clusterers;
mod step;
mod transformers;

use std::path::Path;

use super::affine::Affine;
use super::clustering::{ImportedClustering, ImportedClusters};
use super::error::{ImportError, ModelProblem};
use crate::data::ModelArrays;
use step::{Archive, Step, descriptions};

/// The most clusters of a model file.
const MOST_CLUSTERS: usize = u16::MAX as usize;

/// Reads a clustering, alone or at the end of a pipeline. Components of a mixture whose weight is below `least_weight` are
/// left out; without it, those of a `BayesianGaussianMixture` whose weight is below 0.001.
///
/// # Errors
/// [`ImportError::Data`] if the file or an array in it can't be read, and [`ImportError::Model`] if an estimator can't be
/// imported, or if its arrays contradict each other.
pub fn read_scikit(path: &Path, least_weight: Option<f64>) -> Result<ImportedClustering, ImportError> {
    let refused = ImportError::of(path);
    let mut archive = Archive { arrays: ModelArrays::open(path)?, path };
    let descriptions = descriptions(&mut archive)?;
    let Some((last, transformers)) = descriptions.split_last() else {
        return Err(refused(ModelProblem::Steps("it lists none".into())));
    };
    let mut map = None;
    for (index, description) in transformers.iter().enumerate() {
        map = transformers::apply(map, &mut Step { archive: &mut archive, index, description })?;
    }
    let mut step = Step { archive: &mut archive, index: transformers.len(), description: last };
    let (clusters, numbers) = clusterers::read(&mut step, map.as_ref().map(Affine::outputs), least_weight)?;
    let dims = match &clusters {
        ImportedClusters::Centers(centers) => centers.ncols(),
        ImportedClusters::Mixture(mixture) => mixture.n_dims(),
    };
    if numbers.len() > MOST_CLUSTERS {
        return Err(refused(ModelProblem::TooManyClusters(numbers.len())));
    }
    let map = map.unwrap_or_else(|| Affine::identity(dims));
    Ok(ImportedClustering { name: format!("{} (scikit-learn)", last.class), map, clusters, numbers })
}
