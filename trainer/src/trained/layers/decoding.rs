//! The layers of a decoder, which mirror those of an encoder.

use ndarray::linalg::general_mat_mul;
use ndarray::{Array2, ArrayView2};
use serde::{Deserialize, Serialize};

use super::convolution::ConvolutionShape;
use super::dense::Dense;
use super::plain_layer::{LayerArray, PlainLayer};
use super::pooling::Pooling;
use crate::trained::activation::Activation;

/// One layer of a decoder. A model file holds encoders alone, so that these layers are for the workstation.
///
/// ```
/// use edgemix::data::ImageShape;
/// use edgemix::trained::{DecoderLayer, Pooling, PoolingOperation, Upsampling, Window};
///
/// let input = ImageShape { channels: 1, height: 1, width: 4 };
/// let pooling = Pooling { operation: PoolingOperation::Max, input, window: Window::over_time(2, 2, 0) };
/// let layer = DecoderLayer::Upsampling(Upsampling(pooling));
/// assert_eq!((layer.inputs(), layer.outputs()), (2, 4));
/// assert_eq!(layer.forward(&[3.0, 5.0]), [3.0, 3.0, 5.0, 5.0]);
/// ```
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub enum DecoderLayer {
    /// A fully connected layer.
    Dense(Dense),
    /// The mirror of a convolution.
    TransposedConvolution(TransposedConvolution),
    /// The mirror of a pooling.
    Upsampling(Upsampling),
}

/// The transposed convolution, which maps the outputs of a convolution back to its inputs: each output pixel of the convolution
/// adds the weights of its filters, times its values, to the pixels under its window.
///
/// ```
/// use edgemix::data::ImageShape;
/// use edgemix::trained::{Activation, ConvolutionShape, DecoderLayer, TransposedConvolution, Window};
///
/// // One filter over two pixels of a row of four, and a stride of two.
/// let input = ImageShape { channels: 1, height: 1, width: 4 };
/// let shape = ConvolutionShape { input, filters: 1, window: Window::over_time(2, 2, 0) };
/// let (weights, bias) = (vec![1.0, 10.0], vec![0.5]);
/// let layer = TransposedConvolution { shape, weights, bias, activation: Activation::Identity };
/// let layer = DecoderLayer::TransposedConvolution(layer);
/// assert_eq!(layer.forward(&[1.0, 2.0]), [1.5, 10.5, 2.5, 20.5]);
/// ```
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct TransposedConvolution {
    /// The sizes of the convolution that it mirrors.
    pub shape: ConvolutionShape,
    /// `filters x rows x columns x channels`, row-major, as those of the convolution.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub weights: Vec<f32>,
    /// One per channel of the convolution's input.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub bias: Vec<f32>,
    /// The activation of the sums.
    pub activation: Activation,
}

/// The upsampling that mirrors a pooling: each pixel of the pooling's input gets the value of the last window that begins at or
/// before it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Upsampling(
    /// The pooling that it mirrors.
    pub Pooling,
);

impl DecoderLayer {
    fn as_plain(&self) -> &dyn PlainLayer {
        match self {
            Self::Dense(dense) => dense,
            Self::TransposedConvolution(convolution) => convolution,
            Self::Upsampling(upsampling) => upsampling,
        }
    }

    fn as_plain_mut(&mut self) -> &mut dyn PlainLayer {
        match self {
            Self::Dense(dense) => dense,
            Self::TransposedConvolution(convolution) => convolution,
            Self::Upsampling(upsampling) => upsampling,
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

    /// The layer's outputs, `N x outputs`, for `N x inputs` values.
    ///
    /// # Panics
    /// If `values` is not a whole number of rows.
    pub fn forward(&self, values: &[f32]) -> Vec<f32> {
        let mut values = self.as_plain().preactivation(values);
        self.activation().apply(&mut values);
        values
    }
}

impl PlainLayer for TransposedConvolution {
    fn inputs(&self) -> usize {
        self.shape.outputs()
    }

    fn outputs(&self) -> usize {
        self.shape.inputs()
    }

    fn activation(&self) -> Activation {
        self.activation
    }

    fn preactivation(&self, values: &[f32]) -> Vec<f32> {
        let ConvolutionShape { input, filters, window } = self.shape;
        let output = self.shape.output().expect("a window that fits");
        let (positions, taps) = (output.height * output.width, self.shape.weights_per_filter());
        let pixels = ArrayView2::from_shape((values.len() / filters, filters), values).expect("whole images");
        let weights = ArrayView2::from_shape((filters, taps), &self.weights).expect("filters x taps");
        // What each position adds to the pixels under its window.
        let mut patches = Array2::zeros((pixels.nrows(), taps));
        general_mat_mul(1.0, &pixels, &weights, 0.0, &mut patches);
        let images = patches.nrows() / positions;
        let mut sums = self.bias.repeat(images * input.height * input.width);
        for (row, patch) in patches.rows().into_iter().enumerate() {
            let image = &mut sums[row / positions * input.n_values()..][..input.n_values()];
            let position = row % positions;
            let pixels = window.pixels(input, position / output.width, position % output.width);
            for (pixel, first) in pixels.enumerate() {
                let Some(first) = first else { continue };
                let added = patch.iter().skip(pixel * input.channels);
                image[first..][..input.channels].iter_mut().zip(added).for_each(|(sum, x)| *sum += x);
            }
        }
        sums
    }

    fn problem(&self) -> Option<String> {
        self.shape.problem()
    }

    fn arrays(&mut self) -> Vec<LayerArray<'_>> {
        let ConvolutionShape { input, filters, window } = self.shape;
        let [rows, columns] = window.sizes();
        let weight = vec![filters, rows, columns, input.channels];
        vec![
            LayerArray { name: "weight", shape: weight, values: &mut self.weights },
            LayerArray { name: "bias", shape: vec![input.channels], values: &mut self.bias },
        ]
    }
}

impl PlainLayer for Upsampling {
    fn inputs(&self) -> usize {
        PlainLayer::outputs(&self.0)
    }

    fn outputs(&self) -> usize {
        PlainLayer::inputs(&self.0)
    }

    fn activation(&self) -> Activation {
        Activation::Identity
    }

    fn preactivation(&self, values: &[f32]) -> Vec<f32> {
        let (input, small) = (self.0.input, self.0.output().expect("a window that fits"));
        let [row_stride, column_stride] = self.0.window.strides();
        let mut all = Vec::with_capacity(values.len() / small.n_values() * input.n_values());
        for image in values.chunks_exact(small.n_values()) {
            for (row, column) in (0..input.height).flat_map(|row| (0..input.width).map(move |column| (row, column))) {
                let y = (row / row_stride).min(small.height - 1);
                let x = (column / column_stride).min(small.width - 1);
                all.extend_from_slice(&image[(y * small.width + x) * small.channels..][..small.channels]);
            }
        }
        all
    }

    fn problem(&self) -> Option<String> {
        self.0.problem()
    }

    fn arrays(&mut self) -> Vec<LayerArray<'_>> {
        vec![]
    }
}
