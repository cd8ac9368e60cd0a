//! Why a file is refused.

use core::fmt;

use crate::features::Feature;

/// Why bytes are not a model that this crate can run.
///
/// ```
/// use edgemix_format::{File, LoadError};
///
/// let error = File::from_bytes(&[0; 64]).unwrap_err();
/// assert_eq!(error, LoadError::Magic);
/// assert_eq!(error.to_string(), "not an .emx model: it does not start with EMIX");
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
#[non_exhaustive]
pub enum LoadError {
    /// There are fewer bytes than a header has, or fewer than the header says.
    TooShort {
        /// Bytes that the file needs.
        needed: usize,
        /// Bytes that were given.
        given: usize,
    },
    /// The bytes do not start with `EMIX`.
    Magic,
    /// The file's major version is not the one that this crate reads.
    Major {
        /// The file's version.
        file: u16,
        /// The version that this crate reads.
        reader: u16,
    },
    /// The header states more multiply-accumulates than the program's [`Limits`](crate::Limits) allow.
    TooSlow {
        /// Multiply-accumulates of one inference.
        macs: u64,
        /// The most that are allowed.
        limit: u64,
    },
    /// The header states more RAM than the program's [`Limits`](crate::Limits) allow.
    ArenaTooLarge {
        /// Bytes of RAM that one inference needs.
        arena: usize,
        /// The most that are allowed.
        limit: usize,
    },
    /// The lengths in the header contradict each other.
    Lengths,
    /// A reserved byte of the header is not zero.
    Reserved,
    /// The checksum does not match: the bytes were damaged.
    Checksum {
        /// The checksum in the header.
        stored: u32,
        /// The checksum of the bytes.
        computed: u32,
    },
    /// The bytes do not start at a multiple of 16. `include_model!` aligns them, and so does a copy in aligned memory.
    Alignment,
    /// The names or the fingerprint at the beginning of the description are not valid.
    Description(Fault),
    /// The sample's length, or what its raw counts are in the unit of the data, is not valid.
    Sample(Fault),
    /// The list of front ends is not valid.
    FrontEnds(Fault),
    /// The input's scaling is not valid.
    Input(Fault),
    /// The number of layers is not valid.
    Encoder(Fault),
    /// A layer of the encoder is not valid.
    Layer {
        /// The layer's index in the encoder, from 0.
        index: u8,
        /// What is wrong.
        fault: Fault,
    },
    /// The latent's length or scale is not valid.
    Latent(Fault),
    /// The head is not valid.
    Head(Fault),
    /// The novelty tables are not valid.
    Calibration(Fault),
    /// The levels above the clusters are not valid.
    Hierarchy(Fault),
    /// The transitions between clusters are not valid.
    Transitions(Fault),
    /// The description goes on after its last field, and the file is not of a later minor version.
    TrailingBytes,
    /// The header's arena length is not what the layers and the head need.
    Arena {
        /// The arena length in the header, in bytes.
        stored: usize,
        /// The arena length that inference needs, in bytes.
        computed: usize,
    },
    /// The header's number of multiply-accumulates is not that of the layers and the head.
    Macs {
        /// The number in the header.
        stored: u64,
        /// The number that inference takes.
        computed: u64,
    },
    /// The header's input length, latent length, components or clusters are not those of the description.
    Counts,
}

/// What is wrong with a part of a file.
///
/// ```
/// use edgemix_format::{Fault, LoadError, testing::Spec, write};
///
/// let (mut description, blob) = Spec::default().parts();
/// description.latent.scale = 0.0;
/// let refused = write::write(&description, &blob).unwrap_err();
/// assert_eq!(refused, write::WriteError::Refused(LoadError::Latent(Fault::Scale)));
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
#[non_exhaustive]
pub enum Fault {
    /// The bytes end too early, or hold a value that this version does not define, such as an activation of a later one.
    Malformed,
    /// This version of the format defines no such kind of part; a later minor version may.
    UnknownVariant,
    /// The part needs a cargo feature that is off in this build.
    Disabled(Feature),
    /// A tensor has another number of elements than its part needs.
    TensorLength,
    /// A tensor, or the stride between pairs of autoencoders, is not at a multiple of 16 bytes.
    TensorAlignment,
    /// The stride between pairs of autoencoders is less than the bytes of one pair's tensors.
    Stride,
    /// A tensor ends beyond the end of the blob.
    TensorOutside,
    /// A size is zero or above its limit.
    Size,
    /// There are no layers where some are needed, more than 16, or some before a head that takes the sample.
    LayerCount,
    /// A part takes another number of elements than what is before it gives.
    Inputs,
    /// A network of an autoencoder gives another number of elements than it must.
    Outputs,
    /// The number of the input's channels does not divide its length.
    Channels,
    /// A window does not fit its padded image, its stride is zero, or a padding is not less than the window's extent.
    Window,
    /// A scale is not a finite positive number.
    Scale,
    /// The value of a raw count of 0 is not finite.
    NotFinite,
    /// A center is beyond the range of int16, so that the distance of a raw count from it could overflow.
    Center,
    /// A multiplier is negative.
    Multiplier,
    /// A shift is out of its range.
    Shift,
    /// A bias is so large that a sum could overflow.
    Bias,
    /// The zero point of the encoder's last layer is not 0.
    ZeroPoint,
    /// A table, which gives int8, follows the encoder's last layer, which gives int16.
    TableInLastLayer,
    /// A curve, which gives int16, follows a layer that gives int8.
    CurveBeforeLastLayer,
    /// There are more front ends than a model may have.
    FrontEndCount,
    /// A front end is not followed by one that takes what it gives: after a filter, this is a spectrum of the window that
    /// the filter gives; after a spectrum, nothing.
    FrontEndOrder,
    /// A filter has no sections, or too many.
    SectionCount,
    /// A section of a filter is not stable, or its gain for a constant is neither 1 nor 0.
    Section,
    /// The length of a Fourier transform is not a power of two from 16 to 1024.
    Transform,
    /// A frame is empty or longer than the transform or the window, its hop is zero, or there are too many frames.
    Frames,
    /// A signal has no channel or one that the window does not have, or there are none or too many.
    Signals,
    /// The edges of bands do not ascend or lie beyond the last bin.
    Bands,
    /// A statistic is not defined, or there are some beside the energies of each frame.
    Statistics,
    /// A floor or a level is so large that a sum could overflow.
    Floor,
    /// A taper is negative.
    Taper,
    /// Pooling, which gives int8, is the encoder's last layer, which gives int16.
    PoolingInLastLayer,
    /// Average pooling has padding, for which no average is defined.
    AveragePadding,
    /// A component names a cluster that does not exist.
    UnknownCluster,
    /// A cluster has no component.
    EmptyCluster,
    /// A cluster names a novelty table that does not exist.
    UnknownTable,
    /// A novelty table has no entries, or the tables do not end where the entries do.
    TableEnd,
    /// A novelty table does not ascend.
    NotAscending,
    /// There are more levels above the clusters than a model may have.
    LevelCount,
    /// A level does not have fewer clusters than the one below it, or none.
    LevelOrder,
    /// A cluster is part of one that the next level does not have.
    UnknownParent,
    /// A cluster of a level has no clusters of the level below.
    Childless,
    /// The share of a cluster is zero, or all shares together are more than 1.
    Shares,
}

impl fmt::Display for LoadError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match *self {
            Self::TooShort { needed, given } => {
                write!(f, "truncated: the model needs {needed} bytes, but only {given} were given")
            }
            Self::Magic => f.write_str("not an .emx model: it does not start with EMIX"),
            Self::Major { file, reader } => write!(
                f,
                "the model has format version {file}, but this program reads version {reader}: export the model again, or \
                 update the program"
            ),
            Self::TooSlow { macs, limit } => {
                write!(f, "the model takes {macs} multiply-accumulates a sample, but the limit is {limit}")
            }
            Self::ArenaTooLarge { arena, limit } => {
                write!(f, "the model needs {arena} bytes of RAM, but the limit is {limit}")
            }
            Self::Lengths => f.write_str("the lengths in the model's header contradict each other"),
            Self::Reserved => f.write_str("a reserved byte of the model's header is not zero"),
            Self::Checksum { stored, computed } => {
                write!(f, "damaged: the model's checksum is {computed:#010x}, but its header says {stored:#010x}")
            }
            Self::Alignment => f.write_str("the model's bytes must start at a multiple of 16"),
            Self::Description(fault) => write!(f, "name or fingerprint: {fault}"),
            Self::Sample(fault) => write!(f, "sample: {fault}"),
            Self::FrontEnds(fault) => write!(f, "front ends: {fault}"),
            Self::Input(fault) => write!(f, "input: {fault}"),
            Self::Encoder(fault) => write!(f, "encoder: {fault}"),
            Self::Layer { index, fault } => write!(f, "layer {index}: {fault}"),
            Self::Latent(fault) => write!(f, "latent: {fault}"),
            Self::Head(fault) => write!(f, "head: {fault}"),
            Self::Calibration(fault) => write!(f, "novelty tables: {fault}"),
            Self::Hierarchy(fault) => write!(f, "levels: {fault}"),
            Self::Transitions(fault) => write!(f, "transitions: {fault}"),
            Self::TrailingBytes => f.write_str("the description goes on after its last field"),
            Self::Arena { stored, computed } => {
                write!(f, "the header says that inference needs {stored} bytes of RAM, but it needs {computed}")
            }
            Self::Macs { stored, computed } => {
                write!(f, "the header says that inference takes {stored} multiply-accumulates, but it takes {computed}")
            }
            Self::Counts => f.write_str("the header and the description disagree on a length or a number of clusters"),
        }
    }
}

impl fmt::Display for Fault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Malformed => "the bytes end too early, or hold a value that this version does not define",
            Self::UnknownVariant => "this version does not know this kind of part; a later version may",
            Self::Disabled(feature) => {
                return write!(f, "this program was built without the feature `{feature}` of edgemix-runtime");
            }
            Self::TensorLength => "a tensor has the wrong number of elements",
            Self::TensorAlignment => "a tensor is not at a multiple of 16 bytes",
            Self::Stride => "the tensors of one autoencoder pair need more bytes than lie between two pairs",
            Self::TensorOutside => "a tensor ends beyond the end of the file",
            Self::Size => "a size is zero or too large",
            Self::LayerCount => "the number of layers is not allowed here",
            Self::Inputs => "it takes another number of elements than what is before it gives",
            Self::Outputs => "an autoencoder's network gives the wrong number of elements",
            Self::Channels => "the number of channels does not divide the input's length",
            Self::Window => "the window does not fit its padded image",
            Self::Scale => "a scale is not a finite positive number",
            Self::NotFinite => "the value of a raw count of 0 is not finite",
            Self::Center => "a center is beyond the range of int16",
            Self::Multiplier => "a multiplier is negative",
            Self::Shift => "a shift is out of range",
            Self::Bias => "a bias could overflow a sum",
            Self::ZeroPoint => "the last layer's zero point is not 0",
            Self::TableInLastLayer => "the last layer gives int16, but its table gives int8",
            Self::CurveBeforeLastLayer => "the layer gives int8, but its curve gives int16",
            Self::FrontEndCount => "there are too many front ends",
            Self::FrontEndOrder => "a front end is not followed by one that takes what it gives",
            Self::SectionCount => "a filter has no sections, or too many",
            Self::Section => "a section of a filter is unstable, or its gain for a constant is neither 1 nor 0",
            Self::Transform => "the length of the Fourier transform is not a power of two from 16 to 1024",
            Self::Frames => "the frames do not fit the window or the transform, or there are too many",
            Self::Signals => "a signal has no channel, or one that the window does not have",
            Self::Bands => "the edges of the bands do not ascend, or lie beyond the last bin",
            Self::Statistics => "a statistic is unknown, or not allowed beside the energies of each frame",
            Self::Floor => "a floor or a level is too large",
            Self::Taper => "a taper is negative",
            Self::PoolingInLastLayer => "the last layer gives int16, but pooling gives int8",
            Self::AveragePadding => "average pooling has padding",
            Self::UnknownCluster => "a component names a cluster that does not exist",
            Self::EmptyCluster => "a cluster has no component",
            Self::UnknownTable => "a cluster names a table that does not exist",
            Self::TableEnd => "a table has no entries, or does not end where it must",
            Self::NotAscending => "a table does not ascend",
            Self::LevelCount => "there are too many levels above the clusters",
            Self::LevelOrder => "a level does not have fewer clusters than the one below it, or it has none",
            Self::UnknownParent => "a cluster is part of one that the next level does not have",
            Self::Childless => "a cluster of a level has no clusters of the level below",
            Self::Shares => "the share of a cluster is zero, or the shares are more than 1 together",
        })
    }
}

impl core::error::Error for LoadError {}

pub(crate) fn ensure<E>(holds: bool, error: E) -> Result<(), E> {
    if holds { Ok(()) } else { Err(error) }
}
