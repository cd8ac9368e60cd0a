//! Gaussian mixture by expectation maximisation (Dempster, Laird and Rubin, 1977; Bishop 2006, section 9.2).

use burn::tensor::{Tensor, activation::softmax, backend::Backend};
use rand::Rng;
use serde::{Deserialize, Serialize};

use super::kmeans::{KMeans, nearest, one_hot};
use super::moments::Moments;
use super::{Covariance, CovarianceType, Mixture, NotPositiveDefinite, elements};

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
/// assert!((mixture.means[0] - mixture.means[1]).abs() > 19.0);
/// # Ok::<(), edgemix::mixture::NotPositiveDefinite>(())
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields, rename_all = "kebab-case")]
pub struct Gmm {
    /// K.
    pub n_components: usize,
    /// The shape of the covariances.
    pub covariance: CovarianceType,
    /// Starts of the k-means that EM starts from.
    pub n_init: usize,
    /// Iterations at most.
    pub max_iter: usize,
    /// Stops when the mean log-likelihood grows by less.
    pub tol: f64,
    /// Added to every variance, in units of the latent's.
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
    /// Fits `N x D` latents, starting from k-means. See [`Gmm`] for an example.
    ///
    /// # Errors
    /// [`NotPositiveDefinite`] if the variance floor is too small for the latents.
    pub fn fit<B: Backend>(&self, z: &Tensor<B, 2>, rng: &mut impl Rng) -> Result<Mixture, NotPositiveDefinite> {
        let kmeans = KMeans { n_clusters: self.n_components, n_init: self.n_init, ..KMeans::default() };
        let centers = kmeans.fit(z, rng);
        let k = centers.shares.len();
        let (_, index) = nearest(z, &centers.centers);
        self.refine(z, self.maximise(z, &one_hot(index, k)))
    }

    /// EM from a given mixture.
    ///
    /// ```
    /// use burn::backend::Flex;
    /// use burn::tensor::Tensor;
    /// use edgemix::mixture::{Covariance, Mixture, gmm::Gmm};
    ///
    /// let z = Tensor::<Flex, 2>::from_data([[0.0], [1.0], [10.0], [11.0]], &Default::default());
    /// let (log_weights, covariance) = (vec![0.5f64.ln(); 2], Covariance::Full(vec![1.0; 2]));
    /// let start = Mixture { log_weights, means: vec![2.0, 8.0], covariance, clusters: vec![0, 1] };
    /// let means = Gmm::default().refine(&z, start)?.means;
    /// assert!((means[0] - 0.5).abs() < 1e-3 && (means[1] - 10.5).abs() < 1e-3);
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
    /// use edgemix::mixture::{Covariance, CovarianceType, gmm::Gmm};
    ///
    /// let z = Tensor::<Flex, 2>::from_data([[0.0], [2.0], [10.0]], &Default::default());
    /// let shares = Tensor::from_data([[1.0, 0.0], [1.0, 0.0], [0.0, 1.0]], &Default::default());
    /// let gmm = Gmm { covariance: CovarianceType::Diagonal, variance_floor: 0.5, ..Gmm::default() };
    /// let mixture = gmm.maximise(&z, &shares);
    /// assert!((mixture.means[0] - 1.0).abs() < 1e-5 && (mixture.means[1] - 10.0).abs() < 1e-5);
    /// // Variances of 1 and 0, and the floor.
    /// let Covariance::Diagonal(variances) = mixture.covariance else { panic!("of another shape") };
    /// assert!((variances[0] - 1.5).abs() < 1e-4 && (variances[1] - 0.5).abs() < 1e-4);
    /// ```
    pub fn maximise<B: Backend>(&self, z: &Tensor<B, 2>, responsibilities: &Tensor<B, 2>) -> Mixture {
        let moments = Moments::of(z, responsibilities, self.covariance);
        let [n, dims] = z.dims();
        let k = moments.counts.len();
        let stride = moments.scatter.len() / k;
        let scatter = moments.scatter.chunks(stride).zip(&moments.counts);
        let normalised = scatter.flat_map(|(s, n)| s.iter().map(move |s| s / n.max(1e-12)));
        let floor = |v: f64| v.max(0.0) + self.variance_floor;
        let covariance = match self.covariance {
            CovarianceType::Diagonal => Covariance::Diagonal(normalised.map(floor).collect()),
            CovarianceType::Spherical => {
                let variances: Vec<f64> = normalised.collect();
                let mean = |row: &[f64]| row.iter().sum::<f64>() / dims as f64;
                Covariance::Spherical(variances.chunks(dims).map(|row| floor(mean(row))).collect())
            }
            CovarianceType::Full => {
                let ridge = |(i, v): (usize, f64)| {
                    let at = i % stride;
                    if at / dims == at % dims { v + self.variance_floor } else { v }
                };
                Covariance::Full(normalised.enumerate().map(ridge).collect())
            }
        };
        Mixture {
            log_weights: moments.counts.iter().map(|c| (c.max(1e-12) / n as f64).ln()).collect(),
            means: moments.means,
            covariance,
            clusters: (0..k as u16).collect(),
        }
    }
}

/// The E step: `N x K` responsibilities, and the mean log-likelihood of the samples.
///
/// ```
/// use burn::backend::Flex;
/// use burn::tensor::Tensor;
/// use edgemix::mixture::{Covariance, Mixture, gmm};
///
/// let covariance = Covariance::Spherical(vec![1.0; 2]);
/// let log_weights = vec![0.5f64.ln(); 2];
/// let mixture = Mixture { log_weights, means: vec![-1.0, 1.0], covariance, clusters: vec![0, 1] };
/// let z = Tensor::<Flex, 2>::from_data([[0.0]], &Default::default());
/// let (responsibilities, log_likelihood) = gmm::expect(&z, &mixture)?;
/// assert!(responsibilities.into_data().iter::<f32>().all(|share| (share - 0.5).abs() < 1e-5));
/// // Of a Gaussian one deviation away.
/// assert!((log_likelihood + 0.5 + 0.5 * std::f64::consts::TAU.ln()).abs() < 1e-5);
/// # Ok::<(), edgemix::mixture::NotPositiveDefinite>(())
/// ```
///
/// # Errors
/// [`NotPositiveDefinite`] names the component.
pub fn expect<B: Backend>(z: &Tensor<B, 2>, mixture: &Mixture) -> Result<(Tensor<B, 2>, f64), NotPositiveDefinite> {
    let scores = mixture.log_density(z)?;
    let most = scores.clone().max_dim(1);
    let sums = (scores.clone() - most.clone()).exp().sum_dim(1).log() + most;
    let likelihood = elements(sums.mean())[0];
    Ok((softmax(scores, 1), likelihood))
}
