//! Poolings.

use std::fmt;

use burn::module::Module;
use burn::tensor::module::{avg_pool2d, max_pool2d};
use burn::tensor::{Int, Tensor, TensorData, backend::Backend};

use super::images::{input_image, to_planes, to_rows};
use super::trainable::{Direction, LayerError, LayerInput, TrainableLayer};
use crate::data::ImageShape;
use crate::trained::{self, Activation, Axes, PoolingOperation, Window};

/// `max2` is the greatest value in a window of 2 x 2 with a stride of 2, and `avg3s2` is the mean of a window of 3 x 3 with
/// the same stride.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::nn) struct PoolingSpelling {
    operation: PoolingOperation,
    window: Window,
}

/// A pooling, or the upsampling that mirrors it.
///
/// The mirror repeats values: each pixel of the input gets the value of the last window that begins at or before it. Unlike
/// unpooling at the positions of the maxima, it needs only the latent, which is all that a decoder has. Where windows do not
/// overlap, it is the pseudoinverse of average pooling. Like pooling, it has no weights.
#[derive(Module, Debug, Clone)]
pub(in crate::nn) struct Pooling {
    #[module(skip)]
    pooling: trained::Pooling,
    #[module(skip)]
    direction: Direction,
}

impl PoolingSpelling {
    pub(super) const FORM: &str = "a pooling (max2, avg3s2: the greatest value or the mean, window, stride)";

    /// The stride defaults to the size of the window, so that windows do not overlap.
    pub(super) fn parse(text: &str, axes: Axes) -> Option<Self> {
        let max = text.strip_prefix("max").map(|rest| (PoolingOperation::Max, rest));
        let (operation, rest) = max.or_else(|| Some((PoolingOperation::Average, text.strip_prefix("avg")?)))?;
        let (size, stride) = rest.split_once('s').unwrap_or((rest, rest));
        let positive = |text: &str| text.parse().ok().filter(|&number: &usize| number > 0);
        Some(Self { operation, window: Window { size: positive(size)?, stride: positive(stride)?, padding: 0, axes } })
    }

    pub(super) fn of(pooling: trained::Pooling) -> Self {
        Self { operation: pooling.operation, window: pooling.window }
    }

    pub(super) fn axes(self) -> Axes {
        self.window.axes
    }

    pub(super) fn shape(self, input: LayerInput) -> Result<trained::Pooling, LayerError> {
        let Self { operation, window } = self;
        Ok(trained::Pooling { operation, input: input_image(input, window)?, window })
    }
}

impl fmt::Display for PoolingSpelling {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Window { size, stride, .. } = self.window;
        let operation = match self.operation {
            PoolingOperation::Max => "max",
            PoolingOperation::Average => "avg",
        };
        write!(f, "{operation}{size}")?;
        if stride == size { Ok(()) } else { write!(f, "s{stride}") }
    }
}

impl Pooling {
    /// A pooling, or its mirror.
    ///
    /// # Panics
    /// If the window does not fit the input; [`crate::nn::Architecture::shapes`] returns no such shape.
    pub(super) fn new(pooling: trained::Pooling, direction: Direction) -> Self {
        assert!(pooling.output().is_some(), "a window that does not fit: {pooling:?}");
        Self { pooling, direction }
    }

    /// The upsampling as plain numbers.
    ///
    /// # Panics
    /// If it is a pooling.
    pub(super) fn to_upsampling(&self) -> trained::Upsampling {
        assert!(self.direction == Direction::Decode, "a pooling is no layer of a decoder");
        trained::Upsampling(self.pooling)
    }

    fn pool<B: Backend>(&self, x: Tensor<B, 4>) -> Tensor<B, 4> {
        let (sizes, strides) = (self.pooling.window.sizes(), self.pooling.window.strides());
        match self.pooling.operation {
            PoolingOperation::Max => max_pool2d(x, sizes, strides, [0; 2], [1; 2], false),
            PoolingOperation::Average => avg_pool2d(x, sizes, strides, [0; 2], true, false),
        }
    }

    /// Gives each pixel of the input the value of the last window that begins at or before it.
    fn upsample<B: Backend>(&self, x: Tensor<B, 4>) -> Tensor<B, 4> {
        let [_, _, height, width] = x.dims();
        let device = x.device();
        let strides = self.pooling.window.strides();
        let nearest = |axis: usize, length: usize, positions: usize| {
            let index = |pixel: usize| (pixel / strides[axis]).min(positions - 1) as i32;
            let indices: Vec<i32> = (0..length).map(index).collect();
            Tensor::<B, 1, Int>::from_data(TensorData::new(indices, [length]), &device)
        };
        let ImageShape { height: rows, width: columns, .. } = self.pooling.input;
        x.select(2, nearest(0, rows, height)).select(3, nearest(1, columns, width))
    }
}

impl<B: Backend> TrainableLayer<B> for Pooling {
    fn forward(&self, x: Tensor<B, 2>) -> Tensor<B, 2> {
        let input = self.pooling.input;
        match self.direction {
            Direction::Encode => to_rows(self.pool(to_planes(x, input))),
            Direction::Decode => to_rows(self.upsample(to_planes(x, self.pooling.output().unwrap_or(input)))),
        }
    }

    /// The same as [`TrainableLayer::forward`]: the greatest of several rounded values is rounded, too, and the next layer
    /// rounds a mean.
    fn forward_rounded(&self, x: Tensor<B, 2>) -> Tensor<B, 2> {
        self.forward(x)
    }

    fn activation(&self) -> Activation {
        Activation::Identity
    }

    fn has_weights(&self) -> bool {
        false
    }

    fn to_plain(&self, activation: Activation) -> trained::Layer {
        assert!(self.direction == Direction::Encode, "a model file can't hold an upsampling");
        // The last layer of an encoder is fully connected, so a pooling never has the activation of the last layer.
        assert!(activation == Activation::Identity, "a pooling has no activation");
        trained::Layer::Pooling(self.pooling)
    }
}

#[cfg(test)]
mod tests {
    use burn::backend::{Autodiff, Flex};
    use burn::tensor::Tolerance;
    use burn_ndarray::NdArray;

    use super::*;
    use crate::base::random::{normal, stream};

    const INPUT: ImageShape = ImageShape { channels: 3, height: 7, width: 6 };

    /// Windows that touch, overlap, leave gaps, and cover everything.
    fn poolings() -> Vec<trained::Pooling> {
        let windows = [(1, 1), (2, 2), (3, 2), (2, 3), (3, 1), (6, 6)];
        let operations = [PoolingOperation::Max, PoolingOperation::Average];
        let pooling = |operation, (size, stride)| trained::Pooling {
            operation,
            input: INPUT,
            window: Window::square(size, stride, 0),
        };
        operations.into_iter().flat_map(|operation| windows.map(|window| pooling(operation, window))).collect()
    }

    fn images<B: Backend>(n: usize, len: usize) -> Tensor<B, 2> {
        let values = normal(n * len, &mut stream(2, "pooling", 0));
        Tensor::from_data(TensorData::new(values, [n, len]), &Default::default())
    }

    fn forward<B: Backend>(layer: &Pooling, x: Tensor<B, 2>) -> Tensor<B, 2> {
        TrainableLayer::<B>::forward(layer, x)
    }

    #[test]
    fn both_backends_and_plain_numbers_compute_the_same() {
        for pooling in poolings() {
            let layer = Pooling::new(pooling, Direction::Encode);
            let found = forward(&layer, images::<Flex>(4, INPUT.n_values())).into_data();
            let other = forward(&layer, images::<NdArray>(4, INPUT.n_values())).into_data();
            found.assert_approx_eq::<f32>(&other, Tolerance::absolute(1e-6));
            let plain = TrainableLayer::<Flex>::to_plain(&layer, Activation::Identity);
            let values: Vec<f32> = images::<Flex>(4, INPUT.n_values()).into_data().to_vec().unwrap();
            let plain = TensorData::new(plain.forward(&values), [4, plain.outputs()]);
            found.assert_approx_eq::<f32>(&plain, Tolerance::absolute(1e-6));
        }
    }

    /// Pooling the output of the mirror returns its input, if windows do not overlap.
    #[test]
    fn pooling_undoes_its_mirror() {
        for pooling in poolings().into_iter().filter(|pooling| pooling.window.stride >= pooling.window.size) {
            let [down, up] = [Direction::Encode, Direction::Decode].map(|direction| Pooling::new(pooling, direction));
            let y = images::<Flex>(3, pooling.output().unwrap().n_values());
            let image = forward(&up, y.clone());
            assert_eq!(image.dims(), [3, INPUT.n_values()]);
            forward(&down, image).into_data().assert_approx_eq::<f32>(&y.into_data(), Tolerance::absolute(1e-6));
        }
    }

    /// The derivative along a direction is the gradient's product with it, in both directions of the layer.
    #[test]
    fn gradients_are_derivatives() {
        type B = Autodiff<Flex>;
        for pooling in poolings() {
            for direction in [Direction::Encode, Direction::Decode] {
                let layer = Pooling::new(pooling, direction);
                let output = pooling.output().unwrap().n_values();
                let len = if direction == Direction::Encode { INPUT.n_values() } else { output };
                let x = images::<B>(2, len).require_grad();
                let loss = |x: Tensor<B, 2>| forward(&layer, x).square().sum();
                let gradient = x.grad(&loss(x.clone()).backward()).unwrap();
                let change = images::<Flex>(2, len) * 0.7 + 0.1;
                let expected = (gradient * change.clone()).sum().into_scalar();
                let at = |step: f32| loss(x.clone() + Tensor::from_inner(change.clone() * step)).into_scalar();
                let found = (at(1e-3) - at(-1e-3)) / 2e-3;
                assert!((found - expected).abs() < 1e-2 * (1.0 + expected.abs()), "{pooling:?}: {found} {expected}");
            }
        }
    }

    #[test]
    fn poolings_print_as_they_are_spelt() {
        for text in ["max2", "avg3s2", "avg2", "max3s1"] {
            assert_eq!(PoolingSpelling::parse(text, Axes::Both).unwrap().to_string(), text);
        }
        assert_eq!(PoolingSpelling::parse("max2s2", Axes::Both).unwrap().to_string(), "max2");
        for text in ["max", "max0", "avg2s0", "avg2p1", "min2", "max2s", "maxs2"] {
            assert!(PoolingSpelling::parse(text, Axes::Both).is_none(), "{text}");
        }
    }
}
