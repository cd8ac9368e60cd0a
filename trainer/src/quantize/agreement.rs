//! Compares the clusters of the quantised model with those of the f32 model.

use edgemix_runtime::Model;

use super::error::{MIN_AGREEMENT, MIN_RAW_AGREEMENT, QuantizeError};
use crate::assessment::inference;
use crate::assessment::raw_counts::RawCounts;
use crate::base::metrics::{agreement, clusters_found};
use crate::data::Samples;
use crate::trained::Trained;

/// The greatest allowed difference between the numbers of clusters with at least 1 % of the samples.
const MAX_CLUSTERS_APART: usize = 1;
/// At most this many samples are compared, evenly spaced.
const MAX_SAMPLES: usize = 20_000;

/// Checks that the quantised model finds the clusters of the f32 model.
///
/// # Errors
/// [`QuantizeError::Disagreement`] if fewer than 98.5 % of the samples, and more than one of them fewer than all, are assigned to
/// the same cluster, or if the numbers of clusters with at least 1 % of them differ by more than one;
/// [`QuantizeError::Covariance`] if a covariance of the head's mixture is not positive definite; and [`QuantizeError::Data`] if
/// the samples can't be read.
pub fn check(trained: &Trained, model: &Model, samples: &Samples) -> Result<(), QuantizeError> {
    let some = samples.thinned(MAX_SAMPLES);
    let exact = trained.head.assign(&trained.encode(&some)?)?;
    let integers: Vec<u16> = inference::assign_samples(model, &some)?.iter().map(|found| found.cluster).collect();
    let share = agreement(&exact, &integers);
    let others = exact.iter().zip(&integers).filter(|(exact, integers)| exact != integers).count();
    let [exact, integers] = [exact, integers].map(|clusters| clusters_found(&clusters, 0.01));
    if (others <= 1 || share >= MIN_AGREEMENT) && exact.abs_diff(integers) <= MAX_CLUSTERS_APART {
        return Ok(());
    }
    Err(QuantizeError::Disagreement { share, exact, integers })
}

/// Checks that the raw counts of samples are assigned as their values are, on all of them.
///
/// # Errors
/// [`QuantizeError::RawCounts`] if fewer than 99.5 % of the samples are assigned to the same cluster, and
/// [`QuantizeError::Data`] if they can't be read.
pub fn check_raw_counts(model: &Model, samples: &Samples) -> Result<RawCounts, QuantizeError> {
    let found = RawCounts::compare(model, samples)?;
    if found.agreement >= MIN_RAW_AGREEMENT { Ok(found) } else { Err(QuantizeError::RawCounts { found }) }
}

#[cfg(test)]
mod tests {
    use ndarray::Array2;

    use super::*;
    use crate::base::random::{normal, stream};
    use crate::mixture::{Covariance, Mixture};
    use crate::quantize::{Provenance, quantize};

    fn line(means: Vec<f64>) -> Trained {
        let n = means.len();
        Trained::on_a_line(Mixture {
            log_weights: vec![0.0; n],
            means: Array2::from_shape_vec((n, 1), means).unwrap(),
            covariance: Covariance::Spherical(vec![0.1; n]),
            clusters: (0..n as u16).collect(),
        })
    }

    #[test]
    fn integers_of_another_model_are_refused() {
        let samples = Samples::new("line", normal(2000, &mut stream(0, "agreement", 0)), 1);
        let provenance = Provenance { name: "line".into(), config: [0; 32], seed: 0 };
        let compare = |integers: Vec<f64>, exact: Vec<f64>| {
            let bytes = quantize(&line(integers), &samples, None, &provenance).unwrap();
            check(&line(exact), &Model::from_bytes(&bytes).unwrap(), &samples)
        };
        assert!(compare(vec![-1.0, 1.0], vec![-1.0, 1.0]).is_ok());
        // The border is moved by half a deviation: 19 % of the samples change sides.
        let error = compare(vec![-1.0, 1.0], vec![-1.0, 2.0]).unwrap_err();
        assert!(matches!(error, QuantizeError::Disagreement { exact: 2, integers: 2, .. }), "{error}");
        assert!(error.to_string().ends_with("2 by the integers, 2 by the f32 model"), "{error}");
    }
}
