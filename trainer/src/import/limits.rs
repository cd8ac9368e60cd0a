//! What is read of other programs' files at all.

/// The most bytes of a file.
pub(super) const LARGEST: u64 = 1 << 25;
