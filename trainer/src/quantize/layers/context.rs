//! What the quantisation of a layer depends on besides the layer itself.

use edgemix_format::description;

use crate::data::ImageShape;
use crate::quantize::error::QuantizeError;
use crate::quantize::fixed::Affine;
use crate::quantize::ranges::LayerRanges;
use crate::trained::Window;

/// The position of a layer in its network, its ranges, and the schemes around it.
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
    /// Describes how a window moves over an image, if a model file can hold their sizes.
    pub(super) fn window(&self, window: Window, image: ImageShape) -> Result<description::Window, QuantizeError> {
        let too_large = QuantizeError::WindowedLayer { layer: self.index, window, image };
        let sizes = || {
            let narrow = |size: usize| u8::try_from(size).ok();
            let both = |[rows, columns]: [usize; 2]| Some([narrow(rows)?, narrow(columns)?]);
            let [above, left] = both(window.paddings())?;
            Some(description::Window {
                height: image.height.try_into().ok()?,
                width: image.width.try_into().ok()?,
                channels: image.channels.try_into().ok()?,
                kernel: both(window.sizes())?,
                stride: both(window.strides())?,
                padding: [above, left, above, left],
            })
        };
        sizes().ok_or(too_large)
    }
}
