//! What one step of a phase sees and gives.

use burn::tensor::backend::Backend;
use burn::tensor::{Int, Tensor};
use rand_chacha::ChaCha8Rng;

/// What one step sees.
#[derive(Clone, Debug)]
pub(crate) struct Batch<B: Backend> {
    /// The samples as they are.
    pub clean: Tensor<B, 2>,
    /// The same, moved at random where they are images.
    pub augmented: Tensor<B, 2>,
    /// Which samples they are.
    pub indices: Tensor<B, 1, Int>,
    /// The step size.
    pub learning_rate: f64,
    /// Whatever the step draws at random comes from here.
    pub rng: ChaCha8Rng,
}

/// Named loss terms of one step, in the order in which they are shown.
pub(crate) type Terms = Vec<(&'static str, f64)>;
