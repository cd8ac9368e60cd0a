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
