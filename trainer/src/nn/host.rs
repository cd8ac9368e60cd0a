//! Backends whose tensors are in this process's memory.

use std::any::{Any, TypeId};

use burn::backend::Flex;
use burn::tensor::backend::Backend;
use burn::tensor::ops::FloatTensor;
use burn::tensor::{Tensor, TensorData};

/// A tensor of the host.
pub(super) type HostTensor = FloatTensor<Flex>;

/// Whether a backend's tensors can be read and written in this process's memory without a copy. The ndarray backend is
/// not among them: it is the reference, so it uses only burn's own operations.
pub(crate) fn has_host_tensors<B: Backend>() -> bool {
    TypeId::of::<B>() == TypeId::of::<Flex>()
}

/// A value as one of another type, if that is its type.
pub(super) fn same<A: 'static, B: 'static>(value: A) -> Option<B> {
    let value: Box<dyn Any> = Box::new(value);
    value.downcast().ok().map(|value| *value)
}

/// The tensor as its backend has it.
pub(super) fn primitive<B: Backend, const D: usize>(tensor: Tensor<B, D>) -> FloatTensor<B> {
    tensor.into_primitive().tensor()
}

/// The numbers of a tensor without gaps.
pub(super) fn values(tensor: &HostTensor) -> &[f32] {
    tensor.as_slice().expect("a tensor of f32 without gaps")
}

/// N rows.
pub(super) fn rows(values: Vec<f32>, n: usize) -> HostTensor {
    let columns = values.len() / n.max(1);
    HostTensor::from_data(TensorData::new(values, [n, columns]))
}
