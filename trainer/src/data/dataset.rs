//! Samples with what a source says about them besides.

use super::samples::Samples;

/// Samples and, where the source has them, the labels that `evaluate` compares with. Training never sees labels.
#[derive(Clone, Debug, PartialEq)]
pub struct Dataset {
    /// The samples.
    pub samples: Samples,
    /// One label per sample.
    pub labels: Option<Vec<u32>>,
    /// What each sample was taken from: a user, a device, a recording.
    pub groups: Option<Vec<u32>>,
}
