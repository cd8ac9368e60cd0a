//! Moments of latents on a device, weighted by responsibilities: what the updates of a mixture need to know of the samples.
//!
//! Where samples join and leave components one by one, on the host, their sums are
//! [`Statistics`](super::niw::Statistics).

use burn::tensor::{Tensor, backend::Backend};
use ndarray::{Array1, Array2, Array3, ArrayView2, Axis, s};

use crate::base::arrays::{elements, row_slices, to_array};

/// Moments of N latents of D dimensions, weighted by their responsibilities for K components.
///
/// `S` is `K x D` for squares alone and `K x D x D` for all products.
#[derive(Clone, Debug)]
pub(super) struct Moments<S> {
    /// K: the sums of the responsibilities.
    pub(super) counts: Vec<f64>,
    /// `K x D`.
    pub(super) means: Array2<f64>,
    /// The scatter about the means: sums of squares or of products.
    pub(super) scatter: S,
}

/// Latents about the mean of all of them, which keeps cancellation in f32 small, and their moments so far.
struct Centered<B: Backend> {
    z: Tensor<B, 2>,
    center: Array2<f64>,
    counts: Vec<f64>,
    means: Array2<f64>,
}

impl<B: Backend> Centered<B> {
    fn new(z: &Tensor<B, 2>, responsibilities: &Tensor<B, 2>) -> Self {
        let center = z.clone().mean_dim(0);
        let z = z.clone() - center.clone();
        let counts = elements(responsibilities.clone().sum_dim(0));
        let mut means: Array2<f64> = to_array(responsibilities.clone().transpose().matmul(z.clone()));
        means
            .rows_mut()
            .into_iter()
            .zip(&counts)
            .for_each(|(mut row, n)| row.iter_mut().for_each(|s| *s /= n.max(1e-12)));
        Self { z, center: to_array(center), counts, means }
    }

    fn finish<S>(self, scatter: S) -> Moments<S> {
        Moments { counts: self.counts, means: self.means + self.center, scatter }
    }
}

impl Moments<Array2<f64>> {
    /// Moments with squares, of `N x D` latents under `N x K` responsibilities.
    pub(super) fn with_squares<B: Backend>(z: &Tensor<B, 2>, responsibilities: &Tensor<B, 2>) -> Self {
        let centered = Centered::new(z, responsibilities);
        let squares = responsibilities.clone().transpose().matmul(centered.z.clone().square());
        let mut scatter: Array2<f64> = to_array(squares);
        for ((k, d), s) in scatter.indexed_iter_mut() {
            *s -= centered.counts[k] * (centered.means[[k, d]] * centered.means[[k, d]]);
        }
        centered.finish(scatter)
    }
}

impl Moments<Array3<f64>> {
    /// Moments with products, of `N x D` latents under `N x K` responsibilities.
    pub(super) fn with_products<B: Backend>(z: &Tensor<B, 2>, responsibilities: &Tensor<B, 2>) -> Self {
        let centered = Centered::new(z, responsibilities);
        let [_, dims] = z.dims();
        let mut scatter = Array3::zeros((centered.counts.len(), dims, dims));
        for (k, mut products) in scatter.outer_iter_mut().enumerate() {
            let weighted = centered.z.clone() * responsibilities.clone().narrow(1, k, 1);
            products.assign(&to_array::<_, f64>(weighted.transpose().matmul(centered.z.clone())));
            let mean = centered.means.slice(s![k, ..]);
            for ((i, j), s) in products.indexed_iter_mut() {
                *s -= centered.counts[k] * (mean[i] * mean[j]);
            }
        }
        centered.finish(scatter)
    }
}

/// The mean and the variance of each column of `N x D` latents, `1 x D` each.
pub(crate) fn column_moments<B: Backend>(z: &Tensor<B, 2>) -> (Tensor<B, 2>, Tensor<B, 2>) {
    let mean = z.clone().mean_dim(0);
    let variance = (z.clone() - mean.clone()).square().mean_dim(0);
    (mean, variance)
}

/// The mean of the rows of a matrix.
pub(super) fn mean_of_rows(matrix: ArrayView2<f64>) -> Array1<f64> {
    let matrix = matrix.as_standard_layout();
    let mut mean = Array1::zeros(matrix.len_of(Axis(1)));
    let share = 1.0 / matrix.nrows().max(1) as f64;
    row_slices(matrix.view()).for_each(|row| mean.iter_mut().zip(row).for_each(|(m, x)| *m += share * x));
    mean
}
