//! How stable the number of clusters and each cluster are over several runs on the same samples.

use serde::{Deserialize, Serialize};

use crate::base::arrays::argmax;
use crate::base::metrics::{adjusted_rand, clusters_found};

/// A cluster whose Jaccard index is smaller has dissolved (Hennig, "Cluster-wise assessment of cluster stability", 2007,
/// section 3).
pub const DISSOLVED: f64 = 0.5;

/// The clusters that runs with different seeds found in the same samples, and how well the runs agree.
///
/// ```
/// use edgemix::assessment::interval::{ClusterFate, SeedInterval};
///
/// // The first cluster of the first run has no counterpart in the second run, where it is part of another cluster.
/// let runs = [(0, vec![0, 1, 1, 1, 2, 2, 2, 2]), (1, vec![0, 0, 0, 0, 1, 1, 1, 1])];
/// let interval = SeedInterval::new(&runs);
/// assert_eq!((interval.medoid, interval.range()), (0, (2, 3)));
/// let fates: Vec<ClusterFate> = interval.clusters.iter().map(|cluster| cluster.fate).collect();
/// assert_eq!(fates, [ClusterFate::Merges(1), ClusterFate::Persists, ClusterFate::Persists]);
/// assert_eq!(interval.clusters[1].jaccard, 0.75);
/// ```
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct SeedInterval {
    /// The runs, in the order of their seeds.
    pub runs: Vec<SeedRun>,
    /// The adjusted Rand index of two runs (Hubert and Arabie, "Comparing partitions", 1985), averaged over all pairs.
    pub agreement: f64,
    /// The index of the run that agrees best with the others.
    pub medoid: usize,
    /// The clusters of the medoid.
    pub clusters: Vec<ClusterStability>,
}

/// One of the runs.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct SeedRun {
    /// The seed of its random draws.
    pub seed: u64,
    /// Number of clusters with at least 1 % of the samples.
    pub clusters: usize,
    /// The adjusted Rand index with another run, averaged over the other runs.
    pub agreement: f64,
}

/// How stable a cluster is over the other runs.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct ClusterStability {
    /// The cluster's share of the samples.
    pub share: f64,
    /// The Jaccard index with the most similar cluster of another run, averaged over the other runs.
    pub jaccard: f64,
    /// What happens to the cluster in most of the other runs.
    pub fate: ClusterFate,
}

/// What happens to a cluster in other runs.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum ClusterFate {
    /// The other runs have a similar cluster.
    Persists,
    /// It is part of the cluster that corresponds to this cluster of the medoid.
    Merges(usize),
    /// Its samples are scattered over several clusters.
    Dissolves,
}

impl SeedInterval {
    /// Compares runs, each given by its seed and by the cluster of each sample, in the same order. There must be at least two.
    pub fn new(found: &[(u64, Vec<u16>)]) -> Self {
        let others = |i: usize| (0..found.len()).filter(move |&j| j != i);
        let mean = |values: &[f64]| values.iter().sum::<f64>() / values.len().max(1) as f64;
        let run = |i: usize| {
            let (seed, labels) = &found[i];
            let agreements: Vec<f64> = others(i).map(|j| adjusted_rand(labels, &found[j].1)).collect();
            SeedRun { seed: *seed, clusters: clusters_found(labels, 0.01), agreement: mean(&agreements) }
        };
        let runs: Vec<SeedRun> = (0..found.len()).map(run).collect();
        let medoid = argmax(runs.iter().map(|run| run.agreement));
        let overlaps: Vec<Overlap> = others(medoid).map(|j| Overlap::new(&found[medoid].1, &found[j].1)).collect();
        let n = found[medoid].1.len() as f64;
        let cluster = |c: usize| {
            let jaccard = mean(&overlaps.iter().map(|overlap| overlap.jaccard(c)).collect::<Vec<_>>());
            let share = overlaps.first().map_or(0.0, |overlap| overlap.rows[c] / n);
            ClusterStability {
                share,
                jaccard,
                fate: if jaccard >= DISSOLVED { ClusterFate::Persists } else { fate_elsewhere(&overlaps, c) },
            }
        };
        let k = overlaps.first().map_or(0, |overlap| overlap.rows.len());
        Self {
            agreement: mean(&runs.iter().map(|run| run.agreement).collect::<Vec<_>>()),
            medoid,
            clusters: (0..k).map(cluster).collect(),
            runs,
        }
    }

    /// The smallest and the largest number of clusters.
    pub fn range(&self) -> (usize, usize) {
        let counts = || self.runs.iter().map(|run| run.clusters);
        (counts().min().unwrap_or(0), counts().max().unwrap_or(0))
    }
}

/// What happens in most of the other runs to a cluster that they do not have.
fn fate_elsewhere(overlaps: &[Overlap], cluster: usize) -> ClusterFate {
    let mut votes = vec![0; overlaps.first().map_or(0, |overlap| overlap.rows.len())];
    for overlap in overlaps {
        if let Some(other) = overlap.absorbed_by(cluster) {
            votes[other] += 1;
        }
    }
    let most = (0..votes.len()).max_by_key(|&other| votes[other]);
    most.filter(|&other| 2 * votes[other] > overlaps.len()).map_or(ClusterFate::Dissolves, ClusterFate::Merges)
}

/// The contingency table of two runs, with its sums.
struct Overlap {
    table: Vec<Vec<f64>>,
    rows: Vec<f64>,
    columns: Vec<f64>,
}

impl Overlap {
    fn new(a: &[u16], b: &[u16]) -> Self {
        let size = |labels: &[u16]| labels.iter().max().map_or(0, |&most| usize::from(most) + 1);
        let mut table = vec![vec![0.0; size(b)]; size(a)];
        a.iter().zip(b).for_each(|(&a, &b)| table[usize::from(a)][usize::from(b)] += 1.0);
        let rows = table.iter().map(|row| row.iter().sum()).collect();
        let columns = (0..size(b)).map(|c| table.iter().map(|row| row[c]).sum()).collect();
        Self { table, rows, columns }
    }

    /// The Jaccard index with the most similar cluster of the other run.
    fn jaccard(&self, row: usize) -> f64 {
        let of = |(column, &both): (usize, &f64)| both / (self.rows[row] + self.columns[column] - both).max(1.0);
        self.table[row].iter().enumerate().map(of).fold(0.0, f64::max)
    }

    /// The cluster of this run that absorbs cluster `row` in the other run: most samples of `row` are in one cluster there,
    /// of which the absorbing cluster holds the largest part.
    fn absorbed_by(&self, row: usize) -> Option<usize> {
        let place = argmax(&self.table[row]);
        let shared = *self.table[row].get(place)?;
        let owner = argmax(self.table.iter().map(|row| row[place]));
        (2.0 * shared > self.rows[row] && owner != row).then_some(owner)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// 0 to 2, 40 samples each.
    fn three() -> Vec<u16> {
        (0..120).map(|i| i / 40).collect()
    }

    #[test]
    fn the_same_clusters_under_other_names_persist() {
        let renamed: Vec<u16> = three().iter().map(|c| 2 - c).collect();
        let interval = SeedInterval::new(&[(0, three()), (1, renamed), (2, three())]);
        assert_eq!(interval.range(), (3, 3));
        assert!((interval.agreement - 1.0).abs() < 1e-12);
        for cluster in &interval.clusters {
            assert!((cluster.jaccard - 1.0).abs() < 1e-12 && (cluster.share - 1.0 / 3.0).abs() < 1e-12);
            assert_eq!(cluster.fate, ClusterFate::Persists);
        }
    }

    #[test]
    fn a_cluster_that_is_part_of_another_one_elsewhere_merges() {
        // The first run cuts a quarter off the second cluster.
        let cut: Vec<u16> =
            three().iter().enumerate().map(|(i, &c)| if (70..80).contains(&i) { 3 } else { c }).collect();
        let interval = SeedInterval::new(&[(7, three()), (8, cut.clone()), (9, three())]);
        assert_eq!((interval.range(), interval.medoid), ((3, 4), 0));
        let interval = SeedInterval::new(&[(8, cut), (7, three())]);
        assert_eq!(interval.clusters[3].fate, ClusterFate::Merges(1));
        assert!((interval.clusters[3].jaccard - 0.25).abs() < 1e-12);
        assert!((interval.clusters[1].jaccard - 0.75).abs() < 1e-12);
    }

    #[test]
    fn a_cluster_that_is_scattered_elsewhere_dissolves() {
        // Each cluster of the other run has a third of the third cluster's samples.
        let scattered: Vec<u16> = (0..120).map(|i| if i < 80 { i / 40 } else { i % 3 }).collect();
        let interval = SeedInterval::new(&[(0, three()), (1, scattered)]);
        assert_eq!(interval.clusters[2].fate, ClusterFate::Dissolves);
        assert!(interval.clusters[2].jaccard < 0.5 && interval.clusters[0].jaccard > 0.7);
    }

    #[test]
    fn the_medoid_is_the_run_that_agrees_best() {
        let shuffled: Vec<u16> = (0..120).map(|i| (i * 7 % 11 % 3) as u16).collect();
        let near: Vec<u16> = three().iter().enumerate().map(|(i, &c)| if i % 20 == 0 { 0 } else { c }).collect();
        let interval = SeedInterval::new(&[(0, shuffled), (1, near), (2, three())]);
        assert!(interval.medoid > 0 && interval.runs[0].agreement < 0.1, "{interval:?}");
    }
}
