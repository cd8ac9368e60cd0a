//! Clusterings from ONNX files, as skl2onnx writes k-means and Gaussian mixtures.
//!
//! Such a graph ends in the greatest, or least, of several scores. Each score is a quadratic function of the dimensions in
//! which the clusters lie, however its operators are arranged. The graph is followed with functions instead of numbers,
//! and the matrix of each score tells its cluster: `-P / 2` is that of a Gaussian of precision `P`, and the same for all of them
//! that of squared distances to centres.

use std::collections::{HashMap, HashSet};
use std::path::Path;

use ndarray::Array2;

use super::forms::Forms;
use super::graph::OnnxGraph;
use super::nodes::{add_copies, at, constant_nodes, is_constant};
use super::operation::{Constants, Operation, attributes};
use super::problem::{NodeProblem, OnnxProblem};
use super::proto::{Node, kinds};
use super::scores::{Ending, clusters};
use super::start::features;
use super::tensor::Constant;
use crate::import::affine::Affine;
use crate::import::clustering::ImportedClustering;
use crate::import::error::ImportError;

/// The most coefficients of all values together.
const MOST: usize = 1 << 25;

/// Reads a clustering from an ONNX file, as skl2onnx writes it. Components of a mixture whose weight is below `least_weight` are
/// left out.
///
/// # Errors
/// [`ImportError::Data`] if the file can't be read, [`ImportError::Onnx`] if it is no ONNX file or has a node that such clusterings
/// don't have, and [`ImportError::Model`] if its scores are not those of clusters.
pub fn read_onnx_clustering(path: &Path, least_weight: Option<f64>) -> Result<ImportedClustering, ImportError> {
    let graph = OnnxGraph::read(path)?;
    let last = choice(&graph).ok_or_else(|| ImportError::of_onnx(path)(OnnxProblem::NoClusters))?;
    let (map, scores) = scores(&graph, last).map_err(ImportError::of_onnx(path))?;
    let (name, ending) = match &*last.operator {
        "ArgMax" => ("mixture (ONNX)", Ending::Greatest),
        _ => ("k-means (ONNX)", Ending::Least),
    };
    let (clusters, numbers) = clusters(scores, ending, least_weight).map_err(ImportError::of(path))?;
    Ok(ImportedClustering { name: name.into(), map, clusters, numbers })
}

/// Whether an ONNX file has a clustering, and not only an encoder: whether its graph chooses the greatest or least score.
///
/// # Errors
/// The errors of [`read_onnx_clustering`] about the file as a whole.
pub fn has_clusters(path: &Path) -> Result<bool, ImportError> {
    Ok(choice(&OnnxGraph::read(path)?).is_some())
}

/// The node that chooses a cluster.
fn choice(graph: &OnnxGraph) -> Option<&Node> {
    graph.nodes.iter().find(|node| matches!(&*node.operator, "ArgMax" | "ArgMin"))
}

/// The affine map of the features, and the scores as functions of what it gives.
fn scores(graph: &OnnxGraph, last: &Node) -> Result<(Affine, Forms), OnnxProblem> {
    let read = last.inputs.first().ok_or_else(|| at(last, NodeProblem::Inputs { found: 0, expected: "1" }))?;
    let nodes = graph.nodes_of(read);
    let input = graph.input(&nodes)?;
    let own = constant_nodes(&nodes)?;
    let mut constants: Constants = graph.initializers.iter().map(|(name, tensor)| (&**name, tensor)).collect();
    constants.extend(own.iter().map(|(name, tensor)| (*name, tensor)));
    add_copies(&nodes, &mut constants);
    let walk = Walk::new(&input.name, features(input)?, &nodes);
    let mut walk = walk.map_err(|problem| at(last, problem))?;
    for node in nodes.iter().filter(|node| !is_constant(node, &constants)) {
        walk.step(node, &constants).map_err(|problem| at(node, problem))?;
    }
    let scores = walk.values.remove(&**read).ok_or_else(|| at(last, NodeProblem::Unknown(read.clone())))?;
    Ok((walk.map, scores))
}

/// The values so far.
struct Walk<'g> {
    /// What the features become before the dimensions in which clusters lie.
    map: Affine,
    /// The name of what the map gives, while it still grows.
    mapped: Option<&'g str>,
    /// The values that depend on the dimensions, by their names.
    values: HashMap<&'g str, Forms>,
    /// Roots of constants, which are constants, too.
    roots: HashMap<&'g str, Constant>,
    /// How many nodes read each value.
    readers: HashMap<&'g str, usize>,
    /// Number of coefficients of the values.
    size: usize,
}

impl<'g> Walk<'g> {
    fn new(input: &'g str, features: usize, nodes: &[&'g Node]) -> Result<Self, NodeProblem> {
        let mut readers = HashMap::new();
        for node in nodes {
            let read: HashSet<&str> = node.inputs.iter().map(|input| &**input).collect();
            read.into_iter().for_each(|input| *readers.entry(input).or_default() += 1);
        }
        let map = Affine::identity(features);
        let values = HashMap::from([(input, Forms::dimensions(features)?)]);
        Ok(Self { map, mapped: Some(input), values, roots: HashMap::new(), readers, size: 0 })
    }

    fn step(&mut self, node: &'g Node, constants: &Constants) -> Result<(), NodeProblem> {
        let output = node.outputs.first().map_or("", |output| &**output);
        if node.operator == "Sqrt" {
            return self.root(node, constants, output);
        }
        let data: Vec<&str> =
            node.inputs.iter().map(|input| &**input).filter(|input| self.values.contains_key(input)).collect();
        let known = |input: &&String| {
            let input = &***input;
            input.is_empty()
                || self.values.contains_key(input)
                || self.roots.contains_key(input)
                || constants.contains_key(input)
        };
        if let Some(unknown) = node.inputs.iter().find(|input| !known(input)) {
            return Err(NodeProblem::Unknown(unknown.clone()));
        }
        let Some(first) = data.first() else { return Err(NodeProblem::DataInputs(0)) };
        let place = node.inputs.iter().position(|input| input == first).unwrap_or(0);
        let operation = Operation { node, attributes: attributes(node)?, constants, place };
        let result = self.apply(&operation, &data)?;
        self.size += result.size();
        if self.size > MOST {
            return Err(NodeProblem::TooManyDimensions(result.dims()));
        }
        // A linear value that nothing but this node reads only leads to the dimensions.
        if self.mapped == Some(first)
            && data.len() == 1
            && self.readers.get(first) == Some(&1)
            && result.quadratic.is_none()
        {
            let Forms { linear, constant, .. } = &result;
            let identity = Affine::identity(self.map.outputs());
            let is_diagonal = linear.is_square() && linear.indexed_iter().all(|((r, c), x)| r == c || *x == 0.0);
            let map = std::mem::replace(&mut self.map, identity);
            self.map = match is_diagonal {
                true => map.then_scaled(&linear.diag().to_owned(), constant),
                false => map.then_projected(linear, constant),
            };
            self.values = HashMap::from([(output, Forms::dimensions(result.len())?)]);
            self.mapped = Some(output);
            return Ok(());
        }
        if self.mapped == Some(first) {
            self.mapped = None;
        }
        self.values.insert(output, result);
        Ok(())
    }

    /// The root of a constant.
    fn root(&mut self, node: &'g Node, constants: &Constants, output: &'g str) -> Result<(), NodeProblem> {
        let operation = Operation { node, attributes: vec![], constants, place: usize::MAX };
        let mut constant = operation.constant(0, "1")?;
        constant.values.iter_mut().for_each(|x| *x = x.sqrt());
        self.roots.insert(output, constant);
        Ok(())
    }

    /// A constant input, or the root of one.
    fn constant(&self, operation: &Operation, input: usize) -> Result<Constant, NodeProblem> {
        let root = operation.node.inputs.get(input).and_then(|name| self.roots.get(&**name));
        root.map_or_else(|| operation.constant(input, "2"), |constant| Ok(constant.clone()))
    }

    fn apply(&self, operation: &Operation, data: &[&str]) -> Result<Forms, NodeProblem> {
        let value = &self.values[data[0]];
        let n = value.len();
        match (&*operation.node.operator, data.len()) {
            ("Identity", 1) => Ok(value.clone()),
            ("Cast", 1) if [kinds::FLOAT, kinds::DOUBLE].contains(&(operation.int("to", 0)? as i32)) => {
                Ok(value.clone())
            }
            ("Scaler", 1) => scaler(operation, value),
            ("MatMul", 1) if operation.place == 0 => {
                let weights = weights(operation, &self.constant(operation, 1)?, n, false)?;
                value.combined(&weights)
            }
            ("Gemm", _) => self.gemm(operation, value),
            ("ReduceSumSquare", 1) => value.squared()?.total(),
            ("Mul", 2) if data[0] == data[1] => value.squared(),
            ("Add", 2) => value.plus(&self.values[data[1]]),
            ("Concat", _) => {
                let list: Vec<&Forms> = data.iter().map(|name| &self.values[name]).collect();
                if list.len() != operation.node.inputs.len() {
                    return Err(NodeProblem::DataInputs(list.len()));
                }
                Forms::joined(&list)
            }
            ("Add" | "Sub" | "Mul" | "Div", 1) => self.arithmetic(operation, value),
            _ => Err(NodeProblem::Operator),
        }
    }

    /// `alpha A B + beta C`, where A and C may depend on the features.
    fn gemm(&self, operation: &Operation, value: &Forms) -> Result<Forms, NodeProblem> {
        operation.requires("transA", 0, 0, "0")?;
        operation.takes_value_first()?;
        let (alpha, beta) = (operation.float("alpha", 1.0)?, operation.float("beta", 1.0)?);
        let constant = self.constant(operation, 1)?;
        let weights = weights(operation, &constant, value.len(), operation.int("transB", 0)? != 0)?;
        let outputs = weights.nrows();
        let product = value.combined(&(weights * alpha))?;
        let Some(name) = operation.node.inputs.get(2).filter(|name| !name.is_empty()) else { return Ok(product) };
        match self.values.get(&**name) {
            Some(added) => product.plus(&added.clone().scaled(|_| beta, |_| 0.0)),
            None => {
                let added = self.constant(operation, 2)?;
                let each = row(operation, 2, &added, outputs)?;
                Ok(product.scaled(|_| 1.0, |i| beta * each(i)))
            }
        }
    }

    fn arithmetic(&self, operation: &Operation, value: &Forms) -> Result<Forms, NodeProblem> {
        let other = 1 - operation.place.min(1);
        let constant = self.constant(operation, other)?;
        let n = value.len().max(constant.values.len());
        let value = value.widened(n)?;
        let each = row(operation, other, &constant, n)?;
        match (&*operation.node.operator, operation.place) {
            ("Add", _) => Ok(value.scaled(|_| 1.0, each)),
            ("Sub", 0) => Ok(value.scaled(|_| 1.0, |i| -each(i))),
            ("Sub", _) => Ok(value.scaled(|_| -1.0, each)),
            ("Mul", _) => Ok(value.scaled(each, |_| 0.0)),
            ("Div", 0) => Ok(value.scaled(|i| each(i).recip(), |_| 0.0)),
            (_, place) => Err(NodeProblem::DataPlace(place)),
        }
    }
}

/// `scale (x - offset)`, of each feature or of all.
fn scaler(operation: &Operation, value: &Forms) -> Result<Forms, NodeProblem> {
    let listed = |name: &'static str| -> Result<Vec<f64>, NodeProblem> {
        let listed = operation.floats(name)?;
        if listed.len() == value.len() || listed.len() == 1 {
            return Ok(listed.into_iter().cycle().take(value.len()).collect());
        }
        let found = format!("{} numbers", listed.len());
        Err(NodeProblem::Attribute { name, found, expected: "a number for each feature" })
    };
    let (offset, scale) = (listed("offset")?, listed("scale")?);
    Ok(value.clone().scaled(|i| scale[i], |i| -offset[i] * scale[i]))
}

/// Weights of `inputs` functions, with a row for each sum: of a matrix that has a column for each, or a row if it is
/// transposed.
fn weights(
    operation: &Operation,
    constant: &Constant,
    inputs: usize,
    is_transposed: bool,
) -> Result<Array2<f64>, NodeProblem> {
    let wrong = || operation.wrong_sizes(1, constant, format!("a matrix for {inputs} inputs"));
    let [rows, columns] = constant.sizes[..] else { return Err(wrong()) };
    let matrix = Array2::from_shape_vec((rows, columns), constant.values.clone()).map_err(|_| wrong())?;
    let weights = if is_transposed { matrix } else { matrix.reversed_axes() };
    if weights.ncols() == inputs && weights.nrows() > 0 { Ok(weights) } else { Err(wrong()) }
}

/// A number for each of `n` functions, from a constant that has as many or one.
fn row(
    operation: &Operation,
    input: usize,
    constant: &Constant,
    n: usize,
) -> Result<impl Fn(usize) -> f64 + use<>, NodeProblem> {
    let is_row = constant.sizes.iter().rev().skip(1).all(|&size| size == 1);
    let values = constant.values.clone();
    if is_row && (values.len() == n || values.len() == 1) {
        return Ok(move |i: usize| values[if values.len() == 1 { 0 } else { i }]);
    }
    Err(operation.wrong_sizes(input, constant, format!("{n}")))
}
