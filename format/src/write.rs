//! Writing files. Feature `alloc`.
//!
//! A writer pushes tensors into a [`Blob`], says in a [`Description`] where they lie, and calls [`write()`], which fills in
//! versions, lengths, arena, multiply-accumulates and checksum, and refuses what a reader would refuse.
//!
//! - A convolution's weights are filter by filter (OHWI). Its bias includes the input's zero point for all weights of a
//!   filter, wherever the filter is: the padding holds `padding_value`, that zero point, and adds nothing.
//! - For a curve ([`ActivationRecord::Interpolated`](crate::description::ActivationRecord::Interpolated)) that ends the
//!   encoder, let `s` be the real value of one step of the requantised sum: point `i` is the activation of
//!   `s * 256 * (i - 128)` in steps of the latent.
//! - Autoencoders: push all tensors of one pair's layers, in the same order for every pair and nothing in between. The
//!   distance between the first tensors of two pairs is the stride, and the described layers are those of the first pair.
//!   All pairs share the scales and zero points of their layers; the last layer of a decoder has those of the first
//!   encoder layer's input. The model's own encoder has no layers and the latent's `len` is 0.

use core::fmt;

use crate::checksum::{CRC_OFFSET, checksum};
use crate::description::Description;
use crate::error::LoadError;
use crate::file::File;
use crate::header::{HEADER_LEN, Header};
use crate::limits::BLOB_ALIGNMENT;

pub use crate::aligned::AlignedBytes;
pub use crate::blob::Blob;
pub use crate::filter_settings::FilterSettings;
pub use crate::spectrum_settings::{SpectrumSettings, SpectrumTables, Taper};

/// Why a file cannot be written.
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub enum WriteError {
    /// The description does not encode.
    Description(postcard::Error),
    /// A length does not fit the header's field.
    TooLarge,
    /// The finished file would be refused: the description and the tensors contradict each other.
    Refused(LoadError),
}

impl fmt::Display for WriteError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Description(error) => write!(f, "the model's description does not encode: {error}"),
            Self::TooLarge => f.write_str("the model is too large for the format"),
            Self::Refused(error) => write!(f, "the model would be refused when it is loaded: {error}"),
        }
    }
}

impl core::error::Error for WriteError {}

/// Writes a whole file, and reads it back before giving it away.
///
/// Two spherical components on a line, at -1 and at 1, the latent's steps being 2^-8, without an encoder:
///
/// ```
/// use edgemix_format::description::*;
/// use edgemix_format::write::{Blob, WriteError, write};
/// use edgemix_format::File;
///
/// let mut blob = Blob::default();
/// let description = Description {
///     name: "line",
///     method: "by hand",
///     fingerprint: Fingerprint { data: [0; 8], config: [0; 8], seed: 0, version: "1" },
///     // A raw count is 1/64.
///     sample: SampleRecord { len: 1, channels: 1, origin: blob.push(&[0.0f32]), count: blob.push(&[1.0f32 / 64.0]) },
///     front_ends: FrontEndRecords::new(),
///     // Four steps of the latent to a raw count.
///     input: InputRecord {
///         len: 1,
///         channels: 1,
///         center: blob.push(&[0i32]),
///         multiplier: blob.push(&[1i32 << 30]),
///         shift: blob.push(&[43u8]),
///         zero_point: 0,
///     },
///     encoder: LayerRecords::new(),
///     latent: Latent { len: 1, scale: 1.0 / 256.0 },
///     // A deviation of 1/4: 2^14 * 4 / sqrt(2) steps of the whitened distance to the unit, 181 to the latent's step.
///     head: HeadRecord::Mixture(MixtureRecord {
///         n_components: 2,
///         n_clusters: 2,
///         covariance: Covariance::Spherical,
///         coefficients: blob.push(&[181i16 << 5, 181 << 5]),
///         offsets: blob.push(&[(181i32 << 13) + 16, (-181 << 13) + 16]),
///         shifts: blob.push(&[5u8, 5]),
///         constants: blob.push(&[0i32, 0]),
///         clusters: blob.push(&[0u16, 1]),
///     }),
///     calibration: CalibrationRecord::None,
///     // A single level.
///     hierarchy: HierarchyRecord::default(),
///     // Samples that do not follow each other.
///     transitions: None,
/// };
/// let bytes = write(&description, &blob).unwrap();
/// assert_eq!(File::from_bytes(&bytes).unwrap().name, "line");
///
/// // What a reader would refuse is not written.
/// let nothing = Description { sample: SampleRecord { len: 0, ..description.sample }, ..description.clone() };
/// assert!(matches!(write(&nothing, &blob), Err(WriteError::Refused(_))));
/// ```
///
/// # Errors
/// See [`WriteError`]; [`WriteError::Refused`] says what a reader would not accept.
pub fn write(description: &Description, blob: &Blob) -> Result<AlignedBytes, WriteError> {
    let (bytes, decoded) = lay_out(description, blob)?;
    decoded.and_then(|()| File::from_bytes(&bytes).map(drop)).map_err(WriteError::Refused)?;
    Ok(bytes)
}

/// Puts a file together, and says whether a reader can decode it. What the header repeats of the description is what a
/// reader finds there; it is 0 if a reader refuses the description.
pub(crate) fn lay_out(
    description: &Description,
    blob: &Blob,
) -> Result<(AlignedBytes, Result<(), LoadError>), WriteError> {
    let encoded = postcard::to_allocvec(description).map_err(WriteError::Description)?;
    let blob_offset = (HEADER_LEN + encoded.len()).next_multiple_of(BLOB_ALIGNMENT);
    let mut bytes = AlignedBytes::zeroed(blob_offset + blob.len());
    let place = bytes.as_mut();
    place[HEADER_LEN..HEADER_LEN + encoded.len()].copy_from_slice(&encoded);
    place[blob_offset..].copy_from_slice(blob.as_bytes());
    let mut header = Header { minor: minor(description), ..lengths(place.len(), encoded.len(), blob_offset)? };
    let decoded = match File::decode(header, place) {
        Ok(file) => {
            header = repeat(header, &file)?;
            Ok(())
        }
        Err(error) => Err(error),
    };
    place[..HEADER_LEN].copy_from_slice(&header.to_bytes());
    mend(place);
    Ok((bytes, decoded))
}

/// The least minor version that has all fields of the description: older readers run as many models as they can.
fn minor(description: &Description) -> u16 {
    u16::from(description.transitions.is_some())
}

/// A header without what it repeats of the description.
fn lengths(total_len: usize, description_len: usize, blob_offset: usize) -> Result<Header, WriteError> {
    Ok(Header {
        minor: 0,
        total_len: fit(total_len)?,
        crc: 0,
        description_len: fit(description_len)?,
        blob_offset: fit(blob_offset)?,
        blob_len: fit(total_len - blob_offset)?,
        arena_len: 0,
        macs: 0,
        input_len: 0,
        latent_len: 0,
        n_components: 0,
        n_clusters: 0,
    })
}

/// The header with what it repeats of the description.
pub(crate) fn repeat(lengths: Header, file: &File) -> Result<Header, WriteError> {
    Ok(Header {
        arena_len: fit(file.arena_len())?,
        macs: file.macs(),
        input_len: fit(file.sample.len)?,
        latent_len: file.latent.len,
        n_components: fit(file.head.n_components())?,
        n_clusters: fit(file.head.n_clusters())?,
        ..lengths
    })
}

/// Sets the checksum to that of the bytes; shorter bytes than a header stay as they are.
///
/// ```
/// use edgemix_format::{File, testing::Spec, write::mend};
///
/// let mut bytes = Spec::default().build().unwrap();
/// bytes.as_mut()[edgemix_format::header::CRC_OFFSET] ^= 1;
/// assert!(File::from_bytes(&bytes).is_err());
/// mend(bytes.as_mut());
/// assert!(File::from_bytes(&bytes).is_ok());
/// ```
pub fn mend(bytes: &mut [u8]) {
    if let Some(crc) = checksum(bytes)
        && let Some(place) = bytes.get_mut(CRC_OFFSET..CRC_OFFSET + 4)
    {
        place.copy_from_slice(&crc.to_le_bytes());
    }
}

fn fit<T: TryFrom<usize>>(length: usize) -> Result<T, WriteError> {
    T::try_from(length).map_err(|_| WriteError::TooLarge)
}
