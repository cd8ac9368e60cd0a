//! The operations that every trainable layer provides, and the values that pass from one layer to the next.

use burn::tensor::{Tensor, backend::Backend};
use thiserror::Error;

use crate::data::ImageShape;
use crate::trained::{self, Activation};

/// A layer of a network that is trained.
pub(in crate::nn) trait TrainableLayer<B: Backend> {
    /// Maps `N x inputs` values to `N x outputs`, without the activation.
    fn forward(&self, x: Tensor<B, 2>) -> Tensor<B, 2>;

    /// [`Self::forward`] with weights and inputs rounded to the values that int8 can represent.
    fn forward_rounded(&self, x: Tensor<B, 2>) -> Tensor<B, 2>;

    /// The activation of the layer, unless it is the last one.
    fn activation(&self) -> Activation;

    /// Whether the layer has weights.
    fn has_weights(&self) -> bool;

    /// The layer as plain numbers, with this activation.
    ///
    /// # Panics
    /// If the layer is the mirror of a convolution or a pooling, which a model file can't hold.
    fn to_plain(&self, activation: Activation) -> trained::Layer;
}

/// Whether a layer belongs to the encoder or to its mirror, the decoder.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::nn) enum Direction {
    Encode,
    Decode,
}

impl Direction {
    /// The other one.
    pub(in crate::nn) fn reversed(self) -> Self {
        match self {
            Self::Encode => Self::Decode,
            Self::Decode => Self::Encode,
        }
    }
}

/// The values that a layer receives.
#[derive(Clone, Copy, Debug)]
pub(in crate::nn) struct LayerInput {
    /// Number of values.
    pub(in crate::nn) len: usize,
    /// The image that they form, if they form one.
    pub(in crate::nn) image: Option<ImageShape>,
}

/// Why a layer can't be built for its input.
///
/// ```
/// use edgemix::nn::{Architecture, LayerError};
///
/// assert_eq!(Architecture::depict().shapes(64, None), Err(LayerError::NotAnImage));
/// ```
#[derive(Clone, Debug, PartialEq, Eq, Error)]
#[non_exhaustive]
pub enum LayerError {
    /// The samples are not images.
    #[error("some of the layers need an image, but the samples are not images: use widths alone, as in 256-128-10")]
    NotAnImage,
    /// The samples are not windows of a recording.
    #[error(
        "convolutions over time need windows of a recording, instant by instant: cut the recording into windows, train without a \
         front end, or use widths alone, as in 256-128-10"
    )]
    NotARecording,
    /// The window of a layer is larger than the image.
    #[error("a window of {size} with padding {padding} does not fit an image of {height} x {width}: use a smaller one")]
    WindowTooLarge {
        /// Rows and columns of the window.
        size: usize,
        /// Zeros beyond each border.
        padding: usize,
        /// Rows of the image.
        height: usize,
        /// Columns of the image.
        width: usize,
    },
}
