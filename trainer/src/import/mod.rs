//! Clusterings that another program learned, as models of this one.
//!
//! A file becomes an [`ImportedClustering`]: an affine map of the features and clusters of what it gives, in f64. With samples
//! it becomes a [`Trained`](crate::trained::Trained), which is quantised like any other.

mod affine;
mod clustering;
mod error;
mod scikit;

pub use clustering::{ImportedClustering, ImportedClusters};
pub use error::{ImportError, ModelProblem};
pub use scikit::read_scikit;
