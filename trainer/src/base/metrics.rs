//! How well clusters agree with labels and with other clusters.

use pathfinding::kuhn_munkres::kuhn_munkres;
use pathfinding::matrix::Matrix;
use serde::Serialize;

/// Agreement of clusters with labels, as computed by [`scores`].
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
pub struct Scores {
    /// Clustering accuracy: the share of samples in the right cluster under the best one-to-one matching; `None` if there are
    /// too many clusters and labels to find it ([`MATCHING_LIMIT`]).
    pub acc: Option<f64>,
    /// Normalised mutual information: by the arithmetic mean of the entropies, which is scikit-learn's default.
    pub nmi: f64,
    /// Adjusted Rand index (Hubert and Arabie, "Comparing partitions", 1985).
    pub ari: f64,
}

/// The best one-to-one matching of `m` things to `n >= m` others takes `m^2 n` steps. It is not looked for if these are more.
pub const MATCHING_LIMIT: usize = 2_000_000_000;

/// Compares the clusters of samples with their labels. Both may be any numbers: only equality counts.
///
/// ```
/// use edgemix::metrics::scores;
///
/// // The same two groups under other names; then one sample in the wrong group.
/// assert_eq!(scores(&[7, 7, 3, 3], &[0, 0, 1, 1]).acc, Some(1.0));
/// assert_eq!(scores(&[7, 7, 3, 3], &[0, 0, 1, 0]).acc, Some(0.75));
/// ```
///
/// # Panics
/// If the two differ in length or are empty.
pub fn scores(labels: &[u32], clusters: &[u16]) -> Scores {
    assert!(labels.len() == clusters.len() && !labels.is_empty(), "one label per sample");
    let table = Contingency::new(labels, clusters);
    Scores { acc: table.accuracy(), nmi: table.nmi(), ari: table.ari() }
}

/// A label and the cluster that is matched with it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Match {
    /// The label.
    pub label: u32,
    /// The cluster.
    pub cluster: u16,
    /// How many samples have both.
    pub samples: usize,
}

/// The one-to-one matching of labels and clusters that has the most samples, which decides the accuracy; `None` if there are too
/// many of them to find it ([`MATCHING_LIMIT`]). What is left over of the more numerous side is not matched, and neither are a
/// label and a cluster without a sample in common.
///
/// ```
/// use edgemix::metrics::{Match, best_matching};
///
/// let found = best_matching(&[7, 7, 3, 3], &[0, 0, 1, 2]).unwrap();
/// assert_eq!(found[0], Match { label: 3, cluster: 1, samples: 1 });
/// assert_eq!(found[1], Match { label: 7, cluster: 0, samples: 2 });
/// ```
///
/// # Panics
/// If the two differ in length.
pub fn best_matching(labels: &[u32], clusters: &[u16]) -> Option<Vec<Match>> {
    assert_eq!(labels.len(), clusters.len(), "one label per sample");
    let distinct = |values: &mut Vec<u32>| {
        values.sort_unstable();
        values.dedup();
    };
    let (mut own_labels, mut own_clusters) = (labels.to_vec(), clusters.iter().map(|&c| c.into()).collect());
    distinct(&mut own_labels);
    distinct(&mut own_clusters);
    let table = Contingency::new(labels, clusters);
    let Matching { pairs, .. } = table.matching()?;
    let found = pairs.into_iter().filter(|&(_, _, samples)| samples > 0);
    Some(
        found
            .map(|(label, cluster, samples)| Match {
                label: own_labels[label],
                cluster: own_clusters[cluster] as u16,
                samples: samples as usize,
            })
            .collect(),
    )
}

/// The adjusted Rand index of two clusterings of the same samples.
///
/// ```
/// use edgemix::metrics::adjusted_rand;
///
/// // Names do not matter; clusters that cut across the others agree less than by chance.
/// assert_eq!(adjusted_rand(&[0, 0, 1, 1], &[5, 5, 2, 2]), 1.0);
/// assert!((adjusted_rand(&[0, 0, 1, 1], &[0, 1, 0, 1]) + 0.5).abs() < 1e-12);
/// ```
///
/// # Panics
/// If the two differ in length.
pub fn adjusted_rand(a: &[u16], b: &[u16]) -> f64 {
    assert_eq!(a.len(), b.len(), "the same samples");
    Contingency::new(a, b).ari()
}

/// The adjusted Rand index of two groupings of `n` samples: from the numbers of samples in each pair of groups, in each group of
/// the first and in each group of the second.
pub(crate) fn adjusted_rand_of_sizes(
    pairs: impl Iterator<Item = f64>,
    first: impl Iterator<Item = f64>,
    second: impl Iterator<Item = f64>,
    n: f64,
) -> f64 {
    let choose_two = |n: f64| n * (n - 1.0) / 2.0;
    let both: f64 = pairs.map(choose_two).sum();
    let (a, b): (f64, f64) = (first.map(choose_two).sum(), second.map(choose_two).sum());
    let expected = a * b / choose_two(n).max(1.0);
    let most = 0.5 * (a + b);
    if most > expected { (both - expected) / (most - expected) } else { 1.0 }
}

/// The rank of each value among the distinct ones.
fn numbered<T: Ord + Copy>(values: &[T]) -> Vec<usize> {
    let mut different = values.to_vec();
    different.sort_unstable();
    different.dedup();
    values.iter().map(|value| different.partition_point(|other| other < value)).collect()
}

/// The number of clusters that hold at least `share` of the samples.
///
/// ```
/// use edgemix::metrics::clusters_found;
///
/// let clusters = [0, 0, 0, 0, 2];
/// assert_eq!((clusters_found(&clusters, 0.0), clusters_found(&clusters, 0.3)), (2, 1));
/// ```
pub fn clusters_found(clusters: &[u16], share: f64) -> usize {
    let size = clusters.iter().max().map_or(0, |&most| usize::from(most) + 1);
    let mut counts = vec![0usize; size];
    clusters.iter().for_each(|&c| counts[usize::from(c)] += 1);
    counts.into_iter().filter(|&c| c > 0 && c as f64 >= share * clusters.len() as f64).count()
}

/// The share of samples that have the same cluster in both.
///
/// ```
/// assert_eq!(edgemix::metrics::agreement(&[0, 1, 1, 2], &[0, 1, 2, 2]), 0.75);
/// ```
pub fn agreement(a: &[u16], b: &[u16]) -> f64 {
    a.iter().zip(b).filter(|(a, b)| a == b).count() as f64 / a.len().max(1) as f64
}

/// A new number for each of the `n` clusters in `now`: clusters that existed `before` come first, in their former order,
/// followed by the new ones. Which clusters correspond is decided by the one-to-one matching that has the most samples in
/// common.
///
/// ```
/// use edgemix::metrics::renaming;
///
/// // The former cluster 1 is gone, 2 and 0 have other numbers now, and one cluster is new.
/// let (before, now) = ([0, 0, 1, 2, 2, 2], [2, 2, 2, 0, 0, 1]);
/// assert_eq!(renaming(&before, &now, 3), [1, 2, 0]);
/// ```
///
/// # Panics
/// If the two differ in length, or `now` contains a cluster number of `n` or more.
pub fn renaming(before: &[u16], now: &[u16], n: usize) -> Vec<u16> {
    assert_eq!(before.len(), now.len(), "the same samples");
    let former = before.iter().max().map_or(0, |&most| usize::from(most) + 1);
    let size = n.max(former);
    let mut table = Matrix::new(size, size, 0i64);
    before.iter().zip(now).for_each(|(&before, &now)| table[(now.into(), before.into())] += 1);
    let matching = kuhn_munkres(&table).1;
    let place = |now: usize| if table[(now, matching[now])] > 0 { matching[now] } else { size };
    let mut order: Vec<usize> = (0..n).collect();
    order.sort_by_key(|&now| place(now));
    let mut names = vec![0; n];
    order.into_iter().enumerate().for_each(|(name, now)| names[now] = name as u16);
    names
}

/// How many samples each pair of groups has in common. Pairs without samples are not stored, so that the size is bounded by
/// the number of samples.
struct Contingency {
    /// The two groups and the number of samples.
    pairs: Vec<(usize, usize, i64)>,
    /// The sizes of the groups.
    sizes: [Vec<i64>; 2],
    n: f64,
}

/// A one-to-one matching of groups.
struct Matching {
    /// The samples that are in matched groups.
    samples: i64,
    /// The groups of both sides, and how many samples they have in common.
    pairs: Vec<(usize, usize, i64)>,
}

impl Contingency {
    fn new<A: Ord + Copy, B: Ord + Copy>(a: &[A], b: &[B]) -> Self {
        let (a, b) = (numbered(a), numbered(b));
        let mut both: Vec<(usize, usize)> = a.iter().copied().zip(b.iter().copied()).collect();
        both.sort_unstable();
        let pairs = both.chunk_by(|p, q| p == q).map(|same| (same[0].0, same[0].1, same.len() as i64)).collect();
        Self { pairs, sizes: [sizes(&a), sizes(&b)], n: a.len() as f64 }
    }

    /// The share of samples in matched groups under the best one-to-one matching; `None` if it takes too long to find.
    fn accuracy(&self) -> Option<f64> {
        self.matching().map(|found| found.samples as f64 / self.n)
    }

    /// The best one-to-one matching, by the group of the first side; `None` if it takes too long to find.
    fn matching(&self) -> Option<Matching> {
        let [a, b] = [self.sizes[0].len(), self.sizes[1].len()];
        let (rows, columns) = (a.min(b), a.max(b));
        if rows.saturating_mul(rows).saturating_mul(columns) > MATCHING_LIMIT {
            return None;
        }
        let mut table = Matrix::new(rows, columns, 0i64);
        for &(i, j, count) in &self.pairs {
            table[if a <= b { (i, j) } else { (j, i) }] = count;
        }
        let (samples, columns) = kuhn_munkres(&table);
        let pair = |(row, column): (usize, usize)| {
            let (i, j) = if a <= b { (row, column) } else { (column, row) };
            (i, j, table[(row, column)])
        };
        let mut pairs: Vec<(usize, usize, i64)> = columns.into_iter().enumerate().map(pair).collect();
        pairs.sort_unstable();
        Some(Matching { samples, pairs })
    }

    fn nmi(&self) -> f64 {
        let term = |count: i64| -(count as f64 / self.n) * (count as f64 / self.n).ln();
        let entropy = |counts: &[i64]| counts.iter().map(|&count| term(count)).sum::<f64>();
        let joint: f64 = self.pairs.iter().map(|&(_, _, count)| term(count)).sum();
        let (a, b) = (entropy(&self.sizes[0]), entropy(&self.sizes[1]));
        if a + b > 0.0 { 2.0 * (a + b - joint) / (a + b) } else { 1.0 }
    }

    fn ari(&self) -> f64 {
        let [a, b] = [0, 1].map(|side| self.sizes[side].iter().map(|&count| count as f64));
        adjusted_rand_of_sizes(self.pairs.iter().map(|&(_, _, count)| count as f64), a, b, self.n)
    }
}

/// The number of samples of each group.
fn sizes(groups: &[usize]) -> Vec<i64> {
    let mut sizes = vec![0; groups.iter().max().map_or(0, |&most| most + 1)];
    groups.iter().for_each(|&group| sizes[group] += 1);
    sizes
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn permutations(n: usize) -> Vec<Vec<u16>> {
        if n == 0 {
            return vec![vec![]];
        }
        let shorter = permutations(n - 1);
        shorter
            .iter()
            .flat_map(|p| {
                (0..n).map(|at| {
                    let mut longer = p.clone();
                    longer.insert(at, n as u16 - 1);
                    longer
                })
            })
            .collect()
    }

    proptest! {
        #[test]
        fn each_score_follows_its_definition(pairs in prop::collection::vec((0..4u32, 0..4u16), 2..30)) {
            let (labels, clusters): (Vec<u32>, Vec<u16>) = pairs.into_iter().unzip();
            let found = scores(&labels, &clusters);
            let right = |map: &Vec<u16>| labels.iter().zip(&clusters).filter(|(y, c)| **y == u32::from(map[usize::from(**c)])).count();
            let best = permutations(4).iter().map(right).max().unwrap();
            prop_assert!((found.acc.unwrap() - best as f64 / labels.len() as f64).abs() < 1e-12);
            let matched = best_matching(&labels, &clusters).unwrap();
            prop_assert_eq!(matched.iter().map(|pair| pair.samples).sum::<usize>(), best);
            for pair in &matched {
                let own = labels.iter().zip(&clusters).filter(|(y, c)| (**y, **c) == (pair.label, pair.cluster));
                prop_assert_eq!(own.count(), pair.samples);
                let same = |other: &&Match| other.label == pair.label || other.cluster == pair.cluster;
                prop_assert_eq!(matched.iter().filter(same).count(), 1);
            }
            // Hubert and Arabie's pair counts.
            let n = labels.len();
            let mut counts = [[0f64; 2]; 2];
            for i in 0..n { for j in i + 1..n {
                counts[usize::from(labels[i] == labels[j])][usize::from(clusters[i] == clusters[j])] += 1.0;
            } }
            let [[d, c], [b, a]] = counts;
            let bottom = (a + b) * (b + d) + (a + c) * (c + d);
            if bottom > 0.0 { prop_assert!((found.ari - 2.0 * (a * d - b * c) / bottom).abs() < 1e-9); }
            prop_assert!((-1e-9..=1.0 + 1e-9).contains(&found.nmi));
            let renamed: Vec<u16> = clusters.iter().map(|c| 3 - c).collect();
            prop_assert!((scores(&labels, &renamed).nmi - found.nmi).abs() < 1e-9);
        }

        #[test]
        fn renamed_clusters_get_their_former_numbers_back(
            clusters in prop::collection::vec(0..5u16, 5..40),
            names in Just(vec![0, 1, 2, 3, 4u16]).prop_shuffle(),
            n in 5..8usize,
        ) {
            let before: Vec<u16> = numbered(&clusters).into_iter().map(|c| c as u16).collect();
            let now: Vec<u16> = before.iter().map(|&c| names[usize::from(c)]).collect();
            let found = renaming(&before, &now, n);
            let back: Vec<u16> = now.iter().map(|&c| found[usize::from(c)]).collect();
            prop_assert_eq!(&back, &before);
            let mut every = found;
            every.sort_unstable();
            prop_assert_eq!(every, (0..n as u16).collect::<Vec<_>>());
        }
    }

    #[test]
    fn only_equality_of_labels_counts() {
        assert_eq!(scores(&[0, u32::MAX, u32::MAX], &[7, u16::MAX, 7]), scores(&[0, 1, 1], &[0, 1, 0]));
    }

    /// A label column that holds a number of its own for each sample is a mistake that people make.
    #[test]
    fn distinct_labels_cost_little_and_what_costs_too_much_is_left_out() {
        let begin = std::time::Instant::now();
        let labels: Vec<u32> = (0..100_000).collect();
        let clusters: Vec<u16> = labels.iter().map(|y| (y % 10) as u16).collect();
        let found = scores(&labels, &clusters);
        assert!((found.acc.unwrap() - 1e-4).abs() < 1e-12 && found.ari.abs() < 1e-9, "{found:?}");
        // As many clusters as labels.
        let many: Vec<u16> = labels.iter().map(|y| (y % 60_000) as u16).collect();
        assert!(scores(&labels, &many).acc.is_none() && (scores(&labels, &many).nmi - 0.977).abs() < 0.01);
        assert!(adjusted_rand(&many, &many) == 1.0);
        assert!(begin.elapsed().as_secs() < 20);
    }

    #[test]
    fn scores_equal_those_of_scikit_learn() {
        // normalized_mutual_info_score([0, 0, 1, 1, 2], [0, 0, 1, 2, 2]) and adjusted_rand_score of the same.
        let found = scores(&[0, 0, 1, 1, 2], &[0, 0, 1, 2, 2]);
        assert!((found.nmi - 0.737_175).abs() < 1e-5, "{}", found.nmi);
        assert!((found.ari - 0.375).abs() < 1e-9);
        assert_eq!(found.acc, Some(0.8));
        assert_eq!(clusters_found(&[0, 0, 0, 2, 5], 0.3), 1);
    }
}
