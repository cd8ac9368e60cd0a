//! What the quantisation of a layer depends on beside the layer itself.

use crate::data::ImageShape;
use crate::quantize::error::QuantizeError;
use crate::quantize::fixed::Affine;
use crate::quantize::ranges::LayerRanges;
use crate::trained::Window;

/// The surroundings of a layer.
#[derive(Clone, Copy, Debug)]
pub(in crate::quantize) struct LayerContext<'a> {
    /// The layer's place in its network.
    pub(in crate::quantize) index: usize,
    /// The scheme of the input.
    pub(in crate::quantize) input: Affine,
    /// The ranges of the layer's values.
    pub(in crate::quantize) ranges: &'a LayerRanges,
    /// The scheme of the output.
    pub(in crate::quantize) output: OutputScheme,
}

/// The scheme of a layer's output.
#[derive(Clone, Copy, Debug)]
pub(in crate::quantize) enum OutputScheme {
    /// int8, in the scheme that suits the values best.
    BestInt8,
    /// int8, in this scheme.
    Int8(Affine),
    /// The int16 latent, in this scheme; its zero point is 0.
    Latent(Affine),
}

impl LayerContext<'_> {
    /// The error for a window or an image that a model file can't hold.
    pub(super) fn window_error(&self, window: Window, image: ImageShape) -> QuantizeError {
        QuantizeError::WindowedLayer { layer: self.index, window, image }
    }
}
