//! Gaussian mixtures: what they are, how they score, and (in the files beside) how they are fitted.
//!
//! Everything that touches all samples is tensor work on `B: Backend`; what is small, components by dimensions, is f64
//! on the host.

pub mod cholesky;
pub mod confusion;
pub mod consensus;
pub mod demp;
pub mod dip;
pub mod dirichlet;
pub mod discriminant;
pub mod gmm;
pub mod kmeans;
pub mod merging;
mod moments;
pub mod niw;
mod partition;
mod points;
pub mod prune;
mod scorer;
pub mod split_merge;
pub mod subspace;
#[cfg(test)]
mod tests;
mod within;

use std::f64::consts::TAU;

use burn::tensor::{Tensor, backend::Backend};
use rayon::prelude::*;
use serde::{Deserialize, Serialize};

use crate::base::arrays::argmax;
pub(crate) use crate::base::arrays::{elements, matrix};

/// K Gaussian components over D dimensions, each of them part of a cluster.
///
/// The score of component k is `log_weights[k] + ln N(z; means[k], covariance[k])`. The log weights need not be
/// normalised: the expected log joint of a Dirichlet process mixture is written in exactly this form.
///
/// ```
/// use edgemix::mixture::{Covariance, Mixture};
///
/// // Three components on a line, the first two of them one cluster.
/// let mixture = Mixture {
///     log_weights: vec![0.25f64.ln(), 0.25f64.ln(), 0.5f64.ln()],
///     means: vec![-1.0, 1.0, 8.0],
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
    pub means: Vec<f64>,
    /// The components' covariances.
    pub covariance: Covariance,
    /// The cluster of each component, `0..n_clusters`, each at least once.
    pub clusters: Vec<u16>,
}

/// The covariances of a mixture's components. See [`Mixture::log_variances`] for an example.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub enum Covariance {
    /// K variances.
    Spherical(Vec<f64>),
    /// `K x D` variances.
    Diagonal(Vec<f64>),
    /// `K x D x D`.
    Full(Vec<f64>),
}

/// The shape of covariances, without their values.
///
/// ```
/// use edgemix::mixture::{CovarianceType, gmm::Gmm};
///
/// let gmm: Gmm = toml::from_str("covariance = \"diagonal\"")?;
/// assert_eq!((gmm.covariance, Gmm::default().covariance), (CovarianceType::Diagonal, CovarianceType::Full));
/// # Ok::<(), toml::de::Error>(())
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum CovarianceType {
    /// One variance per component.
    Spherical,
    /// One variance per component and dimension.
    Diagonal,
    /// A matrix per component.
    Full,
}

/// A covariance that is not positive definite.
///
/// ```
/// use edgemix::mixture::{Covariance, Mixture, NotPositiveDefinite};
///
/// let covariance = Covariance::Spherical(vec![1.0, 0.0]);
/// let mixture = Mixture { log_weights: vec![0.0; 2], means: vec![0.0, 1.0], covariance, clusters: vec![0, 1] };
/// assert_eq!(mixture.whiten().err(), Some(NotPositiveDefinite { component: 1 }));
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("the covariance of component {component} is not positive definite: raise the variance floor")]
pub struct NotPositiveDefinite {
    /// The component's index.
    pub component: usize,
}

/// A mixture in the form that scoring wants: `score_k = constants[k] - 1/2 |W_k (z - m_k)|^2`.
/// See [`Mixture`] for an example.
#[derive(Clone, Debug)]
pub struct Whitened<'a> {
    mixture: &'a Mixture,
    /// Full: K lower triangular `D x D`; otherwise `K x D` inverse standard deviations.
    pub rows: Vec<f64>,
    /// K: log weight plus the Gaussian's normalisation.
    pub constants: Vec<f64>,
}

impl Mixture {
    /// K. See [`Mixture`] for an example.
    pub fn n_components(&self) -> usize {
        self.log_weights.len()
    }

    /// D. See [`Mixture`] for an example.
    pub fn n_dims(&self) -> usize {
        self.means.len().checked_div(self.n_components()).unwrap_or(0)
    }

    /// Number of clusters. See [`Mixture`] for an example.
    pub fn n_clusters(&self) -> usize {
        self.clusters.iter().max().map_or(0, |&most| usize::from(most) + 1)
    }

    /// `K x D` log variances; of full covariances those of the diagonals.
    ///
    /// ```
    /// use edgemix::mixture::{Covariance, Mixture};
    ///
    /// let covariance = Covariance::Full(vec![1.0, 0.5, 0.5, 4.0]);
    /// let mixture = Mixture { log_weights: vec![0.0], means: vec![0.0; 2], covariance, clusters: vec![0] };
    /// assert_eq!(mixture.log_variances(), [0.0, 4f64.ln()]);
    /// ```
    pub fn log_variances(&self) -> Vec<f64> {
        let dims = self.n_dims();
        match &self.covariance {
            Covariance::Spherical(v) => v.iter().flat_map(|v| std::iter::repeat_n(v.ln(), dims)).collect(),
            Covariance::Diagonal(v) => v.iter().map(|v| v.ln()).collect(),
            Covariance::Full(v) => {
                v.chunks(dims * dims).flat_map(|m| m.iter().step_by(dims + 1)).map(|v| v.ln()).collect()
            }
        }
    }

    /// Each component's posterior for each of `N x D` latents, `N x K`.
    ///
    /// ```
    /// use edgemix::mixture::{Covariance, Mixture};
    ///
    /// let covariance = Covariance::Spherical(vec![1.0; 2]);
    /// let mixture = Mixture { log_weights: vec![0.0; 2], means: vec![0.0, 2.0], covariance, clusters: vec![0, 1] };
    /// // Half way between the two, and far on the second one's side.
    /// let found = mixture.responsibilities(&[1.0, 9.0])?;
    /// assert!(found[..2] == [0.5, 0.5] && found[3] > 0.999);
    /// # Ok::<(), edgemix::mixture::NotPositiveDefinite>(())
    /// ```
    ///
    /// # Errors
    /// As [`Mixture::whiten`].
    pub fn responsibilities(&self, z: &[f64]) -> Result<Vec<f32>, NotPositiveDefinite> {
        let whitened = self.whiten()?;
        let posterior = |z: &[f64]| {
            let scores = whitened.scores(z);
            let most = scores.iter().copied().fold(f64::NEG_INFINITY, f64::max);
            let weights: Vec<f64> = scores.iter().map(|score| (score - most).exp()).collect();
            let total: f64 = weights.iter().sum();
            weights.into_iter().map(move |weight| (weight / total) as f32)
        };
        Ok(z.par_chunks_exact(self.n_dims()).flat_map_iter(posterior).collect())
    }

    /// Each of `N x D` latents' most probable component.
    pub(crate) fn components(&self, z: &[f64]) -> Result<Vec<usize>, NotPositiveDefinite> {
        let whitened = self.whiten()?;
        Ok(z.par_chunks_exact(self.n_dims()).map(|row| argmax(&whitened.scores(row))).collect())
    }

    /// Inverts the covariances. See [`Mixture`] for an example.
    ///
    /// # Errors
    /// Names the first component whose covariance is not positive definite.
    pub fn whiten(&self) -> Result<Whitened<'_>, NotPositiveDefinite> {
        let dims = self.n_dims();
        let mut rows = Vec::new();
        let mut constants = Vec::new();
        for (component, log_weight) in self.log_weights.iter().enumerate() {
            let refused = NotPositiveDefinite { component };
            let (row, log_det) = match &self.covariance {
                Covariance::Spherical(v) => inverse_deviations(&vec![v[component]; dims]),
                Covariance::Diagonal(v) => inverse_deviations(&v[component * dims..(component + 1) * dims]),
                Covariance::Full(v) => {
                    cholesky::whitening(&v[component * dims * dims..(component + 1) * dims * dims], dims)
                }
            }
            .ok_or(refused)?;
            rows.extend(row);
            constants.push(log_weight + log_det - 0.5 * dims as f64 * TAU.ln());
        }
        Ok(Whitened { mixture: self, rows, constants })
    }

    /// The scores of `N x D` latents, `N x K`, on their device.
    ///
    /// ```
    /// use burn::backend::Flex;
    /// use burn::tensor::Tensor;
    /// use edgemix::mixture::{Covariance, Mixture};
    ///
    /// let covariance = Covariance::Spherical(vec![1.0; 2]);
    /// let mixture = Mixture { log_weights: vec![0.0; 2], means: vec![0.0, 4.0], covariance, clusters: vec![0, 1] };
    /// let z = Tensor::<Flex, 2>::from_data([[4.0]], &Default::default());
    /// let scores: Vec<f32> = mixture.log_density(&z)?.into_data().iter::<f32>().collect();
    /// // Half the squared distance of the means.
    /// assert!((scores[1] - scores[0] - 8.0).abs() < 1e-4);
    /// # Ok::<(), edgemix::mixture::NotPositiveDefinite>(())
    /// ```
    ///
    /// # Errors
    /// As [`Mixture::whiten`].
    pub fn log_density<B: Backend>(&self, z: &Tensor<B, 2>) -> Result<Tensor<B, 2>, NotPositiveDefinite> {
        let whitened = self.whiten()?;
        let (k, dims) = (self.n_components(), self.n_dims());
        let device = z.device();
        let constants = matrix::<B>(&whitened.constants, 1, &device);
        let distances = match self.covariance {
            Covariance::Full(_) => {
                let columns = (0..k).map(|component| {
                    let rows = &whitened.rows[component * dims * dims..(component + 1) * dims * dims];
                    let rows = matrix::<B>(rows, dims, &device);
                    let mean = matrix::<B>(&self.means[component * dims..(component + 1) * dims], 1, &device);
                    (z.clone() - mean).matmul(rows.transpose()).square().sum_dim(1)
                });
                Tensor::cat(columns.collect(), 1)
            }
            // sum a^2 (z - m)^2, expanded so that it is two products of matrices; about the means' mean, so that
            // no large squares cancel in f32.
            Covariance::Spherical(_) | Covariance::Diagonal(_) => {
                let center = mean_row(&self.means, dims);
                let z = z.clone() - matrix::<B>(&center, 1, &device);
                let means = centered(&self.means, &center);
                let precision: Vec<f64> = whitened.rows.iter().map(|a| a * a).collect();
                let linear: Vec<f64> = precision.iter().zip(&means).map(|(p, m)| -2.0 * p * m).collect();
                let offset: Vec<f64> = linear
                    .chunks(dims)
                    .zip(means.chunks(dims))
                    .map(|(l, m)| l.iter().zip(m).map(|(l, m)| -0.5 * l * m).sum())
                    .collect();
                z.clone().square().matmul(matrix::<B>(&precision, k, &device).transpose())
                    + z.clone().matmul(matrix::<B>(&linear, k, &device).transpose())
                    + matrix::<B>(&offset, 1, &device)
            }
        };
        Ok(constants - distances * 0.5)
    }
}

impl Whitened<'_> {
    /// The scores of one latent, in f64: the definition. See [`Mixture`] for an example.
    pub fn scores(&self, z: &[f64]) -> Vec<f64> {
        let dims = self.mixture.n_dims();
        let means = self.mixture.means.chunks_exact(dims).zip(&self.constants);
        let is_full = matches!(self.mixture.covariance, Covariance::Full(_));
        let stride = if is_full { dims * dims } else { dims };
        means
            .zip(self.rows.chunks_exact(stride))
            .map(|((mean, constant), rows)| {
                let difference: Vec<f64> = z.iter().zip(mean).map(|(z, m)| z - m).collect();
                let square = |x: f64| x * x;
                let distance: f64 = if is_full {
                    let products = rows.chunks_exact(dims);
                    products.map(|row| square(row.iter().zip(&difference).map(|(a, d)| a * d).sum())).sum()
                } else {
                    rows.iter().zip(&difference).map(|(a, d)| square(a * d)).sum()
                };
                constant - 0.5 * distance
            })
            .collect()
    }
}

/// The inverse square roots, and the log of their product.
fn inverse_deviations(variances: &[f64]) -> Option<(Vec<f64>, f64)> {
    let positive = variances.iter().all(|v| *v > 0.0 && v.is_finite());
    let log_det = variances.iter().map(|v| -0.5 * v.ln()).sum();
    positive.then(|| (variances.iter().map(|v| v.sqrt().recip()).collect(), log_det))
}

/// The mean of the rows of a row-major matrix.
fn mean_row(values: &[f64], columns: usize) -> Vec<f64> {
    let mut mean = vec![0.0; columns];
    let share = columns as f64 / values.len().max(1) as f64;
    values.chunks_exact(columns).for_each(|row| mean.iter_mut().zip(row).for_each(|(m, x)| *m += share * x));
    mean
}

/// Every row less `center`.
fn centered(values: &[f64], center: &[f64]) -> Vec<f64> {
    values.iter().zip(center.iter().cycle()).map(|(x, c)| x - c).collect()
}
