//! What follows a layer's sums.

use serde::{Deserialize, Serialize};

use super::requantize::{Requantize, RequantizeRecord};
use crate::cursor::Decode;
use crate::error::{Fault, ensure};
use crate::features::{ACTIVATIONS, Feature};
use crate::tensor::Tensor;

/// What follows a layer's sums, as the description encodes it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum ActivationRecord {
    /// Nothing.
    Identity,
    /// Negative values become zero.
    Relu,
    /// Negative sums are requantised with these smaller multipliers.
    LeakyRelu(RequantizeRecord),
    /// A table, as for tanh, sigmoid or ELU: the requantised sum `q`, saturated to int8, becomes `table[q + 128]`. The
    /// output's zero point is not added; the zero point of the table's index is part of the bias.
    Table(Tensor<i8>),
    /// A curve through 257 points, 256 steps apart. It takes the place of a table in the encoder's last layer, which gives
    /// int16: the requantised sum `q`, saturated to int16, has `i = (q >> 8) + 128` and `f = q & 255`, and becomes
    /// `(points[i] * (256 - f) + points[i + 1] * f + 128) >> 8`.
    Interpolated(Tensor<i16>),
}

impl<'a> Decode<'a> for ActivationRecord {
    fn decode(bytes: &mut &'a [u8]) -> Option<Self> {
        Some(match u32::decode(bytes)? {
            0 => Self::Identity,
            1 => Self::Relu,
            2 => Self::LeakyRelu(Decode::decode(bytes)?),
            3 => Self::Table(Decode::decode(bytes)?),
            4 => Self::Interpolated(Decode::decode(bytes)?),
            _ => return None,
        })
    }
}

/// What follows a layer's sums.
#[derive(Clone, Copy, Debug)]
pub enum Activation<'a> {
    /// Nothing.
    Identity,
    /// Negative values become zero.
    Relu,
    /// Negative sums are requantised with these multipliers.
    LeakyRelu(Requantize<'a>),
    /// The requantised sum `q` becomes `table[q + 128]`.
    Table(&'a [i8; 256]),
    /// The requantised sum, saturated to int16, is looked up on a curve through points 256 steps apart.
    Interpolated(&'a [i16; 257]),
}

impl ActivationRecord {
    /// Tables give int8, which the encoder's last layer does not give; curves give int16, which only that layer gives.
    pub(crate) fn resolve<'a>(&self, outputs: usize, is_last: bool, blob: &'a [u8]) -> Result<Activation<'a>, Fault> {
        Ok(match self {
            Self::Identity => Activation::Identity,
            Self::Relu => Activation::Relu,
            _ if !ACTIVATIONS => return Err(Fault::Disabled(Feature::Activations)),
            Self::LeakyRelu(negative) => Activation::LeakyRelu(negative.resolve(outputs, blob)?),
            Self::Table(table) => {
                ensure(!is_last, Fault::TableInLastLayer)?;
                let table = table.resolve(blob, 256)?;
                Activation::Table(table.try_into().map_err(|_| Fault::TensorLength)?)
            }
            Self::Interpolated(points) => {
                ensure(is_last, Fault::CurveBeforeLastLayer)?;
                let points = points.resolve(blob, 257)?;
                Activation::Interpolated(points.try_into().map_err(|_| Fault::TensorLength)?)
            }
        })
    }
}

impl Activation<'_> {
    /// The activation's name, as a page or a command shows it.
    pub fn name(&self) -> &'static str {
        match self {
            Self::Identity => "identity",
            Self::Relu => "ReLU",
            Self::LeakyRelu(_) => "leaky ReLU",
            Self::Table(_) => "table",
            Self::Interpolated(_) => "curve",
        }
    }

    pub(crate) fn verify(&self) -> Result<(), Fault> {
        match self {
            Self::LeakyRelu(negative) => negative.verify(),
            Self::Identity | Self::Relu | Self::Table(_) | Self::Interpolated(_) => Ok(()),
        }
    }

    /// Bytes in the blob.
    pub(crate) fn flash(&self) -> usize {
        match self {
            Self::LeakyRelu(negative) => negative.flash(),
            Self::Table(table) => size_of_val(*table),
            Self::Interpolated(points) => size_of_val(*points),
            Self::Identity | Self::Relu => 0,
        }
    }
}
