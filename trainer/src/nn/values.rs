//! Copies the values of a tensor out of its backend.

use burn::tensor::{Tensor, backend::Backend};

/// The tensor's values, row-major.
pub(super) fn values<B: Backend, const D: usize>(tensor: Tensor<B, D>) -> Vec<f32> {
    tensor.into_data().iter::<f32>().collect()
}
