//! Convolutions.

use edgemix_format::description::{Conv2dRecord, LayerRecord};
use edgemix_format::write::Blob;

use super::context::LayerContext;
use super::weighted::{Schemes, quantize_rows};
use crate::quantize::error::QuantizeError;
use crate::quantize::fixed::Affine;
use crate::trained::Convolution;

pub(super) fn quantize(
    layer: &Convolution,
    context: &LayerContext,
    blob: &mut Blob,
) -> Result<(LayerRecord, Affine), QuantizeError> {
    let window = context.window(layer.shape.window, layer.shape.input)?;
    let schemes = Schemes::new(layer.activation, context);
    let filters = quantize_rows(&layer.weights, &layer.bias, layer.activation, schemes, blob);
    let convolution = Conv2dRecord { window, padding_value: schemes.input.zero_point as i8, filters };
    Ok((LayerRecord::Conv2d(convolution), schemes.output))
}
