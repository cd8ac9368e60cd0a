//! A convolution as plain numbers.

use serde::{Deserialize, Serialize};

use super::dense::affine;
use super::plain_layer::{LayerArray, PlainLayer};
use super::window::Window;
use crate::data::ImageShape;
use crate::trained::activation::Activation;

/// The sizes of a convolution.
///
/// ```
/// use edgemix::data::ImageShape;
/// use edgemix::trained::{ConvolutionShape, Window};
///
/// let input = ImageShape { channels: 1, height: 28, width: 28 };
/// let shape = ConvolutionShape { input, filters: 50, window: Window::square(4, 2, 0) };
/// assert_eq!(shape.output(), Some(ImageShape { channels: 50, height: 13, width: 13 }));
/// assert_eq!((shape.inputs(), shape.outputs(), shape.weights_per_filter()), (28 * 28, 13 * 13 * 50, 16));
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ConvolutionShape {
    /// The image that it reads.
    pub input: ImageShape,
    /// Number of filters: the channels of the output.
    pub filters: usize,
    /// How the filters move over the image.
    pub window: Window,
}

/// A convolution of an image, `activation(weights * x + bias)`. Images are stored row by row and pixel by pixel, the
/// channels of a pixel side by side.
///
/// ```
/// use edgemix::data::ImageShape;
/// use edgemix::trained::{Activation, Convolution, ConvolutionShape, Window};
///
/// // The sum of four pixels.
/// let input = ImageShape { channels: 1, height: 2, width: 2 };
/// let shape = ConvolutionShape { input, filters: 1, window: Window::square(2, 1, 0) };
/// let sum = Convolution { shape, weights: vec![1.0; 4], bias: vec![0.5], activation: Activation::Identity };
/// assert_eq!(sum.linear(&[1.0, 2.0, 3.0, 4.0]), [10.5]);
/// ```
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Convolution {
    /// Its sizes.
    pub shape: ConvolutionShape,
    /// `filters x rows x columns x channels`, row-major.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub weights: Vec<f32>,
    /// One per filter.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub bias: Vec<f32>,
    /// The activation of the sums.
    pub activation: Activation,
}

impl ConvolutionShape {
    /// The image that it outputs; `None` if the window does not fit the input or a size is 0.
    pub fn output(&self) -> Option<ImageShape> {
        self.window.output(self.input, self.filters)
    }

    /// Number of inputs.
    pub fn inputs(&self) -> usize {
        self.input.n_values()
    }

    /// Number of outputs.
    pub fn outputs(&self) -> usize {
        self.output().map_or(0, |output| output.n_values())
    }

    /// Number of weights of one filter.
    pub fn weights_per_filter(&self) -> usize {
        self.window.area() * self.input.channels
    }

    /// Why the sizes are impossible, if they are.
    pub(super) fn problem(&self) -> Option<String> {
        self.window.problem(self.input, self.filters)
    }
}

impl Convolution {
    /// `weights * x + bias` for `N x inputs` values. The result is `N x outputs`.
    ///
    /// # Panics
    /// If `values` is not a whole number of images, or if the lengths of the layer's arrays do not match its sizes.
    pub fn linear(&self, values: &[f32]) -> Vec<f32> {
        let shape = &self.shape;
        let output = shape.output().expect("a window that fits");
        let positions = output.height * output.width;
        let mut patches = Vec::with_capacity(values.len() / shape.inputs() * positions * shape.weights_per_filter());
        for image in values.chunks_exact(shape.inputs()) {
            for position in 0..positions {
                self.append_patch(image, position / output.width, position % output.width, &mut patches);
            }
        }
        affine(&patches, &self.weights, &self.bias)
    }

    /// Appends the pixels under the window at an output pixel.
    fn append_patch(&self, image: &[f32], row: usize, column: usize, patch: &mut Vec<f32>) {
        let ConvolutionShape { input, window, .. } = self.shape;
        for pixel in window.pixels(input, row, column) {
            match pixel {
                Some(first) => patch.extend_from_slice(&image[first..][..input.channels]),
                None => patch.extend(std::iter::repeat_n(0.0, input.channels)),
            }
        }
    }
}

impl PlainLayer for Convolution {
    fn inputs(&self) -> usize {
        self.shape.inputs()
    }

    fn outputs(&self) -> usize {
        self.shape.outputs()
    }

    fn activation(&self) -> Activation {
        self.activation
    }

    fn preactivation(&self, values: &[f32]) -> Vec<f32> {
        self.linear(values)
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
            LayerArray { name: "bias", shape: vec![filters], values: &mut self.bias },
        ]
    }
}
