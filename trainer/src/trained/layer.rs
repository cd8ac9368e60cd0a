//! Layers as plain numbers.

use ndarray::linalg::general_mat_mul;
use ndarray::{ArrayView2, ArrayViewMut2};
use serde::{Deserialize, Serialize};

use super::Convolution;

/// One layer of an encoder.
///
/// ```
/// use edgemix::trained::{Activation, Dense, Layer};
///
/// let (weights, bias) = (vec![2.0], vec![-1.0]);
/// let layer = Layer::Dense(Dense { inputs: 1, outputs: 1, weights, bias, activation: Activation::Relu });
/// assert_eq!((layer.inputs(), layer.outputs()), (1, 1));
/// let mut values = layer.linear(&[3.0, 0.0]);
/// assert_eq!(values, [5.0, -1.0]);
/// layer.activation().apply(&mut values);
/// assert_eq!(values, [5.0, 0.0]);
/// ```
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub enum Layer {
    /// A fully connected layer.
    Dense(Dense),
    /// A convolution of an image.
    Convolution(Convolution),
}

/// `activation(weights x + bias)`.
///
/// ```
/// use edgemix::trained::{Activation, Dense};
///
/// let (weights, bias) = (vec![1.0, 10.0], vec![0.5]);
/// let dense = Dense { inputs: 2, outputs: 1, weights, bias, activation: Activation::Identity };
/// // Two rows.
/// assert_eq!(dense.linear(&[1.0, 2.0, 3.0, 4.0]), [21.5, 43.5]);
/// ```
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Dense {
    /// Number of inputs.
    pub inputs: usize,
    /// Number of outputs.
    pub outputs: usize,
    /// `outputs x inputs`, row-major.
    pub weights: Vec<f32>,
    /// One per output.
    pub bias: Vec<f32>,
    /// What follows.
    pub activation: Activation,
}

/// What follows a layer's sum.
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
    /// Nothing.
    Identity,
    /// `max(x, 0)`.
    Relu,
    /// `x` where positive, else this slope times `x`.
    LeakyRelu(f32),
    /// Hyperbolic tangent.
    Tanh,
    /// Logistic function.
    Sigmoid,
    /// `x` where positive, else `exp(x) - 1`.
    Elu,
}

impl Layer {
    /// Number of inputs. See [`Layer`] for an example.
    pub fn inputs(&self) -> usize {
        match self {
            Self::Dense(dense) => dense.inputs,
            Self::Convolution(convolution) => convolution.geometry.inputs(),
        }
    }

    /// Number of outputs. See [`Layer`] for an example.
    pub fn outputs(&self) -> usize {
        match self {
            Self::Dense(dense) => dense.outputs,
            Self::Convolution(convolution) => convolution.geometry.outputs(),
        }
    }

    /// What follows the sum. See [`Layer`] for an example.
    pub fn activation(&self) -> Activation {
        match self {
            Self::Dense(dense) => dense.activation,
            Self::Convolution(convolution) => convolution.activation,
        }
    }

    /// The sums before the activation, for `N x inputs` values; `N x outputs`. See [`Layer`] for an example.
    ///
    /// # Panics
    /// If `values` is not a whole number of rows.
    pub fn linear(&self, values: &[f32]) -> Vec<f32> {
        match self {
            Self::Dense(dense) => dense.linear(values),
            Self::Convolution(convolution) => convolution.linear(values),
        }
    }
}

impl Dense {
    /// `weights x + bias` for `N x inputs` values; `N x outputs`. See [`Dense`] for an example.
    ///
    /// # Panics
    /// If `values` is not a whole number of rows, or the layer's lengths contradict each other.
    pub fn linear(&self, values: &[f32]) -> Vec<f32> {
        affine(values, &self.weights, &self.bias)
    }
}

/// What layers, one after the other, give for `N x inputs` values.
pub(super) fn run(layers: &[Layer], inputs: &[f32]) -> Vec<f32> {
    layers.iter().fold(inputs.to_vec(), |values, layer| {
        let mut values = layer.linear(&values);
        layer.activation().apply(&mut values);
        values
    })
}

/// `weights x + bias` for rows `x`; as many weights to a row as there are values, as many rows as biases.
pub(super) fn affine(values: &[f32], weights: &[f32], bias: &[f32]) -> Vec<f32> {
    let inputs = weights.len() / bias.len();
    let rows = values.len() / inputs;
    let values = ArrayView2::from_shape((rows, inputs), values).expect("whole rows");
    let weights = ArrayView2::from_shape((bias.len(), inputs), weights).expect("outputs x inputs");
    // Into rows that stand already: a product's own may stand the other way round.
    let mut sums = bias.repeat(rows);
    let mut product = ArrayViewMut2::from_shape((rows, bias.len()), &mut sums).expect("rows x outputs");
    general_mat_mul(1.0, &values, &weights.t(), 1.0, &mut product);
    sums
}

impl Activation {
    /// Applies it in place. See [`Activation`] for an example.
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
