//! Trainable networks: architectures, layers, autoencoders, and Adam.

mod activation;
mod adam;
mod architecture;
mod autoencoder;
mod dropout;
mod host;
mod layers;
mod network;
mod optimized;
mod optimizer;
mod record;
mod rounding;
mod starting;
#[cfg(test)]
mod tests;
mod values;

pub use activation::HiddenActivation;
pub(crate) use activation::softplus;
pub use architecture::{Architecture, ArchitectureError};
pub use autoencoder::{Autoencoder, Latent};
pub use dropout::Dropout;
pub(crate) use host::has_host_tensors;
pub use layers::{DenseShape, LayerError, LayerShape, SLOPE};
pub use network::Network;
pub(crate) use optimized::{Optimized, OptimizedState, with_weights};
pub use optimizer::Optimizer;
pub use record::RecordError;
pub(crate) use starting::{InputMap, StartingEncoder};
