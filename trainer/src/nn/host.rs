//! Backends whose tensors are in this process's memory.

use std::any::TypeId;

use burn::backend::Flex;
use burn::tensor::backend::Backend;

/// Whether a backend's tensors can be read and written in this process's memory without a copy. The ndarray backend is
/// not among them: it is the reference, so it uses only burn's own operations.
pub(crate) fn has_host_tensors<B: Backend>() -> bool {
    TypeId::of::<B>() == TypeId::of::<Flex>()
}
