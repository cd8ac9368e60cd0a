//! The settings of DEPICT.

use serde::{Deserialize, Serialize};

use super::super::common::reconstruction::ReconstructionTarget;
use super::targets::TargetRule;
use crate::mixture::kmeans::KMeans;
use crate::mixture::split_merge::SplitMerge;

/// Settings of DEPICT.
///
/// ```
/// use edgemix::methods::{Depict, ReconstructionTarget, SoftmaxStart, TargetRule};
///
/// let depict: Depict = toml::from_str("start = \"components\"\ntarget = \"exact\"\nreconstruct = \"moved\"")?;
/// assert_eq!((depict.start, depict.target), (SoftmaxStart::Components, TargetRule::Exact));
/// assert_eq!(depict.reconstruct, ReconstructionTarget::Moved);
/// assert_eq!((depict.rounds, depict.dropout), (5, 0.1));
/// # Ok::<(), toml::de::Error>(())
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields, rename_all = "kebab-case")]
pub struct Depict {
    /// The number of clusters, and the settings of k-means.
    pub kmeans: KMeans,
    /// The clustering that the softmax layer starts from.
    pub start: SoftmaxStart,
    /// How components are found, if `start` asks for them.
    pub components: SplitMerge,
    /// How targets are computed from predictions.
    pub target: TargetRule,
    /// How often targets are recomputed. If they are recomputed every epoch, they drift and clusters are lost.
    pub rounds: usize,
    /// Which images the clean path takes, and the decoder reconstructs.
    pub reconstruct: ReconstructionTarget,
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

impl Default for Depict {
    fn default() -> Self {
        Self {
            kmeans: KMeans { n_init: 40, ..KMeans::default() },
            start: SoftmaxStart::KMeans,
            components: SplitMerge::default(),
            target: TargetRule::Sqrt,
            rounds: 5,
            reconstruct: ReconstructionTarget::Still,
            dropout: 0.1,
            hidden: 0.1,
            gamma: 1.0,
        }
    }
}
