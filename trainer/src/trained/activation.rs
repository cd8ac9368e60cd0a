//! Activations.

use serde::{Deserialize, Serialize};

/// The function that is applied to each of a layer's values.
///
/// ```
/// use edgemix::trained::Activation;
///
/// let mut values = [-2.0, 3.0];
/// Activation::LeakyRelu(0.5).apply(&mut values);
/// assert_eq!(values, [-1.0, 3.0]);
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
