//! The Gaussian mixture that all methods give and everything else reads.

use std::f64::consts::TAU;

use burn::tensor::{Tensor, backend::Backend};
use ndarray::{Array2, ArrayView2};
use rayon::prelude::*;
use serde::{Deserialize, Serialize};

use super::covariance::{Covariance, InverseRoots, NotPositiveDefinite};
use super::whitened::Whitened;
use crate::base::array_serde;
use crate::base::arrays::{argmax, from_rows};

/// K Gaussian components over D dimensions, each of them part of a cluster.
///
/// The score of component k is `log_weights[k] + ln N(z; means[k], covariance[k])`. The log weights need not be
/// normalised: the expected log joint of a Dirichlet process mixture is written in exactly this form.
///
/// ```
/// use edgemix::mixture::{Covariance, Mixture};
/// use ndarray::array;
///
/// // Three components on a line; the first two are one cluster.
/// let mixture = Mixture {
///     log_weights: vec![0.25f64.ln(), 0.25f64.ln(), 0.5f64.ln()],
///     means: array![[-1.0], [1.0], [8.0]],
///     covariance: Covariance::Spherical(vec![1.0; 3]),
///     clusters: vec![0, 0, 1],
/// };
/// assert_eq!((mixture.n_components(), mixture.n_dims(), mixture.n_clusters()), (3, 1, 2));
/// let scores = mixture.whiten()?.scores(&[7.0]);
/// assert!((scores[2] - (0.5f64.ln() - 0.5 - 0.5 * std::f64::consts::TAU.ln())).abs() < 1e-12);
/// # Ok::<(), edgemix::mixture::NotPositiveDefinite>(())
/// ```
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Mixture {
    /// K.
    pub log_weights: Vec<f64>,
    /// `K x D`.
    #[serde(with = "array_serde")]
    pub means: Array2<f64>,
    /// The components' covariances.
    pub covariance: Covariance,
    /// The cluster of each component: `0..n_clusters`, each at least once.
    pub clusters: Vec<u16>,
}

impl Mixture {
    /// The number of components, K.
    pub fn n_components(&self) -> usize {
        self.log_weights.len()
    }

    /// The number of latent dimensions, D.
    pub fn n_dims(&self) -> usize {
        self.means.ncols()
    }

    /// The number of clusters.
    pub fn n_clusters(&self) -> usize {
        self.clusters.iter().max().map_or(0, |&most| usize::from(most) + 1)
    }

    /// `K x D` log variances; for full covariances those of the diagonals.
    ///
    /// ```
    /// use edgemix::mixture::{Covariance, Mixture};
    /// use ndarray::array;
    ///
    /// let covariance = Covariance::Full(array![[[1.0, 0.5], [0.5, 4.0]]]);
    /// let mixture = Mixture { log_weights: vec![0.0], means: array![[0.0, 0.0]], covariance, clusters: vec![0] };
    /// assert_eq!(mixture.log_variances(), array![[0.0, 4f64.ln()]]);
    /// ```
    pub fn log_variances(&self) -> Array2<f64> {
        self.covariance.log_variances(self.n_dims())
    }

    /// The components' posteriors for `N x D` latents, `N x K`.
    ///
    /// ```
    /// use edgemix::mixture::{Covariance, Mixture};
    /// use ndarray::array;
    ///
    /// let covariance = Covariance::Spherical(vec![1.0; 2]);
    /// let mixture = Mixture { log_weights: vec![0.0; 2], means: array![[0.0], [2.0]], covariance, clusters: vec![0, 1] };
    /// // Half way between the two means, and far on the side of the second.
    /// let found = mixture.responsibilities(array![[1.0], [9.0]].view())?;
    /// assert!(found[[0, 0]] == 0.5 && found[[0, 1]] == 0.5 && found[[1, 1]] > 0.999);
    /// # Ok::<(), edgemix::mixture::NotPositiveDefinite>(())
    /// ```
    ///
    /// # Errors
    /// As [`Mixture::whiten`].
    pub fn responsibilities(&self, z: ArrayView2<f64>) -> Result<Array2<f32>, NotPositiveDefinite> {
        let whitened = self.whiten()?;
        let posterior = |z: &[f64]| {
            let scores = whitened.scores(z);
            let most = scores.iter().copied().fold(f64::NEG_INFINITY, f64::max);
            let weights: Vec<f64> = scores.iter().map(|score| (score - most).exp()).collect();
            let total: f64 = weights.iter().sum();
            weights.into_iter().map(move |weight| (weight / total) as f32)
        };
        let z = z.as_standard_layout();
        let rows = z.as_slice().unwrap_or_default().par_chunks_exact(self.n_dims().max(1));
        Ok(from_rows(rows.flat_map_iter(posterior).collect(), self.n_components()))
    }

    /// The most probable component of each of `N x D` latents.
    pub(crate) fn components(&self, z: ArrayView2<f64>) -> Result<Vec<usize>, NotPositiveDefinite> {
        let whitened = self.whiten()?;
        let z = z.as_standard_layout();
        let rows = z.as_slice().unwrap_or_default().par_chunks_exact(self.n_dims().max(1));
        Ok(rows.map(|row| argmax(whitened.scores(row))).collect())
    }

    /// Inverts the covariances.
    ///
    /// # Errors
    /// Names the first component whose covariance is not positive definite.
    pub fn whiten(&self) -> Result<Whitened, NotPositiveDefinite> {
        let dims = self.n_dims();
        let InverseRoots { whitening, log_determinants } = self.covariance.inverse_roots(dims)?;
        let constant = |(log_weight, log_determinant)| log_weight + log_determinant - 0.5 * dims as f64 * TAU.ln();
        let constants = self.log_weights.iter().zip(log_determinants).map(constant).collect();
        Ok(Whitened { means: self.means.as_standard_layout().into_owned(), whitening, constants })
    }

    /// The `N x K` scores of `N x D` latents, on their device.
    ///
    /// ```
    /// use burn::backend::Flex;
    /// use burn::tensor::Tensor;
    /// use edgemix::mixture::{Covariance, Mixture};
    /// use ndarray::array;
    ///
    /// let covariance = Covariance::Spherical(vec![1.0; 2]);
    /// let mixture = Mixture { log_weights: vec![0.0; 2], means: array![[0.0], [4.0]], covariance, clusters: vec![0, 1] };
    /// let z = Tensor::<Flex, 2>::from_data([[4.0]], &Default::default());
    /// let scores: Vec<f32> = mixture.log_density(&z)?.into_data().iter::<f32>().collect();
    /// // Half the squared distance between the means.
    /// assert!((scores[1] - scores[0] - 8.0).abs() < 1e-4);
    /// # Ok::<(), edgemix::mixture::NotPositiveDefinite>(())
    /// ```
    ///
    /// # Errors
    /// As [`Mixture::whiten`].
    pub fn log_density<B: Backend>(&self, z: &Tensor<B, 2>) -> Result<Tensor<B, 2>, NotPositiveDefinite> {
        Ok(self.whiten()?.scores_on_device(z))
    }
}
