//! Activations of tensors.

use burn::tensor::{Tensor, activation, backend::Backend};
use serde::{Deserialize, Serialize};

use super::layers::SLOPE;
use crate::trained::Activation;

/// The activation of hidden layers.
///
/// ```
/// use edgemix::methods::FitConfig;
/// use edgemix::nn::HiddenActivation;
///
/// let config: FitConfig = toml::from_str("activation = \"tanh\"")?;
/// assert_eq!(config.activation, HiddenActivation::Tanh);
/// assert_eq!(FitConfig::default().activation, HiddenActivation::Auto);
/// # Ok::<(), toml::de::Error>(())
/// ```
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum HiddenActivation {
    /// ReLU after fully connected layers, and leaky ReLU after convolutions.
    #[default]
    Auto,
    /// ReLU.
    Relu,
    /// Leaky ReLU of slope 0.01.
    LeakyRelu,
    /// Hyperbolic tangent.
    Tanh,
    /// Logistic function.
    Sigmoid,
    /// Exponential linear unit.
    Elu,
}

impl HiddenActivation {
    /// The activation after a layer that has this one by itself. Layers without one, such as poolings, stay without.
    pub(super) fn after(self, own: Activation) -> Activation {
        match self {
            _ if own == Activation::Identity => own,
            Self::Auto => own,
            Self::Relu => Activation::Relu,
            Self::LeakyRelu => Activation::LeakyRelu(SLOPE),
            Self::Tanh => Activation::Tanh,
            Self::Sigmoid => Activation::Sigmoid,
            Self::Elu => Activation::Elu,
        }
    }
}

/// Applies an activation to each value.
pub(super) fn activate<B: Backend>(activation: Activation, x: Tensor<B, 2>) -> Tensor<B, 2> {
    match activation {
        Activation::Identity => x,
        Activation::Relu => activation::relu(x),
        Activation::LeakyRelu(slope) => activation::leaky_relu(x, slope.into()),
        Activation::Tanh => activation::tanh(x),
        Activation::Sigmoid => activation::sigmoid(x),
        Activation::Elu => activation::elu(x, 1.0),
    }
}

/// `ln(1 + exp x)`, which is `x` itself where `exp x` has no place in single precision.
pub(crate) fn softplus<B: Backend>(x: Tensor<B, 2>) -> Tensor<B, 2> {
    const MOST: f32 = 80.0;
    activation::relu(x.clone() - MOST) + activation::softplus(x.clamp_max(MOST), 1.0)
}

#[cfg(test)]
mod tests {
    use burn::backend::{Autodiff, Flex};
    use burn::tensor::TensorData;

    use super::*;

    #[test]
    fn softplus_and_its_gradient_are_those_of_the_definition_at_any_size() {
        let at = [-200.0f32, -3.0, 0.0, 5.0, 79.0, 81.0, 500.0];
        let data = TensorData::new(at.to_vec(), [at.len(), 1]);
        let x = Tensor::<Autodiff<Flex>, 2>::from_data(data, &Default::default()).require_grad();
        let value = softplus(x.clone());
        let gradient = x.grad(&value.clone().sum().backward()).unwrap().into_data();
        let values = value.inner().into_data();
        for ((x, value), slope) in at.into_iter().map(f64::from).zip(values.iter::<f64>()).zip(gradient.iter::<f64>()) {
            let expected = x.max(0.0) + (-x.abs()).exp().ln_1p();
            assert!((value - expected).abs() <= 1e-6 * expected.max(1.0), "{x}: {value}");
            assert!((slope - 1.0 / (1.0 + (-x).exp())).abs() < 1e-6, "{x}: {slope}");
        }
    }
}
