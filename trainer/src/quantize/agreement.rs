//! Whether the integers still are the model that was trained.

use edgemix_runtime::Model;

use super::QuantizeError;
use crate::assessment::inference;
use crate::data::Samples;
use crate::metrics::{agreement, clusters_found};
use crate::trained::Trained;

/// At least this share of the samples must be in the same cluster.
const LEAST: f64 = 0.985;
/// By so many the number of clusters with a percent of the samples may differ.
const CLUSTERS: usize = 1;
/// Enough samples, evenly from all.
const MOST: usize = 20_000;

/// Compares the integers' clusters with the f32 model's. See [`quantize`](super::quantize) for an example.
///
/// # Errors
/// [`QuantizeError::Disagreement`] if fewer than 98.5 % of the samples are in the same cluster, or the numbers of clusters
/// with at least a percent of them differ by more than one; [`QuantizeError::Covariance`] if the head is a mixture and not
/// one.
pub fn check(trained: &Trained, model: &Model, samples: &Samples) -> Result<(), QuantizeError> {
    let some = samples.thinned(MOST);
    let exact = trained.head.assign(&trained.encode(&some)?)?;
    let integers: Vec<u16> = inference::assign_samples(model, &some)?.iter().map(|found| found.cluster).collect();
    let share = agreement(&exact, &integers);
    let [exact, integers] = [exact, integers].map(|clusters| clusters_found(&clusters, 0.01));
    if share >= LEAST && exact.abs_diff(integers) <= CLUSTERS {
        return Ok(());
    }
    Err(QuantizeError::Disagreement { share, exact, integers })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::data::Scaling;
    use crate::mixture::{Covariance, Mixture};
    use crate::quantize::{Provenance, quantize};
    use crate::random::{normal, stream};
    use crate::trained::Head;

    fn line(means: Vec<f64>) -> Trained {
        let n = means.len();
        let mixture = Mixture {
            log_weights: vec![0.0; n],
            means,
            covariance: Covariance::Spherical(vec![0.1; n]),
            clusters: (0..n as u16).collect(),
        };
        let scaling = Scaling { gain: vec![1.0], offset: vec![0.0] };
        Trained { method: "test".into(), scaling, encoder: vec![], head: Head::Mixture(mixture), sticks: vec![] }
    }

    #[test]
    fn integers_of_another_model_are_refused() {
        let samples = Samples::new("line", normal(2000, &mut stream(0, "agreement", 0)), 1);
        let provenance = Provenance { name: "line".into(), config: [0; 32], seed: 0 };
        let of = |integers: Vec<f64>, exact: Vec<f64>| {
            let bytes = quantize(&line(integers), &samples, None, &provenance).unwrap();
            check(&line(exact), &Model::from_bytes(&bytes).unwrap(), &samples)
        };
        assert!(of(vec![-1.0, 1.0], vec![-1.0, 1.0]).is_ok());
        // The border is moved by half a deviation: 19 % of the samples change sides.
        let error = of(vec![-1.0, 1.0], vec![-1.0, 2.0]).unwrap_err();
        assert!(matches!(error, QuantizeError::Disagreement { exact: 2, integers: 2, .. }), "{error}");
        assert!(error.to_string().contains("--allow-disagreement"), "{error}");
    }
}
