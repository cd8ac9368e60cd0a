//! Typed places in the blob.

use core::marker::PhantomData;

use bytemuck::AnyBitPattern;
use serde::{Deserialize, Serialize};

use crate::error::Fault;
use crate::limits::BLOB_ALIGNMENT;

/// A row-major tensor of little-endian `T` in the blob: where it starts and how many elements it has.
///
/// ```
/// use edgemix_format::{Fault, Tensor};
///
/// let mut blob = [0; 18];
/// blob[16..].copy_from_slice(&[7, 255]);
/// let tensor = Tensor::<i8>::new(16, 2);
/// assert_eq!(tensor.resolve(&blob, 2), Ok(&[7, -1][..]));
/// assert_eq!(tensor.resolve(&blob, 3), Err(Fault::TensorLength));
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
#[serde(bound = "")]
pub struct Tensor<T> {
    /// Bytes from the start of the blob; a multiple of [`BLOB_ALIGNMENT`].
    pub offset: u32,
    /// Number of elements.
    pub len: u32,
    #[serde(skip)]
    element: PhantomData<T>,
}

impl<T> Tensor<T> {
    pub(crate) const fn at(offset: u32, len: u32) -> Self {
        Self { offset, len, element: PhantomData }
    }
}

impl<T: AnyBitPattern> Tensor<T> {
    /// A tensor of `len` elements that starts `offset` bytes into the blob.
    pub const fn new(offset: u32, len: u32) -> Self {
        Self::at(offset, len)
    }

    /// The elements, in place.
    ///
    /// # Errors
    /// [`Fault::TensorLength`] if there are not `expected` elements, [`Fault::TensorAlignment`] if the offset is not a
    /// multiple of 16, [`Fault::TensorOutside`] if the blob ends before the tensor does.
    pub fn resolve<'a>(&self, blob: &'a [u8], expected: usize) -> Result<&'a [T], Fault> {
        if self.len as usize != expected {
            return Err(Fault::TensorLength);
        }
        let start = self.offset as usize;
        if !start.is_multiple_of(BLOB_ALIGNMENT) {
            return Err(Fault::TensorAlignment);
        }
        let end = expected.checked_mul(size_of::<T>()).and_then(|bytes| start.checked_add(bytes));
        let bytes = end.and_then(|end| blob.get(start..end)).ok_or(Fault::TensorOutside)?;
        bytemuck::try_cast_slice(bytes).map_err(|_| Fault::TensorAlignment)
    }
}
