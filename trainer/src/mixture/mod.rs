//! Gaussian mixtures: what they are, how they score latents, and how they are fitted.
//!
//! Work over all samples is done on tensors of a backend `B: Backend`, except for the split and merge moves and the
//! grouping of components, which need f64. Arrays of components by dimensions are f64 on the host.

mod bhattacharyya;
pub mod cholesky;
mod cluster_count;
pub mod confusion;
pub mod consensus;
mod covariance;
pub mod demp;
pub mod dendrogram;
pub mod dip;
pub mod dirichlet;
mod dirichlet_merges;
pub mod discriminant;
mod drawing;
mod evidence;
mod gaussian_mixture;
pub mod gmm;
mod halves;
pub mod kmeans;
mod labels;
mod lanes;
mod level_agreement;
pub mod levels;
mod linkage;
mod lloyd;
pub mod merging;
mod moments;
pub mod niw;
mod points;
pub mod principal;
mod prior;
pub mod prune;
mod scorer;
mod seeding;
mod shared;
mod singles;
pub mod split_merge;
mod sticks;

pub mod subspace;
#[cfg(test)]
mod tests;
mod threshold;
mod triangle;
mod whitened;
mod within;

pub use cluster_count::{ClusterCountReport, Doubt, ThresholdTrial};
pub use covariance::{Covariance, CovarianceType, NotPositiveDefinite, Whitening};
pub use gaussian_mixture::Mixture;
pub use levels::{Hierarchy, Level, NumberTrial};
pub use prior::Covariances;
pub use whitened::Whitened;

pub(crate) use self::moments::column_moments;
pub(crate) use crate::base::arrays::{elements, matrix};
