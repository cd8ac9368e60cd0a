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

    /// The values before the activation, `N x outputs`, for `N x inputs` values.
    ///
    /// # Panics
    /// If `values` is not a whole number of rows.
    fn preactivation(&self, values: &[f32]) -> Vec<f32>;

    /// Why the layer's sizes are impossible, if they are. A layer with impossible sizes can't compute anything.
    fn problem(&self) -> Option<String>;

    /// The layer's arrays of numbers.
    fn arrays(&mut self) -> Vec<LayerArray<'_>>;
}

/// An array of numbers of a layer, as a file stores it.
pub(crate) struct LayerArray<'a> {
    /// Its name in the layer.
    pub(crate) name: &'static str,
    /// The shape that the layer's sizes imply.
    pub(crate) shape: Vec<usize>,
    /// The numbers, row-major.
    pub(crate) values: &'a mut Vec<f32>,
}
