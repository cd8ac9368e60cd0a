//! How a number of clusters was found.

use serde::{Deserialize, Serialize};

use super::levels::{Level, NumberTrial};

/// A number of clusters and what it was derived from.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct ClusterCountReport {
    /// The number of clusters.
    pub clusters: usize,
    /// The number of components of all samples.
    pub components: usize,
    /// The confusion threshold that was chosen.
    pub threshold: f64,
    /// How well random halves of the samples agree at each threshold.
    pub curve: Vec<ThresholdTrial>,
    /// How well the halves agree on each number of clusters; empty if there are none.
    #[serde(default)]
    pub by_number: Vec<NumberTrial>,
    /// The numbers of clusters that the model lists, from few to many; empty until it is trained.
    #[serde(default)]
    pub levels: Vec<Level>,
    /// For each merge of two groups of components, the number of groups that it leaves, and the share of the halves that
    /// agree with it.
    pub merges: Vec<(usize, f64)>,
    /// Whether halves were made of whole groups, such as people, and not of any samples.
    #[serde(default)]
    pub halves_of_groups: bool,
    /// The time that all of this took, in seconds.
    pub seconds: f64,
}

/// How well random halves of the samples agree at a confusion threshold.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct ThresholdTrial {
    /// The confusion threshold.
    pub threshold: f64,
    /// The adjusted Rand index of two halves, averaged over pairs.
    pub agreement: f64,
    /// The fewest, the mean and the most clusters of a half that hold at least one percent of the samples.
    pub clusters: (usize, f64, usize),
}
