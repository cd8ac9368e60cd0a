//! Latents of many dimensions: components are full along the leading principal axes and spherical across them.
//!
//! A full covariance of D dimensions has `D (D + 1) / 2` parameters, and beyond [`FULL`] dimensions hardly any cluster has
//! enough samples to estimate them. There the covariance is `A C A^T + r (I - A A^T)`, where A are the samples' leading
//! axes: low rank plus one variance for the rest (Tipping and Bishop, "Mixtures of probabilistic principal component
//! analysers", 1999, with axes that all components share).

use ndarray::{Array2, ArrayView1, ArrayView2, Axis};

use super::covariance::Covariance;
use super::gaussian_mixture::Mixture;
use super::niw::Statistics;
use super::points::center;
use super::principal::{axes_holding, covariance, dot, leading_axes};
use crate::base::arrays::{from_rows, row_slice, row_slices};

/// The number of dimensions up to which covariances are full.
pub const FULL: usize = 32;

/// The share of the variance that the axes hold, if [`FULL`] axes can hold so much.
const HELD: f64 = 0.99;
/// The least variance across the axes, as a share of that of all samples.
const FLOOR: f64 = 1e-6;

/// The least variance across the axes of equal samples.
const LEAST_VARIANCE: f64 = 1e-100;

/// The leading principal axes of samples.
pub(super) struct Subspace {
    /// Orthonormal vectors of D dimensions.
    axes: Vec<Vec<f64>>,
    center: Vec<f64>,
    variance: f64,
}

impl Subspace {
    /// The leading axes of samples of D dimensions, by orthogonal iteration: as many as hold [`HELD`] of the variance, but
    /// at most [`FULL`].
    pub(super) fn fit<'a>(rows: impl Iterator<Item = &'a [f64]> + Clone, dims: usize) -> Self {
        let (n, covariance) = covariance(rows.clone(), dims);
        let mut axes = leading_axes(covariance.view(), FULL);
        let enough = axes_holding(covariance.view(), &axes, HELD);
        axes.truncate(enough.unwrap_or(FULL));
        let center = center(rows.clone(), dims);
        let squares: f64 = rows.flat_map(|row| row.iter().zip(&center).map(|(z, m)| (z - m).powi(2))).sum();
        Self { axes, center, variance: squares / (n * dims as f64) }
    }

    /// The number of axes.
    pub(super) fn rank(&self) -> usize {
        self.axes.len()
    }

    /// The `N x rank` coordinates of `N x D` samples in standard layout.
    pub(super) fn project(&self, z: ArrayView2<f64>) -> Array2<f64> {
        let coordinates = |row: &[f64]| {
            let about = self.about(row);
            self.axes.iter().map(move |axis| dot(&about, axis)).collect::<Vec<_>>()
        };
        from_rows(row_slices(z).flat_map(coordinates).collect(), self.rank())
    }

    /// A mixture of coordinates as one of the `N x D` samples, given each sample's component.
    pub(super) fn lift(&self, mixture: Mixture, z: ArrayView2<f64>, components: &[usize]) -> Mixture {
        let Covariance::Full(full) = &mixture.covariance else { return mixture };
        let (k, dims) = (mixture.n_components(), self.center.len());
        let mut across = vec![Statistics::empty(dims); k];
        for (row, &component) in row_slices(z).zip(components) {
            across[component].add(&self.residual(row), 1.0);
        }
        let (mut means, mut covariances) = (Array2::zeros((k, dims)), ndarray::Array3::zeros((k, dims, dims)));
        for (k, across) in across.iter().enumerate() {
            let mean = self.lift_mean(row_slice(mixture.means.view(), k), &across.mean());
            means.index_axis_mut(Axis(0), k).assign(&ArrayView1::from(&mean));
            // The residuals have no variance along the axes.
            let own = across.variance() * dims as f64 / (dims - self.rank()) as f64;
            let variance = own.max(FLOOR * self.variance).max(LEAST_VARIANCE);
            covariances.index_axis_mut(Axis(0), k).assign(&self.lift_covariance(full.index_axis(Axis(0), k), variance));
        }
        Mixture { means, covariance: Covariance::Full(covariances), ..mixture }
    }

    /// A sample about the mean.
    fn about(&self, row: &[f64]) -> Vec<f64> {
        row.iter().zip(&self.center).map(|(z, m)| z - m).collect()
    }

    /// The part of a sample that is orthogonal to the axes.
    fn residual(&self, row: &[f64]) -> Vec<f64> {
        let mut rest = self.about(row);
        for axis in &self.axes {
            let along = dot(&rest, axis);
            rest.iter_mut().zip(axis).for_each(|(r, a)| *r -= along * a);
        }
        rest
    }

    /// The sample with the coordinates `along` and the residual `across`.
    fn lift_mean(&self, along: &[f64], across: &[f64]) -> Vec<f64> {
        let at = |d: usize| {
            let sum: f64 = self.axes.iter().zip(along).map(|(axis, m)| axis[d] * m).sum();
            self.center[d] + across[d] + sum
        };
        (0..self.center.len()).map(at).collect()
    }

    /// `A C A^T + r (I - A A^T)`.
    fn lift_covariance(&self, along: ArrayView2<f64>, across: f64) -> Array2<f64> {
        let dims = self.center.len();
        let mut covariance = Array2::zeros((dims, dims));
        for (i, a) in self.axes.iter().enumerate() {
            for (j, b) in self.axes.iter().enumerate() {
                let weight = along[[i, j]] - if i == j { across } else { 0.0 };
                for (mut row, x) in covariance.rows_mut().into_iter().zip(a) {
                    row.iter_mut().zip(b).for_each(|(c, y)| *c += weight * x * y);
                }
            }
        }
        covariance.diag_mut().iter_mut().for_each(|variance| *variance += across);
        covariance
    }
}
