//! Components that become groups, two at a time: which merges there were, and how many of them to take.

/// A merge of two groups, by their places among those that are left.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct Merge {
    /// Stays, and takes up the other.
    pub(super) into: usize,
    pub(super) from: usize,
    /// How strongly the two belong together.
    pub(super) strength: f64,
}

/// The order in which components become one group, until one is left: always the pair that belongs together most.
///
/// ```
/// use edgemix::mixture::{confusion, merging::ClusterBounds};
///
/// // Three samples and three components, of which the first two are confused.
/// let responsibilities = [0.6, 0.4, 0.0, 0.4, 0.6, 0.0, 0.0, 0.0, 1.0];
/// let path = confusion::path(&responsibilities, 3, vec![vec![0], vec![1], vec![2]]);
/// let merges = path.merges_above(0.025);
/// assert_eq!((merges, path.n_groups(merges, 0.0), path.clusters(merges)), (1, 2, vec![0, 0, 1]));
/// assert!((path.strengths().next().unwrap() - 0.4).abs() < 1e-6);
/// // No more than one group.
/// assert_eq!(path.merges_within(merges, ClusterBounds { least: 1, most: 1 }, 0.0), 2);
/// ```
#[derive(Clone, Debug, PartialEq)]
pub struct MergePath {
    /// The components of each group before the first merge.
    pub(super) groups: Vec<Vec<usize>>,
    pub(super) merges: Vec<Merge>,
    /// Each group's share of the samples, before the first merge and after each.
    pub(super) shares: Vec<Vec<f64>>,
}

/// How many clusters there are to be. See [`MergePath`] for an example.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ClusterBounds {
    /// At least.
    pub least: usize,
    /// At most.
    pub most: usize,
}

impl MergePath {
    /// How many merges there are until the first that is weaker than this. See [`MergePath`] for an example.
    pub fn merges_above(&self, strength: f64) -> usize {
        self.merges.iter().take_while(|merge| merge.strength >= strength).count()
    }

    /// The number of merges nearest to `merges` after which the groups of at least `share` of the samples are as many as
    /// asked for; where there is none, one after which they are nearest to it. See [`MergePath`] for an example.
    pub fn merges_within(&self, merges: usize, bounds: ClusterBounds, share: f64) -> usize {
        let beyond = |done: usize| {
            let k = self.n_groups(done, share);
            (bounds.least.saturating_sub(k) + k.saturating_sub(bounds.most), done.abs_diff(merges))
        };
        (0..=self.merges.len()).min_by_key(|&done| beyond(done)).unwrap_or(0)
    }

    /// How many groups have at least `share` of the samples after so many merges. See [`MergePath`] for an example.
    pub fn n_groups(&self, merges: usize, share: f64) -> usize {
        self.shares[merges].iter().filter(|&&own| own >= share).count()
    }

    /// The strength of each merge. See [`MergePath`] for an example.
    pub fn strengths(&self) -> impl Iterator<Item = f64> {
        self.merges.iter().map(|merge| merge.strength)
    }

    /// Each component's cluster after so many merges, numbered by their first components. See [`MergePath`] for an example.
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

    /// Five components; three merges that are strong, one that is weak. The last group is small until it is merged.
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
    fn merges_are_taken_in_their_order() {
        let path = path();
        assert_eq!(path.merges_above(0.5), 3);
        assert_eq!(path.clusters(0), [0, 1, 2, 3, 4]);
        assert_eq!(path.clusters(2), [0, 1, 0, 1, 2]);
        assert_eq!(path.clusters(3), [0, 1, 0, 1, 1]);
        assert_eq!(path.clusters(4), [0; 5]);
    }

    #[test]
    fn bounds_move_the_number_of_merges_no_further_than_they_must() {
        let path = path();
        let within = |least, most| path.merges_within(3, ClusterBounds { least, most }, 0.01);
        assert_eq!(within(1, 9), 3);
        assert_eq!(within(1, 1), 4);
        assert_eq!(within(3, 9), 1);
        // The smallest does not count.
        assert_eq!((within(4, 4), within(9, 9)), (0, 0));
    }
}
