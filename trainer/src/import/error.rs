//! Why a model of another program can't be imported.

use std::path::{Path, PathBuf};

use thiserror::Error;

use super::encoder::problem::LayerProblem;
use super::limits::LARGEST;
use super::onnx::problem::OnnxProblem;
use super::state_dict::problem::StateDictProblem;
use crate::base::text::listed;
use crate::data::DataError;
use crate::mixture::NotPositiveDefinite;

/// Why a model of another program can't be imported.
///
/// ```
/// use edgemix::import::{ImportError, read_scikit};
///
/// let error = read_scikit("none.npz".as_ref(), None).unwrap_err();
/// assert!(matches!(error, ImportError::Data(_)));
/// ```
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum ImportError {
    /// The file, or an array in it, can't be read.
    #[error(transparent)]
    Data(#[from] DataError),
    /// The file is larger than any model for a microcontroller.
    #[error(
        "{}: it has {length} bytes: a model is read up to {LARGEST} bytes, which is more than any microcontroller holds",
        path.display()
    )]
    TooLarge {
        /// The file.
        path: PathBuf,
        /// Its bytes.
        length: u64,
    },
    /// A state dict is not one of an encoder with the layers that were spelt.
    #[error("{}: {problem}", path.display())]
    StateDict {
        /// The file.
        path: PathBuf,
        /// Why.
        problem: StateDictProblem,
    },
    /// An ONNX file is not one of an encoder that can be imported.
    #[error("{}: {problem}", path.display())]
    Onnx {
        /// The file.
        path: PathBuf,
        /// Why.
        problem: Box<OnnxProblem>,
    },
    /// The latents of an encoder can't be scaled as the clusters need them.
    #[error("the encoder's latents can't be scaled: {0}")]
    Latents(LayerProblem),
    /// The model is not one that can be imported.
    #[error("{}: {problem}", path.display())]
    Model {
        /// The file.
        path: PathBuf,
        /// Why.
        problem: ModelProblem,
    },
}

/// What keeps a model from being imported. Steps of a pipeline are counted from 0.
#[derive(Clone, Debug, PartialEq, Error)]
#[non_exhaustive]
pub enum ModelProblem {
    /// The archive does not say what its arrays are.
    #[error(
        "it has no array `steps`, which describes the estimators: write the file with the function in docs/import.md"
    )]
    NoSteps,
    /// The description of the estimators can't be read.
    #[error("its array `steps` does not describe estimators ({0}): write the file with the function in docs/import.md")]
    Steps(String),
    /// An estimator that can't be imported, or not in this place.
    #[error("step {step} is a {class}: expected {}", listed(expected))]
    Class {
        /// The step of the pipeline.
        step: usize,
        /// The estimator's class.
        class: String,
        /// The classes that can be imported.
        expected: &'static [&'static str],
    },
    /// A parameter of an estimator that is not supported.
    #[error("step {step}, a {class}, has {name}={value}: expected {expected}")]
    Parameter {
        /// The step of the pipeline.
        step: usize,
        /// The estimator's class.
        class: String,
        /// The parameter.
        name: &'static str,
        /// Its value, as JSON.
        value: String,
        /// What is supported.
        expected: &'static str,
    },
    /// An array is missing.
    #[error("the array {0} is missing: fit the estimator before it is written")]
    MissingArray(String),
    /// An array has another shape than the others require.
    #[error("the array {name} has shape {found:?}: expected {expected}")]
    Shape {
        /// The array.
        name: String,
        /// Its shape.
        found: Vec<usize>,
        /// What the other arrays require.
        expected: String,
    },
    /// An array contains a number that it can't.
    #[error("the array {name} contains {value}: expected {expected}")]
    Number {
        /// The array.
        name: String,
        /// The number.
        value: f64,
        /// What was expected.
        expected: &'static str,
    },
    /// There are more clusters than a model file can hold.
    #[error("it has {0} clusters: a model file has at most 65535")]
    TooManyClusters(usize),
    /// No component is left.
    #[error("no component has a weight of at least {0}: lower --min-weight")]
    NoComponents(f64),
    /// The scores of a graph are not those of clusters.
    #[error("its scores can't be those of clusters: {0}")]
    Scores(&'static str),
    /// A covariance is not positive definite.
    #[error("{0}: fit the mixture with a greater reg_covar")]
    Covariance(#[from] NotPositiveDefinite),
}

impl ImportError {
    /// The error of an ONNX file.
    pub(super) fn of_onnx(path: &Path) -> impl Fn(OnnxProblem) -> Self {
        |problem| Self::Onnx { path: path.into(), problem: Box::new(problem) }
    }

    /// The error of a state dict.
    pub(super) fn of_state_dict(path: &Path) -> impl Fn(StateDictProblem) -> Self {
        |problem| Self::StateDict { path: path.into(), problem }
    }

    /// The error of a model in this file.
    pub(super) fn of(path: &Path) -> impl Fn(ModelProblem) -> Self {
        |problem| Self::Model { path: path.into(), problem }
    }
}
