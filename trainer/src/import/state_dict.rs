//! Encoders from state dicts of PyTorch, as safetensors.
//!
//! A state dict has the weights of modules and nothing of how they are connected, so that the layers are spelt out. Each of
//! them takes the next module that has weights, in the order of the modules' names; the layers then become the graph that an
//! exporter would write, and are imported as such.

mod modules;
pub(super) mod problem;

use std::path::Path;

pub use problem::StateDictProblem;

use super::encoder::ImportedEncoder;
use super::error::ImportError;
use super::file_bytes::file_bytes;
use super::onnx::{GraphBuilder, encoder};
use crate::data::Samples;
use crate::nn::{Architecture, LayerShape};
use crate::trained::{Activation, Axes, Pooling, PoolingOperation, Window};
use modules::Modules;

/// What a state dict does not say of an encoder.
#[derive(Clone, Debug, PartialEq)]
pub struct StateDictLayers {
    /// The layers, from the sample to the latent.
    pub architecture: Architecture,
    /// What follows each layer with weights but the last.
    pub activation: Activation,
    /// How the names of the encoder's modules begin, such as `encoder.`; others are left out.
    pub prefix: String,
}

/// Reads an encoder that takes samples like these from a state dict.
///
/// # Errors
/// [`ImportError::Data`] if the file can't be read, [`ImportError::StateDict`] if it is no safetensors file or has other modules
/// than the layers, and [`ImportError::Onnx`] if a layer can't be taken into a model file.
pub fn read_state_dict(
    path: &Path,
    samples: &Samples,
    layers: &StateDictLayers,
) -> Result<ImportedEncoder, ImportError> {
    let bytes = file_bytes(path)?;
    let refused = ImportError::of_state_dict(path);
    let modules = Modules::read(&bytes, &layers.prefix).map_err(&refused)?;
    let graph = graph(modules, samples, layers).map_err(refused)?;
    encoder(&graph.finish(), samples, None, "encoder (safetensors)").map_err(ImportError::of_onnx(path))
}

/// The graph of the layers, with the weights of the modules.
fn graph(mut modules: Modules, samples: &Samples, layers: &StateDictLayers) -> Result<GraphBuilder, StateDictProblem> {
    let shapes = layers.architecture.shapes_for(samples)?;
    let last = shapes.len().checked_sub(1).ok_or(StateDictProblem::NoLayers)?;
    let mut graph = GraphBuilder::new(&input_sizes(&shapes[0], samples));
    for (index, shape) in shapes.iter().enumerate() {
        let name = match shape {
            LayerShape::Pooling(pooling) => {
                add_pooling(&mut graph, &format!("layer {index}"), pooling);
                continue;
            }
            LayerShape::Dense(dense) => {
                if index > 0 && !matches!(shapes[index - 1], LayerShape::Dense(_)) {
                    graph.add(&format!("before layer {index}"), "Flatten", &[], vec![]);
                }
                let module = modules.next(index)?;
                module.check("weight", &[dense.outputs, dense.inputs])?;
                let inputs = module.weights(&mut graph)?;
                graph.add(&module.name, "Gemm", &inputs, vec![GraphBuilder::int("transB", 1)]);
                module.name
            }
            LayerShape::Convolution(convolution) => {
                let window = convolution.window;
                let module = modules.next(index)?;
                let mut sizes = vec![convolution.filters, convolution.input.channels];
                sizes.extend(moved(window, window.sizes()));
                module.check("weight", &sizes)?;
                let inputs = module.weights(&mut graph)?;
                graph.add(&module.name, "Conv", &inputs, moves(window, true));
                module.name
            }
        };
        if let Some(normalization) = modules.next_normalization() {
            let inputs = normalization.statistics(&mut graph)?;
            graph.add(&normalization.name, "BatchNormalization", &inputs, vec![]);
        }
        if index < last {
            add_activation(&mut graph, &name, layers.activation);
        }
    }
    modules.finish()?;
    Ok(graph)
}

/// The sizes of the input without its first axis: channels first, if the first layer moves a window.
fn input_sizes(first: &LayerShape, samples: &Samples) -> Vec<usize> {
    let image = samples.image().or_else(|| samples.instants());
    match (first, image) {
        (LayerShape::Convolution(_) | LayerShape::Pooling(_), Some(image)) if samples.image().is_some() => {
            vec![image.channels, image.height, image.width]
        }
        (LayerShape::Convolution(_) | LayerShape::Pooling(_), Some(image)) => vec![image.channels, image.width],
        _ => vec![samples.n_features()],
    }
}

/// The numbers of the axes along which a window moves.
fn moved(window: Window, numbers: [usize; 2]) -> Vec<usize> {
    match window.axes {
        Axes::Both => numbers.to_vec(),
        Axes::Columns => vec![numbers[1]],
    }
}

fn moves(window: Window, pads: bool) -> Vec<super::onnx::Attribute> {
    let padding = moved(window, window.paddings());
    let mut attributes = vec![
        GraphBuilder::ints("kernel_shape", &moved(window, window.sizes())),
        GraphBuilder::ints("strides", &moved(window, window.strides())),
    ];
    if pads {
        attributes.push(GraphBuilder::ints("pads", &[padding.clone(), padding].concat()));
    }
    attributes
}

fn add_pooling(graph: &mut GraphBuilder, name: &str, pooling: &Pooling) {
    let operator = match pooling.operation {
        PoolingOperation::Max => "MaxPool",
        PoolingOperation::Average => "AveragePool",
    };
    graph.add(name, operator, &[], moves(pooling.window, false));
}

fn add_activation(graph: &mut GraphBuilder, layer: &str, activation: Activation) {
    let (operator, attributes) = match activation {
        Activation::Identity => return,
        Activation::Relu => ("Relu", vec![]),
        Activation::LeakyRelu(slope) => ("LeakyRelu", vec![GraphBuilder::float("alpha", slope)]),
        Activation::Tanh => ("Tanh", vec![]),
        Activation::Sigmoid => ("Sigmoid", vec![]),
        Activation::Elu => ("Elu", vec![]),
    };
    graph.add(&format!("activation of {layer}"), operator, &[], attributes);
}
