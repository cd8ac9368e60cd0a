//! Components that are merged into groups, two groups at a time: the sequence of merges, and how many of them to apply.

/// A merge of two groups, by their positions among the remaining groups.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct Merge {
    /// Remains, and takes in the other.
    pub(super) into: usize,
    pub(super) from: usize,
    /// How strongly the two belong together.
    pub(super) strength: f64,
}

/// The merges of groups of components until one group is left: each time the pair that belongs together most.
///
/// ```
/// use edgemix::mixture::{confusion, merging::ClusterBounds};
/// use ndarray::array;
///
/// // Three samples and three components; the first two components are confused with each other.
/// let responsibilities = array![[0.6, 0.4, 0.0], [0.4, 0.6, 0.0], [0.0, 0.0, 1.0]];
/// let path = confusion::path(responsibilities.view(), vec![vec![0], vec![1], vec![2]]);
/// let merges = path.merges_above(0.025);
/// assert_eq!((merges, path.n_groups(merges, 0.0), path.clusters(merges)), (1, 2, vec![0, 0, 1]));
/// assert!((path.strengths().next().unwrap() - 0.4).abs() < 1e-6);
/// // At most one group.
/// assert_eq!(path.merges_within(merges, ClusterBounds { least: 1, most: 1 }, 0.0), 2);
/// ```
#[derive(Clone, Debug, PartialEq)]
pub struct MergePath {
    /// The components of each group before the first merge.
    groups: Vec<Vec<usize>>,
    merges: Vec<Merge>,
    /// Each group's share of the samples, before the first merge and after each.
    shares: Vec<Vec<f64>>,
}

/// Bounds on the number of clusters.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ClusterBounds {
    /// The least number of clusters.
    pub least: usize,
    /// The greatest number of clusters.
    pub most: usize,
}

impl MergePath {
    /// A path without merges, from groups of components and their shares of the samples.
    pub(super) fn new(groups: Vec<Vec<usize>>, shares: Vec<f64>) -> Self {
        Self { groups, merges: vec![], shares: vec![shares] }
    }

    /// A path whose groups have one component each.
    pub(super) fn of_singles(shares: Vec<f64>) -> Self {
        Self::new((0..shares.len()).map(|k| vec![k]).collect(), shares)
    }

    /// Appends a merge, and each group's share of the samples after it.
    pub(super) fn push(&mut self, merge: Merge, shares: Vec<f64>) {
        self.merges.push(merge);
        self.shares.push(shares);
    }

    /// The number of merges before the first that is weaker than `strength`.
    pub fn merges_above(&self, strength: f64) -> usize {
        self.merges.iter().take_while(|merge| merge.strength >= strength).count()
    }

    /// The number of merges nearest to `merges` that leaves a number of groups within `bounds`, or as close to them as
    /// possible. Only groups with at least `share` of the samples count.
    pub fn merges_within(&self, merges: usize, bounds: ClusterBounds, share: f64) -> usize {
        let beyond = |done: usize| {
            let k = self.n_groups(done, share);
            (bounds.least.saturating_sub(k) + k.saturating_sub(bounds.most), done.abs_diff(merges))
        };
        (0..=self.merges.len()).min_by_key(|&done| beyond(done)).unwrap_or(0)
    }

    /// The number of groups with at least `share` of the samples after so many merges.
    pub fn n_groups(&self, merges: usize, share: f64) -> usize {
        self.shares[merges].iter().filter(|&&own| own >= share).count()
    }

    /// The strength of each merge.
    pub fn strengths(&self) -> impl Iterator<Item = f64> {
        self.merges.iter().map(|merge| merge.strength)
    }

    /// Each component's cluster after so many merges. Clusters are numbered by their first components.
    pub fn clusters(&self, merges: usize) -> Vec<u16> {
        let mut groups = self.groups.clone();
        for merge in &self.merges[..merges] {
            let merged = groups.remove(merge.from);
            groups[merge.into].extend(merged);
        }
        groups.iter_mut().for_each(|group| group.sort_unstable());
        groups.sort();
        let mut clusters = vec![0; groups.iter().map(Vec::len).sum()];
        for (cluster, group) in (0u16..).zip(&groups) {
            group.iter().for_each(|&k| clusters[k] = cluster);
        }
        clusters
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Five components, three strong merges and a weak one. The last group is small until it is merged.
    fn path() -> MergePath {
        let merge = |into, from, strength| Merge { into, from, strength };
        MergePath {
            groups: (0..5).map(|k| vec![k]).collect(),
            merges: vec![merge(1, 3, 0.9), merge(0, 2, 0.8), merge(1, 2, 0.7), merge(0, 1, 0.1)],
            shares: vec![
                vec![0.2, 0.3, 0.3, 0.195, 0.005],
                vec![0.2, 0.495, 0.3, 0.005],
                vec![0.5, 0.495, 0.005],
                vec![0.5, 0.5],
                vec![1.0],
            ],
        }
    }

    #[test]
    fn merges_are_applied_in_order() {
        let path = path();
        assert_eq!(path.merges_above(0.5), 3);
        assert_eq!(path.clusters(0), [0, 1, 2, 3, 4]);
        assert_eq!(path.clusters(2), [0, 1, 0, 1, 2]);
        assert_eq!(path.clusters(3), [0, 1, 0, 1, 1]);
        assert_eq!(path.clusters(4), [0; 5]);
    }

    #[test]
    fn bounds_change_the_number_of_merges_as_little_as_possible() {
        let path = path();
        let within = |least, most| path.merges_within(3, ClusterBounds { least, most }, 0.01);
        assert_eq!(within(1, 9), 3);
        assert_eq!(within(1, 1), 4);
        assert_eq!(within(3, 9), 1);
        // The smallest group does not count.
        assert_eq!((within(4, 4), within(9, 9)), (0, 0));
    }
}
