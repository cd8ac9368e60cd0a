//! Activations.

use std::str::FromStr;

use serde::{Deserialize, Serialize};

/// The function that is applied to each of a layer's values.
///
/// ```
/// use edgemix::trained::Activation;
///
/// let mut values = [-2.0, 3.0];
/// Activation::LeakyRelu(0.5).apply(&mut values);
/// assert_eq!(values, [-1.0, 3.0]);
/// assert_eq!("leaky-relu=0.2".parse(), Ok(Activation::LeakyRelu(0.2)));
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub enum Activation {
    /// `x` itself.
    Identity,
    /// `max(x, 0)`.
    Relu,
    /// `x` where it is positive, and this slope times `x` elsewhere.
    LeakyRelu(f32),
    /// Hyperbolic tangent.
    Tanh,
    /// Logistic function.
    Sigmoid,
    /// `x` where it is positive, and `exp(x) - 1` elsewhere.
    Elu,
}

impl FromStr for Activation {
    type Err = String;

    /// `relu`, `leaky-relu`, `leaky-relu=0.2`, `tanh`, `sigmoid`, `elu` or `none`. Without a slope, that of a leaky ReLU is 0.01.
    fn from_str(text: &str) -> Result<Self, String> {
        let slope = text
            .strip_prefix("leaky-relu=")
            .and_then(|slope| slope.parse().ok())
            .filter(|slope| f32::is_finite(*slope));
        Ok(match (text, slope) {
            ("none", _) => Self::Identity,
            ("relu", _) => Self::Relu,
            ("leaky-relu", _) => Self::LeakyRelu(0.01),
            ("tanh", _) => Self::Tanh,
            ("sigmoid", _) => Self::Sigmoid,
            ("elu", _) => Self::Elu,
            (_, Some(slope)) => Self::LeakyRelu(slope),
            _ => {
                return Err(format!(
                    "no activation is spelt {text:?}: use relu, leaky-relu, leaky-relu=0.2, tanh, sigmoid, elu or none"
                ));
            }
        })
    }
}

impl Activation {
    /// Applies the function to each value in place.
    pub fn apply(self, values: &mut [f32]) {
        let each = |f: &dyn Fn(f32) -> f32, values: &mut [f32]| values.iter_mut().for_each(|x| *x = f(*x));
        match self {
            Self::Identity => {}
            Self::Relu => each(&|x| x.max(0.0), values),
            Self::LeakyRelu(slope) => each(&|x| if x < 0.0 { slope * x } else { x }, values),
            Self::Tanh => each(&f32::tanh, values),
            Self::Sigmoid => each(&|x| (1.0 + (-x).exp()).recip(), values),
            Self::Elu => each(&|x| if x < 0.0 { x.exp_m1() } else { x }, values),
        }
    }
}
