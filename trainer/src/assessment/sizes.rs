//! Clusters and classes by their sizes: whether small ones are found as well as large ones.

use serde::Serialize;

use crate::base::metrics::{Match, best_matching};

/// More different labels than these are no classes, but a mistake.
const MOST_CLASSES: usize = 1000;

/// The clusters of samples, largest first, and the classes of their labels.
///
/// ```
/// use edgemix::assessment::sizes::Sizes;
///
/// // A class of six samples and one of two; one sample of the large class is in the small one's cluster.
/// let labels = [5, 5, 5, 5, 5, 5, 9, 9];
/// let sizes = Sizes::of(&[1, 1, 1, 1, 1, 0, 0, 0], 2, Some(&labels));
/// let (large, small) = (&sizes.clusters[0], &sizes.clusters[1]);
/// assert_eq!((large.cluster, large.samples, large.label, large.right), (1, 5, Some(5), Some(1.0)));
/// assert_eq!((small.cluster, small.samples, small.label, small.right), (0, 3, Some(9), Some(2.0 / 3.0)));
/// let class = &sizes.classes.unwrap()[0];
/// assert_eq!((class.label, class.cluster, class.right), (5, Some(1), 5.0 / 6.0));
/// ```
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Sizes {
    /// The clusters, largest first, also those without samples.
    pub clusters: Vec<ClusterSize>,
    /// The classes, largest first, if there are labels, and at most 1,000 different ones.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub classes: Option<Vec<ClassSize>>,
}

/// A cluster.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct ClusterSize {
    /// Its number.
    pub cluster: u16,
    /// How many samples it has.
    pub samples: usize,
    /// Their share of all samples.
    pub share: f64,
    /// The label that the matching of clusters and labels gives it, which decides the accuracy; `None` if there are more clusters
    /// than labels, or no labels.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub label: Option<u32>,
    /// The share of its samples that have this label.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub right: Option<f64>,
}

/// A class: the samples with one label.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct ClassSize {
    /// The label.
    pub label: u32,
    /// How many samples have it.
    pub samples: usize,
    /// Their share of all samples.
    pub share: f64,
    /// The cluster that the matching gives it; `None` if there are more labels than clusters.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub cluster: Option<u16>,
    /// The share of its samples that are in this cluster: its accuracy.
    pub right: f64,
}

impl Sizes {
    /// The sizes of `n_clusters` clusters, compared with labels if there are any.
    ///
    /// # Panics
    /// If a cluster's number is not below `n_clusters`, or there is not one label per sample.
    pub fn of(clusters: &[u16], n_clusters: usize, labels: Option<&[u32]>) -> Self {
        let n = clusters.len().max(1) as f64;
        let mut counts = vec![0usize; n_clusters];
        clusters.iter().for_each(|&cluster| counts[usize::from(cluster)] += 1);
        let matched = labels.filter(|labels| !labels.is_empty()).and_then(|labels| best_matching(labels, clusters));
        let of_cluster = |cluster: usize| {
            let found = matched.iter().flatten().find(|pair| usize::from(pair.cluster) == cluster);
            ClusterSize {
                cluster: cluster as u16,
                samples: counts[cluster],
                share: counts[cluster] as f64 / n,
                label: found.map(|pair| pair.label),
                right: found.map(|pair| pair.samples as f64 / counts[cluster].max(1) as f64),
            }
        };
        let mut sizes: Vec<ClusterSize> = (0..n_clusters).map(of_cluster).collect();
        sizes.sort_by_key(|size| (std::cmp::Reverse(size.samples), size.cluster));
        let classes = labels.zip(matched).map(|(labels, matched)| classes(labels, &matched));
        Self { clusters: sizes, classes: classes.filter(|classes| classes.len() <= MOST_CLASSES) }
    }
}

/// The classes of these labels, some of which are matched with clusters.
fn classes(labels: &[u32], matched: &[Match]) -> Vec<ClassSize> {
    let mut sorted = labels.to_vec();
    sorted.sort_unstable();
    let of_class = |same: &[u32]| {
        let found = matched.iter().find(|pair| pair.label == same[0]);
        ClassSize {
            label: same[0],
            samples: same.len(),
            share: same.len() as f64 / labels.len() as f64,
            cluster: found.map(|pair| pair.cluster),
            right: found.map_or(0.0, |pair| pair.samples as f64 / same.len() as f64),
        }
    };
    let mut classes: Vec<ClassSize> = sorted.chunk_by(|a, b| a == b).map(of_class).collect();
    classes.sort_by_key(|class| (std::cmp::Reverse(class.samples), class.label));
    classes
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::base::metrics::scores;

    proptest! {
        /// Both tables add up to the accuracy, each in its own way.
        #[test]
        fn what_is_right_by_cluster_and_by_class_is_the_accuracy(
            pairs in prop::collection::vec((0..5u32, 0..6u16), 1..60),
        ) {
            let (labels, clusters): (Vec<u32>, Vec<u16>) = pairs.into_iter().unzip();
            let sizes = Sizes::of(&clusters, 7, Some(&labels));
            let acc = scores(&labels, &clusters).acc.unwrap();
            let by_cluster: f64 = sizes.clusters.iter().map(|c| c.share * c.right.unwrap_or(0.0)).sum();
            let classes = sizes.classes.unwrap();
            let by_class: f64 = classes.iter().map(|c| c.share * c.right).sum();
            prop_assert!((by_cluster - acc).abs() < 1e-12 && (by_class - acc).abs() < 1e-12, "{by_cluster} {by_class} {acc}");
            prop_assert!(sizes.clusters.windows(2).all(|pair| pair[0].samples >= pair[1].samples));
            prop_assert!(classes.windows(2).all(|pair| pair[0].samples >= pair[1].samples));
            prop_assert_eq!(sizes.clusters.iter().map(|c| c.samples).sum::<usize>(), labels.len());
        }
    }

    #[test]
    fn clusters_without_samples_and_samples_without_labels_are_counted() {
        let sizes = Sizes::of(&[2, 2, 0], 4, None);
        let found: Vec<(u16, usize)> = sizes.clusters.iter().map(|size| (size.cluster, size.samples)).collect();
        assert_eq!(found, [(2, 2), (0, 1), (1, 0), (3, 0)]);
        assert!(sizes.classes.is_none() && sizes.clusters.iter().all(|size| size.label.is_none()));
    }
}
