//! The last step: k-means and Gaussian mixtures.

use ndarray::{Array1, Array2, Array3, Axis};

use super::bayesian;
use super::step::{FINITE, NOT_NEGATIVE, POSITIVE, Step};
use crate::import::clustering::ImportedClusters;
use crate::import::error::{ImportError, ModelProblem};
use crate::mixture::{Covariance, Mixture};

const CLASSES: &[&str] = &["KMeans", "MiniBatchKMeans", "GaussianMixture", "BayesianGaussianMixture"];
/// A component of a Dirichlet process with a smaller weight is left out unless another weight is asked for.
const LEAST_WEIGHT: f64 = 1e-3;

/// The clusters in so many dimensions, and the number that each of them has in scikit-learn.
pub(super) fn read(
    step: &mut Step,
    dims: Option<usize>,
    least_weight: Option<f64>,
) -> Result<(ImportedClusters, Vec<usize>), ImportError> {
    match &*step.description.class {
        "KMeans" | "MiniBatchKMeans" => {
            let centers = step.matrix("cluster_centers_", [None, dims], FINITE)?;
            let numbers = (0..centers.nrows()).collect();
            Ok((ImportedClusters::Centers(centers), numbers))
        }
        "GaussianMixture" => {
            mixture(step, dims, least_weight.unwrap_or(0.0), |_, weights, _| Ok(weights.mapv(f64::ln)))
        }
        "BayesianGaussianMixture" => {
            mixture(step, dims, least_weight.unwrap_or(LEAST_WEIGHT), |step, weights, dims| {
                bayesian::log_weights(step, weights.len(), dims)
            })
        }
        _ => Err(step.wrong_class(CLASSES)),
    }
}

/// A mixture, without components whose weight is less than `least` or 0. `log_weights` gives the logarithm of what the
/// densities are multiplied by.
fn mixture(
    step: &mut Step,
    dims: Option<usize>,
    least: f64,
    log_weights: impl FnOnce(&mut Step, &Array1<f64>, usize) -> Result<Array1<f64>, ImportError>,
) -> Result<(ImportedClusters, Vec<usize>), ImportError> {
    let means = step.matrix("means_", [None, dims], FINITE)?;
    let (k, dims) = means.dim();
    let weights = step.vector("weights_", Some(k), NOT_NEGATIVE)?;
    let covariance = covariance(step, k, dims)?;
    let log_weights = log_weights(step, &weights, dims)?;
    let kept: Vec<usize> = (0..k).filter(|&k| weights[k] > 0.0 && weights[k] >= least).collect();
    if kept.is_empty() {
        return Err(step.error(ModelProblem::NoComponents(least)));
    }
    if let Some(&value) = kept.iter().map(|&k| &log_weights[k]).find(|weight| !weight.is_finite()) {
        let name = format!("{}.weights_", step.index);
        return Err(step.error(ModelProblem::Number { name, value, expected: "weights with finite logarithms" }));
    }
    let mixture = Mixture {
        log_weights: kept.iter().map(|&k| log_weights[k]).collect(),
        means: means.select(Axis(0), &kept),
        covariance: match covariance {
            Covariance::Spherical(v) => Covariance::Spherical(kept.iter().map(|&k| v[k]).collect()),
            Covariance::Diagonal(v) => Covariance::Diagonal(v.select(Axis(0), &kept)),
            Covariance::Full(v) => Covariance::Full(v.select(Axis(0), &kept)),
        },
        clusters: (0..kept.len()).map(|k| k as u16).collect(),
    };
    mixture.whiten().map_err(|error| step.error(error.into()))?;
    Ok((ImportedClusters::Mixture(mixture), kept))
}

/// The covariances of all components. A tied one is each component's own.
fn covariance(step: &mut Step, k: usize, dims: usize) -> Result<Covariance, ImportError> {
    const NAME: &str = "covariances_";
    Ok(match step.text("covariance_type") {
        "full" => Covariance::Full(step.cube(NAME, [k, dims, dims], FINITE)?),
        "tied" => {
            let tied: Array2<f64> = step.matrix(NAME, [Some(dims); 2], FINITE)?;
            let all = tied.insert_axis(Axis(0));
            Covariance::Full(
                all.broadcast((k, dims, dims)).map_or_else(|| Array3::zeros((k, dims, dims)), |v| v.to_owned()),
            )
        }
        "diag" => Covariance::Diagonal(step.matrix(NAME, [Some(k), Some(dims)], POSITIVE)?),
        "spherical" => Covariance::Spherical(step.vector(NAME, Some(k), POSITIVE)?.to_vec()),
        _ => return Err(step.wrong_parameter("covariance_type", "full, tied, diag or spherical")),
    })
}
