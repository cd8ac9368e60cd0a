//! The layers of an encoder or decoder in the file: their arrays are tensors, and the description has the rest.
//!
//! Each layer itself lists its arrays and the shapes that they must have, so a new kind of layer needs no change here.

use std::mem::take;

use super::error::TrainedFileError;
use super::tensors::{TensorReader, TensorWriter};
use crate::trained::{Activation, DecoderLayer, Dense, Layer, LayerArray};

/// A layer whose arrays are tensors of the file.
pub(super) trait KeptLayer: Clone {
    fn problem(&self) -> Option<String>;
    fn arrays(&mut self) -> Vec<LayerArray<'_>>;
    fn inputs(&self) -> usize;
    fn outputs(&self) -> usize;
    fn activation(&self) -> Activation;
}

/// A type that has these functions already.
macro_rules! kept_layer {
    ($type:ty) => {
        impl KeptLayer for $type {
            fn problem(&self) -> Option<String> {
                Self::problem(self)
            }

            fn arrays(&mut self) -> Vec<LayerArray<'_>> {
                Self::arrays(self)
            }

            fn inputs(&self) -> usize {
                Self::inputs(self)
            }

            fn outputs(&self) -> usize {
                Self::outputs(self)
            }

            fn activation(&self) -> Activation {
                Self::activation(self)
            }
        }
    };
}

kept_layer!(Layer);
kept_layer!(DecoderLayer);

/// Adds the arrays of layers that follow each other, and returns the layers without them.
pub(super) fn write<L: KeptLayer>(tensors: &mut TensorWriter, path: &str, layers: &[L]) -> Vec<L> {
    let layers = layers.iter().enumerate();
    layers.map(|(index, layer)| write_layer(tensors, &format!("{path}.{index}"), layer.clone())).collect()
}

/// Adds the arrays of a layer, and returns the layer without them.
pub(super) fn write_layer<L: KeptLayer>(tensors: &mut TensorWriter, path: &str, mut layer: L) -> L {
    for array in layer.arrays() {
        tensors.add(&format!("{path}.{}", array.name), &array.shape, take(array.values));
    }
    layer
}

/// Reads the arrays of layers, each of which must take as many values as the one before returns.
pub(super) fn read<L: KeptLayer>(
    tensors: &TensorReader,
    path: &str,
    layers: Vec<L>,
) -> Result<Vec<L>, TrainedFileError> {
    let mut found: Vec<L> = vec![];
    for (index, layer) in layers.into_iter().enumerate() {
        let path = format!("{path}.{index}");
        let layer = read_layer(tensors, &path, layer)?;
        if let Some(before) = found.last().filter(|before| before.outputs() != layer.inputs()) {
            let (takes, gives) = (layer.inputs(), before.outputs());
            let problem = format!("takes {takes} values, but the layer before returns {gives}");
            return Err(TrainedFileError::field(path, problem));
        }
        found.push(layer);
    }
    Ok(found)
}

fn read_layer<L: KeptLayer>(tensors: &TensorReader, path: &str, mut layer: L) -> Result<L, TrainedFileError> {
    if let Some(problem) = layer.problem() {
        return Err(TrainedFileError::field(path, problem));
    }
    if let Activation::LeakyRelu(slope) = layer.activation()
        && !slope.is_finite()
    {
        return Err(TrainedFileError::field(path, format!("the slope of its leaky ReLU is {slope}")));
    }
    for array in layer.arrays() {
        *array.values = tensors.get(&format!("{path}.{}", array.name), &array.shape)?;
    }
    Ok(layer)
}

/// Reads the arrays of a layer that must be fully connected.
pub(super) fn read_dense(tensors: &TensorReader, path: &str, layer: Layer) -> Result<Dense, TrainedFileError> {
    let layer = read_layer(tensors, path, layer)?;
    layer.into_dense().ok_or_else(|| TrainedFileError::field(path, "is not a fully connected layer"))
}
