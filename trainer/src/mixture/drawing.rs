//! Latents of a mixture's clusters: means, and draws.

use ndarray::{Array2, Axis};
use rand::{Rng, RngExt};

use super::cholesky;
use super::covariance::{Covariance, NotPositiveDefinite};
use super::gaussian_mixture::Mixture;
use crate::base::random::normal;

/// Draws latents from the components of a cluster.
pub(crate) struct ClusterDraws {
    /// The weights, which add up to 1, and the components.
    components: Vec<(f64, Component)>,
}

/// A mean, and what turns standard normal noise into the distance from it.
struct Component {
    mean: Vec<f64>,
    root: Root,
}

enum Root {
    Diagonal(Vec<f64>),
    /// Lower triangular.
    Full(Array2<f64>),
}

impl Mixture {
    /// The components of a cluster with their weights, which add up to 1.
    fn weights_within(&self, cluster: usize) -> Vec<(usize, f64)> {
        let own: Vec<usize> = (0..self.n_components()).filter(|&k| usize::from(self.clusters[k]) == cluster).collect();
        let most = own.iter().map(|&k| self.log_weights[k]).fold(f64::NEG_INFINITY, f64::max);
        let weights: Vec<f64> = own.iter().map(|&k| (self.log_weights[k] - most).exp()).collect();
        let total: f64 = weights.iter().sum();
        own.into_iter().zip(weights).map(|(k, weight)| (k, weight / total)).collect()
    }

    /// The mean latent of a cluster, D.
    pub(crate) fn mean_of_cluster(&self, cluster: usize) -> Vec<f32> {
        let mut mean = vec![0.0; self.n_dims()];
        for (component, weight) in self.weights_within(cluster) {
            mean.iter_mut().zip(self.means.row(component)).for_each(|(sum, m)| *sum += weight * m);
        }
        mean.into_iter().map(|m| m as f32).collect()
    }

    /// Draws from the components of a cluster. A variance, if there is one, replaces their covariances.
    ///
    /// # Errors
    /// If a covariance is not positive definite.
    pub(crate) fn draws(&self, cluster: usize, variance: Option<f64>) -> Result<ClusterDraws, NotPositiveDefinite> {
        let component = |(k, weight): (usize, f64)| {
            let root = match variance {
                Some(variance) => Root::Diagonal(vec![variance.sqrt(); self.n_dims()]),
                None => self.root(k)?,
            };
            Ok((weight, Component { mean: self.means.row(k).to_vec(), root }))
        };
        Ok(ClusterDraws {
            components: self.weights_within(cluster).into_iter().map(component).collect::<Result<_, _>>()?,
        })
    }

    fn root(&self, component: usize) -> Result<Root, NotPositiveDefinite> {
        let variances = match &self.covariance {
            Covariance::Spherical(variances) => vec![variances[component]; self.n_dims()],
            Covariance::Diagonal(variances) => variances.row(component).to_vec(),
            Covariance::Full(covariances) => {
                let root = cholesky::factor(covariances.index_axis(Axis(0), component));
                return root.map(Root::Full).ok_or(NotPositiveDefinite { component });
            }
        };
        let is_possible = variances.iter().all(|variance| *variance > 0.0 && variance.is_finite());
        let root = Root::Diagonal(variances.into_iter().map(f64::sqrt).collect());
        is_possible.then_some(root).ok_or(NotPositiveDefinite { component })
    }
}

impl ClusterDraws {
    /// A latent of the cluster, D.
    pub(crate) fn draw(&self, rng: &mut impl Rng) -> Vec<f32> {
        let (at, mut below) = (rng.random::<f64>(), 0.0);
        let chosen = self.components.iter().find(|(weight, _)| {
            below += weight;
            at < below
        });
        // Rounding may leave the sum of the weights below the number.
        let Some((_, Component { mean, root })) = chosen.or(self.components.last()) else { return vec![] };
        let noise: Vec<f64> = normal(mean.len(), rng).into_iter().map(f64::from).collect();
        let distance = |d: usize| match root {
            Root::Diagonal(deviations) => deviations[d] * noise[d],
            Root::Full(lower) => lower.row(d).iter().zip(&noise).map(|(l, e)| l * e).sum(),
        };
        mean.iter().enumerate().map(|(d, m)| (m + distance(d)) as f32).collect()
    }
}

#[cfg(test)]
mod tests {
    use ndarray::{Array3, array};

    use super::*;
    use crate::base::random::stream;

    const N: usize = 40_000;

    /// The mean and the covariance of two-dimensional latents.
    fn moments(rows: &[Vec<f32>]) -> ([f64; 2], [f64; 3]) {
        let mean = [0, 1].map(|d| rows.iter().map(|row| f64::from(row[d])).sum::<f64>() / rows.len() as f64);
        let product = |a: usize, b: usize| {
            let each = rows.iter().map(|row| (f64::from(row[a]) - mean[a]) * (f64::from(row[b]) - mean[b]));
            each.sum::<f64>() / rows.len() as f64
        };
        (mean, [product(0, 0), product(0, 1), product(1, 1)])
    }

    fn mixture(covariance: Covariance) -> Mixture {
        // A quarter and three quarters of the first cluster; the second has one component.
        let log_weights = vec![0.1f64.ln(), 0.6f64.ln(), 0.3f64.ln()];
        Mixture { log_weights, means: array![[0.0, 8.0], [4.0, -4.0], [1.0, 1.0]], covariance, clusters: vec![0, 1, 0] }
    }

    #[test]
    fn draws_have_the_mean_and_the_covariance_of_the_components() {
        let full = Array3::from_shape_fn((3, 2, 2), |(_, r, c)| array![[2.0, -0.9], [-0.9, 0.5]][[r, c]]);
        let diagonal = Array2::from_shape_fn((3, 2), |(_, d)| [2.0, 0.5][d]);
        for (covariance, expected) in [
            (Covariance::Full(full), [2.0, -0.9, 0.5]),
            (Covariance::Diagonal(diagonal), [2.0, 0.0, 0.5]),
            (Covariance::Spherical(vec![0.7; 3]), [0.7, 0.0, 0.7]),
        ] {
            let mixture = mixture(covariance);
            let mut rng = stream(3, "draws", 0);
            let (mean, found) = {
                let draws = mixture.draws(1, None).unwrap();
                moments(&(0..N).map(|_| draws.draw(&mut rng)).collect::<Vec<_>>())
            };
            assert!((mean[0] - 4.0).abs() < 0.05 && (mean[1] + 4.0).abs() < 0.05, "{mean:?}");
            assert!(found.iter().zip(expected).all(|(a, b)| (a - b).abs() < 0.05), "{found:?} {expected:?}");
            // Of two components, each is drawn as often as its weight says.
            let draws = mixture.draws(0, Some(1e-6)).unwrap();
            let rows: Vec<Vec<f32>> = (0..N).map(|_| draws.draw(&mut rng)).collect();
            let share = rows.iter().filter(|row| row[1] > 4.0).count() as f64 / N as f64;
            assert!((share - 0.25).abs() < 0.01, "{share}");
            let [x, y] = moments(&rows).0;
            let expected = mixture.mean_of_cluster(0);
            assert!((x - f64::from(expected[0])).abs() < 0.05 && (y - f64::from(expected[1])).abs() < 0.05);
        }
    }

    #[test]
    fn impossible_covariances_are_refused() {
        let indefinite = Array3::from_shape_fn((3, 2, 2), |(_, r, c)| array![[1.0, 2.0], [2.0, 1.0]][[r, c]]);
        for covariance in [Covariance::Full(indefinite), Covariance::Spherical(vec![1.0, 0.0, 1.0])] {
            assert_eq!(mixture(covariance).draws(1, None).err(), Some(NotPositiveDefinite { component: 1 }));
        }
    }
}
