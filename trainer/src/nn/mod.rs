//! Networks.

mod autoencoder;
mod mlp;

pub use autoencoder::{Autoencoder, Latent};
pub use mlp::Mlp;
