//! The fixed header: 64 bytes, little-endian, readable by `const fn`s.
//!
//! | offset | bytes | what |
//! |---|---|---|
//! | 0 | 4 | magic `EMIX` |
//! | 4 | 2 | major version |
//! | 6 | 2 | minor version |
//! | 8 | 4 | total length of the file, bytes |
//! | 12 | 4 | CRC-32 of everything but these four bytes |
//! | 16 | 4 | length of the description, which starts at 64, bytes |
//! | 20 | 4 | where the blob starts, a multiple of 16 |
//! | 24 | 4 | length of the blob, bytes |
//! | 28 | 4 | arena length: bytes of RAM that one inference needs |
//! | 32 | 8 | multiply-accumulates of one inference |
//! | 40 | 4 | input length, elements |
//! | 44 | 2 | latent length, elements |
//! | 46 | 2 | number of components |
//! | 48 | 2 | number of clusters |
//! | 50 | 14 | reserved, zero |

use core::ops::Range;

use crate::budget::Limits;
use crate::checksum::checksum;
use crate::constants::word;
use crate::error::{LoadError, ensure};
use crate::features::SMOOTHER;
use crate::limits::BLOB_ALIGNMENT;

pub use crate::checksum::CRC_OFFSET;
pub use crate::constants::{
    HEADER_LEN, MAGIC, MAJOR, arena_len, input_len, is_model, latent_len, macs, n_clusters, n_components,
};

/// The latest minor version that this crate reads: 1 with feature `smoother`, without it 0. A later one may add kinds of parts
/// and fields, which are ignored; see docs/FORMAT.md.
pub const MINOR: u16 = if SMOOTHER { 1 } else { 0 };
/// The header's fields.
///
/// ```
/// use edgemix_format::header::{HEADER_LEN, Header};
/// use edgemix_format::testing::Spec;
///
/// let bytes = Spec::default().build().unwrap();
/// let header = Header::from_bytes(&bytes).unwrap();
/// assert_eq!(header.total_len as usize, bytes.len());
/// assert_eq!(header.to_bytes(), bytes[..HEADER_LEN]);
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
pub struct Header {
    /// Minor version of the file.
    pub minor: u16,
    /// Length of the file in bytes.
    pub total_len: u32,
    /// CRC-32 of everything but itself.
    pub crc: u32,
    /// Length of the description in bytes.
    pub description_len: u32,
    /// Where the blob starts.
    pub blob_offset: u32,
    /// Length of the blob in bytes.
    pub blob_len: u32,
    /// Bytes of RAM that one inference needs.
    pub arena_len: u32,
    /// Multiply-accumulates of one inference.
    pub macs: u64,
    /// Number of input elements.
    pub input_len: u32,
    /// Number of latent elements.
    pub latent_len: u16,
    /// Number of components: of a mixture, classes of a softmax, pairs of autoencoders.
    pub n_components: u16,
    /// Number of clusters.
    pub n_clusters: u16,
}

impl Header {
    /// Reads and checks a header against the bytes that follow it: magic, major version, lengths, checksum, alignment.
    ///
    /// # Errors
    /// See [`LoadError`].
    pub fn from_bytes(bytes: &[u8]) -> Result<Self, LoadError> {
        Self::from_bytes_within(bytes, Limits::NONE)
    }

    /// As [`from_bytes`](Self::from_bytes), but refuses a model above the limits before it looks at its bytes.
    ///
    /// # Errors
    /// See [`LoadError`].
    pub fn from_bytes_within(bytes: &[u8], limits: Limits) -> Result<Self, LoadError> {
        let header = Self::read(bytes, limits)?;
        ensure(is_zero(bytes, 50..HEADER_LEN), LoadError::Reserved)?;
        let computed = bytes.get(..header.total_len as usize).and_then(checksum).ok_or(LoadError::Lengths)?;
        if computed != header.crc {
            return Err(LoadError::Checksum { stored: header.crc, computed });
        }
        if !(bytes.as_ptr() as usize).is_multiple_of(BLOB_ALIGNMENT) {
            return Err(LoadError::Alignment);
        }
        Ok(header)
    }

    /// Reads a header and checks magic, major version, limits and lengths.
    pub(crate) fn read(bytes: &[u8], limits: Limits) -> Result<Self, LoadError> {
        if bytes.len() < HEADER_LEN {
            return Err(LoadError::TooShort { needed: HEADER_LEN, given: bytes.len() });
        }
        if word(bytes, 0) != u32::from_le_bytes(MAGIC) {
            return Err(LoadError::Magic);
        }
        let major = word(bytes, 4) as u16;
        if major != MAJOR {
            return Err(LoadError::Major { file: major, reader: MAJOR });
        }
        let header = Self {
            minor: (word(bytes, 4) >> 16) as u16,
            total_len: word(bytes, 8),
            crc: word(bytes, CRC_OFFSET),
            description_len: word(bytes, 16),
            blob_offset: word(bytes, 20),
            blob_len: word(bytes, 24),
            arena_len: word(bytes, 28),
            macs: u64::from(word(bytes, 32)) | u64::from(word(bytes, 36)) << 32,
            input_len: word(bytes, 40),
            latent_len: word(bytes, 44) as u16,
            n_components: (word(bytes, 44) >> 16) as u16,
            n_clusters: word(bytes, 48) as u16,
        };
        limits.check(header.macs, header.arena_len as usize)?;
        header.check_lengths(bytes.len())?;
        Ok(header)
    }

    fn check_lengths(&self, given: usize) -> Result<(), LoadError> {
        let total = self.total_len as usize;
        if given < total {
            return Err(LoadError::TooShort { needed: total, given });
        }
        let description_end = (self.description_len as usize).checked_add(HEADER_LEN);
        let blob_start = self.blob_offset as usize;
        let ordered = description_end.is_some_and(|end| end <= blob_start);
        let ends = blob_start.checked_add(self.blob_len as usize) == Some(total);
        ensure(ordered && ends && blob_start.is_multiple_of(BLOB_ALIGNMENT), LoadError::Lengths)
    }

    /// The header as it stands in a file.
    pub fn to_bytes(&self) -> [u8; HEADER_LEN] {
        let halves = |low: u16, high: u16| u32::from(low) | u32::from(high) << 16;
        let words = [
            u32::from_le_bytes(MAGIC),
            halves(MAJOR, self.minor),
            self.total_len,
            self.crc,
            self.description_len,
            self.blob_offset,
            self.blob_len,
            self.arena_len,
            self.macs as u32,
            (self.macs >> 32) as u32,
            self.input_len,
            halves(self.latent_len, self.n_components),
            self.n_clusters.into(),
        ];
        let mut bytes = [0; HEADER_LEN];
        for (place, word) in bytes.chunks_exact_mut(4).zip(words) {
            place.copy_from_slice(&word.to_le_bytes());
        }
        bytes
    }
}

fn is_zero(bytes: &[u8], range: Range<usize>) -> bool {
    bytes.get(range).is_some_and(|bytes| bytes.iter().all(|&byte| byte == 0))
}
