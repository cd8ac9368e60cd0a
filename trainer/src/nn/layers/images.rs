//! Samples as images: a row of samples stores the channels of an image last, but burn expects them first.

use burn::tensor::{Tensor, backend::Backend};

use super::trainable::{LayerError, LayerInput};
use crate::data::ImageShape;
use crate::trained::{Axes, Window};

/// The image that a layer receives, if the window fits it.
pub(super) fn input_image(input: LayerInput, window: Window) -> Result<ImageShape, LayerError> {
    let image = input.image.ok_or(match window.axes {
        Axes::Both => LayerError::NotAnImage,
        Axes::Columns => LayerError::NotARecording,
    })?;
    let ImageShape { channels, height, width } = image;
    let Window { size, padding, .. } = window;
    let does_not_fit = LayerError::WindowTooLarge { size, padding, height, width };
    window.output(image, channels).map(|_| image).ok_or(does_not_fit)
}

/// Converts rows of images to `N x channels x height x width`.
pub(super) fn to_planes<B: Backend>(x: Tensor<B, 2>, shape: ImageShape) -> Tensor<B, 4> {
    let ImageShape { channels, height, width } = shape;
    let n = x.dims()[0];
    x.reshape([n, height, width, channels]).permute([0, 3, 1, 2])
}

/// Converts `N x channels x height x width` to rows of images.
pub(super) fn to_rows<B: Backend>(x: Tensor<B, 4>) -> Tensor<B, 2> {
    let [n, channels, height, width] = x.dims();
    x.permute([0, 2, 3, 1]).reshape([n, channels * height * width])
}
