//! Multilayer perceptron.

use burn::module::{Module, Param};
use burn::nn::Linear;
use burn::tensor::{Tensor, TensorData, activation::relu, backend::Backend};
use rand::Rng;

use crate::random::uniform;
use crate::trained::{Activation, Dense};

/// Fully connected layers with ReLU between them; the last is linear. Weights start Glorot-uniform, biases at zero
/// (Glorot and Bengio, 2010, equation 16).
#[derive(Module, Debug)]
pub struct Mlp<B: Backend> {
    layers: Vec<Linear<B>>,
}

impl<B: Backend> Mlp<B> {
    /// Layers of these widths, from input to output; the same stream gives the same weights on every backend.
    pub fn new(widths: &[usize], rng: &mut impl Rng, device: &B::Device) -> Self {
        let layers = widths.windows(2).map(|pair| {
            let shape = [pair[0], pair[1]];
            let bound = (6.0 / (pair[0] + pair[1]) as f64).sqrt();
            let weights = TensorData::new(uniform(pair[0] * pair[1], bound, rng), shape);
            Linear {
                weight: Param::from_tensor(Tensor::from_data(weights, device)),
                bias: Some(Param::from_tensor(Tensor::zeros([pair[1]], device))),
            }
        });
        Self { layers: layers.collect() }
    }

    /// One linear layer of given numbers: `inputs x outputs` weights, row-major, and `outputs` biases.
    pub fn linear(weights: Vec<f32>, bias: Vec<f32>, device: &B::Device) -> Self {
        let outputs = bias.len();
        let shape = [weights.len() / outputs.max(1), outputs];
        let weight = Param::from_tensor(Tensor::from_data(TensorData::new(weights, shape), device));
        let bias = Param::from_tensor(Tensor::from_data(TensorData::new(bias, [outputs]), device));
        Self { layers: vec![Linear { weight, bias: Some(bias) }] }
    }

    /// `N x widths[0]` to `N x widths[last]`.
    pub fn forward(&self, x: Tensor<B, 2>) -> Tensor<B, 2> {
        let last = self.layers.len() - 1;
        self.layers.iter().enumerate().fold(x, |x, (index, layer)| {
            let sums = layer.forward(x);
            if index == last { sums } else { relu(sums) }
        })
    }

    /// The layers' numbers; `last` follows the last one.
    pub fn to_dense(&self, last: Activation) -> Vec<Dense> {
        let count = self.layers.len();
        let dense = |(index, layer): (usize, &Linear<B>)| {
            let [inputs, outputs] = layer.weight.dims();
            let numbers = |data: burn::tensor::TensorData| data.iter::<f32>().collect::<Vec<f32>>();
            Dense {
                inputs,
                outputs,
                weights: numbers(layer.weight.val().transpose().into_data()),
                bias: layer.bias.as_ref().map_or_else(|| vec![0.0; outputs], |b| numbers(b.val().into_data())),
                activation: if index + 1 == count { last } else { Activation::Relu },
            }
        };
        self.layers.iter().enumerate().map(dense).collect()
    }
}
