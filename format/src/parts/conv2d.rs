//! Two-dimensional convolutions.

use serde::{Deserialize, Serialize};

use super::activation::Activation;
use super::affine::Affine;
use super::dense::{self, Dense, DenseRecord};
use super::window::Window;
use crate::cursor::Cursor;
use crate::error::{Fault, ensure};
use crate::limits::MAX_INPUTS;
use crate::plan::LayerMemory;

/// A convolution as the description encodes it.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Conv2dRecord {
    /// The window that the filters have in common.
    pub window: Window,
    /// The value of the padding: the input's zero point.
    pub padding_value: i8,
    /// The filters: a layer with `kernel[0] * kernel[1] * channels` inputs and an output for each filter. A filter's weights
    /// are its rows from the top, their columns from the left, the channels of a place side by side (OHWI). The input's
    /// zero point is folded into the bias for all of a filter's weights, so that padding adds nothing.
    pub filters: DenseRecord,
}

/// A convolution of an image, channels last. The filters are the channels of its output.
#[derive(Clone, Copy, Debug)]
pub struct Conv2d<'a> {
    /// The window that the filters have in common.
    pub window: Window,
    /// The value of the padding.
    pub padding_value: i8,
    /// The filters, a row each; `filters.inputs` is `window.taps()`.
    pub filters: Dense<'a>,
}

/// Decodes a convolution and checks its sizes.
pub(crate) fn decode<'a>(cursor: &mut Cursor<'a>, is_last: bool, blob: &'a [u8]) -> Result<Conv2d<'a>, Fault> {
    let window: Window = cursor.next()?;
    window.check()?;
    let padding_value = cursor.next()?;
    let layer = Conv2d { window, padding_value, filters: dense::decode(cursor, is_last, blob)? };
    ensure(layer.filters.inputs == window.taps(), Fault::Inputs)?;
    ensure(layer.memory().outputs <= MAX_INPUTS, Fault::Size)?;
    Ok(layer)
}

impl<'a> Conv2d<'a> {
    pub(crate) fn kind(&self) -> &'static str {
        "convolution"
    }

    pub(crate) fn inputs(&self) -> usize {
        self.window.inputs()
    }

    pub(crate) fn activation(&self) -> Option<Activation<'a>> {
        self.filters.activation()
    }

    pub(crate) fn output(&self) -> Affine {
        self.filters.output()
    }

    pub(crate) fn flash(&self) -> (usize, usize) {
        self.filters.flash()
    }

    pub(crate) fn verify(&self) -> Result<(), Fault> {
        self.filters.verify()
    }

    fn positions(&self) -> usize {
        self.window.rows().saturating_mul(self.window.columns())
    }

    /// Scratch memory holds the part of the input that is under the window.
    pub(crate) fn memory(&self) -> LayerMemory {
        let outputs = self.positions().saturating_mul(self.filters.bias.len());
        LayerMemory { outputs, scratch: self.filters.inputs }
    }

    /// Those with padding included.
    pub(crate) fn macs(&self) -> u64 {
        self.positions() as u64 * self.filters.macs()
    }
}
