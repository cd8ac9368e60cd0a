//! Autoencoder, plain or variational.

use burn::module::Module;
use burn::tensor::{Tensor, TensorData, backend::Backend};
use rand::Rng;

use super::activation::HiddenActivation;
use super::layers::LayerShape;
use super::network::Network;
use super::starting::StartingEncoder;
use crate::base::random::normal;

/// An encoder and its mirror, the decoder. A variational one (Kingma and Welling, "Auto-Encoding Variational Bayes", 2014)
/// has a mean and a log variance for each latent dimension; a plain one has only a mean.
///
/// ```
/// use burn::backend::Flex;
/// use burn::tensor::Tensor;
/// use edgemix::nn::{Architecture, Autoencoder};
/// use edgemix::random::stream;
///
/// let device = Default::default();
/// let shapes = Architecture::dense(&[8, 2]).shapes(4, None)?;
/// let autoencoder = Autoencoder::<Flex>::new(&shapes, true, &mut stream(0, "weights", 0), &device);
/// let latent = autoencoder.encode(Tensor::ones([3, 4], &device));
/// assert_eq!((latent.mean.dims(), latent.log_variance.unwrap().dims()), ([3, 2], [3, 2]));
/// assert_eq!(autoencoder.decode(latent.mean).dims(), [3, 4]);
/// # Ok::<(), edgemix::nn::LayerError>(())
/// ```
#[derive(Module, Debug)]
pub struct Autoencoder<B: Backend> {
    encoder: Network<B>,
    decoder: Network<B>,
    dims: usize,
}

/// The distribution of a batch's latents given the samples, `q(z|x)`.
///
/// ```
/// use burn::backend::Flex;
/// use burn::tensor::Tensor;
/// use edgemix::nn::Latent;
/// use edgemix::random::stream;
///
/// let mean = Tensor::<Flex, 2>::from_data([[1.0, 2.0]], &Default::default());
/// let plain = Latent { mean: mean.clone(), log_variance: None };
/// let variational = Latent { mean: mean.clone(), log_variance: Some(mean.zeros_like()) };
/// let draw = |latent: &Latent<Flex>| latent.sample(&mut stream(0, "noise", 0)).into_data();
/// assert_eq!(draw(&plain), mean.clone().into_data());
/// assert_ne!(draw(&variational), mean.into_data());
/// ```
#[derive(Clone, Debug)]
pub struct Latent<B: Backend> {
    /// The means, `N x D`.
    pub mean: Tensor<B, 2>,
    /// The log variances, `N x D`; `None` for a plain autoencoder.
    pub log_variance: Option<Tensor<B, 2>>,
}

impl<B: Backend> Autoencoder<B> {
    /// Creates an encoder with layers of these sizes, and its mirror; the weights are drawn from `rng`. The last layer of
    /// a variational encoder must be fully connected.
    pub fn new(shapes: &[LayerShape], variational: bool, rng: &mut impl Rng, device: &B::Device) -> Self {
        let dims = shapes.last().map_or(0, LayerShape::outputs);
        let mut encoder = shapes.to_vec();
        if variational && let Some(LayerShape::Dense(last)) = encoder.last_mut() {
            last.outputs *= 2;
        }
        Self { encoder: Network::new(&encoder, rng, device), decoder: Network::mirror(shapes, rng, device), dims }
    }

    /// An encoder with given weights, and its mirror with weights drawn from `rng`, as are the log variances of a variational
    /// encoder.
    pub(crate) fn starting_from(
        start: &StartingEncoder,
        variational: bool,
        rng: &mut impl Rng,
        device: &B::Device,
    ) -> Self {
        let Self { encoder, decoder, dims } = Self::new(&start.shapes(), variational, rng, device);
        let encoder = Network::starting_from(start, device).with_outputs_of(encoder);
        Self { encoder, decoder: decoder.with_activations(start.mirrored_activations()), dims }
    }

    /// The same autoencoder with another activation of the hidden layers.
    #[must_use]
    pub fn activated(self, hidden: HiddenActivation) -> Self {
        Self { encoder: self.encoder.activated(hidden), decoder: self.decoder.activated(hidden), dims: self.dims }
    }

    /// Maps `N x inputs` samples to `q(z|x)`.
    pub fn encode(&self, x: Tensor<B, 2>) -> Latent<B> {
        self.latent(self.encoder.forward(x))
    }

    /// [`Self::encode`] with weights and activations rounded to the values that int8 can represent.
    pub fn encode_rounded(&self, x: Tensor<B, 2>) -> Latent<B> {
        self.latent(self.encoder.rounded(x))
    }

    /// This autoencoder with the weights of another one with the same layers, whether or not the other one is variational: what
    /// both have is the other's, and log variances that only this one has stay its own.
    pub(crate) fn adopting(self, other: Self) -> Self {
        Self { encoder: other.encoder.with_outputs_of(self.encoder), decoder: other.decoder, dims: self.dims }
    }

    fn latent(&self, out: Tensor<B, 2>) -> Latent<B> {
        let wide = out.dims()[1];
        if wide == self.dims {
            return Latent { mean: out, log_variance: None };
        }
        let mean = out.clone().narrow(1, 0, self.dims);
        Latent { mean, log_variance: Some(out.narrow(1, self.dims, self.dims).clamp(-10.0, 10.0)) }
    }

    /// Maps `N x D` latents to `N x inputs` reconstructions.
    pub fn decode(&self, z: Tensor<B, 2>) -> Tensor<B, 2> {
        self.decoder.forward(z)
    }

    /// The encoder.
    ///
    /// ```
    /// # use burn::{backend::Flex, tensor::Tensor};
    /// # use edgemix::nn::{Architecture, Autoencoder};
    /// # use edgemix::random::stream;
    /// # let device = Default::default();
    /// let shapes = Architecture::dense(&[8, 2]).shapes(4, None)?;
    /// let autoencoder = Autoencoder::<Flex>::new(&shapes, false, &mut stream(0, "weights", 0), &device);
    /// let z = autoencoder.encoder().forward(Tensor::ones([3, 4], &device));
    /// assert_eq!((z.dims(), autoencoder.decoder().forward(z).dims()), ([3, 2], [3, 4]));
    /// # Ok::<(), edgemix::nn::LayerError>(())
    /// ```
    pub fn encoder(&self) -> &Network<B> {
        &self.encoder
    }

    /// The decoder.
    pub fn decoder(&self) -> &Network<B> {
        &self.decoder
    }
}

impl<B: Backend> Latent<B> {
    /// Draws `N x D` latents from `q(z|x)` by the reparametrisation trick (Kingma and Welling, "Auto-Encoding Variational
    /// Bayes", 2014, section 2.4); returns the means if there are no variances.
    pub fn sample(&self, rng: &mut impl Rng) -> Tensor<B, 2> {
        let Some(log_variance) = &self.log_variance else { return self.mean.clone() };
        let [n, dims] = self.mean.dims();
        let noise = Tensor::from_data(TensorData::new(normal(n * dims, rng), [n, dims]), &self.mean.device());
        self.mean.clone() + (log_variance.clone() * 0.5).exp() * noise
    }
}
