//! Why a file is not a trained model.

use safetensors::{Dtype, SafeTensorError};
use thiserror::Error;

use super::version::VERSION;

/// Why a file is not a trained model.
///
/// ```
/// use edgemix::run::{TrainedFileError, read_trained};
///
/// let error = read_trained(b"hello").unwrap_err();
/// assert!(matches!(error, TrainedFileError::Safetensors(_)));
/// ```
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum TrainedFileError {
    /// The file is not in the safetensors format.
    #[error("not a readable safetensors file: {0}")]
    Safetensors(#[from] SafeTensorError),
    /// The metadata do not describe a model of Edgemix.
    #[error("its metadata have no entry \"edgemix\": another program wrote it")]
    NotAModel,
    /// Another version of this program wrote the file.
    #[error("it has format version {found}, this program reads version {VERSION}")]
    Version {
        /// The version in the file.
        found: u64,
    },
    /// The description in the metadata is malformed.
    #[error("the description in its metadata is malformed: {0}")]
    Description(#[from] serde_json::Error),
    /// A field of the description contradicts another one.
    #[error("{field}: {problem}")]
    Field {
        /// The field, such as `encoder.1`.
        field: String,
        /// What was found, and what was expected.
        problem: String,
    },
    /// A tensor is missing.
    #[error("the tensor {0} is missing")]
    MissingTensor(String),
    /// There is a tensor that the description does not mention.
    #[error("the tensor {0} is not part of the model")]
    UnexpectedTensor(String),
    /// A tensor has the wrong type.
    #[error("the tensor {name} has elements of type {found}, expected {expected}")]
    Type {
        /// The tensor.
        name: String,
        /// The type that the model needs.
        expected: Dtype,
        /// The type in the file.
        found: Dtype,
    },
    /// A tensor has the wrong shape.
    #[error("the tensor {name} has shape {found:?}, expected {expected:?}")]
    Shape {
        /// The tensor.
        name: String,
        /// The shape that the model needs.
        expected: Vec<usize>,
        /// The shape in the file.
        found: Vec<usize>,
    },
    /// A tensor contains NaN or infinity.
    #[error("the tensor {0} contains NaN or infinity")]
    NotFinite(String),
    /// The file was changed after it was written.
    #[error("it is damaged: its checksum does not match")]
    Checksum,
}

impl TrainedFileError {
    pub(super) fn field(field: impl Into<String>, problem: impl Into<String>) -> Self {
        Self::Field { field: field.into(), problem: problem.into() }
    }
}
