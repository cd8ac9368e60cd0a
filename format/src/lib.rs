//! The `.emx` model file: what it is, reading it, checking it, and (feature `alloc`) writing it.
//!
//! A file is a fixed [`header`], a postcard-encoded [`description`] and a blob of aligned tensors. `docs/FORMAT.md` in
//! the repository is its specification. [`File::from_bytes`] checks everything once and resolves every tensor; what it
//! gives ([`view`]) has nothing left that could fail. Nothing is copied: weights stay where the bytes are, in flash.
//!
//! ```
//! use edgemix_format::{File, LoadError};
//!
//! assert_eq!(File::from_bytes(b"not a model").err(), Some(LoadError::TooShort { needed: 48, given: 11 }));
//! ```
#![no_std]
#![forbid(unsafe_code)]
#![warn(missing_docs)]

#[cfg(target_endian = "big")]
compile_error!("an .emx file is read in place and is little-endian: big-endian targets are not supported");

#[cfg(feature = "alloc")]
extern crate alloc;

pub mod description;
pub mod header;
pub mod plan;
pub mod view;

#[cfg(feature = "testing")]
pub mod testing;
#[cfg(feature = "alloc")]
pub mod write;

mod autoencoders;
mod calibration;
mod check;
mod decode;
mod error;
mod tensor;

pub use error::{Fault, LoadError};
pub use header::{arena_len, input_len, latent_len, n_clusters, n_components};
pub use tensor::{BLOB_ALIGNMENT, Tensor};
pub use view::File;

/// The major version this crate reads and writes; a file of another major is refused.
pub const MAJOR: u16 = 1;
/// The latest minor version this crate reads; it writes the earliest that has what a model needs. A later minor may add
/// layer kinds, heads and trailing fields; see docs/FORMAT.md.
pub const MINOR: u16 = 2;

/// Whether models with convolutions are read: feature `convolution`.
pub const CONVOLUTION: bool = cfg!(feature = "convolution");
/// Whether models with heads of autoencoders are read: feature `autoencoders`.
pub const AUTOENCODERS: bool = cfg!(feature = "autoencoders");

/// Whether models with softmax heads are read: feature `softmax`.
pub const SOFTMAX: bool = cfg!(feature = "softmax");
/// Whether mixtures of full covariance are read: feature `full-covariance`.
pub const FULL_COVARIANCE: bool = cfg!(feature = "full-covariance");
/// Whether novelty tables of held-out samples are read: feature `held-out`.
pub const HELD_OUT: bool = cfg!(feature = "held-out");
/// Whether leaky ReLUs, tables and curves are read: feature `activations`.
pub const ACTIVATIONS: bool = cfg!(feature = "activations");

/// The checksum of a file: CRC-32 (ISO-HDLC, as in zip and Ethernet) of everything but its own four bytes.
///
/// `None` when `bytes` is shorter than a header.
///
/// ```
/// use edgemix_format::{checksum, header::Header, testing::Spec};
///
/// let bytes = Spec::default().build().unwrap();
/// assert_eq!(checksum(&bytes), Some(Header::from_bytes(&bytes).unwrap().crc));
/// assert_eq!(checksum(b"short"), None);
/// ```
pub fn checksum(bytes: &[u8]) -> Option<u32> {
    const CRC: crc::Crc<u32> = crc::Crc::<u32>::new(&crc::CRC_32_ISO_HDLC);
    let (before, rest) = bytes.split_at_checked(header::CRC_OFFSET)?;
    let after = rest.get(4..)?;
    let mut digest = CRC.digest();
    digest.update(before);
    digest.update(after);
    Some(digest.finalize())
}
