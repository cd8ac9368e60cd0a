//! k-means: k-means++ starts, Lloyd's iterations, the best of several starts.
//!
//! Arthur and Vassilvitskii, "k-means++: the advantages of careful seeding", 2007; Lloyd, "Least squares quantization in
//! PCM", 1982.

use burn::tensor::{Int, Tensor, backend::Backend};
use ndarray::{Array2, ArrayView2, Axis};
use rand::{Rng, RngExt};
use serde::{Deserialize, Serialize};

use super::covariance::Covariance;
use super::gaussian_mixture::Mixture;
use super::lloyd::{Clusterable, Settled, lloyd};
use super::moments::mean_of_rows;
use super::seeding;
use crate::base::arrays::{elements, to_array, to_tensor};

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
    /// The number of starts, of which the best is kept.
    pub n_init: usize,
    /// The most iterations of one start.
    pub max_iter: usize,
}

impl Default for KMeans {
    fn default() -> Self {
        Self { n_clusters: 10, n_init: 20, max_iter: 100 }
    }
}

/// Centres found by k-means.
#[derive(Clone, Debug, PartialEq)]
pub struct Centers {
    /// `K x D`.
    pub centers: Array2<f64>,
    /// K: each centre's share of the samples.
    pub shares: Vec<f64>,
    /// The sum of squared distances to the nearest centre.
    pub inertia: f64,
}

impl KMeans {
    /// Clusters `N x D` latents. There are at most as many centres as samples.
    pub fn fit<B: Backend>(&self, z: &Tensor<B, 2>, rng: &mut impl Rng) -> Centers {
        let [_, dims] = z.dims();
        let starts = (0..self.n_init.max(1)).map(|_| {
            let start = plus_plus(z, self.n_clusters.clamp(1, z.dims()[0]), rng);
            self.refine(z, start)
        });
        let best = starts.min_by(|a, b| a.inertia.total_cmp(&b.inertia));
        best.unwrap_or_else(|| Centers { centers: Array2::zeros((0, dims)), shares: vec![], inertia: 0.0 })
    }

    /// Lloyd's iterations from given centres, `K x D`, until the inertia hardly falls.
    ///
    /// ```
    /// use burn::backend::Flex;
    /// use burn::tensor::Tensor;
    /// use edgemix::mixture::kmeans::KMeans;
    /// use ndarray::array;
    ///
    /// let z = Tensor::<Flex, 2>::from_data([[0.0], [1.0], [10.0], [11.0]], &Default::default());
    /// assert_eq!(KMeans::default().refine(&z, array![[0.0], [1.0]]).centers, array![[0.5], [10.5]]);
    /// ```
    pub fn refine<B: Backend>(&self, z: &Tensor<B, 2>, start: Array2<f64>) -> Centers {
        let Settled { centers, counts, .. } = lloyd(&Latents(z), start, self.max_iter);
        let shares = counts.iter().map(|count| count / z.dims()[0] as f64).collect();
        let (distances, _) = nearest(z, centers.view());
        Centers { centers, shares, inertia: inertia(distances) }
    }
}

/// `N x D` latents on a device.
struct Latents<'a, B: Backend>(&'a Tensor<B, 2>);

/// The nearest centres of latents.
struct NearestCenters<B: Backend> {
    /// `N x 1`, squared.
    distances: Tensor<B, 2>,
    /// `N x K`.
    one_hot: Tensor<B, 2>,
    inertia: f64,
}

impl<B: Backend> Clusterable for Latents<'_, B> {
    type Nearest = NearestCenters<B>;

    fn nearest(&self, centers: &Array2<f64>) -> NearestCenters<B> {
        let (distances, index) = nearest(self.0, centers.view());
        let one_hot = one_hot(index, centers.nrows());
        NearestCenters { inertia: inertia(distances.clone()), distances, one_hot }
    }

    fn sums(&self, nearest: &NearestCenters<B>, _: usize) -> (Vec<f64>, Array2<f64>) {
        let counts = elements(nearest.one_hot.clone().sum_dim(0));
        (counts, to_array(nearest.one_hot.clone().transpose().matmul(self.0.clone())))
    }

    /// The sample farthest from its centre.
    fn replacement(&self, nearest: &NearestCenters<B>) -> Option<Vec<f64>> {
        let farthest = nearest.distances.clone().argmax(0).flatten::<1>(0, 1);
        Some(elements(self.0.clone().select(0, farthest)))
    }

    fn is_settled(&self, before: &NearestCenters<B>, now: &NearestCenters<B>) -> bool {
        now.inertia >= before.inertia * (1.0 - 1e-7)
    }
}

/// The sum of `N x 1` squared distances.
fn inertia<B: Backend>(distances: Tensor<B, 2>) -> f64 {
    elements(distances.sum()).iter().sum::<f64>().max(0.0)
}

impl Centers {
    /// As a mixture of equal spherical components of unit variance: its best component is the nearest centre.
    ///
    /// ```
    /// use edgemix::mixture::kmeans::Centers;
    /// use ndarray::array;
    ///
    /// let centers = Centers { centers: array![[0.0], [10.0]], shares: vec![0.5; 2], inertia: 0.0 };
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

/// The squared distance of `N x D` latents to the nearest of `K x D` centres and its index, both `N x 1`.
pub(crate) fn nearest<B: Backend>(z: &Tensor<B, 2>, centers: ArrayView2<f64>) -> (Tensor<B, 2>, Tensor<B, 2, Int>) {
    // The squares are expanded about the mean of the centres, so that no large ones cancel in f32.
    let middle = mean_of_rows(centers);
    let z = z.clone() - to_tensor::<B>(middle.view().insert_axis(Axis(0)), &z.device());
    let centers = to_tensor::<B>((&centers - &middle).view(), &z.device());
    let squares = centers.clone().square().sum_dim(1).transpose();
    let distances = z.clone().square().sum_dim(1) + squares - z.clone().matmul(centers.transpose()) * 2.0;
    let (least, index) = distances.min_dim_with_indices(1);
    (least.clamp_min(0.0), index)
}

/// `N x K`: one in the column that `index`, `N x 1`, names, and zero elsewhere.
pub(crate) fn one_hot<B: Backend>(index: Tensor<B, 2, Int>, k: usize) -> Tensor<B, 2> {
    let columns = Tensor::<B, 1, Int>::arange(0..k as i64, &index.device()).unsqueeze_dim::<2>(0);
    index.repeat_dim(1, k).equal(columns.repeat_dim(0, 1)).float()
}

/// Samples chosen as centres by k-means++.
fn plus_plus<B: Backend>(z: &Tensor<B, 2>, k: usize, rng: &mut impl Rng) -> Array2<f64> {
    let [n, _] = z.dims();
    let row = |index: usize| to_array::<_, f64>(z.clone().narrow(0, index, 1));
    let distances = |index: usize| elements(nearest(z, row(index).view()).0);
    let chosen = seeding::plus_plus(n, k, distances, |rng| rng.random_range(0..n), rng);
    let mut centers = Array2::zeros((0, z.dims()[1]));
    for index in chosen {
        centers.append(Axis(0), row(index).view()).expect("rows of the same length");
    }
    centers
}
