//! Typed places in the blob.

use core::marker::PhantomData;

use bytemuck::AnyBitPattern;
use serde::{Deserialize, Serialize};

use crate::Fault;

/// Tensors start at multiples of this many bytes in the blob, and the blob at such a multiple in the file.
pub const BLOB_ALIGNMENT: usize = 16;

/// A row-major tensor of little-endian `T` in the blob: where it starts and how many elements it has.
///
/// ```
/// use edgemix_format::{Fault, Tensor};
///
/// let mut blob = [0; 18];
/// blob[16..].copy_from_slice(&[7, 255]);
/// let tensor = Tensor::<i8>::new(16, 2);
/// assert_eq!(tensor.resolve(&blob, 2), Ok(&[7, -1][..]));
/// assert_eq!(tensor.resolve(&blob, 3), Err(Fault::Shape));
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
    /// A tensor of `len` elements that starts `offset` bytes into the blob. See [`Tensor`] for an example.
    pub const fn new(offset: u32, len: u32) -> Self {
        Self::at(offset, len)
    }

    /// The elements, in place; they must be `expected` many. See [`Tensor`] for an example.
    ///
    /// # Errors
    /// [`Fault::Shape`] for another number of elements, [`Fault::Tensor`] outside the blob or not aligned.
    pub fn resolve<'a>(&self, blob: &'a [u8], expected: usize) -> Result<&'a [T], Fault> {
        if self.len as usize != expected {
            return Err(Fault::Shape);
        }
        let start = self.offset as usize;
        let bytes = expected.checked_mul(size_of::<T>()).ok_or(Fault::Tensor)?;
        let end = start.checked_add(bytes).ok_or(Fault::Tensor)?;
        if !start.is_multiple_of(BLOB_ALIGNMENT) {
            return Err(Fault::Tensor);
        }
        let bytes = blob.get(start..end).ok_or(Fault::Tensor)?;
        bytemuck::try_cast_slice(bytes).map_err(|_| Fault::Tensor)
    }
}
