//! What a run remembers of its samples.

use serde::{Deserialize, Serialize};

use super::samples::Samples;
use super::source::{Source, TrainedColumns};

/// Which samples a run was trained on: the contents of `data.toml`.
///
/// ```
/// use edgemix::data::{DataRecord, Source, digits};
///
/// let record = DataRecord::new(&Source::new("digits"), &digits().samples);
/// assert_eq!((record.samples, record.features, record.fingerprint.len()), (1797, 64, 64));
/// ```
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct DataRecord {
    /// SHA-256 of the samples, in hexadecimal digits.
    pub fingerprint: String,
    /// Number of samples, N.
    pub samples: usize,
    /// Number of features of a sample, D.
    pub features: usize,
    /// The names of the columns, if they have names that are no numbers.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub columns: Vec<String>,
    /// What is subtracted from each column that is read, if anything is. Columns of an array that are left out are read, too.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub origins: Vec<f64>,
    /// Where the samples are and how they are read.
    pub source: Source,
}

impl DataRecord {
    /// Describes samples that were read from `source`.
    pub fn new(source: &Source, samples: &Samples) -> Self {
        let fingerprint = samples.fingerprint().iter().map(|byte| format!("{byte:02x}")).collect();
        let names = samples.column_names();
        let are_names = names.iter().any(|name| name.parse::<f64>().is_err());
        Self {
            fingerprint,
            samples: samples.n_samples(),
            features: samples.n_features(),
            columns: if are_names { names.to_vec() } else { vec![] },
            origins: samples.origins().to_vec(),
            source: source.clone(),
        }
    }

    /// The columns that other samples must have, or be brought to, for a model that was trained on these.
    pub fn trained_columns(&self) -> TrainedColumns {
        let instants = self.source.window.map_or(1, |window| window.length.max(1));
        let n_columns = self.features / instants;
        TrainedColumns { n_columns, names: self.columns.clone(), origins: self.origins.clone() }
    }
    /// Whether samples from `source` are read from the same place in the same way, for whatever they are used.
    pub fn has_source(&self, source: &Source) -> bool {
        self.source == Source { trained: None, optional_columns: vec![], ..source.clone() }
    }
}
