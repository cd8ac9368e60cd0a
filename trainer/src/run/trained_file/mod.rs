//! The trained model in floating point as one safetensors file.
//!
//! The tensors are the weights, biases, mixture and scaling; the rest is JSON in the entry `edgemix` of the file's metadata.
//! Everything is checked when a file is read: the version, the type and shape of each tensor, whether the parts fit
//! together, and a checksum of the whole content.

mod decoder;
mod error;
mod heads;
mod hierarchy;
mod layers;
mod model;
mod tensors;
#[cfg(test)]
mod tests;
mod version;

pub use error::TrainedFileError;
pub use model::{read_trained, write_trained};
