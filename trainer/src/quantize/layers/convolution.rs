//! Convolutions.

use edgemix_format::description::{self, Conv2dRecord, LayerRecord};
use edgemix_format::write::Blob;

use super::context::LayerContext;
use super::weighted::{Schemes, quantize_rows};
use crate::quantize::error::QuantizeError;
use crate::quantize::fixed::Affine;
use crate::trained::{Convolution, ConvolutionShape, Window};

pub(super) fn quantize(
    layer: &Convolution,
    context: &LayerContext,
    blob: &mut Blob,
) -> Result<(LayerRecord, Affine), QuantizeError> {
    let ConvolutionShape { input, filters: _, window } = layer.shape;
    let Window { size, stride, padding } = window;
    let wide = |size: usize| u16::try_from(size).map_err(|_| context.window_error(window, input));
    let narrow = |size: usize| u8::try_from(size).map_err(|_| context.window_error(window, input));
    let schemes = Schemes::new(layer.activation, context);
    let window = description::Window {
        height: wide(input.height)?,
        width: wide(input.width)?,
        channels: wide(input.channels)?,
        kernel: [narrow(size)?; 2],
        stride: [narrow(stride)?; 2],
        padding: [narrow(padding)?; 4],
    };
    let filters = quantize_rows(&layer.weights, &layer.bias, layer.activation, schemes, blob);
    let convolution = Conv2dRecord { window, padding_value: schemes.input.zero_point as i8, filters };
    Ok((LayerRecord::Conv2d(convolution), schemes.output))
}
