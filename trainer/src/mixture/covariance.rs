//! Covariances of a mixture's components.

use ndarray::{Array2, Array3, ArrayView2, Axis};
use serde::{Deserialize, Serialize};

use super::cholesky;
use crate::base::array_serde;

/// The covariances of K components over D dimensions.
///
/// ```
/// use edgemix::mixture::{Covariance, CovarianceType};
/// use ndarray::array;
///
/// let covariance = Covariance::Full(array![[[1.0, 0.5], [0.5, 4.0]]]);
/// assert_eq!(covariance.covariance_type(), CovarianceType::Full);
/// let copy = Covariance::from_values(CovarianceType::Full, [1, 2], covariance.values());
/// assert_eq!(copy, Some(covariance));
/// ```
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub enum Covariance {
    /// K variances.
    Spherical(Vec<f64>),
    /// `K x D` variances.
    Diagonal(#[serde(with = "array_serde")] Array2<f64>),
    /// `K x D x D`.
    Full(#[serde(with = "array_serde")] Array3<f64>),
}

/// The form of covariances, in scikit-learn's words.
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
    /// One variance for each component.
    Spherical,
    /// One variance for each component and dimension.
    Diagonal,
    /// A matrix for each component.
    Full,
}

/// A component's covariance is not positive definite.
///
/// ```
/// use edgemix::mixture::{Covariance, Mixture, NotPositiveDefinite};
/// use ndarray::array;
///
/// let covariance = Covariance::Spherical(vec![1.0, 0.0]);
/// let mixture = Mixture { log_weights: vec![0.0; 2], means: array![[0.0], [1.0]], covariance, clusters: vec![0, 1] };
/// assert_eq!(mixture.whiten().err(), Some(NotPositiveDefinite { component: 1 }));
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("the covariance of component {component} is not positive definite")]
pub struct NotPositiveDefinite {
    /// The component's index.
    pub component: usize,
}

/// Matrices that whiten K components, and the logs of their determinants.
pub(super) struct InverseRoots {
    pub(super) whitening: Whitening,
    pub(super) log_determinants: Vec<f64>,
}

/// Matrices that whiten K components, in standard layout.
#[derive(Clone, Debug, PartialEq)]
pub enum Whitening {
    /// `K x D` inverse standard deviations.
    Diagonal(Array2<f64>),
    /// K lower triangular `D x D` matrices.
    Full(Array3<f64>),
}

impl Covariance {
    /// The form of the covariances.
    pub fn covariance_type(&self) -> CovarianceType {
        match self {
            Self::Spherical(_) => CovarianceType::Spherical,
            Self::Diagonal(_) => CovarianceType::Diagonal,
            Self::Full(_) => CovarianceType::Full,
        }
    }

    /// All numbers: K, `K x D` or `K x D x D` of them in row-major order.
    pub fn values(&self) -> Vec<f64> {
        match self {
            Self::Spherical(v) => v.clone(),
            Self::Diagonal(v) => v.iter().copied().collect(),
            Self::Full(v) => v.iter().copied().collect(),
        }
    }

    /// Covariances from the numbers that [`Self::values`] gives; `None` if `[K, D]` needs another number of them.
    pub fn from_values(of: CovarianceType, [k, dims]: [usize; 2], values: Vec<f64>) -> Option<Self> {
        match of {
            CovarianceType::Spherical => (values.len() == k).then_some(Self::Spherical(values)),
            CovarianceType::Diagonal => Array2::from_shape_vec((k, dims), values).ok().map(Self::Diagonal),
            CovarianceType::Full => Array3::from_shape_vec((k, dims, dims), values).ok().map(Self::Full),
        }
    }

    /// The covariances of some components, in the order given.
    pub(super) fn select(&self, components: &[usize]) -> Self {
        match self {
            Self::Spherical(v) => Self::Spherical(components.iter().map(|&k| v[k]).collect()),
            Self::Diagonal(v) => Self::Diagonal(v.select(Axis(0), components)),
            Self::Full(v) => Self::Full(v.select(Axis(0), components)),
        }
    }

    /// `K x D` log variances; for full covariances those of the diagonals.
    pub(super) fn log_variances(&self, dims: usize) -> Array2<f64> {
        match self {
            Self::Spherical(v) => Array2::from_shape_fn((v.len(), dims), |(k, _)| v[k].ln()),
            Self::Diagonal(v) => v.mapv(f64::ln),
            Self::Full(v) => Array2::from_shape_fn((v.len_of(Axis(0)), dims), |(k, d)| v[[k, d, d]].ln()),
        }
    }

    /// Inverts the square roots of the covariances.
    ///
    /// # Errors
    /// Names the first component whose covariance is not positive definite.
    pub(super) fn inverse_roots(&self, dims: usize) -> Result<InverseRoots, NotPositiveDefinite> {
        let refused = |component| NotPositiveDefinite { component };
        let (whitening, log_determinants) = match self {
            Self::Spherical(v) => {
                let variances = Array2::from_shape_fn((v.len(), dims), |(k, _)| v[k]);
                inverse_deviations(variances.view()).map_err(refused)?
            }
            Self::Diagonal(v) => inverse_deviations(v.view()).map_err(refused)?,
            Self::Full(v) => {
                let mut whitening = Array3::zeros(v.raw_dim());
                let mut log_determinants = vec![];
                for (k, (covariance, mut root)) in v.outer_iter().zip(whitening.outer_iter_mut()).enumerate() {
                    let (inverse, log_determinant) = cholesky::whitening(covariance).ok_or(refused(k))?;
                    root.assign(&inverse);
                    log_determinants.push(log_determinant);
                }
                (Whitening::Full(whitening), log_determinants)
            }
        };
        Ok(InverseRoots { whitening, log_determinants })
    }
}

/// Inverse square roots of `K x D` variances and the log of each row's product, or the first row that is not positive.
fn inverse_deviations(variances: ArrayView2<f64>) -> Result<(Whitening, Vec<f64>), usize> {
    let is_refused = |v: &f64| *v <= 0.0 || !v.is_finite();
    if let Some(row) = variances.rows().into_iter().position(|row| row.iter().any(is_refused)) {
        return Err(row);
    }
    let log_determinants = variances.rows().into_iter().map(|row| row.iter().map(|v| -0.5 * v.ln()).sum()).collect();
    let deviations = variances.as_standard_layout().mapv(|v| v.sqrt().recip());
    Ok((Whitening::Diagonal(deviations), log_determinants))
}
