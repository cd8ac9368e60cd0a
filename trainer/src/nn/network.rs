//! Layers one after the other.

use burn::module::{Module, Param};
use burn::nn::Linear;
use burn::tensor::module::linear;
use burn::tensor::{Tensor, TensorData, activation::relu, backend::Backend};
use rand::{Rng, RngExt};

use super::convolution::{Direction, Kernel};
use super::{Shape, rounding};
use crate::random::uniform;
use crate::trained::{self, Activation};

/// Layers with an activation between them; the last is linear. Weights start Glorot-uniform, biases at zero (Glorot
/// and Bengio, 2010, equation 16). ReLU follows fully connected layers, leaky ReLU of slope .01 the others (Ghasedi
/// Dizaji et al., 2017).
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
}

#[derive(Module, Debug)]
enum Layer<B: Backend> {
    Dense(Linear<B>),
    Kernel(Kernel<B>),
}

/// The slope of leaky ReLU.
pub const SLOPE: f32 = 0.01;

/// Values zeroed at random (Srivastava et al., 2014). See [`Network::corrupted`] for an example.
pub struct Dropout<'a, R> {
    /// The probability that a value is zeroed.
    pub rate: f64,
    /// What it is drawn from.
    pub rng: &'a mut R,
}

impl<B: Backend> Network<B> {
    /// Layers of these shapes; the same stream gives the same weights on every backend.
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
    /// # Ok::<(), edgemix::nn::ArchitectureError>(())
    /// ```
    pub fn new(shapes: &[Shape], rng: &mut impl Rng, device: &B::Device) -> Self {
        Self { layers: shapes.iter().map(|shape| Layer::new(shape, Direction::Down, rng, device)).collect() }
    }

    /// The mirror of layers of these shapes: from the last one's outputs to the first one's inputs.
    ///
    /// ```
    /// use burn::backend::Flex;
    /// use burn::tensor::Tensor;
    /// use edgemix::nn::{Architecture, Network};
    /// use edgemix::random::stream;
    ///
    /// let device = Default::default();
    /// let shapes = Architecture::dense(&[3, 2]).shapes(4, None)?;
    /// let back = Network::<Flex>::mirror(&shapes, &mut stream(0, "weights", 0), &device);
    /// assert_eq!(back.forward(Tensor::ones([1, 2], &device)).dims(), [1, 4]);
    /// # Ok::<(), edgemix::nn::ArchitectureError>(())
    /// ```
    pub fn mirror(shapes: &[Shape], rng: &mut impl Rng, device: &B::Device) -> Self {
        Self { layers: shapes.iter().rev().map(|shape| Layer::new(shape, Direction::Up, rng, device)).collect() }
    }

    /// Fully connected layers of these widths, from input to output.
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
        let shapes = widths.windows(2).map(|pair| Shape::Dense { inputs: pair[0], outputs: pair[1] });
        Self::new(&shapes.collect::<Vec<_>>(), rng, device)
    }

    /// One linear layer of given numbers: `inputs x outputs` weights, row-major, and `outputs` biases.
    /// See [`Network`] for an example.
    pub fn linear(weights: Vec<f32>, bias: Vec<f32>, device: &B::Device) -> Self {
        let outputs = bias.len();
        let shape = [weights.len() / outputs.max(1), outputs];
        let weight = Param::from_tensor(Tensor::from_data(TensorData::new(weights, shape), device));
        let bias = Param::from_tensor(Tensor::from_data(TensorData::new(bias, [outputs]), device));
        Self { layers: vec![Layer::Dense(Linear { weight, bias: Some(bias) })] }
    }

    /// `N x inputs` to `N x outputs`. See [`Network`] for an example.
    pub fn forward(&self, x: Tensor<B, 2>) -> Tensor<B, 2> {
        (0..self.layers.len()).fold(x, |x, index| self.layer(index, x))
    }

    /// What every layer gives, the first one's output first, after its activation.
    /// See [`Network::dense`] for an example.
    pub fn outputs(&self, x: Tensor<B, 2>) -> Vec<Tensor<B, 2>> {
        let outputs = (0..self.layers.len()).scan(x, |x, index| {
            *x = self.layer(index, x.clone());
            Some(x.clone())
        });
        outputs.collect()
    }

    /// [`Self::forward`] with noise before every layer.
    ///
    /// ```
    /// # use burn::{backend::Flex, tensor::Tensor};
    /// # use edgemix::nn::{Dropout, Network};
    /// # use edgemix::random::stream;
    /// # let device = Default::default();
    /// // The mean of 101 ones, or of those that are kept.
    /// let mean = Network::<Flex>::linear(vec![1.0 / 101.0; 101], vec![0.0], &device);
    /// let of = |rate| {
    ///     let mut rng = stream(0, "noise", 0);
    ///     mean.corrupted(Tensor::ones([1, 101], &device), &mut Dropout { rate, rng: &mut rng }).into_scalar()
    /// };
    /// assert!((of(0.0) - 1.0).abs() < 1e-5);
    /// assert!((0.005..0.5).contains(&(of(0.5) - 1.0).abs()));
    /// ```
    pub fn corrupted(&self, x: Tensor<B, 2>, dropout: &mut Dropout<impl Rng>) -> Tensor<B, 2> {
        (0..self.layers.len()).fold(x, |x, index| self.layer(index, dropout.apply(x)))
    }

    /// [`Self::forward`] with the weights and activations that int8 would have; gradients are those of the exact ones.
    ///
    /// ```
    /// use burn::backend::Flex;
    /// use burn::tensor::Tensor;
    /// use edgemix::nn::Network;
    ///
    /// // Weights are whole steps of a 127th of the greatest one.
    /// let device = Default::default();
    /// let network = Network::<Flex>::linear(vec![12.7, 0.26], vec![0.0], &device);
    /// let of = |x: [f32; 2]| network.rounded(Tensor::from_data([x], &device)).into_scalar();
    /// assert!((of([0.0, 1.0]) - 0.3).abs() < 1e-5);
    /// ```
    pub fn rounded(&self, x: Tensor<B, 2>) -> Tensor<B, 2> {
        (0..self.layers.len()).fold(x, |x, index| self.activate(index, self.layers[index].rounded(x)))
    }

    fn layer(&self, index: usize, x: Tensor<B, 2>) -> Tensor<B, 2> {
        self.activate(index, self.layers[index].forward(x))
    }

    fn activate(&self, index: usize, sums: Tensor<B, 2>) -> Tensor<B, 2> {
        match (index + 1 == self.layers.len(), self.layers[index].between()) {
            (false, Activation::LeakyRelu(slope)) => burn::tensor::activation::leaky_relu(sums, slope.into()),
            (false, _) => relu(sums),
            (true, _) => sums,
        }
    }

    /// The last layer's numbers, if it is fully connected. See [`Network`] for an example.
    pub fn to_linear(&self) -> Option<trained::Dense> {
        match self.layers.last()?.to_plain(Activation::Identity) {
            trained::Layer::Dense(dense) => Some(dense),
            trained::Layer::Convolution(_) => None,
        }
    }

    /// The layers' numbers; `last` follows the last one. See [`Network::new`] for an example.
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

    fn rounded(&self, x: Tensor<B, 2>) -> Tensor<B, 2> {
        match self {
            Self::Dense(Linear { weight, bias }) => {
                let weight = rounding::weights(weight.val(), 1);
                linear(rounding::activations(x), weight, bias.as_ref().map(Param::val))
            }
            Self::Kernel(kernel) => kernel.rounded(x),
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
    ///
    /// ```
    /// use burn::backend::Flex;
    /// use burn::tensor::Tensor;
    /// use edgemix::nn::Dropout;
    /// use edgemix::random::stream;
    ///
    /// let ones = Tensor::<Flex, 2>::ones([1, 1000], &Default::default());
    /// let mut rng = stream(0, "noise", 0);
    /// let dropped = Dropout { rate: 0.5, rng: &mut rng }.apply(ones).into_data();
    /// // Half of them are gone, the others twice as large.
    /// assert!(dropped.iter::<f32>().all(|x| x == 0.0 || x == 2.0));
    /// assert!((dropped.iter::<f32>().sum::<f32>() - 1000.0).abs() < 200.0);
    /// ```
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
