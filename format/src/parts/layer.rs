//! One layer of a network, and lists of them.
//!
//! A new layer is a variant of [`LayerRecord`] and of [`Layer`] and a file beside this one.

use serde::{Deserialize, Serialize};

use super::activation::Activation;
use super::affine::Affine;
use super::conv2d::{self, Conv2d, Conv2dRecord};
use super::dense::{self, Dense, DenseRecord};
use super::pool2d::{self, Pool2d};
use crate::cursor::Cursor;
use crate::error::{Fault, ensure};
use crate::features::{CONVOLUTION, Feature, POOLING};
use crate::limits::MAX_LAYERS;
use crate::plan::LayerMemory;

/// Layers as the description encodes them, in the order they run.
pub type LayerRecords = heapless::Vec<LayerRecord, MAX_LAYERS>;

/// Layers in the order they run.
pub type Layers<'a> = heapless::Vec<Layer<'a>, MAX_LAYERS>;

/// One layer as the description encodes it.
// Not `non_exhaustive`, nor is any other enum of parts: the crates of this workspace are the only readers, and a new
// variant must not compile until each of them answers it.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub enum LayerRecord {
    /// A fully connected layer.
    Dense(DenseRecord),
    /// A two-dimensional convolution.
    Conv2d(Conv2dRecord),
    /// Two-dimensional pooling.
    Pool2d(Pool2d),
}

impl LayerRecord {
    /// The scheme of the layer's output.
    pub fn output(&self) -> Affine {
        match self {
            Self::Dense(layer) => layer.output,
            Self::Conv2d(layer) => layer.filters.output,
            Self::Pool2d(layer) => layer.output,
        }
    }
}

/// One layer.
///
/// ```
/// # use edgemix_format::testing::{Convolution, Follow, ImageLayer, Spec};
/// # let (kernel, follow) = ([3, 2], Follow::Relu);
/// # let filters = Convolution { filters: 4, kernel, stride: [1, 1], padding: [0; 4], follow };
/// # let image_layers = vec![ImageLayer::Convolution(filters)];
/// # let bytes = Spec { input: 60, image: [5, 6, 2], image_layers, ..Spec::default() }.build().unwrap();
/// use edgemix_format::File;
///
/// // The first layer has 4 filters of 3 x 2 pixels, over 5 x 6 pixels of 2 channels.
/// let layer = File::from_bytes(&bytes).unwrap().encoder[0];
/// assert_eq!((layer.inputs(), layer.outputs(), layer.scratch()), (60, 3 * 5 * 4, 3 * 2 * 2));
/// assert_eq!((layer.kind(), layer.macs()), ("convolution", 60 * 12));
/// // Weights; biases, multipliers and shifts.
/// assert_eq!(layer.flash(), (4 * 12, 4 * (4 + 4 + 1)));
/// ```
#[derive(Clone, Copy, Debug)]
pub enum Layer<'a> {
    /// A fully connected layer.
    Dense(Dense<'a>),
    /// A two-dimensional convolution.
    Conv2d(Conv2d<'a>),
    /// Two-dimensional pooling.
    Pool2d(Pool2d),
}

/// Decodes a layer that takes `inputs` elements, and checks its sizes. [`Layer::verify`] checks the elements of its
/// tensors.
#[inline(never)]
pub(crate) fn decode<'a>(
    cursor: &mut Cursor<'a>,
    inputs: usize,
    is_last: bool,
    blob: &'a [u8],
) -> Result<Layer<'a>, Fault> {
    let layer = match cursor.next::<u32>()? {
        0 => Layer::Dense(dense::decode(cursor, is_last, blob)?),
        1 if CONVOLUTION => Layer::Conv2d(conv2d::decode(cursor, is_last, blob)?),
        1 => return Err(Fault::Disabled(Feature::Convolution)),
        2 if POOLING => Layer::Pool2d(pool2d::decode(cursor, is_last)?),
        2 => return Err(Fault::Disabled(Feature::Pooling)),
        _ => return Err(Fault::UnknownVariant),
    };
    ensure(layer.inputs() == inputs, Fault::Inputs)?;
    Ok(layer)
}

/// Evaluates an expression for the layer of whatever variant. Guards keep the code of a disabled feature out of a program;
/// no layer of its kind is ever made, so the value for it is never given.
macro_rules! dispatch {
    ($self:ident, $layer:ident => $value:expr, disabled => $disabled:expr) => {
        match $self {
            Self::Dense($layer) => $value,
            Self::Conv2d($layer) if CONVOLUTION => $value,
            Self::Pool2d($layer) if POOLING => $value,
            Self::Conv2d(_) | Self::Pool2d(_) => $disabled,
        }
    };
}

impl<'a> Layer<'a> {
    /// The kind of layer, as a page or a command shows it.
    pub fn kind(&self) -> &'static str {
        dispatch!(self, layer => layer.kind(), disabled => "disabled")
    }

    /// Number of input elements.
    pub fn inputs(&self) -> usize {
        dispatch!(self, layer => layer.inputs(), disabled => 0)
    }

    /// Number of output elements.
    pub fn outputs(&self) -> usize {
        self.memory().outputs
    }

    /// Elements of 16 bits of scratch memory. A convolution gathers there what is under the window.
    pub fn scratch(&self) -> usize {
        self.memory().scratch
    }

    /// The memory that the layer needs beside its input.
    pub fn memory(&self) -> LayerMemory {
        dispatch!(self, layer => layer.memory(), disabled => LayerMemory::default())
    }

    /// Multiply-accumulates of one inference, those with padding included.
    pub fn macs(&self) -> u64 {
        dispatch!(self, layer => layer.macs(), disabled => 0)
    }

    /// What follows the layer's sums; `None` for a layer that computes no sums of products.
    pub fn activation(&self) -> Option<Activation<'a>> {
        dispatch!(self, layer => layer.activation(), disabled => None)
    }

    /// The scheme of the layer's output.
    pub fn output(&self) -> Affine {
        dispatch!(self, layer => layer.output(), disabled => Affine { scale: 1.0, zero_point: 0 })
    }

    /// Bytes in the blob: weights, then everything else.
    pub fn flash(&self) -> (usize, usize) {
        dispatch!(self, layer => layer.flash(), disabled => (0, 0))
    }

    /// Checks the elements of the layer's tensors.
    pub(crate) fn verify(&self) -> Result<(), Fault> {
        dispatch!(self, layer => layer.verify(), disabled => Ok(()))
    }
}
