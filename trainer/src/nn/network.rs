//! Networks: sequences of layers.

use burn::module::Module;
use burn::tensor::{Tensor, backend::Backend};
use rand::Rng;

use super::activation::{HiddenActivation, activate};
use super::dropout::Dropout;
use super::layers::{DenseShape, Direction, Layer, LayerShape};
use super::starting::{InputMap, StartingEncoder};
use crate::trained::{self, Activation};

/// A sequence of layers. Each layer but the last has an activation: unless another one is chosen ([`Self::activated`]), ReLU
/// after fully connected layers, and leaky ReLU of slope 0.01 after convolutions (Ghasedi Dizaji, Herandi, Deng, Cai and
/// Huang, "Deep Clustering via Joint Convolutional Autoencoder Embedding and Relative Entropy Minimization", 2017).
///
/// The initial weights are drawn uniformly, as in equation 16 of Glorot and Bengio, "Understanding the difficulty of
/// training deep feedforward neural networks", 2010. The initial biases are zero.
///
/// ```
/// use burn::backend::Flex;
/// use burn::tensor::Tensor;
/// use edgemix::nn::Network;
///
/// // y = 2 a - b + 1.
/// let device = Default::default();
/// let network = Network::<Flex>::linear(vec![2.0, -1.0], vec![1.0], &device);
/// assert_eq!(network.forward(Tensor::from_data([[3.0, 4.0]], &device)).into_scalar(), 3.0);
/// assert_eq!(network.to_linear().unwrap().weights, [2.0, -1.0]);
/// ```
#[derive(Module, Debug)]
pub struct Network<B: Backend> {
    layers: Vec<Layer<B>>,
    #[module(skip)]
    hidden: HiddenActivation,
    /// The activation of each layer, if it does not depend on the kind of the layer alone; otherwise none.
    #[module(skip)]
    activations: Vec<Activation>,
    /// What happens to the inputs before the first layer, if anything.
    #[module(skip)]
    inputs: Option<InputMap>,
}

impl<B: Backend> Network<B> {
    /// Creates layers of these sizes. The same stream of random numbers gives the same weights on every backend.
    ///
    /// ```
    /// use burn::backend::Flex;
    /// use edgemix::nn::{Architecture, Network};
    /// use edgemix::random::stream;
    /// use edgemix::trained::Activation;
    ///
    /// let shapes = Architecture::dense(&[3, 2]).shapes(4, None)?;
    /// let weights = |seed| {
    ///     let network = Network::<Flex>::new(&shapes, &mut stream(seed, "weights", 0), &Default::default());
    ///     network.to_layers(Activation::Identity)
    /// };
    /// assert_eq!(weights(0), weights(0));
    /// assert_ne!(weights(0), weights(1));
    /// # Ok::<(), edgemix::nn::LayerError>(())
    /// ```
    pub fn new(shapes: &[LayerShape], rng: &mut impl Rng, device: &B::Device) -> Self {
        Self::of(shapes.iter().map(|shape| Layer::new(shape, Direction::Encode, rng, device)).collect())
    }

    /// The mirror of layers of these sizes: a network from the last layer's outputs back to the first layer's inputs.
    ///
    /// ```
    /// use burn::backend::Flex;
    /// use burn::tensor::Tensor;
    /// use edgemix::nn::{Architecture, Network};
    /// use edgemix::random::stream;
    ///
    /// let device = Default::default();
    /// let shapes = Architecture::dense(&[3, 2]).shapes(4, None)?;
    /// let mirror = Network::<Flex>::mirror(&shapes, &mut stream(0, "weights", 0), &device);
    /// assert_eq!(mirror.forward(Tensor::ones([1, 2], &device)).dims(), [1, 4]);
    /// # Ok::<(), edgemix::nn::LayerError>(())
    /// ```
    pub fn mirror(shapes: &[LayerShape], rng: &mut impl Rng, device: &B::Device) -> Self {
        Self::of(shapes.iter().rev().map(|shape| Layer::new(shape, Direction::Decode, rng, device)).collect())
    }

    fn of(layers: Vec<Layer<B>>) -> Self {
        Self { layers, hidden: HiddenActivation::Auto, activations: vec![], inputs: None }
    }

    /// The layers of an encoder that begins with given weights, with their activations.
    pub(super) fn starting_from(start: &StartingEncoder, device: &B::Device) -> Self {
        let layers = start.layers.iter().map(|layer| Layer::from_plain(layer, device)).collect();
        Self { inputs: start.inputs.clone(), ..Self::of(layers).with_activations(start.activations()) }
    }

    /// The same layers, each with an activation of its own; that of the last one counts only where it is asked for.
    pub(super) fn with_activations(self, activations: Vec<Activation>) -> Self {
        Self { activations, ..self }
    }

    /// The same layers with another activation after all but the last, unless each has its own.
    ///
    /// ```
    /// use burn::backend::Flex;
    /// use burn::tensor::Tensor;
    /// use edgemix::nn::{HiddenActivation, Network};
    /// use edgemix::random::stream;
    ///
    /// let network = Network::<Flex>::dense(&[2, 3, 1], &mut stream(0, "weights", 0), &Default::default());
    /// let bounded = network.activated(HiddenActivation::Tanh);
    /// let hidden = bounded.outputs(Tensor::ones([1, 2], &Default::default()) * 100.0)[0].clone().abs().max();
    /// assert!(hidden.into_scalar() <= 1.0);
    /// ```
    #[must_use]
    pub fn activated(self, hidden: HiddenActivation) -> Self {
        Self { hidden, ..self }
    }

    /// Fully connected layers of these widths, from the input to the output.
    ///
    /// ```
    /// use burn::backend::Flex;
    /// use burn::tensor::Tensor;
    /// use edgemix::nn::Network;
    /// use edgemix::random::stream;
    ///
    /// let device = Default::default();
    /// let network = Network::<Flex>::dense(&[4, 3, 2], &mut stream(0, "weights", 0), &device);
    /// let outputs = network.outputs(Tensor::ones([5, 4], &device));
    /// assert_eq!((outputs[0].dims(), outputs[1].dims()), ([5, 3], [5, 2]));
    /// ```
    pub fn dense(widths: &[usize], rng: &mut impl Rng, device: &B::Device) -> Self {
        let shape = |pair: &[usize]| LayerShape::Dense(DenseShape { inputs: pair[0], outputs: pair[1] });
        Self::new(&widths.windows(2).map(shape).collect::<Vec<_>>(), rng, device)
    }

    /// One linear layer with these `inputs x outputs` weights, row-major, and these `outputs` biases.
    pub fn linear(weights: Vec<f32>, bias: Vec<f32>, device: &B::Device) -> Self {
        Self::of(vec![Layer::dense(weights, bias, device)])
    }

    /// This network with as many outputs as another one, which differs at most in the number of outputs of its last, fully
    /// connected layer: outputs that this one lacks are the other's, and those that the other lacks are left out.
    pub(super) fn with_outputs_of(mut self, mut other: Self) -> Self {
        let last = match (self.layers.pop(), other.layers.pop()) {
            (Some(Layer::Dense(own)), Some(Layer::Dense(last))) => Some(Layer::Dense(own.with_outputs_of(&last))),
            (own, _) => own,
        };
        self.layers.extend(last);
        self
    }

    /// Maps `N x inputs` values to `N x outputs`.
    pub fn forward(&self, x: Tensor<B, 2>) -> Tensor<B, 2> {
        (0..self.layers.len()).fold(self.prepared(x), |x, index| self.forward_layer(index, x))
    }

    /// The output of every layer after its activation, `N x outputs` of the layer, beginning with the first layer.
    pub fn outputs(&self, x: Tensor<B, 2>) -> Vec<Tensor<B, 2>> {
        let outputs = (0..self.layers.len()).scan(self.prepared(x), |x, index| {
            *x = self.forward_layer(index, x.clone());
            Some(x.clone())
        });
        outputs.collect()
    }

    /// [`Self::forward`] with dropout before every layer that has weights.
    ///
    /// ```
    /// # use burn::{backend::Flex, tensor::Tensor};
    /// # use edgemix::nn::{Dropout, Network};
    /// # use edgemix::random::stream;
    /// # let device = Default::default();
    /// // The mean of 101 ones, with and without dropout.
    /// let mean = Network::<Flex>::linear(vec![1.0 / 101.0; 101], vec![0.0], &device);
    /// let mean_at = |rate| {
    ///     let mut rng = stream(0, "noise", 0);
    ///     mean.corrupted(Tensor::ones([1, 101], &device), &mut Dropout { rate, rng: &mut rng }).into_scalar()
    /// };
    /// assert!((mean_at(0.0) - 1.0).abs() < 1e-5);
    /// assert!((0.005..0.5).contains(&(mean_at(0.5) - 1.0).abs()));
    /// ```
    pub fn corrupted(&self, x: Tensor<B, 2>, dropout: &mut Dropout<impl Rng>) -> Tensor<B, 2> {
        (0..self.layers.len()).fold(self.prepared(x), |x, index| {
            let has_weights = self.layers[index].as_trainable().has_weights();
            self.forward_layer(index, if has_weights { dropout.apply(x) } else { x })
        })
    }

    /// [`Self::forward`] with weights and activations rounded to the values that int8 can represent. Gradients ignore the
    /// rounding, as in the straight-through estimator (Bengio, Léonard and Courville, "Estimating or Propagating Gradients
    /// Through Stochastic Neurons for Conditional Computation", 2013).
    ///
    /// ```
    /// use burn::backend::Flex;
    /// use burn::tensor::Tensor;
    /// use edgemix::nn::Network;
    ///
    /// // Weights become multiples of 1/127 of the greatest one.
    /// let device = Default::default();
    /// let network = Network::<Flex>::linear(vec![12.7, 0.26], vec![0.0], &device);
    /// let y = network.rounded(Tensor::from_data([[0.0, 1.0]], &device)).into_scalar();
    /// assert!((y - 0.3).abs() < 1e-5);
    /// ```
    pub fn rounded(&self, x: Tensor<B, 2>) -> Tensor<B, 2> {
        (0..self.layers.len()).fold(self.prepared(x), |x, index| {
            let y = self.layers[index].as_trainable().forward_rounded(x);
            activate(self.activation(index, Activation::Identity), y)
        })
    }

    /// The inputs as the first layer takes them.
    fn prepared(&self, x: Tensor<B, 2>) -> Tensor<B, 2> {
        match &self.inputs {
            None => x,
            Some(map) => map.apply(x),
        }
    }

    fn forward_layer(&self, index: usize, x: Tensor<B, 2>) -> Tensor<B, 2> {
        activate(self.activation(index, Activation::Identity), self.layers[index].as_trainable().forward(x))
    }

    /// The activation of a layer; `last` is that of the last one.
    fn activation(&self, index: usize, last: Activation) -> Activation {
        if index + 1 == self.layers.len() {
            return last;
        }
        let by_kind = || self.hidden.after(self.layers[index].as_trainable().activation());
        self.activations.get(index).copied().unwrap_or_else(by_kind)
    }

    /// The weights and biases of the last layer, if it is fully connected.
    pub fn to_linear(&self) -> Option<trained::Dense> {
        self.layers.last()?.as_trainable().to_plain(Activation::Identity).into_dense()
    }

    /// The layers as plain numbers; `last` is the activation of the last one. What happens to the inputs before the first layer
    /// is not among them.
    ///
    /// # Panics
    /// If the network is the mirror of one with convolutions or poolings, which a model file can't hold.
    pub fn to_layers(&self, last: Activation) -> Vec<trained::Layer> {
        let plain = |(index, layer): (usize, &Layer<B>)| layer.as_trainable().to_plain(self.activation(index, last));
        self.layers.iter().enumerate().map(plain).collect()
    }

    /// The layers of a decoder as plain numbers; the last one has no activation.
    ///
    /// # Panics
    /// If the network is an encoder with convolutions or poolings.
    pub(crate) fn to_decoder_layers(&self) -> Vec<trained::DecoderLayer> {
        let layers = self.layers.iter().enumerate();
        layers.map(|(index, layer)| layer.to_decoder_layer(self.activation(index, Activation::Identity))).collect()
    }
}
