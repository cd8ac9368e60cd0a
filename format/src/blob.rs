//! The tensors of a file that is being written.

use alloc::vec::Vec;

use bytemuck::{AnyBitPattern, NoUninit};

use crate::limits::BLOB_ALIGNMENT;
use crate::tensor::Tensor;

/// The tensors of a file that is being written.
///
/// ```
/// let mut blob = edgemix_format::write::Blob::default();
/// let bias = blob.push(&[1i32, 2, 3]);
/// assert_eq!((bias.offset, bias.len), (0, 3));
/// assert_eq!(blob.push(&[7u8]).offset, 16);
/// assert!(blob.len() == 17 && !blob.is_empty());
/// ```
#[derive(Clone, Debug, Default)]
pub struct Blob(Vec<u8>);

impl Blob {
    /// Appends a tensor, aligned, and says where it lies.
    pub fn push<T: NoUninit + AnyBitPattern>(&mut self, elements: &[T]) -> Tensor<T> {
        self.0.resize(self.0.len().next_multiple_of(BLOB_ALIGNMENT), 0);
        let offset = self.0.len();
        self.0.extend_from_slice(bytemuck::cast_slice(elements));
        Tensor::new(offset as u32, elements.len() as u32)
    }

    pub(crate) fn as_bytes(&self) -> &[u8] {
        &self.0
    }

    /// Bytes so far.
    pub fn len(&self) -> usize {
        self.0.len()
    }

    /// Whether nothing was pushed yet.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }
}
