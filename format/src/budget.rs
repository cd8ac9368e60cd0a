//! What a device can spend on a model.

use crate::constants::{arena_len, has_magic, macs};
use crate::error::{LoadError, ensure};

/// The time and the RAM that a program can spend on one inference. A model that needs more is refused by its header,
/// before anything else of it is looked at.
///
/// Multiply-accumulates stand for time: divide the time for a sample by that of a multiply-accumulate on the chip.
/// `docs/chip.md` in the repository says how long one takes.
///
/// ```
/// use edgemix_format::{File, Limits, LoadError};
///
/// # #[repr(C, align(16))]
/// # struct Aligned<T: ?Sized>(T);
/// # static ALIGNED: &Aligned<[u8]> = &Aligned(*include_bytes!(concat!(env!("CARGO_MANIFEST_DIR"), "/../firmware-example/assets/digits.emx")));
/// # const MODEL: &[u8] = &ALIGNED.0;
/// const LIMITS: Limits = Limits { macs: 100_000, arena: 4096 };
/// // For a model that the program embeds: a model that is too slow does not compile.
/// const _: () = assert!(LIMITS.allow(MODEL));
/// // For a model that arrives later.
/// assert!(File::from_bytes_within(MODEL, LIMITS).is_ok());
///
/// let slow = File::from_bytes_within(MODEL, Limits { macs: 1000, ..LIMITS });
/// assert!(matches!(slow, Err(LoadError::TooSlow { limit: 1000, .. })));
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
pub struct Limits {
    /// The most multiply-accumulates of one inference.
    pub macs: u64,
    /// The most bytes of RAM of one inference.
    pub arena: usize,
}

impl Limits {
    /// No limits.
    pub const NONE: Self = Self { macs: u64::MAX, arena: usize::MAX };

    /// Whether a model's header states no more than the limits. False if the bytes are not a model.
    pub const fn allow(&self, model: &[u8]) -> bool {
        has_magic(model) && macs(model) <= self.macs && arena_len(model) <= self.arena
    }

    /// Refuses what a header states if it is above the limits.
    pub(crate) fn check(&self, macs: u64, arena: usize) -> Result<(), LoadError> {
        ensure(macs <= self.macs, LoadError::TooSlow { macs, limit: self.macs })?;
        ensure(arena <= self.arena, LoadError::ArenaTooLarge { arena, limit: self.arena })
    }
}
