//! What turns a latent into scores.
//!
//! A new head is a variant of [`HeadRecord`] and of [`Head`] and a file beside this one.

use serde::{Deserialize, Serialize};

use super::autoencoders::{self, Autoencoders, AutoencodersRecord};
use super::mixture::{self, Mixture, MixtureRecord};
use super::softmax::{self, Softmax, SoftmaxRecord};
use crate::cursor::Cursor;
use crate::error::Fault;
use crate::features::{AUTOENCODERS, Feature, SOFTMAX};

/// What turns a latent into one score per component, as the description encodes it.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
// A model has one head, and boxing needs a heap.
#[allow(clippy::large_enum_variant)]
pub enum HeadRecord {
    /// A Gaussian or Dirichlet-process mixture.
    Mixture(MixtureRecord),
    /// A linear layer whose softmax is the posterior.
    Softmax(SoftmaxRecord),
    /// One encoder and decoder per cluster.
    Autoencoders(AutoencodersRecord),
}

/// What turns a latent into one score per component.
///
/// ```
/// use edgemix_format::testing::{HeadSpec, Spec};
///
/// let bytes = Spec { head: HeadSpec::Softmax, ..Spec::default() }.build().unwrap();
/// let head = edgemix_format::File::from_bytes(&bytes).unwrap().head;
/// // Five classes of three coefficients; a class is a cluster.
/// assert_eq!((head.n_components(), head.n_clusters(), head.macs(), head.scratch()), (5, 5, 15, 0));
/// assert!(head.clusters().is_empty());
/// assert_eq!(head.flash(), 15 * 2 + 5 * (4 + 1));
/// ```
#[derive(Clone, Copy, Debug)]
pub enum Head<'a> {
    /// A mixture.
    Mixture(Mixture<'a>),
    /// A linear layer whose softmax is the posterior.
    Softmax(Softmax<'a>),
    /// An encoder and decoder for each cluster.
    Autoencoders(Autoencoders<'a>),
}

/// The number of a head's variant, which says what the head takes.
#[derive(Clone, Copy)]
pub(crate) enum HeadTag {
    Mixture,
    Softmax,
    Autoencoders,
}

impl HeadTag {
    pub(crate) fn decode(cursor: &mut Cursor) -> Result<Self, Fault> {
        match cursor.next::<u32>()? {
            0 => Ok(Self::Mixture),
            1 => Ok(Self::Softmax),
            2 => Ok(Self::Autoencoders),
            _ => Err(Fault::UnknownVariant),
        }
    }

    /// Whether the head takes the int8 sample instead of a latent; the encoder then has no layers.
    pub(crate) fn takes_sample(self) -> bool {
        match self {
            Self::Mixture | Self::Softmax => false,
            Self::Autoencoders => true,
        }
    }

    /// Decodes and checks the head after the tag. It takes `len` elements of a latent, or of the sample.
    pub(crate) fn head<'a>(self, cursor: &mut Cursor<'a>, len: usize, blob: &'a [u8]) -> Result<Head<'a>, Fault> {
        match self {
            Self::Mixture => mixture::decode(cursor, len, blob).map(Head::Mixture),
            Self::Softmax if SOFTMAX => softmax::decode(cursor, len, blob).map(Head::Softmax),
            Self::Softmax => Err(Fault::Disabled(Feature::Softmax)),
            Self::Autoencoders if AUTOENCODERS => autoencoders::decode(cursor, len, blob).map(Head::Autoencoders),
            Self::Autoencoders => Err(Fault::Disabled(Feature::Autoencoders)),
        }
    }
}

// Guards keep the code of a disabled feature out of a program. No head of its kind is ever made, so the arm that answers
// it then is never reached.
impl<'a> Head<'a> {
    /// Number of scores: components of a mixture, classes of a softmax, pairs of autoencoders.
    pub fn n_components(&self) -> usize {
        match self {
            Self::Mixture(mixture) => mixture.constants.len(),
            Self::Softmax(softmax) => softmax.offsets.len(),
            Self::Autoencoders(pairs) => pairs.constants.len(),
        }
    }

    /// Number of clusters.
    pub fn n_clusters(&self) -> usize {
        match self {
            Self::Mixture(mixture) => mixture.n_clusters.into(),
            Self::Softmax(_) | Self::Autoencoders(_) => self.n_components(),
        }
    }

    /// The cluster of each component; empty if component `k` is cluster `k`.
    pub fn clusters(&self) -> &'a [u16] {
        match self {
            Self::Mixture(mixture) => mixture.clusters,
            Self::Softmax(_) | Self::Autoencoders(_) => &[],
        }
    }

    /// Whether the head takes the int8 sample instead of a latent; the encoder then has no layers.
    pub fn takes_sample(&self) -> bool {
        match self {
            Self::Mixture(_) | Self::Softmax(_) => false,
            Self::Autoencoders(_) => true,
        }
    }

    /// Elements of 16 bits of scratch memory, beside the scores.
    pub fn scratch(&self) -> usize {
        match self {
            Self::Mixture(_) | Self::Softmax(_) => 0,
            Self::Autoencoders(pairs) if AUTOENCODERS => pairs.scratch(),
            Self::Autoencoders(_) => 0,
        }
    }

    /// Multiply-accumulates of one inference.
    pub fn macs(&self) -> u64 {
        match self {
            Self::Mixture(mixture) => mixture.macs(),
            Self::Softmax(softmax) => softmax.macs(),
            Self::Autoencoders(pairs) if AUTOENCODERS => pairs.macs(),
            Self::Autoencoders(_) => 0,
        }
    }

    /// Bytes in the blob.
    pub fn flash(&self) -> usize {
        match self {
            Self::Mixture(mixture) => mixture.flash(),
            Self::Softmax(softmax) => softmax.flash(),
            Self::Autoencoders(pairs) => pairs.flash(),
        }
    }
}
