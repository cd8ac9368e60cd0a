//! Autoencoder, plain or variational.

use burn::module::Module;
use burn::tensor::{Tensor, TensorData, backend::Backend};
use rand::Rng;

use super::{Network, Shape};
use crate::random::normal;

/// An encoder and its mirror. A variational one (Kingma and Welling, 2014) gives a mean and a log variance per latent
/// dimension; a plain one only the mean.
#[derive(Module, Debug)]
pub struct Autoencoder<B: Backend> {
    encoder: Network<B>,
    decoder: Network<B>,
    latent: usize,
}

/// What an encoder gives for a batch: `q(z|x)`.
#[derive(Clone, Debug)]
pub struct Latent<B: Backend> {
    /// `N x D`.
    pub mean: Tensor<B, 2>,
    /// `N x D`; none for a plain autoencoder.
    pub log_variance: Option<Tensor<B, 2>>,
}

impl<B: Backend> Autoencoder<B> {
    /// An encoder of these layers and their mirror; the weights are drawn from `rng`. A variational one's last layer must
    /// be fully connected.
    pub fn new(shapes: &[Shape], variational: bool, rng: &mut impl Rng, device: &B::Device) -> Self {
        let latent = shapes.last().map_or(0, Shape::outputs);
        let mut down = shapes.to_vec();
        if variational && let Some(Shape::Dense { outputs, .. }) = down.last_mut() {
            *outputs *= 2;
        }
        Self { encoder: Network::new(&down, rng, device), decoder: Network::mirror(shapes, rng, device), latent }
    }

    /// `N x inputs` to `q(z|x)`.
    pub fn encode(&self, x: Tensor<B, 2>) -> Latent<B> {
        let out = self.encoder.forward(x);
        let wide = out.dims()[1];
        if wide == self.latent {
            return Latent { mean: out, log_variance: None };
        }
        let mean = out.clone().narrow(1, 0, self.latent);
        Latent { mean, log_variance: Some(out.narrow(1, self.latent, self.latent).clamp(-10.0, 10.0)) }
    }

    /// `N x D` to `N x inputs`.
    pub fn decode(&self, z: Tensor<B, 2>) -> Tensor<B, 2> {
        self.decoder.forward(z)
    }

    /// The encoder.
    pub fn encoder(&self) -> &Network<B> {
        &self.encoder
    }

    /// The decoder.
    pub fn decoder(&self) -> &Network<B> {
        &self.decoder
    }
}

impl<B: Backend> Latent<B> {
    /// The mean, or a draw from `q(z|x)` by the reparametrisation trick.
    pub fn sample(&self, rng: &mut impl Rng) -> Tensor<B, 2> {
        let Some(log_variance) = &self.log_variance else { return self.mean.clone() };
        let [n, dims] = self.mean.dims();
        let noise = Tensor::from_data(TensorData::new(normal(n * dims, rng), [n, dims]), &self.mean.device());
        self.mean.clone() + (log_variance.clone() * 0.5).exp() * noise
    }
}
