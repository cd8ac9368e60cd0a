//! A pooling as plain numbers.

use serde::{Deserialize, Serialize};

use super::plain_layer::{LayerArray, PlainLayer};
use super::window::Window;
use crate::data::ImageShape;
use crate::trained::activation::Activation;

/// A pooling of an image: each channel of an output pixel summarises that channel of the pixels under a window. The window
/// has no padding.
///
/// ```
/// use edgemix::data::ImageShape;
/// use edgemix::trained::{Layer, Pooling, PoolingOperation, Window};
///
/// let input = ImageShape { channels: 1, height: 2, width: 4 };
/// let window = Window::square(2, 2, 0);
/// let pool = |operation| {
///     let pooling = Layer::Pooling(Pooling { operation, input, window });
///     pooling.forward(&[1.0, 2.0, 0.0, 0.0, 3.0, 6.0, -4.0, 0.0])
/// };
/// assert_eq!(pool(PoolingOperation::Max), [6.0, 0.0]);
/// assert_eq!(pool(PoolingOperation::Average), [3.0, -1.0]);
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Pooling {
    /// What it computes.
    pub operation: PoolingOperation,
    /// The image that it reads.
    pub input: ImageShape,
    /// How the window moves over the image. Its padding is 0.
    pub window: Window,
}

/// What a pooling computes from the values under its window.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum PoolingOperation {
    /// The greatest value.
    Max,
    /// The mean.
    Average,
}

impl Pooling {
    /// The image that it outputs; `None` if the window does not fit the input or a size is 0.
    pub fn output(&self) -> Option<ImageShape> {
        self.window.output(self.input, self.input.channels)
    }

    /// Appends an output pixel.
    fn append_pixel(&self, image: &[f32], row: usize, column: usize, output: &mut Vec<f32>) {
        let channels = self.input.channels;
        let pixels = self.window.pixels(self.input, row, column).flatten();
        let pixels = pixels.map(|first| &image[first..][..channels]);
        let pixel = output.len();
        match self.operation {
            PoolingOperation::Max => {
                output.resize(pixel + channels, f32::NEG_INFINITY);
                pixels.for_each(|values| {
                    output[pixel..].iter_mut().zip(values).for_each(|(most, x)| *most = most.max(*x))
                });
            }
            PoolingOperation::Average => {
                output.resize(pixel + channels, 0.0);
                pixels.for_each(|values| output[pixel..].iter_mut().zip(values).for_each(|(sum, x)| *sum += x));
                let count = self.window.area() as f32;
                output[pixel..].iter_mut().for_each(|sum| *sum /= count);
            }
        }
    }
}

impl PlainLayer for Pooling {
    fn inputs(&self) -> usize {
        self.input.n_values()
    }

    fn outputs(&self) -> usize {
        self.output().map_or(0, |output| output.n_values())
    }

    fn activation(&self) -> Activation {
        Activation::Identity
    }

    fn preactivation(&self, values: &[f32]) -> Vec<f32> {
        let shape = self.output().expect("a window that fits");
        let mut output = Vec::with_capacity(values.len() / self.inputs() * shape.n_values());
        for image in values.chunks_exact(self.inputs()) {
            for pixel in 0..shape.height * shape.width {
                self.append_pixel(image, pixel / shape.width, pixel % shape.width, &mut output);
            }
        }
        output
    }

    fn problem(&self) -> Option<String> {
        match self.window.padding {
            0 => self.window.problem(self.input, self.input.channels),
            padding => Some(format!("a padding of {padding}, but a pooling has none")),
        }
    }

    fn arrays(&mut self) -> Vec<LayerArray<'_>> {
        vec![]
    }
}
