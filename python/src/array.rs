//! Arrays of numpy, which are read where they are.

use edgemix::data::ArrayBytes;
use numpy::PyReadonlyArray1;
use pyo3::prelude::*;

/// An array of numpy, taken apart: its elements as bytes, one after another, and what they mean.
#[derive(FromPyObject)]
pub(crate) struct Given<'py>(PyReadonlyArray1<'py, u8>, String, Vec<usize>, bool);

impl Given<'_> {
    /// The array, without a copy.
    pub(crate) fn bytes(&self) -> PyResult<ArrayBytes<'_>> {
        let Self(bytes, elements, shape, is_fortran) = self;
        Ok(ArrayBytes { elements, shape, is_fortran: *is_fortran, bytes: bytes.as_slice()? })
    }
}

/// The values of an array that need no conversion: f32 in the order of C, in which the machine has them.
pub(crate) fn in_place<'a>(array: &ArrayBytes<'a>) -> Option<&'a [f32]> {
    let is_native = array.elements == if cfg!(target_endian = "little") { "<f4" } else { ">f4" };
    if is_native && !array.is_fortran { bytemuck::try_cast_slice(array.bytes).ok() } else { None }
}
