//! How well clusters agree with labels and with other clusters.

use pathfinding::kuhn_munkres::kuhn_munkres;
use pathfinding::matrix::Matrix;
use serde::Serialize;

/// Agreement of clusters with labels, as computed by [`scores`].
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
pub struct Scores {
    /// Clustering accuracy: the share of samples in the right cluster under the best one-to-one matching.
    pub acc: f64,
    /// Normalised mutual information: by the arithmetic mean of the entropies, which is scikit-learn's default.
    pub nmi: f64,
    /// Adjusted Rand index (Hubert and Arabie, "Comparing partitions", 1985).
    pub ari: f64,
}

/// Compares the clusters of samples with their labels. Both may be any numbers: only equality counts.
///
/// ```
/// use edgemix::metrics::scores;
///
/// // The same two groups under other names; then one sample in the wrong group.
/// assert_eq!(scores(&[7, 7, 3, 3], &[0, 0, 1, 1]).acc, 1.0);
/// assert_eq!(scores(&[7, 7, 3, 3], &[0, 0, 1, 0]).acc, 0.75);
/// ```
///
/// # Panics
/// If the two differ in length or are empty.
pub fn scores(labels: &[u32], clusters: &[u16]) -> Scores {
    assert!(labels.len() == clusters.len() && !labels.is_empty(), "one label per sample");
    let (labels, clusters) = (numbered(labels), numbered(clusters));
    let size = labels.iter().chain(&clusters).max().map_or(0, |&most| most + 1);
    let mut table = Matrix::new(size, size, 0i64);
    labels.iter().zip(&clusters).for_each(|(&y, &c)| table[(c, y)] += 1);
    let n = labels.len() as f64;
    Scores { acc: kuhn_munkres(&table).0 as f64 / n, nmi: nmi(&table, n), ari: ari(&table, n) }
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
    let size = a.iter().chain(b).max().map_or(0, |&most| usize::from(most) + 1);
    let mut table = Matrix::new(size, size, 0i64);
    a.iter().zip(b).for_each(|(&a, &b)| table[(a.into(), b.into())] += 1);
    ari(&table, a.len() as f64)
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

fn sums(table: &Matrix<i64>) -> (Vec<i64>, Vec<i64>) {
    (
        table.iter().map(|row| row.iter().sum()).collect(),
        table.transposed().iter().map(|row| row.iter().sum()).collect(),
    )
}

fn nmi(table: &Matrix<i64>, n: f64) -> f64 {
    let entropy = |counts: &[i64]| -> f64 {
        counts.iter().filter(|&&c| c > 0).map(|&c| -(c as f64 / n) * (c as f64 / n).ln()).sum()
    };
    let (rows, columns) = sums(table);
    let joint: Vec<i64> = table.values().copied().collect();
    let (a, b) = (entropy(&rows), entropy(&columns));
    if a + b > 0.0 { 2.0 * (a + b - entropy(&joint)) / (a + b) } else { 1.0 }
}

fn ari(table: &Matrix<i64>, n: f64) -> f64 {
    let pairs = |count: i64| count as f64 * (count as f64 - 1.0) / 2.0;
    let (rows, columns) = sums(table);
    let both: f64 = table.values().map(|&c| pairs(c)).sum();
    let (a, b): (f64, f64) = (rows.into_iter().map(pairs).sum(), columns.into_iter().map(pairs).sum());
    let expected = a * b / (n * (n - 1.0) / 2.0).max(1.0);
    let most = 0.5 * (a + b);
    if most > expected { (both - expected) / (most - expected) } else { 1.0 }
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
            prop_assert!((found.acc - best as f64 / labels.len() as f64).abs() < 1e-12);
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

    #[test]
    fn scores_equal_those_of_scikit_learn() {
        // normalized_mutual_info_score([0, 0, 1, 1, 2], [0, 0, 1, 2, 2]) and adjusted_rand_score of the same.
        let found = scores(&[0, 0, 1, 1, 2], &[0, 0, 1, 2, 2]);
        assert!((found.nmi - 0.737_175).abs() < 1e-5, "{}", found.nmi);
        assert!((found.ari - 0.375).abs() < 1e-9);
        assert_eq!(found.acc, 0.8);
        assert_eq!(clusters_found(&[0, 0, 0, 2, 5], 0.3), 1);
    }
}
