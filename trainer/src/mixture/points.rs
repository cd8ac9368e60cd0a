//! Samples that components are grown on: their statistics, and ways to cut them into parts.

use ndarray::{Array2, ArrayView2, s};
use rand::Rng;
use rayon::prelude::*;

use super::lanes::{Block, LANES, Vectorized, vectorized};
use super::lloyd::{Clusterable, lloyd};
use super::niw::{NormalInverseWishart, Statistics};
use super::seeding;
use crate::base::arrays::{argmax, from_rows, row_slice, row_slices, select_rows};

/// Samples that a thread works on at a time, and whose sums are accumulated together. The number is fixed, so that the number of
/// threads changes no bit.
pub(super) const CHUNK: usize = 2048;
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

    /// So many samples at a time, one after the other.
    pub(super) fn chunks(&self, size: usize) -> impl IndexedParallelIterator<Item = &[f64]> {
        self.values.as_slice().unwrap_or_default().par_chunks((size * self.dims()).max(1))
    }

    pub(super) fn statistics(&self, rows: &[usize]) -> Statistics {
        let (values, dims) = (self.values.as_slice().unwrap_or_default(), self.dims());
        Statistics::from_rows(rows.iter().map(|&row| &values[row * dims..][..dims]), dims)
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
            let center = self.values.slice(s![index..=index, ..]);
            self.nearest_in_chunks(center).into_iter().flat_map(|found| found.squares).collect()
        };
        let seeds = seeding::plus_plus(self.len(), k, distances, |_| 0, rng);
        lloyd(self, select_rows(self.values.view(), seeds), LLOYD).nearest
    }

    /// The nearest of `K x D` centres in standard layout, [`CHUNK`] samples at a time.
    fn nearest_in_chunks(&self, centers: ArrayView2<f64>) -> Vec<Nearest> {
        self.chunks(CHUNK).map(|samples| vectorized(FindNearest { samples, centers })).collect()
    }
}

impl Clusterable for Points {
    type Nearest = Vec<u32>;

    fn nearest(&self, centers: &Array2<f64>) -> Vec<u32> {
        self.nearest_in_chunks(centers.view()).into_iter().flat_map(|found| found.centers).collect()
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

/// The nearest centres of some samples.
struct Nearest {
    /// The first of equally near ones.
    centers: Vec<u32>,
    /// Their squared distances.
    squares: Vec<f64>,
}

/// Finds the nearest of `K x D` centres, in standard layout, of samples that lie one after the other.
struct FindNearest<'a> {
    samples: &'a [f64],
    centers: ArrayView2<'a, f64>,
}

impl Vectorized for FindNearest<'_> {
    type Output = Nearest;

    #[inline(always)]
    fn run(self) -> Nearest {
        let dims = self.centers.ncols().max(1);
        let n = self.samples.len() / dims;
        let mut found = Nearest { centers: Vec::with_capacity(n), squares: Vec::with_capacity(n) };
        let mut block = Block::new(dims);
        for rows in self.samples.chunks(LANES * dims) {
            block.load(rows);
            let (mut nearest, mut least) = ([0; LANES], [f64::INFINITY; LANES]);
            for (k, center) in (0..).zip(row_slices(self.centers)) {
                let squares = block.squares(center);
                for lane in 0..LANES {
                    // Where no distance is a number, the first centre remains.
                    let is_nearer = k == 0 || squares[lane] < least[lane];
                    least[lane] = if is_nearer { squares[lane] } else { least[lane] };
                    nearest[lane] = if is_nearer { k } else { nearest[lane] };
                }
            }
            let samples = rows.len() / dims;
            found.centers.extend(&nearest[..samples]);
            found.squares.extend(&least[..samples]);
        }
        found
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::base::random::{normal, stream};

    #[test]
    fn the_nearest_centres_are_those_of_the_least_distances() {
        for (dims, n, k) in [(1, 9, 4), (3, CHUNK + 5, 7), (11, 30, 1)] {
            let draw = |n: usize, index| normal(n * dims, &mut stream(3, "points", index)).into_iter().map(f64::from);
            let values: Vec<f64> = draw(n, 0).collect();
            let points = Points::about(&vec![0.0; dims], values.chunks(dims));
            let centers = from_rows(draw(k, 1).collect(), dims);
            let distance =
                |row: &[f64], center: &[f64]| row.iter().zip(center).map(|(a, b)| (a - b).powi(2)).sum::<f64>();
            let nearest = |row: &[f64]| {
                let distances: Vec<f64> = row_slices(centers.view()).map(|center| distance(row, center)).collect();
                (0..k).min_by(|&a, &b| distances[a].total_cmp(&distances[b])).unwrap() as u32
            };
            let expected: Vec<u32> = values.chunks(dims).map(nearest).collect();
            assert_eq!(Clusterable::nearest(&points, &centers), expected, "{dims} dimensions");
        }
    }

    #[test]
    fn of_equally_near_centres_the_first_is_taken() {
        let points = Points::about(&[0.0], [[0.0], [f64::NAN]].iter().map(|row| &row[..]));
        let centers = from_rows(vec![1.0, -1.0, 1.0], 1);
        assert_eq!(Clusterable::nearest(&points, &centers), [0, 0]);
    }
}
