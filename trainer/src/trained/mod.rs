//! A trained model as plain f32 numbers, independent of any backend. Methods return it; evaluation and export read it.

mod activation;
mod autoencoders;
mod decoder;
mod decoding;
mod draw;
mod head;
mod layers;
mod level;
mod model;

pub use activation::Activation;
pub use autoencoders::{Autoencoders, LOG_VARIANCES, Pair};
pub use decoder::{Decoder, DecoderOutputs, Decoders, Picture};
pub use draw::{DrawError, Drawn};
pub use head::Head;
pub(crate) use layers::CHUNK;
pub use layers::*;
pub use level::{LevelChoice, NoLevel};
pub use model::{AssignError, Trained};
