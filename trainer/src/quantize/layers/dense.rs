//! Fully connected layers.

use edgemix_format::description::LayerRecord;
use edgemix_format::write::Blob;

use super::context::LayerContext;
use super::weighted::{Schemes, quantize_rows};
use crate::quantize::fixed::Affine;
use crate::trained::Dense;

pub(super) fn quantize(layer: &Dense, context: &LayerContext, blob: &mut Blob) -> (LayerRecord, Affine) {
    let schemes = Schemes::new(layer.activation, context);
    let rows = quantize_rows(&layer.weights, &layer.bias, layer.activation, schemes, blob);
    (LayerRecord::Dense(rows), schemes.output)
}
