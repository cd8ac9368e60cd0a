//! Detects clusterings that collapsed during training.

use std::fmt;

use crate::data::Samples;
use crate::trained::{AssignError, Trained};

/// A cluster with a larger share of the samples counts as having all of them.
const ALL: f64 = 0.99;
/// Clusters whose variance is a smaller share of the total variance of the latents count as points.
const POINT: f64 = 1e-6;
/// The same of clusters of the features themselves, which int16 then hardly tells from points.
const UNRESOLVED: f64 = 1e-8;

/// How a clustering collapsed.
///
/// ```
/// use edgemix::assessment::collapse::Collapse;
///
/// let points = Collapse::Points { within: 1e-7 };
/// assert!(points.to_string().contains("their variance within clusters is 1e-7 of the total"));
/// ```
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Collapse {
    /// Nearly all samples are in one cluster.
    OneCluster {
        /// The share of the samples in it.
        share: f64,
    },
    /// The encoder maps all samples of a cluster to the same latent. Their differences are lost, and new samples are assigned
    /// with near-certain posteriors, whether the cluster is right or wrong.
    Points {
        /// The variance within clusters divided by the total variance.
        within: f64,
    },
    /// Clusters of the features themselves are so far apart that int16 steps can't show what is within them.
    FarApart {
        /// The variance within clusters divided by the total variance.
        within: f64,
    },
}

impl fmt::Display for Collapse {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::OneCluster { share } => {
                write!(f, "the clusters collapsed: one cluster has {:.1} % of the samples", 100.0 * share)
            }
            Self::Points { within } => {
                write!(f, "the latents collapsed: their variance within clusters is {within:.0e} of the total")
            }
            Self::FarApart { within } => write!(
                f,
                "the clusters are so far apart that int16, in which a chip takes features, can't resolve what is within them: \
                 the variance within clusters is {within:.0e} of the total"
            ),
        }
    }
}

/// At most this many samples are checked, which suffices to detect a collapse.
const ENOUGH: usize = 50_000;

/// Checks the latents and clusters of the samples that a model was trained on, and returns the collapse, if there is one.
///
/// ```
/// use edgemix::assessment::collapse::{Collapse, find_collapse};
/// # use edgemix::data::{Samples, Scaling};
/// # use edgemix::mixture::{Covariance, Mixture};
/// # use edgemix::trained::{Head, Trained};
/// # let covariance = Covariance::Spherical(vec![1.0; 2]);
/// # let mixture = Mixture { log_weights: vec![0.0; 2], means: ndarray::array![[0.0], [99.0]], covariance, clusters: vec![0, 1] };
/// # let (method, head) = ("by hand".into(), Head::Mixture(mixture));
/// # let scaling = Scaling { gain: vec![1.0], offset: vec![0.0], limits: None };
/// # let trained = Trained { method, front_end: None, scaling, encoder: vec![], head, hierarchy: None, decoder: None };
///
/// // There are two clusters, but one of them has all samples.
/// let samples = Samples::new("line", vec![-1.0, 0.0, 1.0], 1);
/// assert_eq!(find_collapse(&trained, &samples)?, Some(Collapse::OneCluster { share: 1.0 }));
/// # Ok::<(), edgemix::trained::AssignError>(())
/// ```
///
/// # Errors
/// [`AssignError::Covariance`] if a covariance of the model's mixture is not positive definite, and [`AssignError::Data`] if
/// the samples can't be read.
pub fn find_collapse(trained: &Trained, samples: &Samples) -> Result<Option<Collapse>, AssignError> {
    let z = trained.encode(&samples.thinned(ENOUGH))?;
    let clusters = trained.head.assign(&z)?;
    let n = clusters.len().max(1) as f64;
    let dims = z.len() / clusters.len().max(1);
    let mut counts = vec![0f64; trained.head.n_clusters()];
    let mut sums = vec![0f64; counts.len() * dims];
    let mut squares = 0.0;
    for (row, &cluster) in z.chunks_exact(dims.max(1)).zip(&clusters) {
        let cluster = usize::from(cluster);
        counts[cluster] += 1.0;
        for (sum, &x) in sums[cluster * dims..][..dims].iter_mut().zip(row) {
            *sum += f64::from(x);
            squares += f64::from(x).powi(2);
        }
    }
    let share = counts.iter().fold(0f64, |most, count| most.max(count / n));
    if counts.len() > 1 && share > ALL {
        return Ok(Some(Collapse::OneCluster { share }));
    }
    // Sums of squares about the mean of each cluster, and about the mean of all samples.
    let about = |sums: &[f64], count: f64| sums.iter().map(|s| s * s).sum::<f64>() / count.max(1.0);
    let within = squares - sums.chunks(dims.max(1)).zip(&counts).map(|(sums, &count)| about(sums, count)).sum::<f64>();
    let mut all = vec![0f64; dims];
    sums.chunks(dims.max(1)).for_each(|sums| all.iter_mut().zip(sums).for_each(|(a, s)| *a += s));
    let total = squares - about(&all, n);
    let within = within.max(0.0) / total.max(f64::MIN_POSITIVE);
    Ok(match trained.encoder.is_empty() {
        true => (within < UNRESOLVED).then_some(Collapse::FarApart { within }),
        false => (within < POINT).then_some(Collapse::Points { within }),
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::mixture::{Covariance, Mixture};
    use crate::random::{normal, stream};
    use crate::trained::{Activation, Dense, Layer};

    /// Two components on a line, at -1 and at `second`; the samples lie about -1 and 1.
    fn collapse_of(spread: f32, second: f64, encoder: Vec<Layer>) -> Option<Collapse> {
        let noise = normal(200, &mut stream(0, "collapse", 0));
        let values = noise.iter().enumerate().map(|(i, x)| if i % 2 == 0 { 1.0 } else { -1.0 } + spread * x).collect();
        let mixture = Mixture {
            log_weights: vec![0.5f64.ln(); 2],
            means: ndarray::array![[-1.0], [second]],
            covariance: Covariance::Spherical(vec![0.1; 2]),
            clusters: vec![0, 1],
        };
        let trained = Trained { encoder, ..Trained::on_a_line(mixture) };
        find_collapse(&trained, &Samples::new("test", values, 1)).unwrap()
    }

    #[test]
    fn points_and_a_single_cluster_are_collapses_and_clusters_apart_are_not() {
        let encoder = vec![Layer::Dense(Dense {
            inputs: 1,
            outputs: 1,
            weights: vec![1.0],
            bias: vec![0.0],
            activation: Activation::Identity,
        })];
        assert_eq!(collapse_of(0.2, 1.0, encoder.clone()), None);
        assert!(matches!(collapse_of(1e-5, 1.0, encoder.clone()), Some(Collapse::Points { .. })));
        assert_eq!(collapse_of(0.2, 50.0, encoder), Some(Collapse::OneCluster { share: 1.0 }));
        // Features that were not trained have not collapsed, but int16 has its limits.
        assert_eq!(collapse_of(5e-4, 1.0, vec![]), None);
        assert!(matches!(collapse_of(1e-5, 1.0, vec![]), Some(Collapse::FarApart { .. })));
    }
}
