//! The layers of a network, each kind in a file of its own.

pub(super) mod context;
mod convolution;
mod dense;
mod pooling;
pub(super) mod requantize;
mod weighted;

use edgemix_format::description::LayerRecord;
use edgemix_format::write::Blob;

use super::error::QuantizeError;
use super::fixed::Affine;
use crate::trained::Layer;
use context::LayerContext;

/// Quantises a layer; returns it and the scheme of its output.
pub(super) fn quantize(
    layer: &Layer,
    context: &LayerContext,
    blob: &mut Blob,
) -> Result<(LayerRecord, Affine), QuantizeError> {
    match layer {
        Layer::Dense(layer) => Ok(dense::quantize(layer, context, blob)),
        Layer::Convolution(layer) => convolution::quantize(layer, context, blob),
        Layer::Pooling(layer) => pooling::quantize(layer, context),
    }
}
