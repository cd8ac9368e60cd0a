//! Which model of another program a run has.

use std::fs;

use serde::{Deserialize, Serialize};

use super::directory::RunDir;
use super::error::RunError;
use super::file::RunFile;

/// Which model of another program a run has: the contents of `import.toml`.
///
/// ```
/// use edgemix::run::{ImportRecord, RunDir};
///
/// let folder = tempfile::tempdir()?;
/// let run = RunDir::create(folder.path())?;
/// let record = ImportRecord {
///     path: "model.npz".into(),
///     sha256: "0".repeat(64),
///     model: "KMeans (scikit-learn)".into(),
///     least_weight: None,
///     numbers: vec![0, 1],
///     encoder: None,
///     fine_tuned: false,
/// };
/// run.write_import_record(&record)?;
/// assert_eq!(run.import_record()?, Some(record));
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ImportRecord {
    /// The file.
    pub path: String,
    /// Its SHA-256 in hexadecimal digits.
    pub sha256: String,
    /// What it contains.
    pub model: String,
    /// The smallest weight of a component that is kept, if it was given.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub least_weight: Option<f64>,
    /// The number that each cluster has in the other program; none if the other program only trained the encoder.
    pub numbers: Vec<usize>,
    /// How the encoder was read, if the other program only trained that.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub encoder: Option<EncoderRecord>,
    /// Whether the encoder was trained further, with its clusters.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub fine_tuned: bool,
}

impl ImportRecord {
    /// Whether both are of the same model, read in the same way, wherever its file is.
    pub(crate) fn is_of_the_same(&self, other: &Self) -> bool {
        let unplaced = |record: &Self| Self { path: String::new(), ..record.clone() };
        unplaced(self) == unplaced(other)
    }
}

/// How an encoder of another program is read from its file.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct EncoderRecord {
    /// The name of the value that is the latent, in a graph with several outputs or a decoder.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub latent: Option<String>,
    /// How the layers of a state dict are spelt.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub layers: Option<String>,
    /// How the activation between the layers of a state dict is spelt, if it is not ReLU.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub activation: Option<String>,
    /// How the names of a state dict's modules begin.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub prefix: Option<String>,
}

impl RunDir {
    /// Writes which model of another program the run has.
    ///
    /// # Errors
    /// [`RunError::Io`], and [`RunError::Unwritable`] if the record can't be written as TOML.
    pub fn write_import_record(&self, record: &ImportRecord) -> Result<(), RunError> {
        let text = toml::to_string(record).map_err(|error| RunError::Unwritable(error.to_string()))?;
        self.write(RunFile::Import, text.as_bytes())
    }

    /// Which model of another program the run has; `None` if its model was trained.
    ///
    /// # Errors
    /// [`RunError::Io`], and [`RunError::Malformed`].
    pub fn import_record(&self) -> Result<Option<ImportRecord>, RunError> {
        let path = self.file(RunFile::Import);
        if !path.exists() {
            return Ok(None);
        }
        let bytes = fs::read(&path).map_err(RunError::io(&path))?;
        toml::from_slice(&bytes).map(Some).map_err(|error| RunError::malformed(&path, error.message()))
    }
}
