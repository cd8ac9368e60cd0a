//! Bytes in memory that can be read in place.

use alloc::vec;
use alloc::vec::Vec;
use core::ops::Deref;

use crate::limits::BLOB_ALIGNMENT;

/// Bytes that start at a multiple of 16, as a model must: for files read into memory.
///
/// ```
/// use edgemix_format::write::AlignedBytes;
///
/// let bytes = AlignedBytes::from(&[1u8, 2, 3][..]);
/// assert_eq!(&*bytes, &[1, 2, 3]);
/// assert_eq!(bytes.as_ptr() as usize % 16, 0);
/// assert_eq!(*AlignedBytes::zeroed(3), [0; 3]);
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AlignedBytes {
    blocks: Vec<Block>,
    len: usize,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, bytemuck::Zeroable, bytemuck::Pod)]
#[repr(C, align(16))]
struct Block([u8; BLOB_ALIGNMENT]);

impl AlignedBytes {
    /// `len` zeros.
    pub fn zeroed(len: usize) -> Self {
        let blocks = vec![Block([0; BLOB_ALIGNMENT]); len.div_ceil(BLOB_ALIGNMENT)];
        Self { blocks, len }
    }
}

impl From<&[u8]> for AlignedBytes {
    fn from(bytes: &[u8]) -> Self {
        let mut aligned = Self::zeroed(bytes.len());
        aligned.as_mut().copy_from_slice(bytes);
        aligned
    }
}

impl AsMut<[u8]> for AlignedBytes {
    fn as_mut(&mut self) -> &mut [u8] {
        &mut bytemuck::cast_slice_mut(&mut self.blocks)[..self.len]
    }
}

impl Deref for AlignedBytes {
    type Target = [u8];

    fn deref(&self) -> &[u8] {
        &bytemuck::cast_slice(&self.blocks)[..self.len]
    }
}
