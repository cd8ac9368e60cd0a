//! A convolution as plain numbers.

use serde::{Deserialize, Serialize};

use super::Activation;
use super::layer::affine;
use crate::data::ImageShape;

/// How a convolution moves over an image: a square kernel, zeros beyond the border.
///
/// ```
/// use edgemix::data::ImageShape;
/// use edgemix::trained::Geometry;
///
/// let input = ImageShape { channels: 1, height: 28, width: 28 };
/// let geometry = Geometry { input, filters: 50, kernel: 4, stride: 2, padding: 0 };
/// assert_eq!(geometry.output(), Some(ImageShape { channels: 50, height: 13, width: 13 }));
/// assert_eq!((geometry.inputs(), geometry.outputs(), geometry.taps()), (28 * 28, 13 * 13 * 50, 16));
/// // Larger than the image.
/// assert_eq!(Geometry { kernel: 29, ..geometry }.output(), None);
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Geometry {
    /// What it reads.
    pub input: ImageShape,
    /// Channels that it gives.
    pub filters: usize,
    /// Rows and columns of the kernel.
    pub kernel: usize,
    /// Pixels from one position to the next.
    pub stride: usize,
    /// Zeros on each side.
    pub padding: usize,
}

/// `activation(weights * x + bias)`, images being channels last: row by row, pixel by pixel.
///
/// ```
/// use edgemix::data::ImageShape;
/// use edgemix::trained::{Activation, Convolution, Geometry};
///
/// // The sum of four pixels.
/// let input = ImageShape { channels: 1, height: 2, width: 2 };
/// let geometry = Geometry { input, filters: 1, kernel: 2, stride: 1, padding: 0 };
/// let sum = Convolution { geometry, weights: vec![1.0; 4], bias: vec![0.5], activation: Activation::Identity };
/// assert_eq!(sum.linear(&[1.0, 2.0, 3.0, 4.0]), [10.5]);
/// ```
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Convolution {
    /// How it moves.
    pub geometry: Geometry,
    /// `filters x kernel x kernel x channels`.
    pub weights: Vec<f32>,
    /// One per filter.
    pub bias: Vec<f32>,
    /// What follows.
    pub activation: Activation,
}

impl Geometry {
    /// What it gives; none if the kernel does not fit, or a size is 0 or out of all proportion.
    /// See [`Geometry`] for an example.
    pub fn output(&self) -> Option<ImageShape> {
        let size = |length: usize| {
            let padded = self.padding.checked_mul(2)?.checked_add(length)?;
            let room = padded.checked_sub(self.kernel)?;
            (self.stride > 0 && self.kernel > self.padding && length > 0).then(|| room / self.stride + 1)
        };
        let output =
            ImageShape { channels: self.filters, height: size(self.input.height)?, width: size(self.input.width)? };
        (self.filters > 0 && self.input.channels > 0).then_some(output)
    }

    /// Values that it reads. See [`Geometry`] for an example.
    pub fn inputs(&self) -> usize {
        self.input.n_values()
    }

    /// Values that it gives. See [`Geometry`] for an example.
    pub fn outputs(&self) -> usize {
        self.output().map_or(0, |output| output.n_values())
    }

    /// Weights of one filter. See [`Geometry`] for an example.
    pub fn taps(&self) -> usize {
        self.kernel * self.kernel * self.input.channels
    }
}

impl Convolution {
    /// `weights * x + bias` for `N x inputs` values; `N x outputs`. See [`Convolution`] for an example.
    ///
    /// # Panics
    /// If `values` is not a whole number of images, or the layer's lengths contradict each other.
    pub fn linear(&self, values: &[f32]) -> Vec<f32> {
        let geometry = &self.geometry;
        let output = geometry.output().expect("a kernel that fits");
        let mut patches = Vec::with_capacity(values.len() / geometry.inputs() * output.height * output.width);
        for image in values.chunks_exact(geometry.inputs()) {
            for position in 0..output.height * output.width {
                self.patch(image, position / output.width, position % output.width, &mut patches);
            }
        }
        affine(&patches, &self.weights, &self.bias)
    }

    /// Appends what the kernel sees at an output pixel.
    fn patch(&self, image: &[f32], row: usize, column: usize, patch: &mut Vec<f32>) {
        let Geometry { input, kernel, stride, padding, .. } = self.geometry;
        let inside = |output: usize, tap: usize, length: usize| {
            (output * stride + tap).checked_sub(padding).filter(|&at| at < length)
        };
        for tap in 0..kernel * kernel {
            let at = inside(row, tap / kernel, input.height).zip(inside(column, tap % kernel, input.width));
            match at {
                Some((y, x)) => {
                    patch.extend_from_slice(&image[(y * input.width + x) * input.channels..][..input.channels])
                }
                None => patch.extend(std::iter::repeat_n(0.0, input.channels)),
            }
        }
    }
}
