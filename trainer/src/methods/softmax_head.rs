//! A linear layer on the latents whose softmax says the cluster, with its optimiser.

use burn::module::AutodiffModule;
use burn::tensor::Tensor;
use burn::tensor::activation::{log_softmax, softmax};
use burn::tensor::backend::AutodiffBackend;
use ndarray::Array2;
use serde::{Deserialize, Serialize};

use super::learner::mismatch;
use super::optimized::{self, Optimized};
use crate::nn::Network;
use crate::trained::Dense;
use crate::training::FitError;

/// The layer and its optimiser.
pub(super) struct SoftmaxHead<B: AutodiffBackend> {
    linear: Optimized<B, Network<B>>,
    n_clusters: usize,
}

/// What a checkpoint holds.
#[derive(Serialize, Deserialize)]
pub(super) struct Saved {
    dims: usize,
    n_clusters: usize,
    linear: optimized::Saved,
}

impl<B: AutodiffBackend> SoftmaxHead<B> {
    /// `D x K` weights and K biases.
    pub(super) fn new(weights: Array2<f32>, bias: Vec<f32>, device: &B::Device) -> Self {
        let weights = weights.iter().copied().collect();
        let n_clusters = bias.len();
        Self { linear: Optimized::new(Network::linear(weights, bias, device)), n_clusters }
    }

    /// K.
    pub(super) fn n_clusters(&self) -> usize {
        self.n_clusters
    }

    /// `N x K` probabilities of `N x D` latents that nothing is learned from.
    pub(super) fn predict(&self, z: Tensor<B::InnerBackend, 2>) -> Tensor<B::InnerBackend, 2> {
        softmax(self.linear.valid().forward(z), 1)
    }

    /// The cross entropy from `N x K` targets to what is predicted for `N x D` latents, a mean over samples.
    pub(super) fn cross_entropy(&self, targets: Tensor<B, 2>, z: Tensor<B, 2>) -> Tensor<B, 1> {
        -(targets * log_softmax(self.linear.forward(z), 1)).sum_dim(1).mean()
    }

    /// A step down the loss that these gradients are of.
    pub(super) fn descend(&mut self, gradients: &mut B::Gradients, rate: f64) {
        self.linear.descend(gradients, rate);
    }

    /// The layer's numbers.
    pub(super) fn to_dense(&self) -> Result<Dense, FitError> {
        self.linear.to_linear().ok_or_else(|| mismatch("there is no head"))
    }

    pub(super) fn save(&self) -> Result<Saved, FitError> {
        Ok(Saved { dims: self.to_dense()?.inputs, n_clusters: self.n_clusters, linear: self.linear.save()? })
    }

    pub(super) fn restore(saved: Saved, device: &B::Device) -> Result<Self, FitError> {
        let mut empty = Self::new(Array2::zeros((saved.dims, saved.n_clusters)), vec![0.0; saved.n_clusters], device);
        empty.linear.restore(saved.linear, device)?;
        Ok(empty)
    }
}
