//! Graphs of layers whose weights come from other kinds of files.

use std::collections::HashMap;

use prost::Message;

use super::graph::OnnxGraph;
use super::proto::{
    Attribute, AttributeKind, Node, Shape, Size, SizeValue, Tensor, TensorType, ValueInfo, ValueType, kinds,
};

/// The name of the input.
const INPUT: &str = "input";

/// A chain of nodes, each of which reads what the one before it wrote.
pub(in crate::import) struct GraphBuilder {
    nodes: Vec<Node>,
    initializers: HashMap<String, Tensor>,
    input: ValueInfo,
    last: String,
}

impl GraphBuilder {
    /// No nodes yet, for an input of these sizes without its first axis.
    pub(in crate::import) fn new(sizes: &[usize]) -> Self {
        let number = |&size: &usize| Size { value: Some(SizeValue::Number(size as i64)) };
        let sizes = std::iter::once(Size { value: None }).chain(sizes.iter().map(number)).collect();
        let tensor = TensorType { kind: kinds::FLOAT, shape: Some(Shape { sizes }) };
        let input = ValueInfo { name: INPUT.into(), kind: Some(ValueType { tensor: Some(tensor) }) };
        Self { nodes: vec![], initializers: HashMap::new(), input, last: INPUT.into() }
    }

    /// Adds a constant of little-endian numbers.
    pub(in crate::import) fn constant(&mut self, name: &str, kind: i32, sizes: &[usize], bytes: Vec<u8>) {
        let sizes = sizes.iter().map(|&size| size as i64).collect();
        let tensor = Tensor { name: name.into(), kind, sizes, raw: bytes.into(), ..Tensor::default() };
        self.initializers.insert(name.into(), tensor);
    }

    /// Adds a node that reads the last node's value and constants.
    pub(in crate::import) fn add(
        &mut self,
        name: &str,
        operator: &str,
        constants: &[String],
        attributes: Vec<Attribute>,
    ) {
        let output = format!("{name}: {operator}");
        let inputs = std::iter::once(self.last.clone()).chain(constants.iter().cloned()).collect();
        let attributes = attributes.into_iter().map(|attribute| attribute.encode_to_vec().into()).collect();
        let (name, operator) = (name.into(), operator.into());
        let outputs = vec![output.clone()];
        self.nodes.push(Node { inputs, outputs, name, operator, attributes, domain: String::new() });
        self.last = output;
    }

    /// An attribute that is an integer.
    pub(in crate::import) fn int(name: &str, int: i64) -> Attribute {
        Attribute { name: name.into(), int, kind: AttributeKind::Int as i32, ..Attribute::default() }
    }

    /// An attribute that is a number.
    pub(in crate::import) fn float(name: &str, float: f32) -> Attribute {
        Attribute { name: name.into(), float, kind: AttributeKind::Float as i32, ..Attribute::default() }
    }

    /// An attribute that is a list of integers.
    pub(in crate::import) fn ints(name: &str, ints: &[usize]) -> Attribute {
        let ints = ints.iter().map(|&int| int as i64).collect();
        Attribute { name: name.into(), ints, kind: AttributeKind::Ints as i32, ..Attribute::default() }
    }

    /// The graph, whose output is the last node's.
    pub(in crate::import) fn finish(self) -> OnnxGraph {
        let output = ValueInfo { name: self.last, kind: None };
        let (nodes, initializers) = (self.nodes, self.initializers);
        OnnxGraph { nodes, initializers, inputs: vec![self.input], outputs: vec![output] }
    }
}
