//! How well random halves of the samples agree on a number of clusters.
//!
//! Each half's components are joined ([`Dendrogram`]) until so many clusters are left; the halves agree by the mean adjusted
//! Rand index of two of them (stability: Ben-Hur, Elisseeff and Guyon, "A stability based method for discovering structure in
//! clustered data", 2002). A number that the samples have, such as that of groups of clusters, is found again by every half; with
//! another number, each half joins or divides something else.

use ndarray::{Array2, Axis};
use rayon::prelude::*;

use super::dendrogram::Dendrogram;
use super::gaussian_mixture::Mixture;
use super::halves::Half;
use super::levels::{NumberTrial, rounded};
use crate::base::arrays::{argmax, row_slices};
use crate::base::metrics::adjusted_rand_of_sizes;

/// The greatest number of clusters that is tried.
const MOST: usize = 40;
/// Clusters of a half with a smaller share of the samples do not count.
const LEAST_SHARE: f64 = 0.01;

/// A half's joins, the component of each sample, and each component's share of the samples.
struct HalfTree {
    tree: Dendrogram,
    components: Vec<u16>,
    shares: Vec<f64>,
}

/// How well halves agree on each number of clusters from 2 on, as far as most of them have so many components. Components of a
/// half that are confused more than `threshold` are joined first.
pub(super) fn by_number(halves: &[Half], threshold: f64) -> Vec<NumberTrial> {
    if halves.len() < 2 {
        return vec![];
    }
    let trees: Vec<HalfTree> = halves.par_iter().map(|half| HalfTree::new(half, threshold)).collect();
    let mut sizes: Vec<usize> = trees.iter().map(HalfTree::n_large).collect();
    sizes.sort_unstable();
    let most = sizes[sizes.len() / 2].min(MOST);
    let cuts: Vec<Vec<Vec<u16>>> = trees.par_iter().map(|half| (2..=most).map(|n| half.cut(n)).collect()).collect();
    let pairs: Vec<(usize, usize)> = (0..trees.len()).flat_map(|i| (0..i).map(move |j| (i, j))).collect();
    let of_pair = |&(i, j): &(usize, usize)| -> Vec<f64> {
        let counts = trees[i].counts(&trees[j]);
        cuts[i].iter().zip(&cuts[j]).map(|(a, b)| adjusted_rand(&counts, a, b)).collect()
    };
    let indices: Vec<Vec<f64>> = pairs.par_iter().map(of_pair).collect();
    let mean = |at: usize| indices.iter().map(|of_pair| of_pair[at]).sum::<f64>() / pairs.len() as f64;
    (2..=most).map(|clusters| NumberTrial { clusters, agreement: rounded(mean(clusters - 2)) }).collect()
}

impl HalfTree {
    fn new(half: &Half, threshold: f64) -> Self {
        let clusters = half.path.clusters(half.path.merges_above(threshold));
        let tree = Dendrogram::of(&Mixture { clusters, ..half.mixture.clone() });
        let components: Vec<u16> =
            row_slices(half.responsibilities.view()).map(|row| argmax(row.iter().copied()) as u16).collect();
        let mut shares = vec![0.0; tree.n_components()];
        components.iter().for_each(|&k| shares[usize::from(k)] += 1.0 / components.len() as f64);
        Self { tree, components, shares }
    }

    /// The number of components that count.
    fn n_large(&self) -> usize {
        self.shares.iter().filter(|&&share| share >= LEAST_SHARE).count()
    }

    fn cut(&self, n_clusters: usize) -> Vec<u16> {
        self.tree.cut_of_large(n_clusters, &self.shares, LEAST_SHARE)
    }

    /// The number of samples in each pair of components.
    fn counts(&self, other: &Self) -> Array2<f64> {
        let mut counts = Array2::zeros((self.shares.len(), other.shares.len()));
        let pairs = self.components.iter().zip(&other.components);
        pairs.for_each(|(&a, &b)| counts[[usize::from(a), usize::from(b)]] += 1.0);
        counts
    }
}

/// The adjusted Rand index of two groupings of components, given the number of samples in each pair of components.
fn adjusted_rand(counts: &Array2<f64>, a: &[u16], b: &[u16]) -> f64 {
    let size = |groups: &[u16]| groups.iter().max().map_or(0, |&most| usize::from(most) + 1);
    let mut table = Array2::<f64>::zeros((size(a), size(b)));
    for ((i, j), count) in counts.indexed_iter() {
        table[[a[i].into(), b[j].into()]] += count;
    }
    let (first, second) = (table.sum_axis(Axis(1)), table.sum_axis(Axis(0)));
    adjusted_rand_of_sizes(table.iter().copied(), first.into_iter(), second.into_iter(), table.sum())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::base::metrics;
    use crate::base::random::stream;
    use rand::RngExt;

    #[test]
    fn the_index_of_counts_is_that_of_samples() {
        let mut rng = stream(1, "counts", 0);
        let mut draw = |n: u16| -> Vec<u16> { (0..300).map(|_| rng.random_range(0..n)).collect() };
        let (own, other) = (draw(6), draw(5));
        let mut counts = Array2::zeros((6, 5));
        own.iter().zip(&other).for_each(|(&a, &b)| counts[[usize::from(a), usize::from(b)]] += 1.0);
        let (a, b) = ([0, 0, 1, 2, 1, 0], [2, 0, 1, 1, 0]);
        let labels = |components: &[u16], groups: &[u16]| -> Vec<u16> {
            components.iter().map(|&k| groups[usize::from(k)]).collect()
        };
        let expected = metrics::adjusted_rand(&labels(&own, &a), &labels(&other, &b));
        assert!((adjusted_rand(&counts, &a, &b) - expected).abs() < 1e-12);
    }
}
