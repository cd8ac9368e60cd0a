//! Latents of many dimensions: components are full along the leading principal axes and round across them.
//!
//! A full covariance of D dimensions has `D (D + 1) / 2` numbers, which hardly any cluster has samples enough for beyond
//! [`FULL`] dimensions. There the covariance is `A C A^T + r (I - A A^T)`, A the samples' leading axes: low rank plus one
//! variance for the rest (Tipping and Bishop, "Mixtures of probabilistic principal component analysers", 1999, with
//! axes that all components share).

use super::niw::{NormalInverseWishart, Statistics};
use super::{Covariance, Mixture};

/// Dimensions up to which covariances are full.
pub const FULL: usize = 32;

/// Steps of the orthogonal iteration.
const STEPS: usize = 60;
/// The share of the variance that the axes hold, where so many do.
const HELD: f64 = 0.99;
/// The least variance across the axes, as a share of that of all samples.
const FLOOR: f64 = 1e-6;

/// The leading principal axes of samples.
pub(super) struct Subspace {
    dims: usize,
    /// Row after row, orthonormal.
    axes: Vec<Vec<f64>>,
    center: Vec<f64>,
    variance: f64,
}

impl Subspace {
    /// The leading axes of `N x D` samples, by orthogonal iteration: as many as hold [`HELD`] of the variance, at most
    /// [`FULL`].
    pub(super) fn of<'a>(rows: impl Iterator<Item = &'a [f64]>, dims: usize) -> Self {
        let all = Statistics::of(rows, dims);
        let flat = NormalInverseWishart { kappa: 0.0, extra: 2.0, psi: 0.0 };
        let (_, covariance) = flat.posterior(&all);
        let widest = |d: &usize| covariance[d * (dims + 1)];
        let mut order: Vec<usize> = (0..dims).collect();
        order.sort_by(|a, b| widest(b).total_cmp(&widest(a)));
        let unit = |&d: &usize| (0..dims).map(|i| f64::from(u8::from(i == d))).collect();
        let mut axes: Vec<Vec<f64>> = order.iter().take(FULL).map(unit).collect();
        for _ in 0..STEPS {
            axes = axes.iter().map(|axis| covariance.chunks_exact(dims).map(|row| dot(row, axis)).collect()).collect();
            orthonormalise(&mut axes);
        }
        let variance = |axis: &Vec<f64>| -> f64 {
            covariance.chunks_exact(dims).zip(axis).map(|(row, a)| a * dot(row, axis)).sum()
        };
        let total: f64 = (0..dims).map(|d| covariance[d * (dims + 1)]).sum();
        let mut held = 0.0;
        let enough = axes.iter().position(|axis| {
            held += variance(axis);
            held >= HELD * total
        });
        axes.truncate(enough.map_or(FULL, |last| last + 1));
        Self { dims, axes, center: all.mean(), variance: all.variance() }
    }

    /// How many axes there are.
    pub(super) fn rank(&self) -> usize {
        self.axes.len()
    }

    /// `N x rank` coordinates of `N x D` samples.
    pub(super) fn project(&self, z: &[f64]) -> Vec<f64> {
        let coordinates = |row: &[f64]| {
            let about: Vec<f64> = row.iter().zip(&self.center).map(|(z, m)| z - m).collect();
            self.axes.iter().map(move |axis| dot(&about, axis)).collect::<Vec<_>>()
        };
        z.chunks_exact(self.dims).flat_map(coordinates).collect()
    }

    /// A mixture of coordinates as one of the `N x D` samples that they are of, each with its component.
    pub(super) fn lift(&self, mixture: Mixture, z: &[f64], components: &[usize]) -> Mixture {
        let (k, dims, rank) = (mixture.n_components(), self.dims, self.axes.len());
        let mut across = vec![Statistics::empty(dims); k];
        for (row, &component) in z.chunks_exact(dims).zip(components) {
            across[component].add(&self.rest(row), 1.0);
        }
        let (mut means, mut covariances) = (vec![], vec![]);
        let Covariance::Full(full) = &mixture.covariance else { return mixture };
        for (component, across) in across.iter().enumerate() {
            let along = &mixture.means[component * rank..(component + 1) * rank];
            let rest = across.mean();
            means.extend((0..dims).map(|d| {
                let sum: f64 = self.axes.iter().zip(along).map(|(axis, m)| axis[d] * m).sum();
                self.center[d] + rest[d] + sum
            }));
            // The rest has no variance along the axes.
            let own = across.variance() * dims as f64 / (dims - rank) as f64;
            let variance = own.max(FLOOR * self.variance).max(f64::MIN_POSITIVE);
            covariances
                .extend(self.covariance(&full[component * rank * rank..(component + 1) * rank * rank], variance));
        }
        Mixture { means, covariance: Covariance::Full(covariances), ..mixture }
    }

    /// What of a sample is across the axes.
    fn rest(&self, row: &[f64]) -> Vec<f64> {
        let mut rest: Vec<f64> = row.iter().zip(&self.center).map(|(z, m)| z - m).collect();
        for axis in &self.axes {
            let along = dot(&rest, axis);
            rest.iter_mut().zip(axis).for_each(|(r, a)| *r -= along * a);
        }
        rest
    }

    /// `A C A^T + r (I - A A^T)`.
    fn covariance(&self, along: &[f64], across: f64) -> Vec<f64> {
        let rank = self.axes.len();
        let mut covariance = vec![0.0; self.dims * self.dims];
        for (i, a) in self.axes.iter().enumerate() {
            for (j, b) in self.axes.iter().enumerate() {
                let weight = along[i * rank + j] - if i == j { across } else { 0.0 };
                for (row, x) in covariance.chunks_exact_mut(self.dims).zip(a) {
                    row.iter_mut().zip(b).for_each(|(c, y)| *c += weight * x * y);
                }
            }
        }
        (0..self.dims).for_each(|d| covariance[d * (self.dims + 1)] += across);
        covariance
    }
}

fn dot(a: &[f64], b: &[f64]) -> f64 {
    a.iter().zip(b).map(|(a, b)| a * b).sum()
}

/// Gram and Schmidt's, in place; a vector that others span already becomes some other one.
fn orthonormalise(vectors: &mut [Vec<f64>]) {
    for i in 0..vectors.len() {
        let (before, rest) = vectors.split_at_mut(i);
        let vector = &mut rest[0];
        let scale = dot(vector, vector).sqrt();
        let without = |vector: &mut Vec<f64>| {
            // Twice is enough (Kahan and Parlett).
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
