//! The settings of DEPICT.

use serde::{Deserialize, Serialize};

use super::targets::TargetRule;
use crate::mixture::kmeans::KMeans;
use crate::mixture::split_merge::SplitMerge;
use crate::training::FitError;

/// Settings of DEPICT.
///
/// ```
/// use edgemix::methods::{Depict, SoftmaxStart, TargetRule};
///
/// let depict: Depict = toml::from_str("start = \"components\"\ntarget = \"exact\"")?;
/// assert_eq!((depict.start, depict.target), (SoftmaxStart::Components, TargetRule::Exact));
/// assert_eq!((depict.rounds, depict.dropout), (5, 0.1));
/// // A tenth of the samples is expected in one of three clusters.
/// let uneven: Depict = toml::from_str("shares = [0.45, 0.45, 0.1]\nkmeans = { n-clusters = 3 }")?;
/// assert_eq!(uneven.shares.len(), 3);
/// # Ok::<(), toml::de::Error>(())
/// ```
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields, rename_all = "kebab-case")]
pub struct Depict {
    /// The number of clusters, and the settings of k-means.
    pub kmeans: KMeans,
    /// The clustering that the softmax layer starts from.
    pub start: SoftmaxStart,
    /// The weights that the softmax layer starts from.
    pub head: HeadStart,
    /// How components are found, if `start` asks for them.
    pub components: SplitMerge,
    /// How targets are computed from predictions.
    pub target: TargetRule,
    /// The prior `u` over clusters: the share of the samples that each of them is expected to have, in any order; the cluster
    /// that has most samples at the time is given the largest share. Empty: all have the same, as in the paper.
    pub shares: Vec<f64>,
    /// How often targets are recomputed. If they are recomputed every epoch, they drift and clusters are lost.
    pub rounds: usize,
    /// The probability that a value of the corrupted path is zeroed.
    pub dropout: f64,
    /// The weight of the squared differences of hidden layers, relative to the reconstruction of the samples.
    pub hidden: f64,
    /// The weight of the cross entropy, relative to the reconstruction of the samples.
    pub gamma: f64,
}

/// The clusters that the softmax layer learns first.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum SoftmaxStart {
    /// k-means of the latents, as in the paper.
    KMeans,
    /// The largest groups of Gaussians grown on the latents before `tanh`. Unlike k-means, this finds elongated
    /// clusters that lie close together.
    Components,
}

/// The weights of the softmax layer, given the clusters that it learns first.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum HeadStart {
    /// Their linear discriminant.
    Discriminant,
    /// The directions of their centres, without biases, as in the paper. They distinguish clusters poorly because `tanh`
    /// bounds the latents.
    Centroids,
}

impl Depict {
    /// Refuses shares that are no prior of the clusters, or that the rule of the targets doesn't have.
    pub(super) fn check_shares(&self) -> Result<(), FitError> {
        let refused = |problem: String| Err(FitError::setting("method.shares", problem));
        let (n, clusters) = (self.shares.len(), self.kmeans.n_clusters);
        if n == 0 {
            return Ok(());
        }
        if n != clusters {
            return refused(format!("has {n} shares for {clusters} clusters: give each cluster one"));
        }
        if !self.shares.iter().all(|share| *share > 0.0 && share.is_finite()) {
            return refused("must be numbers above 0, in proportion to the samples of the clusters".into());
        }
        if self.target == TargetRule::Dec {
            return refused("need target = \"sqrt\" or \"exact\": the targets of DEC have no prior".into());
        }
        Ok(())
    }
}

impl Default for Depict {
    fn default() -> Self {
        Self {
            kmeans: KMeans { n_init: 40, ..KMeans::default() },
            start: SoftmaxStart::KMeans,
            head: HeadStart::Discriminant,
            components: SplitMerge::default(),
            target: TargetRule::Sqrt,
            shares: vec![],
            rounds: 5,
            dropout: 0.1,
            hidden: 0.1,
            gamma: 1.0,
        }
    }
}
