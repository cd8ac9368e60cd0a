//! Gaussian mixture by expectation maximisation (Dempster, Laird and Rubin, 1977; Bishop 2006, section 9.2).

use burn::tensor::{Tensor, activation::softmax, backend::Backend};
use ndarray::{Array2, Array3, Axis};
use rand::Rng;
use serde::{Deserialize, Serialize};

use super::covariance::{Covariance, CovarianceType, NotPositiveDefinite};
use super::gaussian_mixture::Mixture;
use super::kmeans::{KMeans, nearest, one_hot};
use super::moments::Moments;
use crate::base::arrays::elements;

/// Settings of a Gaussian mixture, in scikit-learn's words.
///
/// ```
/// use burn::backend::Flex;
/// use burn::tensor::{Tensor, TensorData};
/// use edgemix::mixture::gmm::Gmm;
/// use edgemix::random::{normal, stream};
///
/// // A hundred samples about 0, as many about 20.
/// let values = normal(200, &mut stream(0, "example", 0));
/// let values: Vec<f32> = values.into_iter().enumerate().map(|(i, x)| x + if i < 100 { 0.0 } else { 20.0 }).collect();
/// let z = Tensor::<Flex, 2>::from_data(TensorData::new(values, [200, 1]), &Default::default());
/// let mixture = Gmm { n_components: 2, ..Gmm::default() }.fit(&z, &mut stream(0, "example", 1))?;
/// assert!((mixture.means[[0, 0]] - mixture.means[[1, 0]]).abs() > 19.0);
/// # Ok::<(), edgemix::mixture::NotPositiveDefinite>(())
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields, rename_all = "kebab-case")]
pub struct Gmm {
    /// K.
    pub n_components: usize,
    /// The form of the covariances.
    pub covariance: CovarianceType,
    /// The number of starts of the k-means that EM starts from.
    pub n_init: usize,
    /// The most iterations.
    pub max_iter: usize,
    /// EM stops when the mean log-likelihood grows by less than this.
    pub tol: f64,
    /// Added to every variance, in units of the latents' variance.
    pub variance_floor: f64,
}

impl Default for Gmm {
    fn default() -> Self {
        Self {
            n_components: 10,
            covariance: CovarianceType::Full,
            n_init: 20,
            max_iter: 100,
            tol: 1e-4,
            variance_floor: 1e-3,
        }
    }
}

impl Gmm {
    /// Fits `N x D` latents, starting from k-means.
    ///
    /// # Errors
    /// [`NotPositiveDefinite`] if a covariance degenerates, as with a variance floor that is too small.
    pub fn fit<B: Backend>(&self, z: &Tensor<B, 2>, rng: &mut impl Rng) -> Result<Mixture, NotPositiveDefinite> {
        let kmeans = KMeans { n_clusters: self.n_components, n_init: self.n_init, ..KMeans::default() };
        let centers = kmeans.fit(z, rng);
        let k = centers.shares.len();
        let (_, index) = nearest(z, centers.centers.view());
        self.refine(z, self.maximise(z, &one_hot(index, k)))
    }

    /// Continues EM from a given mixture.
    ///
    /// ```
    /// use burn::backend::Flex;
    /// use burn::tensor::Tensor;
    /// use edgemix::mixture::{Covariance, Mixture, gmm::Gmm};
    /// use ndarray::array;
    ///
    /// let z = Tensor::<Flex, 2>::from_data([[0.0], [1.0], [10.0], [11.0]], &Default::default());
    /// let (log_weights, covariance) = (vec![0.5f64.ln(); 2], Covariance::Full(array![[[1.0]], [[1.0]]]));
    /// let start = Mixture { log_weights, means: array![[2.0], [8.0]], covariance, clusters: vec![0, 1] };
    /// let means = Gmm::default().refine(&z, start)?.means;
    /// assert!((means[[0, 0]] - 0.5).abs() < 1e-3 && (means[[1, 0]] - 10.5).abs() < 1e-3);
    /// # Ok::<(), edgemix::mixture::NotPositiveDefinite>(())
    /// ```
    ///
    /// # Errors
    /// As [`Gmm::fit`].
    pub fn refine<B: Backend>(&self, z: &Tensor<B, 2>, start: Mixture) -> Result<Mixture, NotPositiveDefinite> {
        let mut mixture = start;
        let mut previous = f64::NEG_INFINITY;
        for _ in 0..self.max_iter {
            let (responsibilities, likelihood) = expect(z, &mixture)?;
            if likelihood - previous < self.tol {
                break;
            }
            previous = likelihood;
            mixture = self.maximise(z, &responsibilities);
        }
        Ok(mixture)
    }

    /// The M step: the most likely mixture under `N x K` responsibilities.
    ///
    /// ```
    /// use burn::backend::Flex;
    /// use burn::tensor::Tensor;
    /// use edgemix::mixture::{CovarianceType, gmm::Gmm};
    ///
    /// let z = Tensor::<Flex, 2>::from_data([[0.0], [2.0], [10.0]], &Default::default());
    /// let shares = Tensor::from_data([[1.0, 0.0], [1.0, 0.0], [0.0, 1.0]], &Default::default());
    /// let gmm = Gmm { covariance: CovarianceType::Diagonal, variance_floor: 0.5, ..Gmm::default() };
    /// let mixture = gmm.maximise(&z, &shares);
    /// assert!((mixture.means[[0, 0]] - 1.0).abs() < 1e-5 && (mixture.means[[1, 0]] - 10.0).abs() < 1e-5);
    /// // Variances of 1 and 0, plus the floor.
    /// let variances = mixture.covariance.values();
    /// assert!((variances[0] - 1.5).abs() < 1e-4 && (variances[1] - 0.5).abs() < 1e-4);
    /// ```
    pub fn maximise<B: Backend>(&self, z: &Tensor<B, 2>, responsibilities: &Tensor<B, 2>) -> Mixture {
        match self.covariance {
            CovarianceType::Full => {
                let moments = Moments::with_products(z, responsibilities);
                let covariance = Covariance::Full(self.floored_products(&moments));
                mixture(moments, covariance, z.dims()[0])
            }
            CovarianceType::Diagonal => {
                let moments = Moments::with_squares(z, responsibilities);
                let covariance = Covariance::Diagonal(normalised(&moments).mapv(|v| self.floored(v)));
                mixture(moments, covariance, z.dims()[0])
            }
            CovarianceType::Spherical => {
                let moments = Moments::with_squares(z, responsibilities);
                let dims = moments.means.ncols() as f64;
                let variances = normalised(&moments);
                let means = variances.rows().into_iter().map(|row| row.iter().sum::<f64>() / dims);
                let covariance = Covariance::Spherical(means.map(|v| self.floored(v)).collect());
                mixture(moments, covariance, z.dims()[0])
            }
        }
    }

    fn floored(&self, variance: f64) -> f64 {
        variance.max(0.0) + self.variance_floor
    }

    /// The covariances, with the floor added to their diagonals.
    fn floored_products(&self, moments: &Moments<Array3<f64>>) -> Array3<f64> {
        let mut covariances = moments.scatter.clone();
        for (mut covariance, n) in covariances.outer_iter_mut().zip(&moments.counts) {
            covariance.iter_mut().for_each(|s| *s /= n.max(1e-12));
            covariance.diag_mut().iter_mut().for_each(|v| *v += self.variance_floor);
        }
        covariances
    }
}

/// Variances from squares.
fn normalised(moments: &Moments<Array2<f64>>) -> Array2<f64> {
    let mut variances = moments.scatter.clone();
    for (mut row, n) in variances.axis_iter_mut(Axis(0)).zip(&moments.counts) {
        row.iter_mut().for_each(|s| *s /= n.max(1e-12));
    }
    variances
}

/// The mixture with the weights and means of `n` samples' moments; each component is a cluster.
fn mixture<S>(moments: Moments<S>, covariance: Covariance, n: usize) -> Mixture {
    Mixture {
        log_weights: moments.counts.iter().map(|c| (c.max(1e-12) / n as f64).ln()).collect(),
        clusters: (0..moments.counts.len() as u16).collect(),
        means: moments.means,
        covariance,
    }
}

/// The E step: `N x K` responsibilities, and the mean log-likelihood of the samples.
///
/// ```
/// use burn::backend::Flex;
/// use burn::tensor::Tensor;
/// use edgemix::mixture::{Covariance, Mixture, gmm};
/// use ndarray::array;
///
/// let covariance = Covariance::Spherical(vec![1.0; 2]);
/// let log_weights = vec![0.5f64.ln(); 2];
/// let mixture = Mixture { log_weights, means: array![[-1.0], [1.0]], covariance, clusters: vec![0, 1] };
/// let z = Tensor::<Flex, 2>::from_data([[0.0]], &Default::default());
/// let (responsibilities, log_likelihood) = gmm::expect(&z, &mixture)?;
/// assert!(responsibilities.into_data().iter::<f32>().all(|share| (share - 0.5).abs() < 1e-5));
/// // The log density of a Gaussian one standard deviation from its mean.
/// assert!((log_likelihood + 0.5 + 0.5 * std::f64::consts::TAU.ln()).abs() < 1e-5);
/// # Ok::<(), edgemix::mixture::NotPositiveDefinite>(())
/// ```
///
/// # Errors
/// [`NotPositiveDefinite`] if a covariance is not positive definite.
pub fn expect<B: Backend>(z: &Tensor<B, 2>, mixture: &Mixture) -> Result<(Tensor<B, 2>, f64), NotPositiveDefinite> {
    let scores = mixture.log_density(z)?;
    let most = scores.clone().max_dim(1);
    let sums = (scores.clone() - most.clone()).exp().sum_dim(1).log() + most;
    let likelihood = elements(sums.mean())[0];
    Ok((softmax(scores, 1), likelihood))
}
