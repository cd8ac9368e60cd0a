//! A fully connected layer as plain numbers.

use ndarray::linalg::general_mat_mul;
use ndarray::{ArrayView2, ArrayViewMut2};
use serde::{Deserialize, Serialize};

use super::plain_layer::{LayerArray, PlainLayer};
use crate::trained::activation::Activation;

/// A fully connected layer, `activation(weights x + bias)`.
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
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub weights: Vec<f32>,
    /// One per output.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub bias: Vec<f32>,
    /// The activation of the sums.
    pub activation: Activation,
}

impl Dense {
    /// `weights x + bias` for `N x inputs` values. The result is `N x outputs`.
    ///
    /// # Panics
    /// If `values` is not a whole number of rows, or if the lengths of the layer's arrays do not match its sizes.
    pub fn linear(&self, values: &[f32]) -> Vec<f32> {
        affine(values, &self.weights, &self.bias)
    }
}

impl PlainLayer for Dense {
    fn inputs(&self) -> usize {
        self.inputs
    }

    fn outputs(&self) -> usize {
        self.outputs
    }

    fn activation(&self) -> Activation {
        self.activation
    }

    fn preactivation(&self, values: &[f32]) -> Vec<f32> {
        self.linear(values)
    }

    fn problem(&self) -> Option<String> {
        let (inputs, outputs) = (self.inputs, self.outputs);
        (inputs == 0 || outputs == 0)
            .then(|| format!("{inputs} inputs and {outputs} outputs, expected at least one of each"))
    }

    fn arrays(&mut self) -> Vec<LayerArray<'_>> {
        vec![
            LayerArray { name: "weight", shape: vec![self.outputs, self.inputs], values: &mut self.weights },
            LayerArray { name: "bias", shape: vec![self.outputs], values: &mut self.bias },
        ]
    }
}

/// `weights x + bias` for each row `x` of `values`. There are as many rows of weights as biases, each as long as `x`.
pub(super) fn affine(values: &[f32], weights: &[f32], bias: &[f32]) -> Vec<f32> {
    let inputs = weights.len() / bias.len();
    let rows = values.len() / inputs;
    let values = ArrayView2::from_shape((rows, inputs), values).expect("whole rows");
    let weights = ArrayView2::from_shape((bias.len(), inputs), weights).expect("outputs x inputs");
    // The product is added to row-major sums, since ndarray may store a newly allocated product column by column.
    let mut sums = bias.repeat(rows);
    let mut product = ArrayViewMut2::from_shape((rows, bias.len()), &mut sums).expect("rows x outputs");
    general_mat_mul(1.0, &values, &weights.t(), 1.0, &mut product);
    sums
}
