//! Scores of latents under a mixture whose covariances have been inverted.

use burn::tensor::{Tensor, backend::Backend};
use ndarray::{Array2, Axis};

use super::covariance::Whitening;
use super::moments::mean_of_rows;
use crate::base::arrays::{matrix, row_slice, row_slices, to_tensor};

/// A mixture in the form used for scoring: `score_k = constants[k] - 1/2 |W_k (z - m_k)|^2`.
#[derive(Clone, Debug, PartialEq)]
pub struct Whitened {
    /// `K x D`, in standard layout.
    pub(super) means: Array2<f64>,
    /// The matrices `W_k`.
    pub whitening: Whitening,
    /// K: the log weight plus the log of the Gaussian's normalisation.
    pub constants: Vec<f64>,
}

impl Whitened {
    /// The K scores of one latent of D dimensions.
    pub fn scores(&self, z: &[f64]) -> Vec<f64> {
        let square = |x: f64| x * x;
        let difference = |mean: &[f64]| -> Vec<f64> { z.iter().zip(mean).map(|(z, m)| z - m).collect() };
        let components = row_slices(self.means.view()).zip(&self.constants);
        match &self.whitening {
            Whitening::Diagonal(rows) => components
                .zip(row_slices(rows.view()))
                .map(|((mean, constant), row)| {
                    let distance: f64 = row.iter().zip(&difference(mean)).map(|(a, d)| square(a * d)).sum();
                    constant - 0.5 * distance
                })
                .collect(),
            Whitening::Full(triangles) => components
                .zip(triangles.outer_iter())
                .map(|((mean, constant), triangle)| {
                    let difference = difference(mean);
                    let project = |row: &[f64]| square(row.iter().zip(&difference).map(|(a, d)| a * d).sum());
                    let distance: f64 = row_slices(triangle).map(project).sum();
                    constant - 0.5 * distance
                })
                .collect(),
        }
    }

    /// The `N x K` scores of `N x D` latents, on their device.
    pub(super) fn scores_on_device<B: Backend>(&self, z: &Tensor<B, 2>) -> Tensor<B, 2> {
        let device = z.device();
        let distances = match &self.whitening {
            Whitening::Full(triangles) => {
                let columns = triangles.outer_iter().enumerate().map(|(k, triangle)| {
                    let mean = matrix::<B>(row_slice(self.means.view(), k), 1, &device);
                    (z.clone() - mean).matmul(to_tensor::<B>(triangle, &device).transpose()).square().sum_dim(1)
                });
                Tensor::cat(columns.collect(), 1)
            }
            Whitening::Diagonal(deviations) => self.diagonal_distances(deviations, z),
        };
        matrix::<B>(&self.constants, 1, &device) - distances * 0.5
    }

    /// `sum a^2 (z - m)^2`, expanded into two products of matrices, about the mean of the means, so that no large squares
    /// cancel in f32.
    fn diagonal_distances<B: Backend>(&self, deviations: &Array2<f64>, z: &Tensor<B, 2>) -> Tensor<B, 2> {
        let device = z.device();
        let center = mean_of_rows(self.means.view());
        let z = z.clone() - to_tensor::<B>(center.view().insert_axis(Axis(0)), &device);
        let means = &self.means - &center;
        let precision = deviations.mapv(|a| a * a);
        let linear = ndarray::Zip::from(&precision).and(&means).map_collect(|p, m| -2.0 * p * m);
        let offset: Vec<f64> = row_slices(linear.view())
            .zip(row_slices(means.view()))
            .map(|(l, m)| l.iter().zip(m).map(|(l, m)| -0.5 * l * m).sum())
            .collect();
        z.clone().square().matmul(to_tensor::<B>(precision.view(), &device).transpose())
            + z.matmul(to_tensor::<B>(linear.view(), &device).transpose())
            + matrix::<B>(&offset, 1, &device)
    }
}
