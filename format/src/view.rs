//! What a reader sees of a checked model: every tensor is a slice of the file, and nothing is left that could fail.

pub use crate::file::File;
pub use crate::limits::{
    MAX_BIAS, MAX_CENTER, MAX_FRAMES, MAX_FRONT_ENDS, MAX_INPUTS, MAX_INSTANTS, MAX_LATENT, MAX_LAYERS, MAX_LEVELS,
    MAX_SECTIONS,
};
pub use crate::parts::activation::Activation;
pub use crate::parts::autoencoders::{Autoencoders, PairLayers};
pub use crate::parts::calibration::{Calibration, HeldOut};
pub use crate::parts::conv2d::Conv2d;
pub use crate::parts::dense::Dense;
pub use crate::parts::filter::Filter;
pub use crate::parts::front_end::{FrontEnd, FrontEnds, macs as front_end_macs, scratch as front_end_scratch};
pub use crate::parts::head::Head;
pub use crate::parts::hierarchy::Hierarchy;
pub use crate::parts::input::Input;
pub use crate::parts::layer::{Layer, Layers};
pub use crate::parts::mixture::Mixture;
pub use crate::parts::requantize::Requantize;
pub use crate::parts::same::*;
pub use crate::parts::sample::Sample;
pub use crate::parts::softmax::Softmax;
pub use crate::parts::spectrum::Spectrum;
pub use crate::parts::transitions::Transitions;
