//! The input of one step.

use burn::tensor::backend::Backend;
use burn::tensor::{Int, Tensor};
use rand_chacha::ChaCha8Rng;

/// The input of one step.
#[derive(Clone, Debug)]
pub(crate) struct Batch<B: Backend> {
    /// The samples without augmentation.
    pub clean: Tensor<B, 2>,
    /// The augmented samples: images, and windows if their augmentation is asked for; other samples equal `clean`.
    pub augmented: Tensor<B, 2>,
    /// What a decoder learns to reconstruct from latents of `augmented`: those samples, or `clean`.
    pub target: Tensor<B, 2>,
    /// The indices of the samples, on the host and on the device.
    pub rows: Vec<usize>,
    /// See [`rows`](Self::rows).
    pub indices: Tensor<B, 1, Int>,
    /// The step size.
    pub learning_rate: f64,
    /// The source of the step's randomness.
    pub rng: ChaCha8Rng,
}
