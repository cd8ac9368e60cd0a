//! Clusterings and encoders that another program learned, as models of this one.
//!
//! A clustering becomes an [`ImportedClustering`]: an affine map of the features and clusters of what it gives, in f64. With
//! samples it becomes a [`Trained`](crate::trained::Trained), which is quantised like any other. An encoder becomes an
//! [`ImportedEncoder`]; clusters of its latents make it a `Trained`.

mod affine;
mod clustering;
mod encoder;
mod equalised;
mod error;
mod file_bytes;
mod limits;
mod onnx;
mod scikit;
mod state_dict;

pub use clustering::{ImportedClustering, ImportedClusters};
pub use encoder::{ImportedEncoder, LayerProblem};
pub use error::{ImportError, ModelProblem};
pub use onnx::{
    ExternalProblem, NodeProblem, OnnxProblem, TensorProblem, has_clusters, onnx_file, read_onnx, read_onnx_clustering,
};
pub use scikit::read_scikit;
pub use state_dict::{StateDictLayers, StateDictProblem, read_state_dict};
