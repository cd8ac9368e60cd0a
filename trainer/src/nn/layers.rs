//! The layers of a network: how each kind is spelt, its sizes, and its trainable module.

mod convolution;
mod dense;
mod images;
mod pooling;
mod trainable;

use std::fmt;

use burn::module::Module;
use burn::tensor::backend::Backend;
use rand::Rng;

pub use convolution::SLOPE;
pub(super) use convolution::{Convolution, ConvolutionSpelling};
pub use dense::DenseShape;
pub(super) use dense::{Dense, DenseSpelling};
use pooling::{Pooling, PoolingSpelling};
pub use trainable::LayerError;
pub(super) use trainable::{Direction, LayerInput, TrainableLayer};

use crate::trained::{self, Activation, Axes, ConvolutionShape, DecoderLayer};

/// The spelling of a layer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum LayerSpelling {
    Dense(DenseSpelling),
    Convolution(ConvolutionSpelling),
    Pooling(PoolingSpelling),
}

/// The sizes of a layer for a given input.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum LayerShape {
    /// A fully connected layer.
    Dense(DenseShape),
    /// A convolution.
    Convolution(ConvolutionShape),
    /// A pooling.
    Pooling(trained::Pooling),
}

/// A layer with its weights.
#[derive(Module, Debug)]
pub(super) enum Layer<B: Backend> {
    Dense(Dense<B>),
    Convolution(Convolution<B>),
    Pooling(Pooling),
}

impl LayerSpelling {
    /// How the layers are spelt.
    pub(super) const FORMS: [&str; 3] = [DenseSpelling::FORM, ConvolutionSpelling::FORM, PoolingSpelling::FORM];

    /// The layer, whose window moves along these axes if it has one.
    pub(super) fn parse(text: &str, axes: Axes) -> Option<Self> {
        let dense = DenseSpelling::parse(text).map(Self::Dense);
        let convolution = || ConvolutionSpelling::parse(text, axes).map(Self::Convolution);
        let pooling = || PoolingSpelling::parse(text, axes).map(Self::Pooling);
        dense.or_else(convolution).or_else(pooling)
    }

    /// The spelling of a layer of this size.
    pub(super) fn of(shape: &LayerShape) -> Self {
        match *shape {
            LayerShape::Dense(DenseShape { outputs, .. }) => Self::Dense(DenseSpelling(outputs)),
            LayerShape::Convolution(ConvolutionShape { filters, window, .. }) => {
                Self::Convolution(ConvolutionSpelling { filters, window })
            }
            LayerShape::Pooling(pooling) => Self::Pooling(PoolingSpelling::of(pooling)),
        }
    }

    /// Whether the layer needs an image or a recording, which only the first layers receive.
    pub(super) fn needs_image(self) -> bool {
        self.axes().is_some()
    }

    /// Along which axes its window moves, if it has one.
    pub(super) fn axes(self) -> Option<Axes> {
        match self {
            Self::Dense(_) => None,
            Self::Convolution(convolution) => Some(convolution.window.axes),
            Self::Pooling(pooling) => Some(pooling.axes()),
        }
    }

    /// The layer's sizes for an input.
    pub(super) fn shape(self, input: LayerInput) -> Result<LayerShape, LayerError> {
        Ok(match self {
            Self::Dense(dense) => LayerShape::Dense(dense.shape(input)),
            Self::Convolution(convolution) => LayerShape::Convolution(convolution.shape(input)?),
            Self::Pooling(pooling) => LayerShape::Pooling(pooling.shape(input)?),
        })
    }
}

impl fmt::Display for LayerSpelling {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Dense(dense) => dense.fmt(f),
            Self::Convolution(convolution) => convolution.fmt(f),
            Self::Pooling(pooling) => pooling.fmt(f),
        }
    }
}

impl From<&trained::Layer> for LayerShape {
    fn from(layer: &trained::Layer) -> Self {
        match layer {
            trained::Layer::Dense(dense) => Self::Dense(DenseShape { inputs: dense.inputs, outputs: dense.outputs }),
            trained::Layer::Convolution(convolution) => Self::Convolution(convolution.shape),
            trained::Layer::Pooling(pooling) => Self::Pooling(*pooling),
        }
    }
}

impl LayerShape {
    /// Number of inputs.
    pub fn inputs(&self) -> usize {
        match self {
            Self::Dense(dense) => dense.inputs,
            Self::Convolution(convolution) => convolution.inputs(),
            Self::Pooling(pooling) => pooling.input.n_values(),
        }
    }

    /// Number of outputs.
    pub fn outputs(&self) -> usize {
        self.output().len
    }

    /// The values that the next layer receives.
    pub(super) fn output(&self) -> LayerInput {
        let image = match self {
            Self::Dense(dense) => return LayerInput { len: dense.outputs, image: None },
            Self::Convolution(convolution) => convolution.output(),
            Self::Pooling(pooling) => pooling.output(),
        };
        LayerInput { len: image.map_or(0, |image| image.n_values()), image }
    }
}

impl<B: Backend> Layer<B> {
    /// A layer with fresh weights: one of the encoder, or its mirror.
    pub(super) fn new(shape: &LayerShape, direction: Direction, rng: &mut impl Rng, device: &B::Device) -> Self {
        match *shape {
            LayerShape::Dense(shape) => Self::Dense(Dense::new(shape, direction, rng, device)),
            LayerShape::Convolution(shape) => Self::Convolution(Convolution::new(shape, direction, rng, device)),
            LayerShape::Pooling(pooling) => Self::Pooling(Pooling::new(pooling, direction)),
        }
    }

    /// A fully connected layer of `inputs x outputs` weights, row-major, and `outputs` biases.
    pub(super) fn dense(weights: Vec<f32>, bias: Vec<f32>, device: &B::Device) -> Self {
        Self::Dense(Dense::from_numbers(weights, bias, device))
    }

    /// A layer of an encoder with the numbers of a plain one.
    pub(super) fn from_plain(layer: &trained::Layer, device: &B::Device) -> Self {
        match layer {
            trained::Layer::Dense(dense) => Self::Dense(Dense::from_plain(dense, device)),
            trained::Layer::Convolution(convolution) => Self::Convolution(Convolution::from_plain(convolution, device)),
            trained::Layer::Pooling(pooling) => Self::Pooling(Pooling::new(*pooling, Direction::Encode)),
        }
    }

    /// The layer of a decoder as plain numbers, with this activation.
    ///
    /// # Panics
    /// If it belongs to an encoder and is not fully connected.
    pub(super) fn to_decoder_layer(&self, activation: Activation) -> DecoderLayer {
        match self {
            Self::Dense(dense) => DecoderLayer::Dense(dense.to_numbers(activation)),
            Self::Convolution(convolution) => {
                DecoderLayer::TransposedConvolution(convolution.to_transposed(activation))
            }
            Self::Pooling(pooling) => DecoderLayer::Upsampling(pooling.to_upsampling()),
        }
    }

    pub(super) fn as_trainable(&self) -> &dyn TrainableLayer<B> {
        match self {
            Self::Dense(dense) => dense,
            Self::Convolution(convolution) => convolution,
            Self::Pooling(pooling) => pooling,
        }
    }
}
