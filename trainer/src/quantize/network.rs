//! A network's layers one after the other, each taking the integers of the one before it.

use edgemix_format::description::LayerRecords;
use edgemix_format::write::Blob;

use super::error::QuantizeError;
use super::fixed::Affine;
use super::layers;
use super::layers::context::{LayerContext, OutputScheme};
use super::ranges::LayerRanges;
use crate::trained::Layer;

/// Quantises layers that take values in the scheme `input`; returns them and the scheme of the last one's output.
pub(super) fn quantize(
    network: &[Layer],
    ranges: &[LayerRanges],
    mut input: Affine,
    last: OutputScheme,
    blob: &mut Blob,
) -> Result<(LayerRecords, Affine), QuantizeError> {
    let mut quantized = LayerRecords::new();
    for (index, (layer, ranges)) in network.iter().zip(ranges).enumerate() {
        let output = if index + 1 == network.len() { last } else { OutputScheme::BestInt8 };
        let (layer, output) = layers::quantize(layer, &LayerContext { index, input, ranges, output }, blob)?;
        quantized.push(layer).map_err(|_| QuantizeError::TooManyLayers(network.len()))?;
        input = output;
    }
    Ok((quantized, input))
}
