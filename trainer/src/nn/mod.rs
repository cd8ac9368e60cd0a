//! Networks.

mod autoencoder;
mod mlp;
#[cfg(test)]
mod tests;

pub use autoencoder::{Autoencoder, Latent};
pub use mlp::Mlp;
