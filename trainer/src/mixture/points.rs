//! Samples that components are grown on: their statistics, and ways to cut them into parts.

use ndarray::{Array2, ArrayView2, Axis, parallel::prelude::*};
use rand::Rng;

use super::lloyd::{Clusterable, lloyd};
use super::niw::{NormalInverseWishart, Statistics};
use super::seeding;
use crate::base::arrays::{argmax, from_rows, row_slice, row_slices, select_rows};

/// The most iterations of Lloyd's algorithm.
const LLOYD: usize = 20;
/// Steps of the power iteration.
const POWER: usize = 50;

/// Latents about their mean, `N x D` in standard layout.
pub(super) struct Points {
    values: Array2<f64>,
}

impl Points {
    /// The rows of a matrix less `center`.
    pub(super) fn about<'a>(center: &[f64], rows: impl Iterator<Item = &'a [f64]>) -> Self {
        let values = rows.flat_map(|row| row.iter().zip(center).map(|(z, m)| z - m)).collect();
        Self { values: from_rows(values, center.len()) }
    }

    pub(super) fn len(&self) -> usize {
        self.values.nrows()
    }

    pub(super) fn dims(&self) -> usize {
        self.values.ncols()
    }

    pub(super) fn rows(&self) -> impl ExactSizeIterator<Item = &[f64]> {
        row_slices(self.values.view())
    }

    /// So many rows at a time.
    pub(super) fn chunks(&self, size: usize) -> impl IndexedParallelIterator<Item = ArrayView2<'_, f64>> {
        self.values.axis_chunks_iter(Axis(0), size).into_par_iter()
    }

    pub(super) fn statistics(&self, rows: &[usize]) -> Statistics {
        Statistics::from_rows(rows.iter().map(|&row| row_slice(self.values.view(), row)), self.dims())
    }

    /// The statistics of all samples.
    pub(super) fn all(&self) -> Statistics {
        Statistics::from_rows(self.rows(), self.dims())
    }

    pub(super) fn select(&self, rows: &[usize]) -> Self {
        Self { values: select_rows(self.values.view(), rows.iter().copied()) }
    }

    /// On which side of the mean each sample lies, along the principal axis (by power iteration).
    pub(super) fn halves(&self) -> Vec<u32> {
        let all = self.all();
        let mean = all.mean();
        let project =
            |row: &[f64], axis: &[f64]| -> f64 { row.iter().zip(&mean).zip(axis).map(|((z, m), a)| (z - m) * a).sum() };
        let flat = NormalInverseWishart { kappa: 0.0, extra: 2.0, psi: 0.0 };
        let (_, covariance) = flat.posterior(&all);
        let widest = argmax(covariance.diag());
        let mut axis = row_slice(covariance.view(), widest).to_vec();
        for _ in 0..POWER {
            let product = |row: &[f64]| row.iter().zip(&axis).map(|(c, a)| c * a).sum();
            let next: Vec<f64> = row_slices(covariance.view()).map(product).collect();
            let norm = next.iter().map(|x| x * x).sum::<f64>().sqrt().max(f64::MIN_POSITIVE);
            axis = next.into_iter().map(|x| x / norm).collect();
        }
        self.rows().map(|row| u32::from(project(row, &axis) > 0.0)).collect()
    }

    /// Labels by k-means with `k` centres from k-means++.
    pub(super) fn k_means(&self, k: usize, rng: &mut impl Rng) -> Vec<u32> {
        let distances = |index: usize| {
            let center = row_slice(self.values.view(), index);
            self.rows().map(|row| square(row, center)).collect()
        };
        let seeds = seeding::plus_plus(self.len(), k, distances, |_| 0, rng);
        lloyd(self, select_rows(self.values.view(), seeds), LLOYD).nearest
    }
}

impl Clusterable for Points {
    type Nearest = Vec<u32>;

    fn nearest(&self, centers: &Array2<f64>) -> Vec<u32> {
        self.rows().map(|row| nearest(row, centers) as u32).collect()
    }

    fn sums(&self, labels: &Vec<u32>, k: usize) -> (Vec<f64>, Array2<f64>) {
        let (mut counts, mut sums) = (vec![0.0; k], Array2::zeros((k, self.dims())));
        for (row, &label) in self.rows().zip(labels) {
            counts[label as usize] += 1.0;
            sums.row_mut(label as usize).iter_mut().zip(row).for_each(|(s, z)| *s += z);
        }
        (counts, sums)
    }

    /// None: equal samples need no further centres.
    fn replacement(&self, _: &Vec<u32>) -> Option<Vec<f64>> {
        None
    }

    fn is_settled(&self, before: &Vec<u32>, now: &Vec<u32>) -> bool {
        before == now
    }
}

/// The mean of rows of D numbers. Where a number is the same in all rows, it is exactly that number: about a rounded mean,
/// constant columns would be left with rounding errors, which have a mean and a variance of their own.
pub(super) fn center<'a>(rows: impl Iterator<Item = &'a [f64]> + Clone, dims: usize) -> Vec<f64> {
    let mut center = Statistics::from_rows(rows.clone(), dims).mean();
    let Some(first) = rows.clone().next() else { return center };
    let mut is_constant = vec![true; dims];
    rows.for_each(|row| is_constant.iter_mut().zip(row).zip(first).for_each(|((same, x), y)| *same &= x == y));
    for ((center, x), _) in center.iter_mut().zip(first).zip(is_constant).filter(|(_, is_constant)| *is_constant) {
        *center = *x;
    }
    center
}

/// The squared distance, in four independent sums.
fn square(a: &[f64], b: &[f64]) -> f64 {
    let mut sums = [0.0; 4];
    let whole = a.len() / 4 * 4;
    for (a, b) in a.chunks_exact(4).zip(b.chunks_exact(4)) {
        for lane in 0..4 {
            sums[lane] += (a[lane] - b[lane]) * (a[lane] - b[lane]);
        }
    }
    let rest: f64 = (whole..a.len()).map(|i| (a[i] - b[i]).powi(2)).sum();
    sums.iter().sum::<f64>() + rest
}

/// The nearest centre; the first of equally near ones.
fn nearest(row: &[f64], centers: &Array2<f64>) -> usize {
    let distances = row_slices(centers.view()).map(|center| square(row, center)).enumerate();
    distances.reduce(|best, next| if next.1 < best.1 { next } else { best }).map_or(0, |(k, _)| k)
}
