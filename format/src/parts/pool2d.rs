//! Two-dimensional pooling.

use serde::{Deserialize, Serialize};

use super::activation::Activation;
use super::affine::{Affine, is_scale};
use super::window::Window;
use crate::cursor::{Cursor, Decode, decode_fields};
use crate::error::{Fault, ensure};
use crate::limits::MAX_INPUTS;
use crate::plan::LayerMemory;

/// A pooling layer on an image, channels last: the maximum or the average of each channel under the window. It has no
/// tensors, so that a reader sees what the description encodes.
///
/// Values stay int8 in one scheme. It can therefore not be the last layer of an encoder, which gives the int16 latent.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct Pool2d {
    /// What is computed.
    pub pooling: Pooling,
    /// The window. Padding is allowed for the maximum alone, and is never the maximum.
    pub window: Window,
    /// The scheme of the output, which is that of the input. Inference does not use it.
    pub output: Affine,
}

decode_fields!(Pool2d: pooling, window, output);

/// What a pooling layer computes of the values under its window.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
pub enum Pooling {
    /// The greatest value.
    Max,
    /// The average, `floor(sum / (kernel[0] * kernel[1]) + 1/2)`.
    Average,
}

impl<'a> Decode<'a> for Pooling {
    fn decode(bytes: &mut &'a [u8]) -> Option<Self> {
        Some(match u32::decode(bytes)? {
            0 => Self::Max,
            1 => Self::Average,
            _ => return None,
        })
    }
}

/// Decodes and checks a pooling layer.
pub(crate) fn decode(cursor: &mut Cursor, is_last: bool) -> Result<Pool2d, Fault> {
    let layer: Pool2d = cursor.next()?;
    layer.window.check()?;
    ensure(layer.pooling == Pooling::Max || layer.window.padding == [0; 4], Fault::AveragePadding)?;
    ensure(is_scale(layer.output.scale), Fault::Scale)?;
    ensure(layer.memory().outputs <= MAX_INPUTS, Fault::Size)?;
    ensure(!is_last, Fault::PoolingInLastLayer)?;
    Ok(layer)
}

impl Pool2d {
    pub(crate) fn kind(&self) -> &'static str {
        match self.pooling {
            Pooling::Max => "max pooling",
            Pooling::Average => "average pooling",
        }
    }

    pub(crate) fn inputs(&self) -> usize {
        self.window.inputs()
    }

    pub(crate) fn memory(&self) -> LayerMemory {
        let positions = self.window.rows().saturating_mul(self.window.columns());
        LayerMemory::from(positions.saturating_mul(self.window.channels.into()))
    }

    /// A step for each value under the window, which takes as long as a multiply-accumulate or longer.
    pub(crate) fn macs(&self) -> u64 {
        self.memory().outputs as u64 * self.window.area()
    }

    pub(crate) fn activation<'a>(&self) -> Option<Activation<'a>> {
        None
    }

    pub(crate) fn output(&self) -> Affine {
        self.output
    }

    pub(crate) fn flash(&self) -> (usize, usize) {
        (0, 0)
    }

    pub(crate) fn verify(&self) -> Result<(), Fault> {
        Ok(())
    }
}
