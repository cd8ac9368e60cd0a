//! The parts of a model. A part's file holds everything of it: how the description encodes it, what a reader sees of it,
//! its checks, and its memory, flash and multiply-accumulates.
//!
//! A type that a description encodes has a name in `Record` where the reader's view is another type. Writers fill records
//! and encode them with serde; a view borrows its tensors from the file and holds nothing that could fail.

pub(crate) mod activation;
pub(crate) mod affine;
pub(crate) mod autoencoders;
pub(crate) mod calibration;
pub(crate) mod conv2d;
pub(crate) mod dense;
pub(crate) mod filter;
pub(crate) mod fingerprint;
pub(crate) mod front_end;
pub(crate) mod head;
pub(crate) mod hierarchy;
pub(crate) mod input;
pub(crate) mod latent;
pub(crate) mod layer;
pub(crate) mod mixture;
pub(crate) mod pool2d;
pub(crate) mod requantize;
pub(crate) mod sample;
pub(crate) mod softmax;
pub(crate) mod spectrum;
pub(crate) mod transitions;
pub(crate) mod window;

/// Parts that are the same for writers and readers, since they have no tensors of their own.
pub(crate) mod same {
    pub use super::affine::Affine;
    pub use super::fingerprint::Fingerprint;
    pub use super::latent::Latent;
    pub use super::mixture::Covariance;
    pub use super::pool2d::{Pool2d, Pooling};
    pub use super::spectrum::{FramePooling, Statistics};
    pub use super::window::Window;
}
