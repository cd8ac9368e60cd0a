//! Nodes of a graph, as problems name them.

use super::operation::constant_of;
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

/// The problem of a node, by its name or that of what it writes.
pub(super) fn at(node: &Node, problem: NodeProblem) -> OnnxProblem {
    let name = if node.name.is_empty() { node.outputs.first() } else { Some(&node.name) };
    OnnxProblem::Node { node: name.cloned().unwrap_or_default(), operator: node.operator.clone(), problem }
}
