//! The methods, each in a file that follows its paper: objective, update, schedule.
//!
//! A method's settings implement `MethodSettings`: its name, its paper's encoder, and its phases. Methods that refit
//! clusters between epochs and pull the latents towards them share `common::pulled`; each of them defines only how
//! clusters are found and which loss pulls the latents. Methods whose clusters learn together with the encoder share
//! `common::joint`.

mod abc;
mod adaptive_gmm;
mod alpha_jsd;
mod clusters;
mod common;
mod config;
mod dcan;
mod dcn;
mod dec;
mod definition;
mod depict;
mod dpm;
mod encoder_choice;
mod grow;
mod kdvae;
mod kld;
mod on_features;
mod ranges;
mod registry;
#[cfg(test)]
mod tests;
mod two_step;
mod vade;

pub use abc::Abc;
pub use adaptive_gmm::AdaptiveGmm;
pub use alpha_jsd::{AlphaJsd, DivergenceSide};
pub use clusters::{Clusters, ClustersError};
pub use common::reconstruction::ReconstructionTarget;
pub use config::{CheckedConfig, FitConfig};
pub use dcan::Dcan;
pub use dcn::Dcn;
pub use dec::{Dec, Idec};
pub use depict::{Depict, HeadStart, SoftmaxStart, TargetRule};
pub use dpm::Dpm;
pub use encoder_choice::EncoderChoice;
pub use grow::{ExportedHead, Grow};
pub use kdvae::{Export, KAutoencoders, KDae, KDvae, Likelihood, StartClusters};
pub use kld::Kld;
pub use on_features::{FeatureGmm, FeatureKMeans};
pub use registry::MethodConfig;
pub use two_step::{AeGmm, AeKMeans, VaeKMeans};
pub use vade::Vade;
