//! Graphs of layers whose weights come from other kinds of files.

use std::collections::HashMap;

use prost::Message;

use super::graph::OnnxGraph;
use super::proto::{
    Attribute, AttributeKind, Graph, Model, Node, OperatorSet, Shape, Size, SizeValue, Tensor, TensorType, ValueInfo,
    ValueType, kinds,
};

/// The version of ONNX's operators in a file that is written.
const WRITTEN: i64 = 17;
/// The version of the file itself that belongs to it.
const IR_VERSION: i64 = 8;

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
        Self::named("input", sizes)
    }

    /// The same, for an input of this name.
    pub(super) fn named(input: &str, sizes: &[usize]) -> Self {
        let number = |&size: &usize| Size { value: Some(SizeValue::Number(size as i64)) };
        let samples = Size { value: Some(SizeValue::Name("samples".into())) };
        let sizes = std::iter::once(samples).chain(sizes.iter().map(number)).collect();
        let tensor = TensorType { kind: kinds::FLOAT, shape: Some(Shape { sizes }) };
        let last = input.to_owned();
        let input = ValueInfo { name: input.into(), kind: Some(ValueType { tensor: Some(tensor) }) };
        Self { nodes: vec![], initializers: HashMap::new(), input, last }
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
        let inputs = std::iter::once(self.last.clone()).chain(constants.iter().cloned()).collect();
        self.push(name, &format!("{name}: {operator}"), operator, inputs, attributes);
    }

    /// The same for a node with the name of what it writes.
    pub(super) fn add_as(&mut self, output: &str, operator: &str, constants: &[String], attributes: Vec<Attribute>) {
        let inputs = std::iter::once(self.last.clone()).chain(constants.iter().cloned()).collect();
        self.push(output, output, operator, inputs, attributes);
    }

    fn push(&mut self, name: &str, output: &str, operator: &str, inputs: Vec<String>, attributes: Vec<Attribute>) {
        let attributes = attributes.into_iter().map(|attribute| attribute.encode_to_vec().into()).collect();
        let (name, operator, outputs) = (name.into(), operator.into(), vec![output.into()]);
        self.nodes.push(Node { inputs, outputs, name, operator, attributes, domain: String::new() });
        self.last = output.into();
    }

    /// Adds a constant of f32; returns its name.
    pub(super) fn floats(&mut self, name: &str, sizes: &[usize], values: impl IntoIterator<Item = f64>) -> String {
        let bytes = values.into_iter().flat_map(|x| (x as f32).to_le_bytes()).collect();
        self.constant(name, kinds::FLOAT, sizes, bytes);
        name.into()
    }

    /// Adds a list of integers; returns its name.
    pub(super) fn integers(&mut self, name: &str, values: &[i64]) -> String {
        let bytes = values.iter().flat_map(|x| x.to_le_bytes()).collect();
        self.constant(name, kinds::INT64, &[values.len()], bytes);
        name.into()
    }

    /// The next node reads this value, which an earlier one wrote.
    pub(super) fn go_on_from(&mut self, value: &str) {
        self.last = value.into();
    }

    /// Adds a node that chooses the greatest of the last node's values.
    pub(super) fn add_choice(&mut self, output: &str) {
        self.add_as(output, "ArgMax", &[], vec![Self::int("axis", 1), Self::int("keepdims", 0)]);
    }

    /// Adds a node that looks the last node's value up in a list.
    pub(super) fn add_lookup(&mut self, output: &str, list: &str) {
        self.push(output, output, "Gather", vec![list.into(), self.last.clone()], vec![]);
    }

    /// The bytes of a file with these outputs, of which the last is an integer for each sample.
    pub(super) fn file(self, outputs: &[&str]) -> Vec<u8> {
        let last = outputs.len().saturating_sub(1);
        let open = |name: &str| Size { value: Some(SizeValue::Name(name.into())) };
        let output = |(index, name): (usize, &&str)| {
            let (kind, sizes) = match index == last {
                true => (kinds::INT64, vec![open("samples")]),
                false => (kinds::FLOAT, vec![open("samples"), open(name)]),
            };
            let tensor = TensorType { kind, shape: Some(Shape { sizes }) };
            ValueInfo { name: (*name).into(), kind: Some(ValueType { tensor: Some(tensor) }) }
        };
        let encoded = |message: Vec<u8>| message.into();
        let mut initializers: Vec<(&String, &Tensor)> = self.initializers.iter().collect();
        // The same model gives the same bytes.
        initializers.sort_by_key(|(name, _)| *name);
        let graph = Graph {
            name: "edgemix".into(),
            nodes: self.nodes.iter().map(|node| encoded(node.encode_to_vec())).collect(),
            initializers: initializers.iter().map(|(_, tensor)| encoded(tensor.encode_to_vec())).collect(),
            inputs: vec![encoded(self.input.encode_to_vec())],
            outputs: outputs.iter().enumerate().map(|pair| encoded(output(pair).encode_to_vec())).collect(),
        };
        let operators = OperatorSet { domain: String::new(), version: WRITTEN };
        let producer = format!("edgemix {}", env!("CARGO_PKG_VERSION"));
        Model { ir_version: IR_VERSION, producer, graph: Some(graph), operator_sets: vec![operators] }.encode_to_vec()
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
