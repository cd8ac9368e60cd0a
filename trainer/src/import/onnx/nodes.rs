//! Nodes of a graph, as problems name them.

use super::operation::{Constants, constant_of};
use super::problem::{NodeProblem, OnnxProblem};
use super::proto::{Node, Tensor};

/// The constants that are nodes of the graph.
pub(super) fn constant_nodes<'g>(nodes: &[&'g Node]) -> Result<Vec<(&'g str, Tensor)>, OnnxProblem> {
    let constants = nodes.iter().filter(|node| node.operator == "Constant");
    let named = constants.map(|node| {
        let name = node.outputs.first().map_or("", |output| &**output);
        constant_of(node).map(|tensor| (name, tensor)).map_err(|problem| at(node, problem))
    });
    named.collect()
}

/// Adds the other names of constants: an exporter writes equal ones once, and copies of them as nodes.
pub(super) fn add_copies<'g>(nodes: &[&'g Node], constants: &mut Constants<'g>) {
    for node in nodes.iter().filter(|node| node.operator == "Identity") {
        let copied = node.inputs.first().and_then(|input| constants.get(&**input).copied());
        if let (Some(tensor), Some(output)) = (copied, node.outputs.first()) {
            constants.insert(output, tensor);
        }
    }
}

/// Whether a node writes a constant, or a copy of one.
pub(super) fn is_constant(node: &Node, constants: &Constants) -> bool {
    let is_copy = || node.operator == "Identity" && node.inputs.iter().all(|input| constants.contains_key(&**input));
    node.operator == "Constant" || is_copy()
}

/// The problem of a node, by its name or that of what it writes.
pub(super) fn at(node: &Node, problem: NodeProblem) -> OnnxProblem {
    let name = if node.name.is_empty() { node.outputs.first() } else { Some(&node.name) };
    OnnxProblem::Node { node: name.cloned().unwrap_or_default(), operator: node.operator.clone(), problem }
}
