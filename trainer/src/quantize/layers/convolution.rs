//! Convolutions.

use edgemix_format::description::{Conv2d, Layer, WeightOrder};
use edgemix_format::write::Blob;

use super::context::LayerContext;
use super::weighted::{QuantizedWeights, Schemes};
use crate::quantize::error::QuantizeError;
use crate::quantize::fixed::Affine;
use crate::trained::{Convolution, ConvolutionShape, Window};

pub(super) fn quantize(
    layer: &Convolution,
    context: &LayerContext,
    blob: &mut Blob,
) -> Result<(Layer, Affine), QuantizeError> {
    let ConvolutionShape { input, filters, window } = layer.shape;
    let Window { size, stride, padding } = window;
    let wide = |size: usize| u16::try_from(size).map_err(|_| context.window_error(window, input));
    let narrow = |size: usize| u8::try_from(size).map_err(|_| context.window_error(window, input));
    let schemes = Schemes::new(layer.activation, context);
    let quantized = QuantizedWeights::new(&layer.weights, &layer.bias, layer.activation, schemes, blob);
    let convolution = Conv2d {
        height: wide(input.height)?,
        width: wide(input.width)?,
        channels: wide(input.channels)?,
        filters: wide(filters)?,
        kernel: [narrow(size)?; 2],
        stride: [narrow(stride)?; 2],
        padding: [narrow(padding)?; 4],
        padding_value: schemes.input.zero_point as i8,
        order: WeightOrder::RowMajor,
        weights: quantized.weights,
        bias: quantized.bias,
        requantize: quantized.requantize,
        activation: quantized.activation,
        output: quantized.output,
    };
    Ok((Layer::Conv2d(convolution), schemes.output))
}
