//! Rust values in structs that C owns.

use core::mem::MaybeUninit;

use edgemix_runtime::{DriftTest, Model, Windows};

#[cfg(feature = "smoother")]
use crate::structs::ClusterBelief;
use crate::structs::{ClusterDrift, Drift, Model as CModel, Smoother, Stream};

/// A kind of value that C keeps for Rust.
///
/// # Safety
/// Any two kinds have different values of `FILLED`, none of which is 0.
pub(crate) unsafe trait Kept: Sized {
    /// Stands beside a value of this kind, and says that there is one.
    const FILLED: u64;
}

// SAFETY: the values of all kinds differ, and none is 0.
unsafe impl Kept for Model<'static> {
    const FILLED: u64 = u64::from_le_bytes(*b"EMIX mod");
}

// SAFETY: see above.
unsafe impl Kept for DriftTest<'static> {
    const FILLED: u64 = u64::from_le_bytes(*b"EMIX dri");
}

// SAFETY: see above.
unsafe impl Kept for Windows {
    const FILLED: u64 = u64::from_le_bytes(*b"EMIX win");
}

// SAFETY: see above.
#[cfg(feature = "smoother")]
unsafe impl Kept for edgemix_runtime::ClusterFilter<'static> {
    const FILLED: u64 = u64::from_le_bytes(*b"EMIX smo");
}

/// A struct of C that may be all zeros.
///
/// # Safety
/// It consists of integers and raw pointers.
pub(crate) unsafe trait Empty {}

// SAFETY: its fields are integers.
unsafe impl Empty for CModel {}
// SAFETY: its fields are integers and a raw pointer.
unsafe impl Empty for Stream {}
// SAFETY: its fields are integers and a raw pointer.
unsafe impl Empty for Drift {}
// SAFETY: its fields are integers and a raw pointer.
unsafe impl Empty for Smoother {}

/// Fills a struct with zeros where it lies: a value on the stack would be a copy too many.
pub(crate) fn empty<T: Empty>(place: &mut MaybeUninit<T>) -> &mut T {
    // SAFETY: the reference is valid for writing, and zeros are a value of every `Empty`.
    unsafe {
        place.as_mut_ptr().write_bytes(0, 1);
        place.assume_init_mut()
    }
}

/// Puts a value into a struct of C.
///
/// An old value is forgotten, not dropped: none owns anything.
pub(crate) fn put<T: Kept, const N: usize>(filled: &mut u64, words: &mut [usize; N], value: T) {
    const { assert!(size_of::<T>() <= size_of::<[usize; N]>(), "the struct in the header is too small") };
    // The struct begins with a u64, so that its words have this alignment.
    if !words.as_ptr().cast::<T>().is_aligned() {
        return;
    }
    // SAFETY: the words have room for a `T`, and its alignment.
    unsafe { words.as_mut_ptr().cast::<T>().write(value) };
    *filled = T::FILLED;
}

/// The value in a struct of C, if there is one.
pub(crate) fn get<'a, T: Kept, const N: usize>(filled: &u64, words: &'a [usize; N]) -> Option<&'a T> {
    const { assert!(size_of::<T>() <= size_of::<[usize; N]>(), "the struct in the header is too small") };
    if *filled != T::FILLED || !words.as_ptr().cast::<T>().is_aligned() {
        return None;
    }
    // SAFETY: `put` wrote a `T` here: nothing else writes its mark, and the header forbids C to write to these words.
    Some(unsafe { &*words.as_ptr().cast::<T>() })
}

/// The same for a value that will be changed.
pub(crate) fn get_mut<'a, T: Kept, const N: usize>(filled: &u64, words: &'a mut [usize; N]) -> Option<&'a mut T> {
    get::<T, N>(filled, words)?;
    // SAFETY: as in `get`; the words are borrowed mutably.
    Some(unsafe { &mut *words.as_mut_ptr().cast::<T>() })
}

/// What monitors keep of clusters, in memory of C.
pub(crate) fn clusters(of_c: &mut [ClusterDrift]) -> &mut [edgemix_runtime::ClusterDrift] {
    type Kept = edgemix_runtime::ClusterDrift;
    const { assert!(size_of::<ClusterDrift>() == size_of::<Kept>() && align_of::<ClusterDrift>() == align_of::<Kept>()) };
    // SAFETY: both types are five 32-bit integers, of which any are allowed.
    unsafe { core::slice::from_raw_parts_mut(of_c.as_mut_ptr().cast(), of_c.len()) }
}

/// What a monitor keeps of one cluster.
pub(crate) fn cluster(of_c: &ClusterDrift) -> edgemix_runtime::ClusterDrift {
    let mut copy = [*of_c];
    clusters(&mut copy)[0]
}

/// What smoothers keep of clusters, in memory of C.
#[cfg(feature = "smoother")]
pub(crate) fn beliefs(of_c: &mut [ClusterBelief]) -> &mut [edgemix_runtime::ClusterBelief] {
    type Kept = edgemix_runtime::ClusterBelief;
    const { assert!(size_of::<ClusterBelief>() == size_of::<Kept>() && align_of::<ClusterBelief>() == align_of::<Kept>()) };
    // SAFETY: both types are two 32-bit integers, of which any are allowed.
    unsafe { core::slice::from_raw_parts_mut(of_c.as_mut_ptr().cast(), of_c.len()) }
}
