//! Fully connected layers.

use serde::{Deserialize, Serialize};

use super::activation::{Activation, ActivationRecord};
use super::affine::{Affine, is_scale};
use super::requantize::{Requantize, RequantizeRecord};
use crate::cursor::{Cursor, Decode, decode_fields};
use crate::error::{Fault, ensure};
use crate::limits::{MAX_BIAS, MAX_INPUTS};
use crate::plan::LayerMemory;
use crate::tensor::Tensor;

/// A fully connected layer as the description encodes it: `outputs x inputs` int8 weights, symmetric, with one scale per
/// output.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct DenseRecord {
    /// Number of inputs.
    pub inputs: u32,
    /// Number of outputs.
    pub outputs: u32,
    /// The order of the weights.
    pub order: WeightOrder,
    /// The weights.
    pub weights: Tensor<i8>,
    /// One bias per output in the scale of the sum. The input's zero point is folded in, so that inference subtracts none.
    pub bias: Tensor<i32>,
    /// From the sum to the output, or to the index of a table.
    pub requantize: RequantizeRecord,
    /// What follows.
    pub activation: ActivationRecord,
    /// The scheme of the output. The encoder's last layer gives the int16 latent and has zero point 0.
    pub output: Affine,
}

decode_fields!(DenseRecord: inputs, outputs, order, weights, bias, requantize, activation, output);

/// The order of a layer's weights in the blob.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
pub enum WeightOrder {
    /// Row by row; a row holds the weights of one output.
    RowMajor,
}

impl<'a> Decode<'a> for WeightOrder {
    fn decode(bytes: &mut &'a [u8]) -> Option<Self> {
        (u32::decode(bytes)? == 0).then_some(Self::RowMajor)
    }
}

/// A fully connected layer, or the filters of a convolution. It has `bias.len()` outputs and `bias.len() * inputs` weights.
#[derive(Clone, Copy, Debug)]
pub struct Dense<'a> {
    /// Number of inputs, not 0.
    pub inputs: usize,
    /// The weights, row by row.
    pub weights: &'a [i8],
    /// One bias per output.
    pub bias: &'a [i32],
    /// One entry per output.
    pub requantize: Requantize<'a>,
    /// What follows.
    pub activation: Activation<'a>,
    /// The scheme of the output.
    pub output: Affine,
}

/// Decodes a layer and checks its sizes; [`Dense::verify`] checks the elements of its tensors.
pub(crate) fn decode<'a>(cursor: &mut Cursor<'a>, is_last: bool, blob: &'a [u8]) -> Result<Dense<'a>, Fault> {
    let record: DenseRecord = cursor.next()?;
    let (inputs, outputs) = (record.inputs as usize, record.outputs as usize);
    ensure(inputs > 0 && inputs <= MAX_INPUTS && outputs > 0 && outputs <= MAX_INPUTS, Fault::Size)?;
    let n_weights = outputs.checked_mul(inputs).ok_or(Fault::Size)?;
    let WeightOrder::RowMajor = record.order;
    let dense = Dense {
        inputs,
        weights: record.weights.resolve(blob, n_weights)?,
        bias: record.bias.resolve(blob, outputs)?,
        requantize: record.requantize.resolve(outputs, blob)?,
        activation: record.activation.resolve(outputs, is_last, blob)?,
        output: record.output,
    };
    ensure(is_scale(dense.output.scale), Fault::Scale)?;
    ensure(!is_last || dense.output.zero_point == 0, Fault::ZeroPoint)?;
    Ok(dense)
}

impl<'a> Dense<'a> {
    pub(crate) fn kind(&self) -> &'static str {
        "dense"
    }

    pub(crate) fn inputs(&self) -> usize {
        self.inputs
    }

    pub(crate) fn activation(&self) -> Option<Activation<'a>> {
        Some(self.activation)
    }

    pub(crate) fn output(&self) -> Affine {
        self.output
    }

    /// Checks the elements of the layer's tensors.
    pub(crate) fn verify(&self) -> Result<(), Fault> {
        ensure(self.bias.iter().all(|b| b.unsigned_abs() < MAX_BIAS), Fault::Bias)?;
        self.requantize.verify()?;
        self.activation.verify()
    }

    pub(crate) fn memory(&self) -> LayerMemory {
        LayerMemory::from(self.bias.len())
    }

    pub(crate) fn macs(&self) -> u64 {
        self.weights.len() as u64
    }

    /// Bytes in the blob: weights, then everything else.
    pub(crate) fn flash(&self) -> (usize, usize) {
        (size_of_val(self.weights), size_of_val(self.bias) + self.requantize.flash() + self.activation.flash())
    }
}
