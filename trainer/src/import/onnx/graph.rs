//! The graph of a file: which nodes lead from its input to the latent.

use std::collections::{HashMap, HashSet};
use std::path::Path;

use prost::Message;
use prost::bytes::Bytes;

use super::external::ExternalFiles;
use super::limits::{MOST, OPERATOR_SETS};
use super::problem::OnnxProblem;
use super::proto::{Model, Node, Tensor, ValueInfo};
use crate::import::error::ImportError;
use crate::import::file_bytes::file_bytes;

/// How many names a message lists.
const LISTED: usize = 8;

/// A graph.
#[derive(Clone, Debug)]
pub(in crate::import) struct OnnxGraph {
    pub(in crate::import) nodes: Vec<Node>,
    /// The constants, still encoded, by their names.
    pub(in crate::import) initializers: HashMap<String, Tensor>,
    pub(in crate::import) inputs: Vec<ValueInfo>,
    pub(in crate::import) outputs: Vec<ValueInfo>,
}

impl OnnxGraph {
    /// Reads a file.
    pub(in crate::import) fn read(path: &Path) -> Result<Self, ImportError> {
        let mut graph = Self::decode(file_bytes(path)?.into()).map_err(ImportError::of_onnx(path))?;
        let mut files = ExternalFiles::beside(path);
        graph.initializers.values_mut().try_for_each(|tensor| files.fill(tensor))?;
        Ok(graph)
    }

    fn decode(bytes: Bytes) -> Result<Self, OnnxProblem> {
        let model: Model = decoded(bytes)?;
        let graph = model.graph.ok_or(OnnxProblem::NoGraph)?;
        let main = |domain: &str| matches!(domain, "" | "ai.onnx");
        let version = model.operator_sets.iter().find(|set| main(&set.domain)).map(|set| set.version);
        let version = version.ok_or(OnnxProblem::NoOperatorSet)?;
        if !OPERATOR_SETS.contains(&version) {
            return Err(OnnxProblem::OperatorSet(version));
        }
        let initializers: Vec<Tensor> = decoded_list("constants", graph.initializers)?;
        Ok(Self {
            nodes: decoded_list("nodes", graph.nodes)?,
            initializers: initializers.into_iter().map(|tensor| (tensor.name.clone(), tensor)).collect(),
            inputs: decoded_list("inputs", graph.inputs)?,
            outputs: decoded_list("outputs", graph.outputs)?,
        })
    }

    /// The name of the value that is the latent: the one that is asked for, or the graph's only output.
    pub(super) fn latent(&self, asked: Option<&str>) -> Result<String, OnnxProblem> {
        if let Some(name) = asked {
            let mut written = self.nodes.iter().flat_map(|node| &node.outputs);
            if written.any(|output| output == name) {
                return Ok(name.to_owned());
            }
            let last = self.nodes.iter().rev().filter_map(|node| node.outputs.first());
            let written = last.take(LISTED).cloned().collect();
            return Err(OnnxProblem::NoValue { name: name.to_owned(), written });
        }
        match &self.outputs[..] {
            [output] => Ok(output.name.clone()),
            outputs => Err(OnnxProblem::NotOne { what: "output", names: names(outputs.iter()) }),
        }
    }

    /// The nodes, in their order, on which a value depends.
    pub(super) fn nodes_of(&self, value: &str) -> Vec<&Node> {
        let mut needed = HashSet::from([value]);
        let mut nodes = vec![];
        for node in self.nodes.iter().rev() {
            if node.outputs.iter().any(|output| needed.contains(&**output)) {
                needed.extend(node.inputs.iter().map(|input| &**input));
                nodes.push(node);
            }
        }
        nodes.reverse();
        nodes
    }

    /// The only input that these nodes read, or the only one of the graph.
    pub(super) fn input(&self, nodes: &[&Node]) -> Result<&ValueInfo, OnnxProblem> {
        let read: HashSet<&str> = nodes.iter().flat_map(|node| &node.inputs).map(|input| &**input).collect();
        let is_data = |input: &&ValueInfo| !self.initializers.contains_key(&input.name);
        let own: Vec<&ValueInfo> = self.inputs.iter().filter(is_data).collect();
        let needed: Vec<&ValueInfo> = own.iter().copied().filter(|input| read.contains(&*input.name)).collect();
        match (&needed[..], &own[..]) {
            ([input], _) | ([], [input]) => Ok(input),
            ([], own) => Err(OnnxProblem::NotOne { what: "input", names: names(own.iter().copied()) }),
            (needed, _) => Err(OnnxProblem::NotOne { what: "input", names: names(needed.iter().copied()) }),
        }
    }
}

fn names<'a>(values: impl Iterator<Item = &'a ValueInfo>) -> Vec<String> {
    values.take(LISTED).map(|value| value.name.clone()).collect()
}

fn decoded<M: Message + Default>(bytes: Bytes) -> Result<M, OnnxProblem> {
    M::decode(bytes).map_err(|error| OnnxProblem::Unreadable(error.to_string()))
}

fn decoded_list<M: Message + Default>(what: &'static str, list: Vec<Bytes>) -> Result<Vec<M>, OnnxProblem> {
    if list.len() > MOST {
        return Err(OnnxProblem::TooMany { what, found: list.len(), most: MOST });
    }
    list.into_iter().map(decoded).collect()
}
