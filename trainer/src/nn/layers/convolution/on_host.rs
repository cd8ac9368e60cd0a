//! Convolutions of tensors in this process's memory, with their gradients.
//!
//! burn's flex backend copies the inputs under the window for all images of a batch, and derives gradients from further convolutions, with
//! copies in other orders. [`Products`] does the same sums without.

use std::any::Any;

use burn::backend::autodiff::checkpoint::base::Checkpointer;
use burn::backend::autodiff::checkpoint::strategy::NoCheckpointing;
use burn::backend::autodiff::grads::Gradients;
use burn::backend::autodiff::ops::{Backward, Ops, OpsKind};
use burn::backend::{Autodiff, Flex};
use burn::tensor::backend::Backend;
use burn::tensor::ops::FloatTensor;
use burn::tensor::{Tensor, TensorData, TensorPrimitive};

use super::products::Products;
use crate::nn::layers::trainable::Direction;

/// A tensor of the host.
type HostTensor = FloatTensor<Flex>;

/// Rows, weights and biases.
type Parameters<B> = (Tensor<B, 2>, Tensor<B, 4>, Tensor<B, 1>);

/// A convolution, or the transposed one.
#[derive(Clone, Copy, Debug)]
pub(super) struct OnHost {
    pub(super) products: Products,
    pub(super) direction: Direction,
}

impl OnHost {
    /// Rows of images from rows of images, `filters x channels x rows x columns` weights, and a bias for each channel of the
    /// result. `None` on a backend whose tensors are elsewhere.
    pub(super) fn convolve<B: Backend>(
        self,
        x: &Tensor<B, 2>,
        weight: &Tensor<B, 4>,
        bias: &Tensor<B, 1>,
    ) -> Option<Tensor<B, 2>> {
        if let Some((x, weight, bias)) = same::<_, Parameters<Flex>>((x.clone(), weight.clone(), bias.clone())) {
            let parameters = [primitive(x), primitive(weight), primitive(bias)];
            return same(Tensor::<Flex, 2>::from_primitive(TensorPrimitive::Float(self.forward(&parameters))));
        }
        let (x, weight, bias) = same::<_, Parameters<Autodiff<Flex>>>((x.clone(), weight.clone(), bias.clone()))?;
        let [x, weight, bias] = [primitive(x), primitive(weight), primitive(bias)];
        let nodes = [x.node, weight.node, bias.node];
        let parameters = [x.primitive, weight.primitive, bias.primitive];
        let result = self.forward(&parameters);
        let result = match Gradient.prepare::<NoCheckpointing>(nodes).compute_bound().stateful() {
            OpsKind::Tracked(prep) => {
                let [x, weight, _] = parameters;
                prep.finish((self, x, weight), result)
            }
            OpsKind::UnTracked(prep) => prep.finish(result),
        };
        same(Tensor::<Autodiff<Flex>, 2>::from_primitive(TensorPrimitive::Float(result)))
    }

    fn forward(self, [x, weight, bias]: &[HostTensor; 3]) -> HostTensor {
        let [x, weight, bias] = [x, weight, bias].map(HostTensor::to_contiguous);
        let weight = self.products.channels_last(values(&weight));
        let (x, n, bias) = (values(&x), x.layout().shape()[0], values(&bias));
        rows(self.apply(self.direction, x, &weight, bias), n)
    }

    fn apply(self, direction: Direction, x: &[f32], weight: &[f32], bias: &[f32]) -> Vec<f32> {
        match direction {
            Direction::Encode => self.products.convolve(x, weight, bias),
            Direction::Decode => self.products.transpose(x, weight, bias),
        }
    }
}

/// The gradients of a convolution. The state has its inputs and weights.
#[derive(Debug)]
struct Gradient;

impl Backward<Flex, 3> for Gradient {
    type State = (OnHost, HostTensor, HostTensor);

    fn backward(self, ops: Ops<Self::State, 3>, gradients: &mut Gradients, _: &mut Checkpointer) {
        let [of_x, of_weight, of_bias] = ops.parents;
        let (OnHost { products, direction }, x, weight) = ops.state;
        let [x, weight, result] = [x, weight, gradients.consume::<Flex>(&ops.node)].map(|t| t.to_contiguous());
        let shape = weight.layout().shape().clone();
        let (n, x, weight, result) = (x.layout().shape()[0], values(&x), values(&weight), values(&result));
        if let Some(node) = of_x {
            let zeros = vec![0.0; products.channels(direction)];
            let gradient = OnHost { products, direction }.apply(
                direction.reversed(),
                result,
                &products.channels_last(weight),
                &zeros,
            );
            gradients.register::<Flex>(node.id, rows(gradient, n));
        }
        if let Some(node) = of_weight {
            let gradient = match direction {
                Direction::Encode => products.weight_gradient(x, result),
                Direction::Decode => products.weight_gradient(result, x),
            };
            let gradient = TensorData::new(products.channels_first(&gradient), shape);
            gradients.register::<Flex>(node.id, HostTensor::from_data(gradient));
        }
        if let Some(node) = of_bias {
            let mut sums = vec![0.0; products.channels(direction.reversed())];
            for pixel in result.chunks_exact(sums.len()) {
                sums.iter_mut().zip(pixel).for_each(|(sum, x)| *sum += x);
            }
            let channels = sums.len();
            gradients.register::<Flex>(node.id, HostTensor::from_data(TensorData::new(sums, [channels])));
        }
    }
}

/// A value as one of another type, if that is its type.
fn same<A: 'static, B: 'static>(value: A) -> Option<B> {
    let value: Box<dyn Any> = Box::new(value);
    value.downcast().ok().map(|value| *value)
}

fn primitive<B: Backend, const D: usize>(tensor: Tensor<B, D>) -> FloatTensor<B> {
    tensor.into_primitive().tensor()
}

/// The numbers of a tensor without gaps.
fn values(tensor: &HostTensor) -> &[f32] {
    tensor.as_slice().expect("a tensor of f32 without gaps")
}

/// N rows.
fn rows(values: Vec<f32>, n: usize) -> HostTensor {
    let columns = values.len() / n.max(1);
    HostTensor::from_data(TensorData::new(values, [n, columns]))
}

#[cfg(test)]
mod tests {
    use burn::tensor::Tolerance;

    use super::*;
    use crate::base::random::{normal, stream};
    use crate::nn::layers::convolution::tests::shapes;
    use crate::nn::layers::convolution::{Convolution, by_burn};

    type B = Autodiff<Flex>;

    fn tensor<const D: usize>(shape: [usize; D], index: u64) -> Tensor<B, D> {
        let values = normal(shape.iter().product(), &mut stream(8, "on the host", index));
        Tensor::from_data(TensorData::new(values, shape), &Default::default()).require_grad()
    }

    /// The result and the three gradients, as burn's own operations have them.
    #[test]
    fn results_and_gradients_are_those_of_burn() {
        for shape in shapes() {
            let [rows, columns] = shape.window.sizes();
            let products = Products::new(shape).unwrap();
            for direction in [Direction::Encode, Direction::Decode] {
                let (width, channels) = match direction {
                    Direction::Encode => (shape.inputs(), shape.filters),
                    Direction::Decode => (shape.outputs(), shape.input.channels),
                };
                // More images than parts whose gradients are summed on their own, and fewer.
                for n in [1, 19] {
                    let x = tensor([n, width], 0);
                    let weight = tensor([shape.filters, shape.input.channels, rows, columns], 1);
                    let bias = tensor([channels], 2);
                    let own = OnHost { products, direction }.convolve(&x, &weight, &bias).unwrap();
                    let burns = by_burn(shape, direction, x.clone(), weight.clone(), bias.clone());
                    let share = tensor(own.dims(), 3);
                    let found = (own.clone() * share.clone()).sum().backward();
                    let expected = (burns.clone() * share).sum().backward();
                    let is_near =
                        |a: TensorData, b: TensorData| a.assert_approx_eq::<f32>(&b, Tolerance::rel_abs(1e-4, 1e-3));
                    is_near(own.into_data(), burns.into_data());
                    is_near(x.grad(&found).unwrap().into_data(), x.grad(&expected).unwrap().into_data());
                    is_near(weight.grad(&found).unwrap().into_data(), weight.grad(&expected).unwrap().into_data());
                    is_near(bias.grad(&found).unwrap().into_data(), bias.grad(&expected).unwrap().into_data());
                }
            }
        }
    }

    #[test]
    fn the_number_of_threads_changes_no_bit() {
        let shape = shapes()[4];
        let on = |threads: usize| {
            let pool = rayon::ThreadPoolBuilder::new().num_threads(threads).build().unwrap();
            pool.install(|| {
                let layer =
                    Convolution::<B>::new(shape, Direction::Encode, &mut stream(1, "weights", 0), &Default::default());
                let x = tensor([37, shape.inputs()], 4);
                let y = layer.convolve(x.clone(), layer.weight.val());
                let gradients = y.clone().square().sum().backward();
                [y.into_data(), layer.weight.val().grad(&gradients).unwrap().into_data()]
            })
        };
        assert_eq!(on(1), on(3));
    }

    #[test]
    fn tensors_that_need_no_gradient_have_none() {
        let shape = shapes()[0];
        let host = OnHost { products: Products::new(shape).unwrap(), direction: Direction::Encode };
        let weight = tensor([shape.filters, shape.input.channels, 1, 1], 1);
        let x = Tensor::<B, 2>::from_inner(tensor([2, shape.inputs()], 0).inner());
        let y = host.convolve(&x, &weight, &tensor([shape.filters], 2)).unwrap();
        let gradients = y.sum().backward();
        assert!(x.grad(&gradients).is_none() && weight.grad(&gradients).is_some());
    }
}
