//! The `.emx` model file: what it is, how to read and check it, and (feature `alloc`) how to write it.
//!
//! A file is a fixed [`header`], a postcard-encoded [`description`] and a blob of aligned tensors. `docs/FORMAT.md` in
//! the repository specifies it. [`File::from_bytes`] checks everything once and resolves every tensor; nothing in the
//! [`view`] that it gives can fail afterwards. Nothing is copied: weights stay where the bytes are, in flash.
//!
//! ```
//! use edgemix_format::{File, LoadError};
//!
//! assert_eq!(File::from_bytes(b"not a model").err(), Some(LoadError::TooShort { needed: 64, given: 11 }));
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

#[cfg(feature = "signature")]
pub mod signature;
#[cfg(feature = "testing")]
pub mod testing;
#[cfg(feature = "alloc")]
pub mod write;

#[cfg(feature = "alloc")]
mod aligned;
#[cfg(feature = "alloc")]
mod blob;
mod budget;
mod checksum;
mod constants;
mod cursor;
mod error;
mod features;
mod file;
#[cfg(feature = "alloc")]
mod filter_settings;
mod limits;
mod parts;
#[cfg(feature = "alloc")]
mod spectrum_settings;
mod tensor;

pub use budget::Limits;
pub use checksum::checksum;
pub use constants::{MAJOR, arena_len, input_len, latent_len, macs, n_clusters, n_components};
pub use error::{Fault, LoadError};
pub use features::*;
pub use file::File;
pub use header::MINOR;
pub use limits::BLOB_ALIGNMENT;
pub use tensor::Tensor;
