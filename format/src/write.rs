//! Writing files, and holding them in memory where they can be read in place. Feature `alloc`.
//!
//! A writer pushes tensors into a [`Blob`], names where they lie in a [`Description`] and calls [`write()`], which sees to
//! version, lengths, arena and checksum, and refuses what a reader would.
//!
//! - A convolution's weights are filter by filter (OHWI). Its bias takes in the input's zero point for all weights of a
//!   filter, wherever it stands: the padding holds `padding_value`, that zero point, and adds nothing.
//! - A curve ([`Activation::Interpolated`]) that ends the encoder: with `s` the real value of one step of the requantised
//!   sum, point `i` is the activation of `s * 256 * (i - 128)` in steps of the latent.
//! - Autoencoders: push all tensors of one pair's layers, in one order for every pair and nothing in between; the distance
//!   of the pairs' first tensors is the stride, and the layers described are the first pair's. All pairs share the scales
//!   and zero points of their layers; the last layer of a decoder has those of the first encoder layer's input. The
//!   encoder has no layers and the latent's `len` is 0.

use alloc::vec;
use alloc::vec::Vec;
use core::fmt;
use core::ops::Deref;

use bytemuck::{AnyBitPattern, NoUninit};

use crate::check::places;
use crate::description::{Activation, Calibration, Conv2d, Description, Head, Layer};
use crate::header::{CRC_OFFSET, HEADER_LEN, Header};
use crate::plan::{self, Room};
use crate::{BLOB_ALIGNMENT, File, LoadError, MINOR, Tensor};

/// The tensors of a file that is being written.
///
/// ```
/// let mut blob = edgemix_format::write::Blob::default();
/// let bias = blob.push(&[1i32, 2, 3]);
/// assert_eq!((bias.offset, bias.len), (0, 3));
/// assert_eq!(blob.push(&[7u8]).offset, 16);
/// assert!(blob.len() == 17 && !blob.is_empty());
/// ```
#[derive(Clone, Debug, Default)]
pub struct Blob(Vec<u8>);

impl Blob {
    /// Appends a tensor, aligned, and says where it lies. See [`Blob`] for an example.
    pub fn push<T: NoUninit + AnyBitPattern>(&mut self, elements: &[T]) -> Tensor<T> {
        self.0.resize(self.0.len().next_multiple_of(BLOB_ALIGNMENT), 0);
        let offset = self.0.len();
        self.0.extend_from_slice(bytemuck::cast_slice(elements));
        Tensor::new(offset as u32, elements.len() as u32)
    }

    /// Bytes so far. See [`Blob`] for an example.
    pub fn len(&self) -> usize {
        self.0.len()
    }

    /// Whether nothing was pushed yet. See [`Blob`] for an example.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }
}

/// Why a file can't be written. See [`write()`] for an example.
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
///     // 256 steps to the unit, for samples in f32 as for raw counts.
///     input: Input {
///         len: 1,
///         channels: 1,
///         gain: blob.push(&[256.0f32]),
///         offset: blob.push(&[0.0f32]),
///         count: 1.0,
///         center: blob.push(&[0i32]),
///         multiplier: blob.push(&[1i32 << 24]),
///         shift: blob.push(&[24u8]),
///     },
///     encoder: Layers::new(),
///     latent: Latent { len: 1, scale: 1.0 / 256.0 },
///     // A deviation of 1/4: 2^14 * 4 / sqrt(2) steps of the whitened distance to the unit, 181 to the latent's step.
///     head: Head::Mixture(Mixture {
///         n_components: 2,
///         n_clusters: 2,
///         covariance: Covariance::Spherical,
///         coefficients: blob.push(&[181i16 << 5, 181 << 5]),
///         offsets: blob.push(&[(181i32 << 13) + 16, (-181 << 13) + 16]),
///         shifts: blob.push(&[5u8, 5]),
///         constants: blob.push(&[0i32, 0]),
///         clusters: blob.push(&[0u16, 1]),
///     }),
///     calibration: Calibration::None,
/// };
/// let bytes = write(&description, &blob).unwrap();
/// assert_eq!(File::from_bytes(&bytes).unwrap().name, "line");
///
/// // What a reader would refuse is not written.
/// let nothing = Description { input: Input { len: 0, ..description.input }, ..description.clone() };
/// assert!(matches!(write(&nothing, &blob), Err(WriteError::Refused(_))));
/// ```
///
/// # Errors
/// See [`WriteError`]; [`WriteError::Refused`] says what a reader would not accept.
pub fn write(description: &Description, blob: &Blob) -> Result<AlignedBytes, WriteError> {
    let encoded = postcard::to_allocvec(description).map_err(WriteError::Description)?;
    let blob_offset = (HEADER_LEN + encoded.len()).next_multiple_of(BLOB_ALIGNMENT);
    let total = blob_offset + blob.len();
    let mut header = header(description)?;
    header.total_len = fit(total)?;
    header.description_len = fit(encoded.len())?;
    header.blob_offset = fit(blob_offset)?;
    header.blob_len = fit(blob.len())?;

    let mut bytes = AlignedBytes::zeroed(total);
    let place = bytes.as_mut();
    place[..HEADER_LEN].copy_from_slice(&header.to_bytes());
    place[HEADER_LEN..HEADER_LEN + encoded.len()].copy_from_slice(&encoded);
    place[blob_offset..].copy_from_slice(&blob.0);
    mend(place);
    File::from_bytes(&bytes).map_err(WriteError::Refused)?;
    Ok(bytes)
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
    if let Some(crc) = crate::checksum(bytes)
        && let Some(place) = bytes.get_mut(CRC_OFFSET..CRC_OFFSET + 4)
    {
        place.copy_from_slice(&crc.to_le_bytes());
    }
}

fn fit(length: usize) -> Result<u32, WriteError> {
    u32::try_from(length).map_err(|_| WriteError::TooLarge)
}

/// What the header repeats of the description.
fn header(description: &Description) -> Result<Header, WriteError> {
    let (n_components, n_clusters) = match &description.head {
        Head::Mixture(m) => (m.n_components, m.n_clusters),
        Head::Softmax(s) => (s.n_classes, s.n_classes),
        Head::Autoencoders(a) => (a.n_members, a.n_members),
    };
    let input = description.input.len as usize;
    let rooms = description.encoder.iter().map(room);
    let head = head_room(&description.head, input).ok_or(WriteError::TooLarge)?;
    let arena = plan::arena_len(input, rooms, n_components.into(), head).ok_or(WriteError::TooLarge)?;
    Ok(Header {
        minor: minor(description),
        total_len: 0,
        crc: 0,
        description_len: 0,
        blob_offset: 0,
        blob_len: 0,
        arena_len: fit(arena)?,
        input_len: description.input.len,
        latent_len: description.latent.len,
        n_components,
        n_clusters,
    })
}

/// The earliest minor version that has what the model needs.
fn minor(description: &Description) -> u16 {
    let is_first = |layer: &Layer| match layer {
        Layer::Dense(dense) => !matches!(dense.activation, Activation::Interpolated(_)),
        Layer::Conv2d(_) => false,
    };
    let is_first = description.encoder.iter().all(is_first) && !matches!(description.head, Head::Autoencoders(_));
    match description.calibration {
        Calibration::HeldOut(_) => MINOR,
        Calibration::None | Calibration::Marginal(_) => u16::from(!is_first),
    }
}

/// Elements that a head works in.
fn head_room(head: &Head, input: usize) -> Option<usize> {
    let Head::Autoencoders(pairs) = head else { return Some(0) };
    let (encoder, _) = plan::network(input, pairs.encoder.iter().map(room))?;
    let (decoder, _) = plan::network(pairs.latent.into(), pairs.decoder.iter().map(room))?;
    encoder.max(decoder).checked_next_multiple_of(2)
}

/// What a layer asks of the arena; nothing for a shape that the reader will refuse.
fn room(layer: &Layer) -> Room {
    match layer {
        Layer::Dense(dense) => Room::from(dense.outputs as usize),
        Layer::Conv2d(layer) => convolution(layer).unwrap_or_default(),
    }
}

fn convolution(layer: &Conv2d) -> Option<Room> {
    let [above, left, below, right] = layer.padding;
    let rows = places(layer.height.into(), [above, below], layer.kernel[0], layer.stride[0])?;
    let columns = places(layer.width.into(), [left, right], layer.kernel[1], layer.stride[1])?;
    let outputs = rows.checked_mul(columns)?.checked_mul(layer.filters.into())?;
    let scratch = layer.kernel.iter().map(|&k| usize::from(k)).product::<usize>() * usize::from(layer.channels);
    Some(Room { outputs, scratch })
}

/// Bytes that start at a multiple of 16, as a model must: for files read into memory.
///
/// ```
/// use edgemix_format::write::AlignedBytes;
///
/// let bytes = AlignedBytes::from(&[1u8, 2, 3][..]);
/// assert_eq!(&*bytes, &[1, 2, 3]);
/// assert_eq!(bytes.as_ptr() as usize % 16, 0);
/// assert_eq!(*AlignedBytes::zeroed(3), [0; 3]);
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AlignedBytes {
    blocks: Vec<Block>,
    len: usize,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, bytemuck::Zeroable, bytemuck::Pod)]
#[repr(C, align(16))]
struct Block([u8; BLOB_ALIGNMENT]);

impl AlignedBytes {
    /// `len` zeros. See [`AlignedBytes`] for an example.
    pub fn zeroed(len: usize) -> Self {
        let blocks = vec![Block([0; BLOB_ALIGNMENT]); len.div_ceil(BLOB_ALIGNMENT)];
        Self { blocks, len }
    }
}

impl From<&[u8]> for AlignedBytes {
    fn from(bytes: &[u8]) -> Self {
        let mut aligned = Self::zeroed(bytes.len());
        aligned.as_mut().copy_from_slice(bytes);
        aligned
    }
}

impl AsMut<[u8]> for AlignedBytes {
    fn as_mut(&mut self) -> &mut [u8] {
        &mut bytemuck::cast_slice_mut(&mut self.blocks)[..self.len]
    }
}

impl Deref for AlignedBytes {
    type Target = [u8];

    fn deref(&self) -> &[u8] {
        &bytemuck::cast_slice(&self.blocks)[..self.len]
    }
}
