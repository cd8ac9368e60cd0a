//! A linear layer on the latents whose softmax gives the clusters' probabilities, with its optimiser.

use burn::module::{AutodiffModule, Module, Param};
use burn::tensor::activation::{log_softmax, softmax};
use burn::tensor::backend::{AutodiffBackend, Backend};
use burn::tensor::module::linear;
use burn::tensor::{Tensor, TensorData};
use ndarray::Array2;
use serde::{Deserialize, Serialize};

use crate::mixture::matrix;
use crate::nn::{Optimized, OptimizedState, Optimizer};
use crate::trained::{Activation, Dense};
use crate::training::{CheckpointMismatch, FitError, Fitting};

/// The linear layer.
#[derive(Module, Debug)]
struct Logits<B: Backend> {
    /// `D x K`.
    weights: Param<Tensor<B, 2>>,
    /// K.
    bias: Param<Tensor<B, 1>>,
}

impl<B: Backend> Logits<B> {
    /// `N x K` logits of `N x D` latents.
    fn forward(&self, z: Tensor<B, 2>) -> Tensor<B, 2> {
        linear(z, self.weights.val(), Some(self.bias.val()))
    }
}

/// The linear layer and its optimiser.
pub(in crate::methods) struct SoftmaxHead<B: AutodiffBackend>(Optimized<B, Logits<B>>);

/// The targets of all samples from a checkpoint, `N x K`.
///
/// # Errors
/// If there is not one of each cluster for each sample.
pub(in crate::methods) fn restored_targets<B: AutodiffBackend>(
    targets: &[f64],
    n_clusters: usize,
    fit: &Fitting<'_, B>,
) -> Result<Tensor<B::InnerBackend, 2>, FitError> {
    let n = fit.data.n_samples();
    match n.checked_mul(n_clusters) {
        Some(expected) if expected == targets.len() => Ok(matrix(targets, n, &fit.device)),
        _ => Err(CheckpointMismatch::Damaged.into()),
    }
}

/// The state of a [`SoftmaxHead`] in a checkpoint.
#[derive(Serialize, Deserialize)]
pub(in crate::methods) struct SoftmaxHeadState {
    dims: usize,
    n_clusters: usize,
    logits: OptimizedState,
}

impl<B: AutodiffBackend> SoftmaxHead<B> {
    /// A head with `D x K` weights and K biases.
    pub(in crate::methods) fn new(
        weights: Array2<f32>,
        bias: Vec<f32>,
        optimizer: Optimizer,
        device: &B::Device,
    ) -> Self {
        let (k, shape) = (bias.len(), [weights.nrows(), weights.ncols()]);
        let weights = Param::from_tensor(Tensor::from_data(
            TensorData::new(weights.iter().copied().collect::<Vec<f32>>(), shape),
            device,
        ));
        let bias = Param::from_tensor(Tensor::from_data(TensorData::new(bias, [k]), device));
        Self(Optimized::new(Logits { weights, bias }, optimizer))
    }

    /// K.
    pub(in crate::methods) fn n_clusters(&self) -> usize {
        self.0.bias.dims()[0]
    }

    /// `N x K` probabilities of `N x D` latents, without gradients.
    pub(in crate::methods) fn predict(&self, z: Tensor<B::InnerBackend, 2>) -> Tensor<B::InnerBackend, 2> {
        softmax(self.0.valid().forward(z), 1)
    }

    /// The cross entropy from `N x K` targets to the predictions for `N x D` latents, a mean over samples.
    pub(in crate::methods) fn cross_entropy(&self, targets: Tensor<B, 2>, z: Tensor<B, 2>) -> Tensor<B, 1> {
        -(targets * log_softmax(self.0.forward(z), 1)).sum_dim(1).mean()
    }

    /// Takes a step of the optimiser with the gradients of a loss.
    pub(in crate::methods) fn descend(&mut self, gradients: &mut B::Gradients, rate: f64) {
        self.0.descend(gradients, rate);
    }

    /// See [`Optimized::continue_with`].
    pub(in crate::methods) fn continue_with(&mut self, optimizer: Optimizer) {
        self.0.continue_with(optimizer);
    }

    /// The layer as plain numbers.
    pub(in crate::methods) fn to_dense(&self) -> Dense {
        let [inputs, outputs] = self.0.weights.dims();
        let weights = self.0.weights.val().transpose().into_data().iter::<f32>().collect();
        let bias = self.0.bias.val().into_data().iter::<f32>().collect();
        Dense { inputs, outputs, weights, bias, activation: Activation::Identity }
    }

    pub(in crate::methods) fn state(&self) -> Result<SoftmaxHeadState, FitError> {
        let [dims, n_clusters] = self.0.weights.dims();
        Ok(SoftmaxHeadState { dims, n_clusters, logits: self.0.state()? })
    }

    pub(in crate::methods) fn restored(
        state: SoftmaxHeadState,
        optimizer: Optimizer,
        device: &B::Device,
    ) -> Result<Self, FitError> {
        let SoftmaxHeadState { dims, n_clusters, logits } = state;
        logits.check_holds(dims, n_clusters)?;
        let empty = Self::new(Array2::zeros((dims, n_clusters)), vec![0.0; n_clusters], optimizer, device);
        Ok(Self(empty.0.with_state(logits, device)?))
    }
}
