//! The operations that every layer of plain numbers provides.

use crate::trained::activation::Activation;

/// A layer of plain numbers, computed in f32.
pub(super) trait PlainLayer {
    /// Number of inputs.
    fn inputs(&self) -> usize;

    /// Number of outputs.
    fn outputs(&self) -> usize;

    /// The activation of the layer's outputs.
    fn activation(&self) -> Activation;

    /// The values before the activation, `N x outputs`, of `N x inputs` values.
    ///
    /// # Panics
    /// If `values` is not a whole number of rows.
    fn preactivation(&self, values: &[f32]) -> Vec<f32>;
}
