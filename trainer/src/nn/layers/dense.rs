//! Fully connected layers.

use std::fmt;

use burn::module::{Module, Param};
use burn::nn::Linear;
use burn::tensor::module::linear;
use burn::tensor::{Tensor, TensorData, backend::Backend};
use rand::Rng;

use super::trainable::{Direction, LayerInput, TrainableLayer};
use crate::base::random::uniform;
use crate::nn::rounding;
use crate::nn::values::values;
use crate::trained::{self, Activation};

/// `128`: the number of outputs.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::nn) struct DenseSpelling(pub(in crate::nn) usize);

/// The sizes of a fully connected layer.
///
/// ```
/// use edgemix::nn::{Architecture, DenseShape, LayerShape};
///
/// let shapes = Architecture::dense(&[8]).shapes(64, None)?;
/// assert_eq!(shapes, [LayerShape::Dense(DenseShape { inputs: 64, outputs: 8 })]);
/// # Ok::<(), edgemix::nn::LayerError>(())
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct DenseShape {
    /// Number of inputs.
    pub inputs: usize,
    /// Number of outputs.
    pub outputs: usize,
}

/// A fully connected layer.
#[derive(Module, Debug)]
pub(in crate::nn) struct Dense<B: Backend> {
    linear: Linear<B>,
}

impl DenseSpelling {
    pub(super) const FORM: &str = "a width (128)";

    /// Parses a width, which must not be 0.
    pub(super) fn parse(text: &str) -> Option<Self> {
        text.parse().ok().filter(|&width| width > 0).map(Self)
    }

    pub(super) fn shape(self, input: LayerInput) -> DenseShape {
        DenseShape { inputs: input.len, outputs: self.0 }
    }
}

impl fmt::Display for DenseSpelling {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.0)
    }
}

impl<B: Backend> Dense<B> {
    /// A layer with fresh weights, or the one that maps its outputs back to its inputs.
    pub(super) fn new(shape: DenseShape, direction: Direction, rng: &mut impl Rng, device: &B::Device) -> Self {
        let (inputs, outputs) = match direction {
            Direction::Encode => (shape.inputs, shape.outputs),
            Direction::Decode => (shape.outputs, shape.inputs),
        };
        let bound = (6.0 / (inputs + outputs) as f64).sqrt();
        Self::from_numbers(uniform(inputs * outputs, bound, rng), vec![0.0; outputs], device)
    }

    /// A layer of `inputs x outputs` weights, row-major, and `outputs` biases.
    pub(super) fn from_numbers(weights: Vec<f32>, bias: Vec<f32>, device: &B::Device) -> Self {
        let outputs = bias.len();
        let shape = [weights.len() / outputs.max(1), outputs];
        let weight = Param::from_tensor(Tensor::from_data(TensorData::new(weights, shape), device));
        let bias = Param::from_tensor(Tensor::from_data(TensorData::new(bias, [outputs]), device));
        Self { linear: Linear { weight, bias: Some(bias) } }
    }

    /// A layer with the numbers of a plain one, whose weights are `outputs x inputs`.
    pub(super) fn from_plain(dense: &trained::Dense, device: &B::Device) -> Self {
        let weights = (0..dense.inputs).flat_map(|input| dense.weights[input..].iter().step_by(dense.inputs).copied());
        Self::from_numbers(weights.collect(), dense.bias.clone(), device)
    }
}

impl<B: Backend> Dense<B> {
    /// The layer as plain numbers, with this activation.
    pub(super) fn to_numbers(&self, activation: Activation) -> trained::Dense {
        let [inputs, outputs] = self.linear.weight.dims();
        let bias = self.linear.bias.as_ref().map_or_else(|| vec![0.0; outputs], |bias| values(bias.val()));
        let weights = values(self.linear.weight.val().transpose());
        trained::Dense { inputs, outputs, weights, bias, activation }
    }

    /// This layer with as many outputs as another one: outputs that this one lacks are the other's, and those that the other
    /// lacks are left out.
    pub(in crate::nn) fn with_outputs_of(self, other: &Self) -> Self {
        let numbers = |layer: &Self, outputs: std::ops::Range<usize>| {
            let Linear { weight, bias } = &layer.linear;
            let weight = weight.val().slice_dim(1, outputs.clone());
            (weight, bias.as_ref().map(|bias| bias.val().slice_dim(0, outputs)))
        };
        let ([_, own], [_, all]) = (self.linear.weight.dims(), other.linear.weight.dims());
        let (mut weight, mut bias) = numbers(&self, 0..own.min(all));
        if own < all {
            let (more, offsets) = numbers(other, own..all);
            weight = Tensor::cat(vec![weight, more], 1);
            bias = bias.zip(offsets).map(|(own, more)| Tensor::cat(vec![own, more], 0));
        }
        // A parameter is where gradients end: it does not depend on the layers that it was taken from.
        let bias = bias.map(|bias| Param::from_tensor(bias.detach()));
        Self { linear: Linear { weight: Param::from_tensor(weight.detach()), bias } }
    }
}

impl<B: Backend> TrainableLayer<B> for Dense<B> {
    fn forward(&self, x: Tensor<B, 2>) -> Tensor<B, 2> {
        self.linear.forward(x)
    }

    fn forward_rounded(&self, x: Tensor<B, 2>) -> Tensor<B, 2> {
        let weight = rounding::weights(self.linear.weight.val(), 1);
        linear(rounding::activations(x), weight, self.linear.bias.as_ref().map(Param::val))
    }

    fn activation(&self) -> Activation {
        Activation::Relu
    }

    fn has_weights(&self) -> bool {
        true
    }

    fn to_plain(&self, activation: Activation) -> trained::Layer {
        trained::Layer::Dense(self.to_numbers(activation))
    }
}
