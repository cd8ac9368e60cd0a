//! Encoders and clusterings from ONNX files, and models as ONNX files.
//!
//! A graph is followed from its input to the latent. Its nodes must be a chain; each of them becomes a layer, is folded into
//! one, or only changes the order in which the next layer finds its inputs.

mod builder;
mod clustering;
mod export;
mod external;
mod forms;
mod graph;
mod limits;
mod nodes;
mod operation;
mod operators;
pub(super) mod problem;
mod proto;
mod scores;
mod shapes;
mod start;
mod tensor;
mod value;
mod windows;

use std::collections::HashSet;
use std::path::Path;

pub(super) use builder::GraphBuilder;
pub use clustering::{has_clusters, read_onnx_clustering};
pub use export::onnx_file;
pub use problem::{ExternalProblem, NodeProblem, OnnxProblem, TensorProblem};
pub(super) use proto::{Attribute, kinds};

use super::encoder::ImportedEncoder;
use super::error::ImportError;
use crate::data::Samples;
use graph::OnnxGraph;
use nodes::{add_copies, at, constant_nodes, is_constant};
use operation::{Constants, Operation, attributes};
use operators::{Effect, apply};
use proto::{Node, Tensor};
use start::starts;
use value::Value;

/// Reads an encoder that takes samples like these from an ONNX file. Its latent is the graph's only output, or the value with
/// the name `latent`.
///
/// # Errors
/// [`ImportError::Data`] if the file can't be read, and [`ImportError::Onnx`] if it is no ONNX file, takes other samples, or
/// has a node that can't be taken into a model file.
pub fn read_onnx(path: &Path, samples: &Samples, latent: Option<&str>) -> Result<ImportedEncoder, ImportError> {
    let graph = OnnxGraph::read(path)?;
    encoder(&graph, samples, latent, "encoder (ONNX)").map_err(ImportError::of_onnx(path))
}

/// The encoder of a graph, with this name.
pub(super) fn encoder(
    graph: &OnnxGraph,
    samples: &Samples,
    latent: Option<&str>,
    name: &str,
) -> Result<ImportedEncoder, OnnxProblem> {
    let latent = graph.latent(latent)?;
    let nodes = graph.nodes_of(&latent);
    let input = graph.input(&nodes)?;
    let origins: Vec<f64> = samples.origins().to_vec();
    let mut first = None;
    // The graph decides which of several ways to read the samples is meant; if none is possible, the first one's problem is told.
    for start in starts(input, samples)? {
        let channels = start.image.map_or(1, |image| image.channels);
        let followed = Value::new(start, &origins).map_err(|problem| (input.name.clone(), problem));
        let found = match followed {
            Ok(value) => follow(graph, &nodes, &input.name, value),
            Err((node, problem)) => Err(OnnxProblem::Node { node, operator: "input".into(), problem }),
        };
        let refused = |problem| OnnxProblem::Latent { name: latent.clone(), problem };
        let found = found.and_then(|value| ImportedEncoder::new(name, value.stack, channels).map_err(refused));
        match found {
            Ok(encoder) => return Ok(encoder),
            Err(problem) => first = first.or(Some(problem)),
        }
    }
    Err(first.unwrap_or_else(|| OnnxProblem::InputType(input.name.clone())))
}

/// Follows nodes from the input, which is this value.
fn follow(graph: &OnnxGraph, nodes: &[&Node], input: &str, mut value: Value) -> Result<Value, OnnxProblem> {
    let own: Vec<(&str, Tensor)> = constant_nodes(nodes)?;
    let mut constants: Constants = graph.initializers.iter().map(|(name, tensor)| (&**name, tensor)).collect();
    constants.extend(own.iter().map(|(name, tensor)| (*name, tensor)));
    add_copies(nodes, &mut constants);
    // The names of the value, and of what it was before.
    let (mut current, mut past) = (HashSet::from([input]), HashSet::new());
    for node in nodes.iter().filter(|node| !is_constant(node, &constants)) {
        let step = |value: &mut Value| {
            let place = place(node, &constants, &current, &past)?;
            if !matches!(&*node.domain, "" | "ai.onnx") {
                return Err(NodeProblem::Operator);
            }
            apply(&Operation { node, attributes: attributes(node)?, constants: &constants, place }, value)
        };
        let effect = step(&mut value).map_err(|problem| at(node, problem))?;
        if effect == Effect::Changed {
            past.extend(current.drain());
        }
        current.extend(node.outputs.first().map(|output| &**output));
    }
    Ok(value)
}

/// Which input of a node is the value that depends on the sample.
fn place(
    node: &Node,
    constants: &Constants,
    current: &HashSet<&str>,
    past: &HashSet<&str>,
) -> Result<usize, NodeProblem> {
    let inputs = node.inputs.iter().enumerate().filter(|(_, name)| !name.is_empty());
    let mut places = vec![];
    for (place, name) in inputs {
        if current.contains(&**name) {
            places.push(place);
        } else if past.contains(&**name) {
            return Err(NodeProblem::Branch(name.clone()));
        } else if !constants.contains_key(&**name) {
            return Err(NodeProblem::Unknown(name.clone()));
        }
    }
    if let [place] = places[..] { Ok(place) } else { Err(NodeProblem::DataInputs(places.len())) }
}
