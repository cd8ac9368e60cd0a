//! A small encoder with a softmax layer that learns a large model's assignments.

use burn::module::AutodiffModule;
use burn::tensor::activation::log_softmax;
use burn::tensor::backend::AutodiffBackend;
use burn::tensor::{Int, Tensor, TensorData};
use rand_chacha::ChaCha8Rng;

use crate::methods::common::learner::CHUNK;
use crate::mixture::elements;
use crate::nn::{DenseShape, LayerShape, Network, Optimized, OptimizedState, Optimizer};
use crate::trained::{Activation, Head, Layer};
use crate::training::{Data, FitError};

/// The encoder's layers, followed by a layer of logits.
pub(super) struct Student<B: AutodiffBackend>(Optimized<B, Network<B>>);

impl<B: AutodiffBackend> Student<B> {
    /// A student with fresh weights: an encoder of these shapes and K logits.
    pub(super) fn new(
        shapes: &[LayerShape],
        k: usize,
        optimizer: Optimizer,
        rng: &mut ChaCha8Rng,
        device: &B::Device,
    ) -> Self {
        let inputs = shapes.last().map_or(0, LayerShape::outputs);
        let all: Vec<LayerShape> =
            shapes.iter().copied().chain([LayerShape::Dense(DenseShape { inputs, outputs: k })]).collect();
        Self(Optimized::new(Network::new(&all, rng, device), optimizer))
    }
}

impl<B: AutodiffBackend> Student<B> {
    /// Takes a step on the cross entropy to the assignments `best` of a batch's rows, and returns the loss.
    pub(super) fn descend(&mut self, x: Tensor<B, 2>, best: &[usize], rate: f64) -> Tensor<B::InnerBackend, 1> {
        let device = x.device();
        let logits = self.0.forward(x);
        let k = logits.dims()[1];
        let indices: Vec<i32> = best.iter().map(|&k| k as i32).collect();
        let targets = Tensor::<B, 1, Int>::from_data(TensorData::from(&indices[..]), &device).one_hot::<2>(k).float();
        let loss = -(targets * log_softmax(logits, 1)).sum_dim(1).mean();
        let value = loss.clone().inner();
        self.0.descend(&mut loss.backward(), rate);
        value
    }

    /// The share of samples whose assignments agree with `best`.
    pub(super) fn agreement(&self, data: &Data<B::InnerBackend>, best: &[usize]) -> Result<f64, FitError> {
        let network = self.0.valid();
        let (mut same, mut best) = (0, best.iter());
        for x in data.chunks(CHUNK) {
            let own = elements(network.forward(x?).argmax(1).float());
            same += own.iter().zip(best.by_ref()).filter(|(own, best)| **own == **best as f64).count();
        }
        Ok(same as f64 / data.n_samples().max(1) as f64)
    }

    /// The encoder's layers and the logits as the head.
    pub(super) fn to_plain(&self, method: &'static str) -> Result<(Vec<Layer>, Head), FitError> {
        let mut layers = self.0.to_layers(Activation::Identity);
        match layers.pop() {
            Some(Layer::Dense(logits)) => Ok((layers, Head::Softmax(logits))),
            _ => Err(FitError::NoSoftmaxLayer { method }),
        }
    }

    pub(super) fn state(&self) -> Result<OptimizedState, FitError> {
        Ok(self.0.state()?)
    }

    /// Restores the state of a student of the same shapes.
    pub(super) fn with_state(self, state: OptimizedState, device: &B::Device) -> Result<Self, FitError> {
        Ok(Self(self.0.with_state(state, device)?))
    }
}
