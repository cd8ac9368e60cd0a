//! An operation with its inputs.

use burn::tensor::backend::AutodiffBackend;
use burn::tensor::{Tensor, TensorData};

use crate::random::{normal, stream};

/// How many shapes an operation is computed at.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Extent {
    /// All shapes of training: latents of 6, 10 and 50 dimensions, batches of 256 and odd ones, DEPICT's convolutions.
    Whole,
    /// One small shape, for devices that are slow, or slow to choose among their kernels.
    Small,
}

/// How inputs are drawn.
#[derive(Clone, Copy)]
pub(super) enum Draw {
    /// From the standard normal distribution.
    Normal,
    /// Absolute values of the same, plus a half.
    Positive,
}

/// An input of an operation.
pub(super) type Input = ([usize; 2], Draw);

type Computation<B> = Box<dyn Fn(Vec<Tensor<B, 2>>) -> Vec<Tensor<B, 2>>>;

/// An operation with its inputs.
pub(super) struct Case<B: AutodiffBackend> {
    pub(super) name: String,
    inputs: Vec<Input>,
    has_gradient: bool,
    computation: Computation<B>,
}

impl<B: AutodiffBackend> Case<B> {
    /// An operation with a gradient by each input.
    pub(super) fn new(
        name: impl Into<String>,
        inputs: &[Input],
        computation: impl Fn(Vec<Tensor<B, 2>>) -> Vec<Tensor<B, 2>> + 'static,
    ) -> Self {
        Self { name: name.into(), inputs: inputs.to_vec(), has_gradient: true, computation: Box::new(computation) }
    }

    /// An operation without a gradient.
    pub(super) fn without_gradient(
        name: impl Into<String>,
        inputs: &[Input],
        computation: impl Fn(Vec<Tensor<B, 2>>) -> Vec<Tensor<B, 2>> + 'static,
    ) -> Self {
        Self { has_gradient: false, ..Self::new(name, inputs, computation) }
    }

    /// The outputs, then the gradient of a random linear combination of them by each input.
    pub(super) fn compute(&self, device: &B::Device) -> Vec<Vec<f32>> {
        let mut rng = stream(1, "operation", 0);
        let mut draw = |[rows, columns]: [usize; 2], draw| {
            let mut values = normal(rows * columns, &mut rng);
            if let Draw::Positive = draw {
                values.iter_mut().for_each(|value| *value = value.abs() + 0.5);
            }
            Tensor::<B, 2>::from_data(TensorData::new(values, [rows, columns]), device)
        };
        let inputs: Vec<_> = self.inputs.iter().map(|&(shape, kind)| draw(shape, kind)).collect();
        let inputs: Vec<_> = match self.has_gradient {
            true => inputs.into_iter().map(Tensor::require_grad).collect(),
            false => inputs,
        };
        let outputs = (self.computation)(inputs.clone());
        let mut results: Vec<Vec<f32>> = outputs.iter().cloned().map(|output| values(output.inner())).collect();
        if self.has_gradient {
            let weighted = outputs.into_iter().map(|output| {
                let weights = draw(output.dims(), Draw::Normal);
                (output * weights).sum()
            });
            if let Some(loss) = weighted.reduce(|a, b| a + b) {
                let gradients = loss.backward();
                results.extend(inputs.iter().map(|input| input.grad(&gradients).map_or_else(Vec::new, values)));
            }
        }
        results
    }
}

fn values<B: burn::tensor::backend::Backend, const D: usize>(tensor: Tensor<B, D>) -> Vec<f32> {
    tensor.into_data().iter::<f32>().collect()
}
