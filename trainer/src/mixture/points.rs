//! Samples that components are grown on: their sums, and ways to cut them apart.

use rand::{Rng, RngExt};

use super::niw::{NormalInverseWishart, Statistics};

/// Lloyd's iterations at most.
const LLOYD: usize = 20;
/// Steps of the power iteration.
const POWER: usize = 50;

/// Latents about their mean, row after row.
pub(super) struct Points {
    pub(super) values: Vec<f64>,
    pub(super) dims: usize,
}

impl Points {
    pub(super) fn about<'a>(center: &[f64], rows: impl Iterator<Item = &'a [f64]>) -> Self {
        let values = rows.flat_map(|row| row.iter().zip(center).map(|(z, m)| z - m)).collect();
        Self { values, dims: center.len() }
    }

    pub(super) fn len(&self) -> usize {
        self.values.len() / self.dims
    }

    fn row(&self, index: usize) -> &[f64] {
        &self.values[index * self.dims..(index + 1) * self.dims]
    }

    pub(super) fn rows(&self) -> impl ExactSizeIterator<Item = &[f64]> {
        self.values.chunks_exact(self.dims)
    }

    pub(super) fn statistics(&self, rows: &[usize]) -> Statistics {
        Statistics::of(rows.iter().map(|&row| self.row(row)), self.dims)
    }

    pub(super) fn all(&self) -> Statistics {
        Statistics::of(self.rows(), self.dims)
    }

    pub(super) fn select(&self, rows: &[usize]) -> Self {
        Self { values: rows.iter().flat_map(|&row| self.row(row)).copied().collect(), dims: self.dims }
    }

    /// On which side of the mean a sample lies, along the principal axis (by power iteration).
    pub(super) fn halves(&self) -> Vec<u32> {
        let of = self.all();
        let mean = of.mean();
        let project =
            |row: &[f64], axis: &[f64]| -> f64 { row.iter().zip(&mean).zip(axis).map(|((z, m), a)| (z - m) * a).sum() };
        let flat = NormalInverseWishart { kappa: 0.0, extra: 2.0, psi: 0.0 };
        let covariance = flat.posterior(&of).1;
        let widest =
            (0..self.dims).max_by(|&a, &b| covariance[a * (self.dims + 1)].total_cmp(&covariance[b * (self.dims + 1)]));
        let mut axis: Vec<f64> =
            widest.map_or_else(Vec::new, |d| covariance[d * self.dims..(d + 1) * self.dims].to_vec());
        for _ in 0..POWER {
            let next: Vec<f64> =
                covariance.chunks_exact(self.dims).map(|row| row.iter().zip(&axis).map(|(c, a)| c * a).sum()).collect();
            let norm = next.iter().map(|x| x * x).sum::<f64>().sqrt().max(f64::MIN_POSITIVE);
            axis = next.into_iter().map(|x| x / norm).collect();
        }
        self.rows().map(|row| u32::from(project(row, &axis) > 0.0)).collect()
    }

    /// Lloyd's algorithm for `k` centres, seeded by k-means++ (Arthur and Vassilvitskii, 2007).
    pub(super) fn k_means(&self, k: usize, rng: &mut impl Rng) -> Vec<u32> {
        let mut centers = self.seeds(k, rng);
        let mut labels = vec![];
        for _ in 0..LLOYD {
            let moved: Vec<u32> = self.rows().map(|row| nearest(row, &centers) as u32).collect();
            if moved == labels {
                break;
            }
            labels = moved;
            let mut sums = vec![(0.0, vec![0.0; self.dims]); centers.len()];
            for (row, &label) in self.rows().zip(&labels) {
                let (n, sum) = &mut sums[label as usize];
                *n += 1.0;
                sum.iter_mut().zip(row).for_each(|(s, z)| *s += z);
            }
            for (center, (n, sum)) in centers.iter_mut().zip(sums).filter(|(_, (n, _))| *n > 0.0) {
                *center = sum.into_iter().map(|s| s / n).collect();
            }
        }
        labels
    }

    /// Samples as centres, each drawn with a probability proportional to its squared distance from those before.
    fn seeds(&self, k: usize, rng: &mut impl Rng) -> Vec<Vec<f64>> {
        let mut centers = vec![self.row(rng.random_range(0..self.len())).to_vec()];
        let mut distances: Vec<f64> = self.rows().map(|row| square(row, &centers[0])).collect();
        while centers.len() < k {
            let mut rest = rng.random::<f64>() * distances.iter().sum::<f64>();
            let next = distances.iter().position(|d| {
                rest -= d;
                rest < 0.0
            });
            let center = self.row(next.unwrap_or(0)).to_vec();
            self.rows().zip(&mut distances).for_each(|(row, d)| *d = d.min(square(row, &center)));
            centers.push(center);
        }
        centers
    }
}

/// The squared distance, in four sums that do not wait for each other.
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

/// The nearest centre; the first of equals.
fn nearest(row: &[f64], centers: &[Vec<f64>]) -> usize {
    let distances = centers.iter().map(|center| square(row, center)).enumerate();
    distances.reduce(|best, next| if next.1 < best.1 { next } else { best }).map_or(0, |(k, _)| k)
}
