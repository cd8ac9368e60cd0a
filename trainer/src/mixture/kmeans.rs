//! k-means: k-means++ starts (Arthur and Vassilvitskii, 2007), Lloyd's iterations, the best of several starts.

use burn::tensor::{Int, Tensor, backend::Backend};
use rand::{Rng, RngExt};
use serde::{Deserialize, Serialize};

use super::{Covariance, Mixture, centered, elements, matrix, mean_row};

/// Settings of k-means, in scikit-learn's words.
///
/// ```
/// use burn::backend::Flex;
/// use burn::tensor::Tensor;
/// use edgemix::mixture::kmeans::KMeans;
/// use edgemix::random::stream;
///
/// let z = Tensor::<Flex, 2>::from_data([[0.0], [1.0], [10.0], [11.0]], &Default::default());
/// let found = KMeans { n_clusters: 2, ..KMeans::default() }.fit(&z, &mut stream(0, "example", 0));
/// assert_eq!((found.shares, found.inertia), (vec![0.5; 2], 1.0));
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields, rename_all = "kebab-case")]
pub struct KMeans {
    /// K.
    pub n_clusters: usize,
    /// Starts, of which the best is kept.
    pub n_init: usize,
    /// Iterations of one start at most.
    pub max_iter: usize,
}

impl Default for KMeans {
    fn default() -> Self {
        Self { n_clusters: 10, n_init: 20, max_iter: 100 }
    }
}

/// Centres found by k-means. See [`KMeans`] for an example.
#[derive(Clone, Debug, PartialEq)]
pub struct Centers {
    /// `K x D`.
    pub centers: Vec<f64>,
    /// K: the share of the samples.
    pub shares: Vec<f64>,
    /// Sum of squared distances to the nearest centre.
    pub inertia: f64,
}

impl KMeans {
    /// Clusters `N x D` latents; at most as many centres as there are samples. See [`KMeans`] for an example.
    pub fn fit<B: Backend>(&self, z: &Tensor<B, 2>, rng: &mut impl Rng) -> Centers {
        let starts = (0..self.n_init.max(1)).map(|_| {
            let start = plus_plus(z, self.n_clusters.clamp(1, z.dims()[0]), rng);
            self.refine(z, start)
        });
        let best = starts.min_by(|a, b| a.inertia.total_cmp(&b.inertia));
        best.unwrap_or_else(|| Centers { centers: vec![], shares: vec![], inertia: 0.0 })
    }

    /// Lloyd's iterations from given centres, `K x D`, until no sample moves.
    ///
    /// ```
    /// use burn::backend::Flex;
    /// use burn::tensor::Tensor;
    /// use edgemix::mixture::kmeans::KMeans;
    ///
    /// let z = Tensor::<Flex, 2>::from_data([[0.0], [1.0], [10.0], [11.0]], &Default::default());
    /// assert_eq!(KMeans::default().refine(&z, vec![0.0, 1.0]).centers, [0.5, 10.5]);
    /// ```
    pub fn refine<B: Backend>(&self, z: &Tensor<B, 2>, start: Vec<f64>) -> Centers {
        let [n, dims] = z.dims();
        let k = start.len() / dims;
        let mut centers = start;
        let mut previous = f64::INFINITY;
        let mut shares = vec![0.0; k];
        for _ in 0..self.max_iter.max(1) {
            let (distances, nearest) = nearest(z, &centers);
            let one_hot = one_hot(nearest, k);
            let counts = elements(one_hot.clone().sum_dim(0));
            let sums = elements(one_hot.transpose().matmul(z.clone()));
            shares = counts.iter().map(|c| c / n as f64).collect();
            let inertia = elements(distances.clone().sum()).iter().sum::<f64>().max(0.0);
            for (component, (sum, count)) in sums.chunks(dims).zip(&counts).enumerate() {
                if *count > 0.0 {
                    let mean = sum.iter().map(|s| s / count);
                    centers.splice(component * dims..(component + 1) * dims, mean);
                }
            }
            // A centre that lost all its samples moves to the sample that is worst served.
            if let Some(empty) = counts.iter().position(|&c| c == 0.0) {
                let worst = distances.argmax(0).flatten::<1>(0, 1);
                let sample = elements(z.clone().select(0, worst));
                centers.splice(empty * dims..(empty + 1) * dims, sample);
            } else if inertia >= previous * (1.0 - 1e-7) {
                break;
            }
            previous = inertia;
        }
        let (distances, _) = nearest(z, &centers);
        let inertia = elements(distances.sum()).iter().sum::<f64>().max(0.0);
        Centers { centers, shares, inertia }
    }
}

impl Centers {
    /// As a mixture of equal spherical components of unit variance: its best component is the nearest centre.
    ///
    /// ```
    /// use edgemix::mixture::kmeans::Centers;
    ///
    /// let centers = Centers { centers: vec![0.0, 10.0], shares: vec![0.5; 2], inertia: 0.0 };
    /// let scores = centers.mixture().whiten()?.scores(&[7.0]);
    /// assert!(scores[1] > scores[0]);
    /// # Ok::<(), edgemix::mixture::NotPositiveDefinite>(())
    /// ```
    pub fn mixture(&self) -> Mixture {
        let k = self.shares.len();
        Mixture {
            log_weights: vec![0.0; k],
            means: self.centers.clone(),
            covariance: Covariance::Spherical(vec![1.0; k]),
            clusters: (0..k as u16).collect(),
        }
    }
}

/// Squared distance to the nearest centre and its index, both `N x 1`.
pub(crate) fn nearest<B: Backend>(z: &Tensor<B, 2>, centers: &[f64]) -> (Tensor<B, 2>, Tensor<B, 2, Int>) {
    let dims = z.dims()[1];
    // The squares are expanded about the centres' mean, so that no large ones cancel in f32.
    let middle = mean_row(centers, dims);
    let z = z.clone() - matrix::<B>(&middle, 1, &z.device());
    let centers = matrix::<B>(&centered(centers, &middle), centers.len() / dims, &z.device());
    let squares = centers.clone().square().sum_dim(1).transpose();
    let distances = z.clone().square().sum_dim(1) + squares - z.clone().matmul(centers.transpose()) * 2.0;
    let (least, index) = distances.min_dim_with_indices(1);
    (least.clamp_min(0.0), index)
}

/// `N x K`, one where `index` says, from `N x 1`.
pub(crate) fn one_hot<B: Backend>(index: Tensor<B, 2, Int>, k: usize) -> Tensor<B, 2> {
    let columns = Tensor::<B, 1, Int>::arange(0..k as i64, &index.device()).unsqueeze_dim::<2>(0);
    index.repeat_dim(1, k).equal(columns.repeat_dim(0, 1)).float()
}

/// k-means++: each further centre is a sample drawn with probability proportional to its squared distance.
fn plus_plus<B: Backend>(z: &Tensor<B, 2>, k: usize, rng: &mut impl Rng) -> Vec<f64> {
    let n = z.dims()[0];
    let row = |index: usize| elements(z.clone().narrow(0, index, 1));
    let mut centers = row(rng.random_range(0..n));
    let mut distances = elements(nearest(z, &centers).0);
    while centers.len() / z.dims()[1] < k {
        let total: f64 = distances.iter().sum();
        let mut rest = rng.random::<f64>() * total;
        let drawn = distances.iter().position(|d| {
            rest -= d;
            rest < 0.0
        });
        let center = row(drawn.unwrap_or_else(|| rng.random_range(0..n)));
        let further = elements(nearest(z, &center).0);
        distances.iter_mut().zip(further).for_each(|(d, f)| *d = d.min(f));
        centers.extend(center);
    }
    centers
}
