//! Slices from pointers and lengths of C.

use core::ffi::c_void;

use crate::status::{EDGEMIX_ERROR_NULL, EDGEMIX_ERROR_POINTER, Status};

/// `length` elements from `start`. A null pointer is refused, also for no elements.
///
/// # Errors
/// [`EDGEMIX_ERROR_NULL`], or [`EDGEMIX_ERROR_POINTER`] for a misaligned pointer or a length that no memory has.
///
/// # Safety
/// There are `length` initialised elements at `start`, which nobody changes as long as the slice lives.
pub(crate) unsafe fn elements<'a, T>(start: *const T, length: usize) -> Result<&'a [T], Status> {
    check(start, length)?;
    // SAFETY: the pointer is not null and aligned, and the length fits the address space; the caller vouches for the rest.
    Ok(unsafe { core::slice::from_raw_parts(start, length) })
}

/// The same for elements that will be written.
///
/// # Errors
/// As for [`elements`].
///
/// # Safety
/// There are `length` initialised elements at `start`, which nobody else reads or changes as long as the slice lives.
pub(crate) unsafe fn elements_mut<'a, T>(start: *mut T, length: usize) -> Result<&'a mut [T], Status> {
    check(start, length)?;
    // SAFETY: as in `elements`.
    Ok(unsafe { core::slice::from_raw_parts_mut(start, length) })
}

/// Bytes that will be written.
///
/// # Errors
/// As for [`elements`].
///
/// # Safety
/// As for [`elements_mut`].
pub(crate) unsafe fn bytes_mut<'a>(start: *mut c_void, length: usize) -> Result<&'a mut [u8], Status> {
    // SAFETY: the caller vouches for it.
    unsafe { elements_mut(start.cast(), length) }
}

fn check<T>(start: *const T, length: usize) -> Result<(), Status> {
    if start.is_null() {
        return Err(EDGEMIX_ERROR_NULL);
    }
    let bytes = length.checked_mul(size_of::<T>());
    let fits = bytes.is_some_and(|bytes| bytes <= isize::MAX as usize);
    if start.is_aligned() && fits { Ok(()) } else { Err(EDGEMIX_ERROR_POINTER) }
}
