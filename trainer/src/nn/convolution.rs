//! Convolutions over images that stand as rows, channels last.

use burn::module::{Module, Param};
use burn::tensor::module::{conv_transpose2d, conv2d};
use burn::tensor::ops::{ConvOptions, ConvTransposeOptions};
use burn::tensor::{Tensor, TensorData, backend::Backend};
use rand::Rng;

use super::network::numbers;
use super::rounding;
use crate::data::ImageShape;
use crate::random::uniform;
use crate::trained::{Activation, Convolution, Geometry};

/// Whether a layer goes from the sample towards the latent or back.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Direction {
    Down,
    Up,
}

/// A convolution, or the transposed one that leads back over the same geometry.
#[derive(Module, Debug)]
pub(super) struct Kernel<B: Backend> {
    /// `filters x channels x kernel x kernel`, for both directions.
    weight: Param<Tensor<B, 4>>,
    /// One per channel of what it gives.
    bias: Param<Tensor<B, 1>>,
    #[module(skip)]
    geometry: Geometry,
    #[module(skip)]
    direction: Direction,
}

impl<B: Backend> Kernel<B> {
    /// # Panics
    /// If the geometry's kernel does not fit its input: [`super::Architecture::shapes`] gives none such.
    pub(super) fn new(geometry: Geometry, direction: Direction, rng: &mut impl Rng, device: &B::Device) -> Self {
        let Geometry { input, filters, kernel, .. } = geometry;
        assert!(geometry.output().is_some(), "a kernel that does not fit: {geometry:?}");
        let bound = (6.0 / (kernel * kernel * (input.channels + filters)) as f64).sqrt();
        let shape = [filters, input.channels, kernel, kernel];
        let weights = TensorData::new(uniform(filters * geometry.taps(), bound, rng), shape);
        let channels = if direction == Direction::Down { filters } else { input.channels };
        Self {
            weight: Param::from_tensor(Tensor::from_data(weights, device)),
            bias: Param::from_tensor(Tensor::zeros([channels], device)),
            geometry,
            direction,
        }
    }

    /// `N x inputs` to `N x outputs`, or back.
    pub(super) fn forward(&self, x: Tensor<B, 2>) -> Tensor<B, 2> {
        self.over(x, self.weight.val())
    }

    /// The same with the weights and activations that int8 would have.
    pub(super) fn rounded(&self, x: Tensor<B, 2>) -> Tensor<B, 2> {
        self.over(rounding::activations(x), rounding::weights(self.weight.val(), 0))
    }

    fn over(&self, x: Tensor<B, 2>, weight: Tensor<B, 4>) -> Tensor<B, 2> {
        let Geometry { input, kernel, stride, padding, .. } = self.geometry;
        let output = self.geometry.output().unwrap_or(input);
        let bias = Some(self.bias.val());
        match self.direction {
            Direction::Down => {
                let options = ConvOptions::new([stride; 2], [padding; 2], [1; 2], 1);
                rows(conv2d(planes(x, input), weight, bias, options))
            }
            Direction::Up => {
                // Where strides leave a remainder, the last rows and columns of the input were never read.
                let rest = |length: usize| (length + 2 * padding - kernel) % stride;
                let rest = [rest(input.height), rest(input.width)];
                let options = ConvTransposeOptions::new([stride; 2], [padding; 2], rest, [1; 2], 1);
                rows(conv_transpose2d(planes(x, output), weight, bias, options))
            }
        }
    }

    /// A convolution's numbers.
    pub(super) fn to_plain(&self, activation: Activation) -> Convolution {
        assert!(self.direction == Direction::Down, "only encoders become plain numbers");
        Convolution {
            geometry: self.geometry,
            weights: numbers(self.weight.val().permute([0, 2, 3, 1])),
            bias: numbers(self.bias.val()),
            activation,
        }
    }
}

/// Rows of images to `N x channels x height x width`.
fn planes<B: Backend>(x: Tensor<B, 2>, shape: ImageShape) -> Tensor<B, 4> {
    let ImageShape { channels, height, width } = shape;
    let n = x.dims()[0];
    x.reshape([n, height, width, channels]).permute([0, 3, 1, 2])
}

/// And back.
fn rows<B: Backend>(x: Tensor<B, 4>) -> Tensor<B, 2> {
    let [n, channels, height, width] = x.dims();
    x.permute([0, 2, 3, 1]).reshape([n, channels * height * width])
}

#[cfg(test)]
mod tests {
    use burn::backend::Flex;
    use burn::tensor::Tolerance;

    use super::*;
    use crate::random::{normal, stream};

    /// Every channel count, stride and padding of a few, on images that are not square.
    fn geometries() -> Vec<Geometry> {
        let mut all = vec![];
        for (channels, kernel, stride, padding) in
            [(1, 1, 1, 0), (2, 3, 1, 1), (3, 3, 2, 0), (1, 4, 2, 0), (2, 5, 2, 2), (3, 2, 3, 1)]
        {
            let input = ImageShape { channels, height: 7, width: 6 };
            all.push(Geometry { input, filters: 4, kernel, stride, padding });
        }
        all
    }

    fn rows(n: usize, width: usize, index: u64) -> Tensor<Flex, 2> {
        let values = normal(n * width, &mut stream(3, "convolution", index));
        Tensor::from_data(TensorData::new(values, [n, width]), &Default::default())
    }

    fn kernel(geometry: Geometry, direction: Direction) -> Kernel<Flex> {
        Kernel::new(geometry, direction, &mut stream(1, "weights", 0), &Default::default())
    }

    #[test]
    fn plain_numbers_and_the_definition_compute_what_the_layer_does() {
        for geometry in geometries() {
            let layer = kernel(geometry, Direction::Down);
            let x = rows(3, geometry.inputs(), 0);
            let found = layer.forward(x.clone()).into_data();
            let values = x.into_data().iter::<f32>().collect::<Vec<f32>>();
            let plain = layer.to_plain(Activation::Identity);
            let shape = [3, geometry.outputs()];
            TensorData::new(plain.linear(&values), shape).assert_approx_eq::<f32>(&found, Tolerance::absolute(1e-5));
            TensorData::new(defined(&plain, &values), shape).assert_approx_eq::<f32>(&found, Tolerance::absolute(1e-5));
        }
    }

    /// `y[r, c, f] = b[f] + sum w[f, i, j, k] x[r s + i - p, c s + j - p, k]`.
    fn defined(layer: &Convolution, values: &[f32]) -> Vec<f32> {
        let Geometry { input, filters, kernel, stride, padding } = layer.geometry;
        let output = layer.geometry.output().unwrap();
        let mut sums = vec![];
        for image in values.chunks(input.n_values()) {
            for at in 0..output.height * output.width * filters {
                let (pixel, f) = (at / filters, at % filters);
                let mut sum = layer.bias[f];
                for tap in 0..layer.geometry.taps() {
                    let (i, j, k) =
                        (tap / input.channels / kernel, tap / input.channels % kernel, tap % input.channels);
                    let y = (pixel / output.width * stride + i) as isize - padding as isize;
                    let x = (pixel % output.width * stride + j) as isize - padding as isize;
                    if (0..input.height as isize).contains(&y) && (0..input.width as isize).contains(&x) {
                        let place = (y as usize * input.width + x as usize) * input.channels + k;
                        sum += layer.weights[f * layer.geometry.taps() + tap] * image[place];
                    }
                }
                sums.push(sum);
            }
        }
        sums
    }

    #[test]
    fn the_way_back_is_the_adjoint() {
        for geometry in geometries() {
            // The same stream, so the same weights; both biases are zero.
            let (down, up) = (kernel(geometry, Direction::Down), kernel(geometry, Direction::Up));
            let (x, y) = (rows(2, geometry.inputs(), 1), rows(2, geometry.outputs(), 2));
            let there = (down.forward(x.clone()) * y.clone()).sum().into_scalar();
            let back = (up.forward(y) * x).sum().into_scalar();
            assert!((there - back).abs() < 1e-3, "{geometry:?}: {there} {back}");
        }
    }
}
