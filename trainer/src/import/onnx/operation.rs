//! A node with its attributes and constants.

use std::collections::HashMap;

use prost::Message;

use super::problem::{NodeProblem, TensorProblem};
use super::proto::{Attribute, AttributeKind, Node, Tensor};
use super::tensor::Constant;

/// The most attributes of a node.
const MOST_ATTRIBUTES: usize = 64;

/// The constants that a graph has so far, by their names.
pub(super) type Constants<'g> = HashMap<&'g str, &'g Tensor>;

/// The attributes of a node.
pub(super) fn attributes(node: &Node) -> Result<Vec<Attribute>, NodeProblem> {
    if node.attributes.len() > MOST_ATTRIBUTES {
        let found = node.attributes.len();
        return Err(NodeProblem::Attributes(format!("there are {found}, more than {MOST_ATTRIBUTES}")));
    }
    let decoded = |bytes: &prost::bytes::Bytes| Attribute::decode(bytes.clone());
    let attributes = node.attributes.iter().map(decoded).collect::<Result<Vec<_>, _>>();
    attributes.map_err(|error| NodeProblem::Attributes(error.to_string()))
}

/// A node that reads the value that depends on the sample.
pub(super) struct Operation<'a> {
    pub(super) node: &'a Node,
    pub(super) attributes: Vec<Attribute>,
    pub(super) constants: &'a Constants<'a>,
    /// Which of its inputs is the value.
    pub(super) place: usize,
}

impl Operation<'_> {
    /// The value must be the first input.
    pub(super) fn takes_value_first(&self) -> Result<(), NodeProblem> {
        if self.place == 0 { Ok(()) } else { Err(NodeProblem::DataPlace(self.place)) }
    }

    /// A constant input, if it is there.
    pub(super) fn optional(&self, input: usize) -> Result<Option<Constant>, NodeProblem> {
        let Some(name) = self.node.inputs.get(input).filter(|name| !name.is_empty()) else { return Ok(None) };
        let tensor = self.constants.get(&**name).ok_or_else(|| NodeProblem::Unknown(name.clone()))?;
        let wrong = |problem| NodeProblem::Tensor { name: name.clone(), problem };
        Constant::of(tensor).map(Some).map_err(wrong)
    }

    /// A constant input.
    pub(super) fn constant(&self, input: usize, expected: &'static str) -> Result<Constant, NodeProblem> {
        self.optional(input)?.ok_or(NodeProblem::Inputs { found: self.node.inputs.len(), expected })
    }

    /// A constant of these sizes.
    pub(super) fn sized(&self, input: usize, sizes: &[usize], expected: &'static str) -> Result<Constant, NodeProblem> {
        let constant = self.constant(input, expected)?;
        if constant.sizes == sizes {
            Ok(constant)
        } else {
            Err(self.wrong_sizes(input, &constant, format!("{sizes:?}")))
        }
    }

    /// The problem of a constant's sizes.
    pub(super) fn wrong_sizes(&self, input: usize, constant: &Constant, expected: impl Into<String>) -> NodeProblem {
        let what = format!("tensor {}", self.node.inputs.get(input).map_or("", String::as_str));
        NodeProblem::Sizes { what, found: constant.sizes.clone(), expected: expected.into() }
    }

    fn attribute(&self, name: &'static str, kind: AttributeKind) -> Result<Option<&Attribute>, NodeProblem> {
        let Some(found) = self.attributes.iter().find(|attribute| attribute.name == name) else { return Ok(None) };
        if found.kind == kind as i32 {
            return Ok(Some(found));
        }
        let expected = match kind {
            AttributeKind::Float => "a number",
            AttributeKind::Int => "an integer",
            AttributeKind::String => "a text",
            AttributeKind::Ints => "a list of integers",
            AttributeKind::Floats => "a list of numbers",
            AttributeKind::Tensor | AttributeKind::Undefined => "another type",
        };
        Err(NodeProblem::Attribute { name, found: format!("of type {}", found.kind), expected })
    }

    pub(super) fn int(&self, name: &'static str, default: i64) -> Result<i64, NodeProblem> {
        Ok(self.attribute(name, AttributeKind::Int)?.map_or(default, |attribute| attribute.int))
    }

    pub(super) fn float(&self, name: &'static str, default: f32) -> Result<f64, NodeProblem> {
        Ok(self.attribute(name, AttributeKind::Float)?.map_or(default, |attribute| attribute.float).into())
    }

    pub(super) fn ints(&self, name: &'static str) -> Result<Option<Vec<i64>>, NodeProblem> {
        Ok(self.attribute(name, AttributeKind::Ints)?.map(|attribute| attribute.ints.clone()))
    }

    pub(super) fn floats(&self, name: &'static str) -> Result<Vec<f64>, NodeProblem> {
        let floats = self.attribute(name, AttributeKind::Floats)?;
        Ok(floats.map_or(vec![], |attribute| attribute.floats.iter().map(|&x| x.into()).collect()))
    }

    pub(super) fn text(&self, name: &'static str) -> Result<Option<String>, NodeProblem> {
        let text = self.attribute(name, AttributeKind::String)?;
        Ok(text.map(|attribute| String::from_utf8_lossy(&attribute.string).into_owned()))
    }

    /// The attribute must have this value.
    pub(super) fn requires(
        &self,
        name: &'static str,
        default: i64,
        only: i64,
        expected: &'static str,
    ) -> Result<(), NodeProblem> {
        match self.int(name, default)? {
            found if found == only => Ok(()),
            found => Err(NodeProblem::Attribute { name, found: found.to_string(), expected }),
        }
    }
}

/// The tensor of a node `Constant`.
pub(super) fn constant_of(node: &Node) -> Result<Tensor, NodeProblem> {
    let attributes = attributes(node)?;
    let name = || node.outputs.first().cloned().unwrap_or_default();
    for attribute in attributes {
        let Attribute { float, int, floats, ints, tensor, .. } = attribute;
        let listed = |sizes: Vec<i64>, kind: i32| Tensor { sizes, kind, name: name(), ..Tensor::default() };
        let (n_floats, n_ints) = (floats.len() as i64, ints.len() as i64);
        return Ok(match &*attribute.name {
            "value" => *tensor.ok_or_else(|| NodeProblem::Attributes("its value is no tensor".into()))?,
            "value_float" => Tensor { floats: vec![float], ..listed(vec![], super::proto::kinds::FLOAT) },
            "value_floats" => Tensor { floats, ..listed(vec![n_floats], super::proto::kinds::FLOAT) },
            "value_int" => Tensor { longs: vec![int], ..listed(vec![], super::proto::kinds::INT64) },
            "value_ints" => Tensor { longs: ints, ..listed(vec![n_ints], super::proto::kinds::INT64) },
            _ => continue,
        });
    }
    Err(NodeProblem::Tensor { name: name(), problem: TensorProblem::Unreadable("it has no value".into()) })
}
