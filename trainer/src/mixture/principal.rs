//! The principal axes of samples, and how many of them the samples need.

use ndarray::{Array2, ArrayView2};

use super::niw::{NormalInverseWishart, Statistics};
use crate::base::arrays::{from_rows, row_slices};

/// Steps of the orthogonal iteration.
const STEPS: usize = 60;

/// Beyond this number of dimensions [`dimension`] compares samples with each other instead of columns.
const WIDE: usize = 512;

/// The `count` leading eigenvectors of a covariance of D dimensions, by orthogonal iteration. They are orthonormal.
pub(super) fn leading_axes(covariance: ArrayView2<f64>, count: usize) -> Vec<Vec<f64>> {
    let (dims, variances) = (covariance.nrows(), covariance.diag());
    let mut order: Vec<usize> = (0..dims).collect();
    order.sort_by(|&a, &b| variances[b].total_cmp(&variances[a]));
    let unit = |&d: &usize| (0..dims).map(|i| f64::from(u8::from(i == d))).collect();
    let mut axes: Vec<Vec<f64>> = order.iter().take(count).map(unit).collect();
    for _ in 0..STEPS {
        axes = axes.iter().map(|axis| row_slices(covariance).map(|row| dot(row, axis)).collect()).collect();
        orthonormalise(&mut axes);
    }
    axes
}

/// The number of leading axes that hold a `share` of the total variance; `None` if all of them hold less.
pub(super) fn axes_holding(covariance: ArrayView2<f64>, axes: &[Vec<f64>], share: f64) -> Option<usize> {
    let variance = |axis: &[f64]| -> f64 { row_slices(covariance).zip(axis).map(|(row, a)| a * dot(row, axis)).sum() };
    let total: f64 = covariance.diag().iter().sum();
    let mut held = 0.0;
    let last = axes.iter().position(|axis| {
        held += variance(axis);
        held >= share * total
    });
    last.map(|last| last + 1)
}

/// The covariance of rows of `dims` numbers.
pub(super) fn covariance<'a>(rows: impl IntoIterator<Item = &'a [f64]>, dims: usize) -> (f64, Array2<f64>) {
    let all = Statistics::from_rows(rows, dims);
    let flat = NormalInverseWishart { kappa: 0.0, extra: 2.0, psi: 0.0 };
    (all.n, flat.posterior(&all).1)
}

/// The number of principal axes that hold a `share` of the variance of `N x D` samples, if at most `most` do.
///
/// ```
/// use edgemix::mixture::principal::dimension;
/// use edgemix::random::{normal, stream};
/// use ndarray::Array2;
///
/// // Five columns, all of them multiples of two numbers.
/// let noise = normal(600, &mut stream(0, "example", 0));
/// let z = Array2::from_shape_fn((300, 5), |(i, d)| f64::from(noise[2 * i + d % 2]) * (1.0 + d as f64));
/// assert_eq!(dimension(z.view(), 0.99, 4), Some(2));
/// assert_eq!(dimension(z.view(), 0.99, 1), None);
/// ```
pub fn dimension(z: ArrayView2<f64>, share: f64, most: usize) -> Option<usize> {
    let z = centred(z);
    let covariance = if z.ncols() > WIDE {
        // The products of samples have the same eigenvalues as the products of columns.
        let step = z.nrows().div_ceil(WIDE).max(1);
        let some: Vec<&[f64]> = row_slices(z.view()).step_by(step).collect();
        let products = some.iter().flat_map(|a| some.iter().map(|b| dot(a, b))).collect();
        from_rows(products, some.len())
    } else {
        covariance(row_slices(z.view()), z.ncols()).1
    };
    let axes = leading_axes(covariance.view(), most.min(covariance.nrows()));
    axes_holding(covariance.view(), &axes, share)
}

/// The rows less their mean, in standard layout.
fn centred(z: ArrayView2<f64>) -> Array2<f64> {
    let mut z = z.as_standard_layout().into_owned();
    let center = super::points::center(row_slices(z.view()), z.ncols());
    for mut row in z.rows_mut() {
        row.iter_mut().zip(&center).for_each(|(x, m)| *x -= m);
    }
    z
}

/// The leading principal axes of samples, and the samples' mean.
///
/// ```
/// use edgemix::mixture::principal::PrincipalAxes;
/// use ndarray::array;
///
/// let z = array![[1.0, 2.0], [2.0, 4.0], [3.0, 6.0]];
/// let found = PrincipalAxes::fit(z.view(), 0.99, 2);
/// assert_eq!((found.mean, found.axes.len()), (vec![2.0, 4.0], 1));
/// // Along (1, 2).
/// assert!((found.axes[0][1] / found.axes[0][0] - 2.0).abs() < 1e-9);
/// ```
#[derive(Clone, Debug, PartialEq)]
pub struct PrincipalAxes {
    /// D.
    pub mean: Vec<f64>,
    /// Orthonormal vectors of D dimensions.
    pub axes: Vec<Vec<f64>>,
}

impl PrincipalAxes {
    /// The axes that hold a `share` of the variance of `N x D` samples, but at most `most`.
    pub fn fit(z: ArrayView2<f64>, share: f64, most: usize) -> Self {
        let z = z.as_standard_layout();
        let mean = super::points::center(row_slices(z.view()), z.ncols());
        let z = centred(z.view());
        let (_, covariance) = covariance(row_slices(z.view()), z.ncols());
        let mut axes = leading_axes(covariance.view(), most.min(z.ncols()));
        let enough = axes_holding(covariance.view(), &axes, share).unwrap_or(axes.len());
        axes.truncate(enough);
        Self { mean, axes }
    }
}

pub(super) fn dot(a: &[f64], b: &[f64]) -> f64 {
    a.iter().zip(b).map(|(a, b)| a * b).sum()
}

/// Makes vectors orthonormal by the Gram-Schmidt process, in place. A vector that the others span already is replaced.
fn orthonormalise(vectors: &mut [Vec<f64>]) {
    for i in 0..vectors.len() {
        let (before, rest) = vectors.split_at_mut(i);
        let vector = &mut rest[0];
        let scale = dot(vector, vector).sqrt();
        let without = |vector: &mut Vec<f64>| {
            // Twice is enough (Kahan and Parlett, in Parlett, "The symmetric eigenvalue problem", 1980).
            for _ in 0..2 {
                for other in before.iter() {
                    let along = dot(vector, other);
                    vector.iter_mut().zip(other).for_each(|(v, o)| *v -= along * o);
                }
            }
            dot(vector, vector).sqrt()
        };
        let mut norm = without(vector);
        let mut d = 0;
        while (norm <= 1e-10 * scale || norm == 0.0) && d < vector.len() {
            vector.iter_mut().enumerate().for_each(|(i, v)| *v = f64::from(u8::from(i == d)));
            norm = without(vector);
            if norm < 1e-3 {
                norm = 0.0;
            }
            d += 1;
        }
        vector.iter_mut().for_each(|v| *v /= norm.max(f64::MIN_POSITIVE));
    }
}
