//! Layers one after the other.

use burn::module::{Module, Param};
use burn::nn::Linear;
use burn::tensor::{Tensor, TensorData, activation::relu, backend::Backend};
use rand::{Rng, RngExt};

use super::Shape;
use super::convolution::{Direction, Kernel};
use crate::random::uniform;
use crate::trained::{self, Activation};

/// Layers with an activation between them; the last is linear. Weights start Glorot-uniform, biases at zero (Glorot
/// and Bengio, 2010, equation 16). ReLU follows fully connected layers, leaky ReLU of slope .01 the others (Ghasedi
/// Dizaji et al., 2017).
#[derive(Module, Debug)]
pub struct Network<B: Backend> {
    layers: Vec<Layer<B>>,
}

#[derive(Module, Debug)]
enum Layer<B: Backend> {
    Dense(Linear<B>),
    Kernel(Kernel<B>),
}

/// The slope of leaky ReLU.
pub const SLOPE: f32 = 0.01;

/// Values zeroed at random (Srivastava et al., 2014).
pub struct Dropout<'a, R> {
    /// The probability that a value is zeroed.
    pub rate: f64,
    /// What it is drawn from.
    pub rng: &'a mut R,
}

impl<B: Backend> Network<B> {
    /// Layers of these shapes; the same stream gives the same weights on every backend.
    pub fn new(shapes: &[Shape], rng: &mut impl Rng, device: &B::Device) -> Self {
        Self { layers: shapes.iter().map(|shape| Layer::new(shape, Direction::Down, rng, device)).collect() }
    }

    /// The mirror of layers of these shapes: from the last one's outputs to the first one's inputs.
    pub fn mirror(shapes: &[Shape], rng: &mut impl Rng, device: &B::Device) -> Self {
        Self { layers: shapes.iter().rev().map(|shape| Layer::new(shape, Direction::Up, rng, device)).collect() }
    }

    /// Fully connected layers of these widths, from input to output.
    pub fn dense(widths: &[usize], rng: &mut impl Rng, device: &B::Device) -> Self {
        let shapes = widths.windows(2).map(|pair| Shape::Dense { inputs: pair[0], outputs: pair[1] });
        Self::new(&shapes.collect::<Vec<_>>(), rng, device)
    }

    /// One linear layer of given numbers: `inputs x outputs` weights, row-major, and `outputs` biases.
    pub fn linear(weights: Vec<f32>, bias: Vec<f32>, device: &B::Device) -> Self {
        let outputs = bias.len();
        let shape = [weights.len() / outputs.max(1), outputs];
        let weight = Param::from_tensor(Tensor::from_data(TensorData::new(weights, shape), device));
        let bias = Param::from_tensor(Tensor::from_data(TensorData::new(bias, [outputs]), device));
        Self { layers: vec![Layer::Dense(Linear { weight, bias: Some(bias) })] }
    }

    /// `N x inputs` to `N x outputs`.
    pub fn forward(&self, x: Tensor<B, 2>) -> Tensor<B, 2> {
        (0..self.layers.len()).fold(x, |x, index| self.layer(index, x))
    }

    /// What every layer gives, the first one's output first, after its activation.
    pub fn outputs(&self, x: Tensor<B, 2>) -> Vec<Tensor<B, 2>> {
        let outputs = (0..self.layers.len()).scan(x, |x, index| {
            *x = self.layer(index, x.clone());
            Some(x.clone())
        });
        outputs.collect()
    }

    /// [`Self::forward`] with noise before every layer.
    pub fn corrupted(&self, x: Tensor<B, 2>, dropout: &mut Dropout<impl Rng>) -> Tensor<B, 2> {
        (0..self.layers.len()).fold(x, |x, index| self.layer(index, dropout.apply(x)))
    }

    fn layer(&self, index: usize, x: Tensor<B, 2>) -> Tensor<B, 2> {
        let layer = &self.layers[index];
        let sums = layer.forward(x);
        match (index + 1 == self.layers.len(), layer.between()) {
            (false, Activation::LeakyRelu(slope)) => burn::tensor::activation::leaky_relu(sums, slope.into()),
            (false, _) => relu(sums),
            (true, _) => sums,
        }
    }

    /// The last layer's numbers, if it is fully connected.
    pub fn to_linear(&self) -> Option<trained::Dense> {
        match self.layers.last()?.to_plain(Activation::Identity) {
            trained::Layer::Dense(dense) => Some(dense),
            trained::Layer::Convolution(_) => None,
        }
    }

    /// The layers' numbers; `last` follows the last one.
    ///
    /// # Panics
    /// On a mirror's transposed convolutions, which no exported encoder has.
    pub fn to_layers(&self, last: Activation) -> Vec<trained::Layer> {
        let count = self.layers.len();
        let plain = |(index, layer): (usize, &Layer<B>)| {
            layer.to_plain(if index + 1 == count { last } else { layer.between() })
        };
        self.layers.iter().enumerate().map(plain).collect()
    }
}

impl<B: Backend> Layer<B> {
    fn new(shape: &Shape, direction: Direction, rng: &mut impl Rng, device: &B::Device) -> Self {
        match (*shape, direction) {
            (Shape::Dense { inputs, outputs }, Direction::Down) => Self::dense(inputs, outputs, rng, device),
            (Shape::Dense { inputs, outputs }, Direction::Up) => Self::dense(outputs, inputs, rng, device),
            (Shape::Convolution(geometry), _) => Self::Kernel(Kernel::new(geometry, direction, rng, device)),
        }
    }

    fn dense(inputs: usize, outputs: usize, rng: &mut impl Rng, device: &B::Device) -> Self {
        let bound = (6.0 / (inputs + outputs) as f64).sqrt();
        let weights = TensorData::new(uniform(inputs * outputs, bound, rng), [inputs, outputs]);
        Self::Dense(Linear {
            weight: Param::from_tensor(Tensor::from_data(weights, device)),
            bias: Some(Param::from_tensor(Tensor::zeros([outputs], device))),
        })
    }

    fn forward(&self, x: Tensor<B, 2>) -> Tensor<B, 2> {
        match self {
            Self::Dense(linear) => linear.forward(x),
            Self::Kernel(kernel) => kernel.forward(x),
        }
    }

    /// What follows the layer where another comes after it.
    fn between(&self) -> Activation {
        match self {
            Self::Dense(_) => Activation::Relu,
            Self::Kernel(_) => Activation::LeakyRelu(SLOPE),
        }
    }

    fn to_plain(&self, activation: Activation) -> trained::Layer {
        match self {
            Self::Dense(linear) => {
                let [inputs, outputs] = linear.weight.dims();
                let bias = linear.bias.as_ref().map_or_else(|| vec![0.0; outputs], |b| numbers(b.val()));
                let weights = numbers(linear.weight.val().transpose());
                trained::Layer::Dense(trained::Dense { inputs, outputs, weights, bias, activation })
            }
            Self::Kernel(kernel) => trained::Layer::Convolution(kernel.to_plain(activation)),
        }
    }
}

impl<R: Rng> Dropout<'_, R> {
    /// Zeroes values at random and scales up the others.
    pub fn apply<B: Backend>(&mut self, x: Tensor<B, 2>) -> Tensor<B, 2> {
        let [n, width] = x.dims();
        let kept = (1.0 / (1.0 - self.rate)) as f32;
        let gate = |_| if self.rng.random::<f64>() < self.rate { 0.0 } else { kept };
        let mask = TensorData::new((0..n * width).map(gate).collect::<Vec<f32>>(), [n, width]);
        x.clone() * Tensor::from_data(mask, &x.device())
    }
}

/// A tensor's numbers, row-major.
pub(super) fn numbers<B: Backend, const D: usize>(tensor: Tensor<B, D>) -> Vec<f32> {
    tensor.into_data().iter::<f32>().collect()
}
