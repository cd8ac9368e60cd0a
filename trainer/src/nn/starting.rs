//! Encoders whose weights are given before they are trained.

use burn::tensor::{Tensor, TensorData, backend::Backend};

use super::layers::LayerShape;
use crate::trained::{Activation, Layer};

/// An encoder that begins with given weights, those that another program trained. Its last layer is fully connected and linear.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct StartingEncoder {
    /// The layers, from the input to the latent.
    pub(crate) layers: Vec<Layer>,
    /// What happens to the inputs before the first layer and could not become a part of it. It is not trained.
    pub(crate) inputs: Option<InputMap>,
}

/// `factor x + shift`, with an entry for each input.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct InputMap {
    pub(crate) factor: Vec<f32>,
    pub(crate) shift: Vec<f32>,
}

impl StartingEncoder {
    /// The sizes of the layers.
    pub(crate) fn shapes(&self) -> Vec<LayerShape> {
        self.layers.iter().map(LayerShape::from).collect()
    }

    /// The activation of each layer.
    pub(super) fn activations(&self) -> Vec<Activation> {
        self.layers.iter().map(Layer::activation).collect()
    }

    /// The activation of each layer of the mirror: that of the values which it reconstructs. What a pooling reads was activated
    /// by the layer before it, and its mirror only repeats values.
    pub(super) fn mirrored_activations(&self) -> Vec<Activation> {
        let is_pooling = |layer: &Layer| matches!(layer, Layer::Pooling(_));
        let of = |index: usize| {
            let before = self.layers[..index].iter().rev().find(|layer| !is_pooling(layer));
            match is_pooling(&self.layers[index]) {
                true => Activation::Identity,
                false => before.map_or(Activation::Identity, Layer::activation),
            }
        };
        (0..self.layers.len()).rev().map(of).collect()
    }
}

impl InputMap {
    /// Maps `N x inputs` values.
    pub(super) fn apply<B: Backend>(&self, x: Tensor<B, 2>) -> Tensor<B, 2> {
        let row = |values: &[f32]| {
            Tensor::<B, 2>::from_data(TensorData::new(values.to_vec(), [1, values.len()]), &x.device())
        };
        let (factor, shift) = (row(&self.factor), row(&self.shift));
        x * factor + shift
    }
}
