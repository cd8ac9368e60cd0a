//! Leaky ReLUs of tensors in this process's memory, with their gradient.
//!
//! burn derives the gradient from a comparison, a product and a selection, each of which is a pass over all values on one core.

use burn::backend::autodiff::checkpoint::base::Checkpointer;
use burn::backend::autodiff::checkpoint::strategy::NoCheckpointing;
use burn::backend::autodiff::grads::Gradients;
use burn::backend::autodiff::ops::{Backward, Ops, OpsKind};
use burn::backend::{Autodiff, Flex};
use burn::tensor::backend::Backend;
use burn::tensor::{Tensor, TensorPrimitive};
use rayon::prelude::*;

use crate::nn::host::{HostTensor, primitive, rows, same, values};

/// So many values are one core's at a time.
const CHUNK: usize = 1 << 14;

/// `x`, and `slope * x` where it is negative. `None` on a backend whose tensors are elsewhere.
pub(super) fn leaky_relu<B: Backend>(x: &Tensor<B, 2>, slope: f32) -> Option<Tensor<B, 2>> {
    if let Some(x) = same::<_, Tensor<Flex, 2>>(x.clone()) {
        let y = scaled(&primitive(x), None, slope);
        return same(Tensor::<Flex, 2>::from_primitive(TensorPrimitive::Float(y)));
    }
    let x = primitive(same::<_, Tensor<Autodiff<Flex>, 2>>(x.clone())?);
    let y = scaled(&x.primitive, None, slope);
    let y = match Gradient.prepare::<NoCheckpointing>([x.node]).compute_bound().stateful() {
        OpsKind::Tracked(prep) => prep.finish((slope, y.clone()), y),
        OpsKind::UnTracked(prep) => prep.finish(y),
    };
    same(Tensor::<Autodiff<Flex>, 2>::from_primitive(TensorPrimitive::Float(y)))
}

/// The values, times the slope where those of `signs`, or they themselves, are negative.
fn scaled(x: &HostTensor, signs: Option<&HostTensor>, slope: f32) -> HostTensor {
    let x = x.to_contiguous();
    let mut y = values(&x).to_vec();
    match signs {
        None => y.par_chunks_mut(CHUNK).for_each(|y| y.iter_mut().for_each(|y| *y *= factor(*y, slope))),
        Some(signs) => y.par_chunks_mut(CHUNK).zip(values(signs).par_chunks(CHUNK)).for_each(|(y, signs)| {
            y.iter_mut().zip(signs).for_each(|(y, &sign)| *y *= factor(sign, slope));
        }),
    }
    rows(y, x.layout().shape()[0])
}

fn factor(sign: f32, slope: f32) -> f32 {
    if sign < 0.0 { slope } else { 1.0 }
}

/// The gradient of a leaky ReLU. The state has its slope and its outputs, whose signs are those of the inputs.
#[derive(Debug)]
struct Gradient;

impl Backward<Flex, 1> for Gradient {
    type State = (f32, HostTensor);

    fn backward(self, ops: Ops<Self::State, 1>, gradients: &mut Gradients, _: &mut Checkpointer) {
        let [parent] = ops.parents;
        let (slope, outputs) = ops.state;
        let gradient = gradients.consume::<Flex>(&ops.node);
        if let Some(node) = parent {
            gradients.register::<Flex>(node.id, scaled(&gradient, Some(&outputs), slope));
        }
    }
}

#[cfg(test)]
mod tests {
    use burn::tensor::{TensorData, activation};

    use super::*;
    use crate::base::random::{normal, stream};

    type B = Autodiff<Flex>;

    #[test]
    fn values_and_gradients_have_burns_bits() {
        for n in [1, 3, 700] {
            let mut values = normal(n * 50, &mut stream(4, "leaky", n as u64));
            values[..4].copy_from_slice(&[0.0, -0.0, f32::INFINITY, -1e30]);
            let x = Tensor::<B, 2>::from_data(TensorData::new(values, [n, 50]), &Default::default()).require_grad();
            let weights = normal(n * 50, &mut stream(4, "weights", n as u64));
            let weights = Tensor::<B, 2>::from_data(TensorData::new(weights, [n, 50]), &Default::default());
            let [own, burns] = [leaky_relu(&x, 0.01).unwrap(), activation::leaky_relu(x.clone(), 0.01)];
            assert_eq!(own.to_data(), burns.to_data());
            assert_eq!(leaky_relu(&x.clone().inner(), 0.01).unwrap().to_data(), burns.to_data());
            let gradient = |y: Tensor<B, 2>| x.grad(&(y * weights.clone()).sum().backward()).unwrap().into_data();
            assert_eq!(gradient(own), gradient(burns));
            // A tensor whose values lie in another order.
            let turned = leaky_relu(&x.clone().transpose(), 0.01).unwrap().transpose();
            assert_eq!(turned.into_data(), leaky_relu(&x, 0.01).unwrap().into_data());
        }
    }
}
