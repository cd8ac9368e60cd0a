//! Why a file is refused.

use core::fmt;

/// Why bytes are not a model this crate can run.
///
/// ```
/// use edgemix_format::{File, LoadError};
///
/// let error = File::from_bytes(&[0; 48]).unwrap_err();
/// assert_eq!(error, LoadError::Magic);
/// assert_eq!(error.to_string(), "not an .emx model: it does not start with EMIX");
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
#[non_exhaustive]
pub enum LoadError {
    /// Fewer bytes than a header, or than the header says the file has.
    TooShort {
        /// Bytes the file needs.
        needed: usize,
        /// Bytes that were given.
        given: usize,
    },
    /// The bytes do not start with `EMIX`.
    Magic,
    /// The file's major version is not the one this crate reads.
    Major {
        /// The file's version.
        file: u16,
        /// The version this crate reads.
        reader: u16,
    },
    /// The lengths in the header contradict each other, or its reserved bytes are not zero.
    Header,
    /// The checksum does not match: the bytes were damaged.
    Checksum {
        /// The checksum in the header.
        stored: u32,
        /// The checksum of the bytes.
        computed: u32,
    },
    /// The bytes do not start at a multiple of 16; embed them with `include_model!` or copy them to aligned memory.
    Alignment,
    /// The description does not decode: a part of a later minor version, or a writer's mistake.
    Description {
        /// The file's minor version.
        minor: u16,
    },
    /// Something is wrong with the input's scaling.
    Input(Fault),
    /// Something is wrong with a layer.
    Layer {
        /// The layer's index in the encoder, from 0.
        index: u8,
        /// What is wrong.
        fault: Fault,
    },
    /// Something is wrong with the latent's length or scale.
    Latent(Fault),
    /// Something is wrong with the head.
    Head(Fault),
    /// Something is wrong with the novelty table.
    Calibration(Fault),
    /// The header's arena length is not what the layers and the head need.
    Arena {
        /// The arena length in the header, in bytes.
        stored: usize,
        /// The arena length that inference needs, in bytes.
        computed: usize,
    },
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
    /// A tensor lies outside the blob or is not aligned for its element type.
    Tensor,
    /// A shape is zero, too large, or contradicts another.
    Shape,
    /// A scale is not a finite positive number, or an offset is not finite.
    Scale,
    /// A multiplier or a shift of a requantisation is out of range.
    Requantisation,
    /// A bias is so large that an accumulator could overflow.
    Bias,
    /// An activation can't stand where it stands.
    Activation,
    /// A component names a cluster that does not exist, or a cluster has no component.
    Cluster,
    /// A table that must ascend does not.
    Order,
    /// This crate declares this part but doesn't run it yet.
    Unsupported,
}

impl fmt::Display for LoadError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match *self {
            Self::TooShort { needed, given } => {
                write!(f, "truncated: the model has {needed} bytes, {given} are here")
            }
            Self::Magic => f.write_str("not an .emx model: it does not start with EMIX"),
            Self::Major { file, reader } => write!(
                f,
                "the model is of format version {file}, this program reads version {reader}: export it again, or update"
            ),
            Self::Header => f.write_str("the lengths in the model's header contradict each other"),
            Self::Checksum { stored, computed } => {
                write!(f, "damaged: the checksum is {computed:#010x}, the model says {stored:#010x}")
            }
            Self::Alignment => f.write_str("the model's bytes must start at a multiple of 16"),
            Self::Description { minor } => {
                write!(f, "the description does not decode (format version 1.{minor})")
            }
            Self::Input(fault) => write!(f, "input: {fault}"),
            Self::Layer { index, fault } => write!(f, "layer {index}: {fault}"),
            Self::Latent(fault) => write!(f, "latent: {fault}"),
            Self::Head(fault) => write!(f, "head: {fault}"),
            Self::Calibration(fault) => write!(f, "novelty table: {fault}"),
            Self::Arena { stored, computed } => {
                write!(f, "the header says {stored} bytes of RAM, inference needs {computed}")
            }
        }
    }
}

impl fmt::Display for Fault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Tensor => "a tensor lies outside the file or is not aligned",
            Self::Shape => "a shape is zero, too large, or contradicts another",
            Self::Scale => "a scale is not a finite positive number",
            Self::Requantisation => "a multiplier or shift is out of range",
            Self::Bias => "a bias could overflow an accumulator",
            Self::Activation => "an activation can't stand here",
            Self::Cluster => "components and clusters do not fit together",
            Self::Order => "a table does not ascend",
            Self::Unsupported => "declared in the format, but this version doesn't run it",
        })
    }
}

impl core::error::Error for LoadError {}
