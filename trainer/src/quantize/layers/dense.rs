//! Fully connected layers.

use edgemix_format::description::{self, Layer, WeightOrder};
use edgemix_format::write::Blob;

use super::context::LayerContext;
use super::weighted::{QuantizedWeights, Schemes};
use crate::quantize::fixed::Affine;
use crate::trained::Dense;

pub(super) fn quantize(layer: &Dense, context: &LayerContext, blob: &mut Blob) -> (Layer, Affine) {
    let schemes = Schemes::new(layer.activation, context);
    let quantized = QuantizedWeights::new(&layer.weights, &layer.bias, layer.activation, schemes, blob);
    let dense = description::Dense {
        inputs: layer.inputs as u32,
        outputs: layer.outputs as u32,
        order: WeightOrder::RowMajor,
        weights: quantized.weights,
        bias: quantized.bias,
        requantize: quantized.requantize,
        activation: quantized.activation,
        output: quantized.output,
    };
    (Layer::Dense(dense), schemes.output)
}
