//! Rounds weights and activations to int8 values while the encoder is trained.
//!
//! The forward pass rounds, and the backward pass ignores the rounding: the straight-through estimator, as in section 3 of
//! Jacob et al., "Quantization and Training of Neural Networks for Efficient Integer-Arithmetic-Only Inference", 2018.

use burn::tensor::{Tensor, backend::Backend};

/// Weights rounded to 255 levels about zero, with a scale for each index of the dimension `outputs`.
pub(super) fn weights<B: Backend, const D: usize>(w: Tensor<B, D>, outputs: usize) -> Tensor<B, D> {
    let greatest =
        (0..D).filter(|&dim| dim != outputs).fold(w.clone().detach().abs(), |greatest, dim| greatest.max_dim(dim));
    let step = greatest.clamp_min(f32::MIN_POSITIVE) / 127.0;
    let rounded = (w.clone() / step.clone()).round() * step;
    straight_through(w, rounded)
}

/// `N x features` values rounded to 256 levels from the least to the greatest one. Zero is one of the levels.
pub(super) fn activations<B: Backend>(x: Tensor<B, 2>) -> Tensor<B, 2> {
    let values = x.clone().detach();
    let step = (values.clone().max().clamp_min(0.0) - values.min().clamp_max(0.0)) / 255.0;
    let step = step.clamp_min(f32::MIN_POSITIVE).unsqueeze::<2>();
    let rounded = (x.clone() / step.clone()).round() * step;
    straight_through(x, rounded)
}

fn straight_through<B: Backend, const D: usize>(exact: Tensor<B, D>, rounded: Tensor<B, D>) -> Tensor<B, D> {
    exact.clone() + (rounded - exact).detach()
}

#[cfg(test)]
mod tests {
    use burn::backend::{Autodiff, Flex};
    use burn::tensor::Distribution;

    use super::*;

    type Matrix = Tensor<Autodiff<Flex>, 2>;

    #[test]
    fn weights_become_the_nearest_multiple_of_their_outputs_step() {
        let w = Matrix::random([9, 4], Distribution::Uniform(-3.0, 2.0), &Default::default());
        let rounded: Vec<f32> = weights(w.clone(), 1).into_data().to_vec().unwrap();
        let exact: Vec<f32> = w.into_data().to_vec().unwrap();
        for output in 0..4 {
            let column = |values: &[f32]| values.iter().skip(output).step_by(4).copied().collect::<Vec<_>>();
            let (rounded, exact) = (column(&rounded), column(&exact));
            let step = exact.iter().fold(0f32, |most, w| most.max(w.abs())) / 127.0;
            for (rounded, exact) in rounded.into_iter().zip(exact) {
                assert!((rounded / step - (rounded / step).round()).abs() < 1e-3, "{rounded} in steps of {step}");
                assert!((rounded - exact).abs() <= 0.501 * step, "{rounded} {exact} {step}");
            }
        }
    }

    #[test]
    fn activations_keep_their_range_and_zero() {
        let x = Matrix::from_data([[0.0, 1.0, 0.5013], [-0.5, 2.05, 0.004]], &Default::default());
        let found: Vec<f32> = activations(x).into_data().to_vec().unwrap();
        for (found, expected) in found.into_iter().zip([0.0, 1.0, 0.50, -0.5, 2.05, 0.0]) {
            assert!((found - expected).abs() < 1e-5, "{found} {expected}");
        }
        assert_eq!(activations(Matrix::zeros([2, 2], &Default::default())).sum().into_scalar(), 0.0);
    }

    /// The gradient of `sum(round(x) round(w))` is taken at the rounded values and passes through the rounding.
    #[test]
    fn gradients_pass_straight_through() {
        let random = || Matrix::random([3, 3], Distribution::Normal(0.0, 1.0), &Default::default()).require_grad();
        let (x, w) = (random(), random());
        let gradients = activations(x.clone()).matmul(weights(w.clone(), 1)).sum().backward();
        let expected = activations(x.clone()).sum_dim(0).transpose().repeat_dim(1, 3).inner();
        let difference = (w.grad(&gradients).unwrap() - expected).abs().max().into_scalar();
        assert!(difference < 1e-5, "{difference}");
        assert!(x.grad(&gradients).is_some());
    }
}
