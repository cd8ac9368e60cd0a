//! Convolutions.

mod on_host;
mod products;

use std::fmt;

use burn::module::{Module, Param};
use burn::tensor::module::{conv_transpose2d, conv2d};
use burn::tensor::ops::{ConvOptions, ConvTransposeOptions};
use burn::tensor::{Tensor, TensorData, backend::Backend};
use rand::Rng;

use self::on_host::OnHost;
use self::products::Products;
use super::images::{input_image, to_planes, to_rows};
use super::trainable::{Direction, LayerError, LayerInput, TrainableLayer};
use crate::base::random::uniform;
use crate::nn::rounding;
use crate::nn::values::values;
use crate::trained::{self, Activation, Axes, ConvolutionShape, Window};

/// The slope, for negative values, of the leaky ReLU that follows a convolution.
pub const SLOPE: f32 = 0.01;

/// `50k5s2p2`: 50 filters with a window of 5 x 5, a stride of 2 and a padding of 2.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::nn) struct ConvolutionSpelling {
    pub(in crate::nn) filters: usize,
    pub(in crate::nn) window: Window,
}

/// A convolution, or the transposed convolution that maps its outputs back to its inputs.
#[derive(Module, Debug)]
pub(in crate::nn) struct Convolution<B: Backend> {
    /// `filters x channels x rows x columns`, in both directions.
    weight: Param<Tensor<B, 4>>,
    /// One per channel of the output.
    bias: Param<Tensor<B, 1>>,
    #[module(skip)]
    shape: ConvolutionShape,
    #[module(skip)]
    direction: Direction,
}

impl ConvolutionSpelling {
    pub(super) const FORM: &str = "a convolution (50k5s2p2: filters, kernel, stride, padding)";

    /// Only the padding may be 0. The stride defaults to 1, the padding to 0.
    pub(super) fn parse(text: &str, axes: Axes) -> Option<Self> {
        let (filters, rest) = text.split_once('k')?;
        let (rest, padding) = rest.split_once('p').unwrap_or((rest, "0"));
        let (size, stride) = rest.split_once('s').unwrap_or((rest, "1"));
        let positive = |text: &str| text.parse().ok().filter(|&number: &usize| number > 0);
        let window = Window { size: positive(size)?, stride: positive(stride)?, padding: padding.parse().ok()?, axes };
        Some(Self { filters: positive(filters)?, window })
    }

    pub(super) fn shape(self, input: LayerInput) -> Result<ConvolutionShape, LayerError> {
        let Self { filters, window } = self;
        Ok(ConvolutionShape { input: input_image(input, window)?, filters, window })
    }
}

impl fmt::Display for ConvolutionSpelling {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Window { size, stride, padding, .. } = self.window;
        write!(f, "{}k{size}s{stride}", self.filters)?;
        if padding > 0 { write!(f, "p{padding}") } else { Ok(()) }
    }
}

impl<B: Backend> Convolution<B> {
    /// A layer with fresh weights.
    ///
    /// # Panics
    /// If the window does not fit the input; [`crate::nn::Architecture::shapes`] returns no such shape.
    pub(super) fn new(shape: ConvolutionShape, direction: Direction, rng: &mut impl Rng, device: &B::Device) -> Self {
        let ConvolutionShape { input, filters, window } = shape;
        let [rows, columns] = window.sizes();
        assert!(shape.output().is_some(), "a window that does not fit: {shape:?}");
        let bound = (6.0 / (window.area() * (input.channels + filters)) as f64).sqrt();
        let weights = uniform(filters * shape.weights_per_filter(), bound, rng);
        let weights = TensorData::new(weights, [filters, input.channels, rows, columns]);
        let outputs = match direction {
            Direction::Encode => filters,
            Direction::Decode => input.channels,
        };
        Self {
            weight: Param::from_tensor(Tensor::from_data(weights, device)),
            bias: Param::from_tensor(Tensor::zeros([outputs], device)),
            shape,
            direction,
        }
    }

    /// A layer of an encoder with the numbers of a plain one, whose weights are `filters x rows x columns x channels`.
    pub(super) fn from_plain(plain: &trained::Convolution, device: &B::Device) -> Self {
        let ConvolutionShape { input, filters, window } = plain.shape;
        let [rows, columns] = window.sizes();
        let weights = TensorData::new(plain.weights.clone(), [filters, rows, columns, input.channels]);
        let bias = TensorData::new(plain.bias.clone(), [filters]);
        Self {
            weight: Param::from_tensor(Tensor::<B, 4>::from_data(weights, device).permute([0, 3, 1, 2])),
            bias: Param::from_tensor(Tensor::from_data(bias, device)),
            shape: plain.shape,
            direction: Direction::Encode,
        }
    }

    fn convolve(&self, x: Tensor<B, 2>, weight: Tensor<B, 4>) -> Tensor<B, 2> {
        let Self { shape, direction, .. } = *self;
        let bias = self.bias.val();
        let on_host =
            Products::new(shape).and_then(|products| OnHost { products, direction }.convolve(&x, &weight, &bias));
        on_host.unwrap_or_else(|| by_burn(shape, direction, x, weight, bias))
    }

    /// The transposed convolution as plain numbers, with this activation.
    ///
    /// # Panics
    /// If it is a convolution.
    pub(super) fn to_transposed(&self, activation: Activation) -> trained::TransposedConvolution {
        assert!(self.direction == Direction::Decode, "a convolution is no layer of a decoder");
        trained::TransposedConvolution {
            shape: self.shape,
            weights: values(self.weight.val().permute([0, 2, 3, 1])),
            bias: values(self.bias.val()),
            activation,
        }
    }

    fn to_convolution(&self, activation: Activation) -> trained::Convolution {
        assert!(self.direction == Direction::Encode, "a model file can't hold a transposed convolution");
        trained::Convolution {
            shape: self.shape,
            weights: values(self.weight.val().permute([0, 2, 3, 1])),
            bias: values(self.bias.val()),
            activation,
        }
    }
}

/// A convolution, or the transposed one, by the backend's own operations.
fn by_burn<B: Backend>(
    shape: ConvolutionShape,
    direction: Direction,
    x: Tensor<B, 2>,
    weight: Tensor<B, 4>,
    bias: Tensor<B, 1>,
) -> Tensor<B, 2> {
    let ConvolutionShape { input, window, .. } = shape;
    let (sizes, strides, paddings) = (window.sizes(), window.strides(), window.paddings());
    match direction {
        Direction::Encode => {
            let options = ConvOptions::new(strides, paddings, [1; 2], 1);
            to_rows(conv2d(to_planes(x, input), weight, Some(bias), options))
        }
        Direction::Decode => {
            // If the stride leaves a remainder, the convolution does not read the last rows and columns.
            let rest = |axis: usize, length: usize| (length + 2 * paddings[axis] - sizes[axis]) % strides[axis];
            let rest = [rest(0, input.height), rest(1, input.width)];
            let options = ConvTransposeOptions::new(strides, paddings, rest, [1; 2], 1);
            let output = shape.output().unwrap_or(input);
            to_rows(conv_transpose2d(to_planes(x, output), weight, Some(bias), options))
        }
    }
}

impl<B: Backend> TrainableLayer<B> for Convolution<B> {
    fn forward(&self, x: Tensor<B, 2>) -> Tensor<B, 2> {
        self.convolve(x, self.weight.val())
    }

    fn forward_rounded(&self, x: Tensor<B, 2>) -> Tensor<B, 2> {
        self.convolve(rounding::activations(x), rounding::weights(self.weight.val(), 0))
    }

    fn activation(&self) -> Activation {
        Activation::LeakyRelu(SLOPE)
    }

    fn has_weights(&self) -> bool {
        true
    }

    fn to_plain(&self, activation: Activation) -> trained::Layer {
        trained::Layer::Convolution(self.to_convolution(activation))
    }
}

#[cfg(test)]
mod tests {
    use burn::backend::Flex;
    use burn::tensor::Tolerance;

    use super::*;
    use crate::base::random::{normal, stream};
    use crate::data::ImageShape;

    /// Several numbers of channels, windows, strides and paddings, on images that are not square and along recordings.
    pub(super) fn shapes() -> Vec<ConvolutionShape> {
        let windows = [(1, 1, 1, 0), (2, 3, 1, 1), (3, 3, 2, 0), (1, 4, 2, 0), (2, 5, 2, 2), (3, 2, 3, 1)];
        let shape = |(channels, size, stride, padding)| {
            let input = ImageShape { channels, height: 7, width: 6 };
            let square = ConvolutionShape { input, filters: 4, window: Window::square(size, stride, padding) };
            let input = ImageShape { height: 1, width: 11, ..input };
            [square, ConvolutionShape { input, window: Window::over_time(size, stride, padding), ..square }]
        };
        windows.into_iter().flat_map(shape).collect()
    }

    fn rows(n: usize, width: usize, index: u64) -> Tensor<Flex, 2> {
        let values = normal(n * width, &mut stream(3, "convolution", index));
        Tensor::from_data(TensorData::new(values, [n, width]), &Default::default())
    }

    fn convolution(shape: ConvolutionShape, direction: Direction) -> Convolution<Flex> {
        Convolution::new(shape, direction, &mut stream(1, "weights", 0), &Default::default())
    }

    #[test]
    fn plain_numbers_and_the_definition_compute_what_the_layer_does() {
        for shape in shapes() {
            let layer = convolution(shape, Direction::Encode);
            let x = rows(3, shape.inputs(), 0);
            let found = layer.forward(x.clone()).into_data();
            let values = x.into_data().iter::<f32>().collect::<Vec<f32>>();
            let plain = layer.to_convolution(Activation::Identity);
            for expected in [plain.linear(&values), defined(&plain, &values)] {
                let expected = TensorData::new(expected, [3, shape.outputs()]);
                expected.assert_approx_eq::<f32>(&found, Tolerance::absolute(1e-5));
            }
        }
    }

    /// `y[r, c, f] = b[f] + sum w[f, i, j, k] x[r s + i - p, c s + j - p, k]`.
    fn defined(layer: &trained::Convolution, values: &[f32]) -> Vec<f32> {
        let ConvolutionShape { input, filters, window } = layer.shape;
        let ([_, columns], strides, paddings) = (window.sizes(), window.strides(), window.paddings());
        let output = layer.shape.output().unwrap();
        let mut sums = vec![];
        for image in values.chunks(input.n_values()) {
            for at in 0..output.height * output.width * filters {
                let (pixel, f) = (at / filters, at % filters);
                let mut sum = layer.bias[f];
                for tap in 0..layer.shape.weights_per_filter() {
                    let (i, j, k) =
                        (tap / input.channels / columns, tap / input.channels % columns, tap % input.channels);
                    let y = (pixel / output.width * strides[0] + i) as isize - paddings[0] as isize;
                    let x = (pixel % output.width * strides[1] + j) as isize - paddings[1] as isize;
                    if (0..input.height as isize).contains(&y) && (0..input.width as isize).contains(&x) {
                        let place = (y as usize * input.width + x as usize) * input.channels + k;
                        sum += layer.weights[f * layer.shape.weights_per_filter() + tap] * image[place];
                    }
                }
                sums.push(sum);
            }
        }
        sums
    }

    #[test]
    fn the_mirror_is_the_adjoint() {
        for shape in shapes() {
            // The weights are drawn from the same stream, so they are the same; both biases are zero.
            let (down, up) = (convolution(shape, Direction::Encode), convolution(shape, Direction::Decode));
            let (x, y) = (rows(2, shape.inputs(), 1), rows(2, shape.outputs(), 2));
            let there = (down.forward(x.clone()) * y.clone()).sum().into_scalar();
            let back = (up.forward(y) * x).sum().into_scalar();
            assert!((there - back).abs() < 1e-3, "{shape:?}: {there} {back}");
        }
    }
}
