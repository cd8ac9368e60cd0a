//! The version of the file.

/// The version that is written, and the only one that is read.
pub(super) const VERSION: u64 = 1;
