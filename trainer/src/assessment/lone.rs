//! Clusters that one group of the samples shows alone, such as one person.

use std::fmt;

use serde::{Deserialize, Serialize};

/// A cluster is one group's own if the group has more than this share of its samples.
const OWN: f64 = 0.9;
/// Of fewer groups, a cluster of one says little.
const FEWEST_GROUPS: usize = 3;

/// A cluster whose samples nearly all come from one group: it may show the group, and not a kind of sample.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct LoneCluster {
    /// The cluster.
    pub cluster: u16,
    /// The group.
    pub group: u32,
    /// Number of samples of the cluster.
    pub samples: usize,
}

impl fmt::Display for LoneCluster {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { cluster, group, samples } = self;
        write!(f, "cluster {cluster} ({samples} samples) is of group {group} alone")
    }
}

/// The clusters that one group shows alone, given the cluster and the group of each sample. None if there are fewer than
/// three groups.
///
/// ```
/// use edgemix::assessment::lone::{LoneCluster, lone_clusters};
///
/// let (clusters, groups) = ([0, 0, 0, 1, 1, 0], [5, 6, 7, 7, 7, 5]);
/// assert_eq!(lone_clusters(&clusters, &groups), [LoneCluster { cluster: 1, group: 7, samples: 2 }]);
/// assert!(lone_clusters(&[0, 1], &[5, 6]).is_empty());
/// ```
pub fn lone_clusters(clusters: &[u16], groups: &[u32]) -> Vec<LoneCluster> {
    let mut all = groups.to_vec();
    all.sort_unstable();
    all.dedup();
    if all.len() < FEWEST_GROUPS {
        return vec![];
    }
    let mut pairs: Vec<(u16, u32)> = clusters.iter().copied().zip(groups.iter().copied()).collect();
    pairs.sort_unstable();
    let of_cluster = |pairs: &[(u16, u32)]| {
        let largest = pairs.chunk_by(|a, b| a == b).max_by_key(|same| same.len())?;
        let (cluster, group) = largest[0];
        let is_lone = largest.len() as f64 > OWN * pairs.len() as f64;
        is_lone.then_some(LoneCluster { cluster, group, samples: pairs.len() })
    };
    pairs.chunk_by(|a, b| a.0 == b.0).filter_map(of_cluster).collect()
}

/// The number of groups that have a sample in each of `k` clusters.
///
/// ```
/// assert_eq!(edgemix::assessment::lone::groups_of_clusters(&[0, 0, 1], &[5, 6, 5], 3), [2, 1, 0]);
/// ```
pub fn groups_of_clusters(clusters: &[u16], groups: &[u32], k: usize) -> Vec<usize> {
    let mut pairs: Vec<(u16, u32)> = clusters.iter().copied().zip(groups.iter().copied()).collect();
    pairs.sort_unstable();
    pairs.dedup();
    let mut counts = vec![0; k];
    pairs.into_iter().for_each(|(cluster, _)| counts[usize::from(cluster)] += 1);
    counts
}
