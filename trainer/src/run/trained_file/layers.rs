//! The layers of an encoder or decoder in the file: their arrays are tensors, and the description has the rest.
//!
//! Each layer itself lists its arrays and the shapes that they must have, so a new kind of layer needs no change here.

use std::mem::take;

use super::error::TrainedFileError;
use super::tensors::{TensorReader, TensorWriter};
use crate::trained::{Activation, Dense, Layer};

/// Adds the arrays of layers that follow each other, and returns the layers without them.
pub(super) fn write(tensors: &mut TensorWriter, path: &str, layers: &[Layer]) -> Vec<Layer> {
    let layers = layers.iter().enumerate();
    layers.map(|(index, layer)| write_layer(tensors, &format!("{path}.{index}"), layer.clone())).collect()
}

/// Adds the arrays of a layer, and returns the layer without them.
pub(super) fn write_layer(tensors: &mut TensorWriter, path: &str, mut layer: Layer) -> Layer {
    for array in layer.arrays() {
        tensors.add(&format!("{path}.{}", array.name), &array.shape, take(array.values));
    }
    layer
}

/// Reads the arrays of layers, each of which must take as many values as the one before returns.
pub(super) fn read(tensors: &TensorReader, path: &str, layers: Vec<Layer>) -> Result<Vec<Layer>, TrainedFileError> {
    let mut found: Vec<Layer> = vec![];
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

fn read_layer(tensors: &TensorReader, path: &str, mut layer: Layer) -> Result<Layer, TrainedFileError> {
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
