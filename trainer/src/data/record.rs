//! What a run remembers of its samples.

use serde::{Deserialize, Serialize};

use super::samples::Samples;
use super::source::Source;

/// Which samples a run was trained on: the contents of `data.toml`.
///
/// ```
/// use edgemix::data::{DataRecord, Source, digits};
///
/// let record = DataRecord::new(&Source::new("digits"), &digits().samples);
/// assert_eq!((record.samples, record.features, record.fingerprint.len()), (1797, 64, 64));
/// ```
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct DataRecord {
    /// SHA-256 of the samples, in hexadecimal digits.
    pub fingerprint: String,
    /// Number of samples, N.
    pub samples: usize,
    /// Number of features of a sample, D.
    pub features: usize,
    /// Where the samples are and how they are read.
    pub source: Source,
}

impl DataRecord {
    /// Describes samples that were read from `source`.
    pub fn new(source: &Source, samples: &Samples) -> Self {
        let fingerprint = samples.fingerprint().iter().map(|byte| format!("{byte:02x}")).collect();
        Self { fingerprint, samples: samples.n_samples(), features: samples.n_features(), source: source.clone() }
    }
}
