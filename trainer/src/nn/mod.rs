//! Networks.

mod adam;
mod architecture;
mod autoencoder;
mod convolution;
mod network;
mod rounding;
#[cfg(test)]
mod tests;

pub(crate) use adam::{AdamOf, adam};
pub use architecture::{Architecture, ArchitectureError, Shape};
pub use autoencoder::{Autoencoder, Latent};
pub use network::{Dropout, Network, SLOPE};
