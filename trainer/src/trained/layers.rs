//! The layers of an encoder. A new kind of layer is a file in `layers` and a variant of [`Layer`].

mod convolution;
mod decoding;
mod dense;
mod plain_layer;
mod pooling;
mod window;

pub use convolution::{Convolution, ConvolutionShape};
pub use decoding::{DecoderLayer, TransposedConvolution, Upsampling};
pub use dense::Dense;
pub use pooling::{Pooling, PoolingOperation};
use serde::{Deserialize, Serialize};
pub use window::{Axes, Window};

use super::activation::Activation;
pub(crate) use plain_layer::LayerArray;
use plain_layer::PlainLayer;

/// Number of samples that pass through the layers at a time, so that the values between the layers need little memory.
pub(crate) const CHUNK: usize = 256;

/// One layer of an encoder.
///
/// ```
/// use edgemix::trained::{Activation, Dense, Layer};
///
/// let (weights, bias) = (vec![2.0], vec![-1.0]);
/// let layer = Layer::Dense(Dense { inputs: 1, outputs: 1, weights, bias, activation: Activation::Relu });
/// assert_eq!((layer.inputs(), layer.outputs(), layer.activation()), (1, 1, Activation::Relu));
/// assert_eq!(layer.preactivation(&[3.0, 0.0]), [5.0, -1.0]);
/// assert_eq!(layer.forward(&[3.0, 0.0]), [5.0, 0.0]);
/// ```
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub enum Layer {
    /// A fully connected layer.
    Dense(Dense),
    /// A convolution of an image.
    Convolution(Convolution),
    /// A pooling of an image.
    Pooling(Pooling),
}

impl Layer {
    fn as_plain(&self) -> &dyn PlainLayer {
        match self {
            Self::Dense(dense) => dense,
            Self::Convolution(convolution) => convolution,
            Self::Pooling(pooling) => pooling,
        }
    }

    fn as_plain_mut(&mut self) -> &mut dyn PlainLayer {
        match self {
            Self::Dense(dense) => dense,
            Self::Convolution(convolution) => convolution,
            Self::Pooling(pooling) => pooling,
        }
    }

    /// Why the layer's sizes are impossible, if they are.
    pub(crate) fn problem(&self) -> Option<String> {
        self.as_plain().problem()
    }

    /// The layer's arrays of numbers, with the shapes that its sizes imply.
    pub(crate) fn arrays(&mut self) -> Vec<LayerArray<'_>> {
        self.as_plain_mut().arrays()
    }

    /// The layer, if it is fully connected.
    pub(crate) fn into_dense(self) -> Option<Dense> {
        if let Self::Dense(dense) = self { Some(dense) } else { None }
    }

    /// Number of inputs.
    pub fn inputs(&self) -> usize {
        self.as_plain().inputs()
    }

    /// Number of outputs.
    pub fn outputs(&self) -> usize {
        self.as_plain().outputs()
    }

    /// The activation of the layer's outputs.
    pub fn activation(&self) -> Activation {
        self.as_plain().activation()
    }

    /// The values before the activation, `N x outputs`, for `N x inputs` values.
    ///
    /// # Panics
    /// If `values` is not a whole number of rows.
    pub fn preactivation(&self, values: &[f32]) -> Vec<f32> {
        self.as_plain().preactivation(values)
    }

    /// The layer's outputs, `N x outputs`, for `N x inputs` values.
    ///
    /// # Panics
    /// If `values` is not a whole number of rows.
    pub fn forward(&self, values: &[f32]) -> Vec<f32> {
        let mut values = self.preactivation(values);
        self.activation().apply(&mut values);
        values
    }
}

/// Passes `N x inputs` values through several layers and returns the outputs of the last one.
pub(super) fn forward_all(layers: &[Layer], inputs: &[f32]) -> Vec<f32> {
    layers.iter().fold(inputs.to_vec(), |values, layer| layer.forward(&values))
}
