//! What `BayesianGaussianMixture` adds to the densities of its components: expected logarithms instead of logarithms.
//!
//! Bishop, "Pattern Recognition and Machine Learning", 2006, equations 10.64 to 10.66, and Blei and Jordan, "Variational
//! Inference for Dirichlet Process Mixtures", 2006, for the weights of sticks; in the form of scikit-learn's
//! `_estimate_log_weights` and `_estimate_log_prob`.

use std::f64::consts::LN_2;

use ndarray::{Array1, ArrayD};
use statrs::function::gamma::digamma;

use super::step::{POSITIVE, Step};
use crate::import::error::{ImportError, ModelProblem};

/// For each of `k` components, the expected logarithm of its weight, and what its expected log-density has beyond that of
/// a Gaussian with its covariance.
pub(super) fn log_weights(step: &mut Step, k: usize, dims: usize) -> Result<Array1<f64>, ImportError> {
    let weights = expected_log_weights(step, k)?;
    let degrees = step.array("degrees_of_freedom_", POSITIVE)?;
    let degrees = for_each(step, "degrees_of_freedom_", degrees, k)?;
    let mean_precision = step.vector("mean_precision_", Some(k), POSITIVE)?;
    let d = dims as f64;
    let beyond = |(&degrees, &mean_precision): (&f64, &f64)| {
        let log_precision: f64 = (0..dims).map(|i| digamma(0.5 * (degrees - i as f64))).sum();
        0.5 * (d * LN_2 + log_precision - d * degrees.ln() - d / mean_precision)
    };
    let beyond: Array1<f64> = degrees.iter().zip(&mean_precision).map(beyond).collect();
    Ok(weights + beyond)
}

fn expected_log_weights(step: &mut Step, k: usize) -> Result<Array1<f64>, ImportError> {
    const NAME: &str = "weight_concentration_";
    match step.text("weight_concentration_prior_type") {
        "dirichlet_process" => {
            let sticks = step.matrix(NAME, [Some(2), Some(k)], POSITIVE)?;
            let mut remaining = 0.0;
            let weight = |stick: ndarray::ArrayView1<f64>| {
                let total = digamma(stick[0] + stick[1]);
                let weight = digamma(stick[0]) - total + remaining;
                remaining += digamma(stick[1]) - total;
                weight
            };
            Ok(sticks.columns().into_iter().map(weight).collect())
        }
        "dirichlet_distribution" => {
            let concentration = step.vector(NAME, Some(k), POSITIVE)?;
            let total = digamma(concentration.iter().sum());
            Ok(concentration.mapv(|c| digamma(c) - total))
        }
        _ => {
            let expected = "dirichlet_process or dirichlet_distribution";
            Err(step.wrong_parameter("weight_concentration_prior_type", expected))
        }
    }
}

/// One number for each of `k` components; a tied covariance has one for all.
fn for_each(step: &Step, attribute: &str, found: ArrayD<f64>, k: usize) -> Result<Array1<f64>, ImportError> {
    match (found.shape(), found.first()) {
        ([] | [1], Some(&one)) => Ok(Array1::from_elem(k, one)),
        ([n], _) if *n == k => Ok(found.iter().copied().collect()),
        (shape, _) => Err(step.error(ModelProblem::Shape {
            name: format!("{}.{attribute}", step.index),
            found: shape.to_vec(),
            expected: k.to_string(),
        })),
    }
}
