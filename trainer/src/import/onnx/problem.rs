//! Why an ONNX file can't be imported.

use std::path::PathBuf;

use thiserror::Error;

use super::limits::OPERATOR_SETS;
use crate::import::encoder::problem::LayerProblem;

/// What is wrong with an ONNX file as a whole, or what this program can't take from it.
///
/// ```
/// use edgemix::import::OnnxProblem;
///
/// let problem = OnnxProblem::OperatorSet(9);
/// assert!(problem.to_string().contains("export it with opset_version=18"));
/// ```
#[derive(Clone, Debug, PartialEq, Error)]
#[non_exhaustive]
pub enum OnnxProblem {
    /// It is no ONNX file, or was cut off.
    #[error("not a readable ONNX file: {0}")]
    Unreadable(String),
    /// It has no graph.
    #[error("not a readable ONNX file: it has no graph")]
    NoGraph,
    /// It does not name the version of its operators.
    #[error("it does not say which version of ONNX's operators it has: export it again")]
    NoOperatorSet,
    /// Its operators are of a version that is not read.
    #[error(
        "its operators are of version {0}, and versions {first} to {last} can be read: export it with opset_version=18 (PyTorch) \
         or target_opset=18 (skl2onnx)",
        first = OPERATOR_SETS.start(), last = OPERATOR_SETS.end()
    )]
    OperatorSet(i64),
    /// A list is longer than those of any encoder.
    #[error("it has {found} {what}: at most {most} are read")]
    TooMany {
        /// What is listed.
        what: &'static str,
        /// How many.
        found: usize,
        /// The most.
        most: usize,
    },
    /// There is not one input, or not one output.
    #[error("it has {} ({}): an encoder has one", crate::base::text::counted(names.len(), what), names.join(", "))]
    NotOne {
        /// `input` or `output`.
        what: &'static str,
        /// The names of those that there are.
        names: Vec<String>,
    },
    /// No value has the name that was asked for.
    #[error("no node writes {name}: expected one of {}", written.join(", "))]
    NoValue {
        /// The name.
        name: String,
        /// The names of some that there are.
        written: Vec<String>,
    },
    /// The type of the input is not stated, or not one of floating-point numbers.
    #[error("the input {0} is not stated to be a tensor of float32 with sizes: export the model in float32")]
    InputType(String),
    /// The input has other sizes than the samples.
    #[error(
        "the input {name} has sizes {found}, of which the first is the number of samples; {samples}: give samples of that form"
    )]
    InputSizes {
        /// Its name.
        name: String,
        /// Its sizes.
        found: String,
        /// What the samples are.
        samples: String,
    },
    /// The graph does not end in the greatest or least of several scores.
    #[error("it has no ArgMax or ArgMin, so that it is no clustering")]
    NoClusters,
    /// The numbers of a constant are in another file, and can't be had from it.
    #[error("tensor {tensor}: {problem}")]
    External {
        /// The constant's name.
        tensor: String,
        /// Why.
        problem: ExternalProblem,
    },
    /// A node that can't be taken into a model file.
    #[error("node {node} ({operator}): {problem}")]
    Node {
        /// The node's name, or the name of what it writes.
        node: String,
        /// Its operator.
        operator: String,
        /// Why.
        problem: NodeProblem,
    },
    /// The last value can't be the latent.
    #[error("{name} can't be the latent: {problem}")]
    Latent {
        /// The value's name.
        name: String,
        /// Why.
        problem: LayerProblem,
    },
}

/// Why a node can't be taken into a model file.
///
/// ```
/// use edgemix::import::NodeProblem;
///
/// assert!(NodeProblem::Operator.to_string().contains("docs/import.md"));
/// ```
#[derive(Clone, Debug, PartialEq, Error)]
#[non_exhaustive]
pub enum NodeProblem {
    /// Not an operator that can be imported.
    #[error("this operator can't be imported; docs/import.md lists those that can: export the encoder without it")]
    Operator,
    /// It reads a value that nothing before it writes.
    #[error("it reads {0}, which is neither in the file nor written by a node before it")]
    Unknown(String),
    /// It reads something that another node has read and changed.
    #[error("it reads {0}, which other nodes read, too: only a chain of layers can be imported, without branches")]
    Branch(String),
    /// It reads nothing that depends on a sample, or more than one such value.
    #[error("it reads {0} values that depend on the sample: expected one, and otherwise constants")]
    DataInputs(usize),
    /// The value that depends on the sample is in another place than is possible.
    #[error("the value that depends on the sample is its input {0}: expected input 0")]
    DataPlace(usize),
    /// It lacks an input or has too many.
    #[error("it has {found} inputs: expected {expected}")]
    Inputs {
        /// How many it has.
        found: usize,
        /// How many it should have.
        expected: &'static str,
    },
    /// One of its attributes can't be read.
    #[error("its attributes can't be read: {0}")]
    Attributes(String),
    /// One of its attributes has a value that is not supported.
    #[error("its {name} is {found}: expected {expected}")]
    Attribute {
        /// The attribute.
        name: &'static str,
        /// Its value.
        found: String,
        /// What is supported.
        expected: &'static str,
    },
    /// A constant can't be used.
    #[error("tensor {name}: {problem}")]
    Tensor {
        /// The tensor's name.
        name: String,
        /// Why.
        problem: TensorProblem,
    },
    /// A constant, or the value, has another shape than the operator needs.
    #[error("{what} has sizes {found:?}: expected {expected}")]
    Sizes {
        /// The tensor's name, or `the value without its first axis`.
        what: String,
        /// The sizes.
        found: Vec<usize>,
        /// What is needed.
        expected: String,
    },
    /// It would need values in another order than the layers give.
    #[error(
        "the channels of its input do not lie side by side: give samples that are images or windows of a recording, and \
         reshape nothing before it"
    )]
    Order,
    /// A clustering lies in more dimensions than its scores can be told apart in.
    #[error(
        "its values are functions of {0} dimensions, which are too many to tell them apart: put a PCA before the clustering"
    )]
    TooManyDimensions(usize),
    /// Its window has a form that is not supported.
    #[error(
        "its window is {0}: expected a square one, or one of a single row, with the same stride and padding along all axes"
    )]
    Window(String),
    /// A layer that follows from it can't be built.
    #[error(transparent)]
    Layer(#[from] LayerProblem),
}

/// Why the numbers of a constant can't be had from another file.
///
/// ```
/// use edgemix::import::ExternalProblem;
///
/// let problem = ExternalProblem::Missing("encoder.onnx.data".into());
/// assert!(problem.to_string().starts_with("its numbers are in encoder.onnx.data, which"));
/// ```
#[derive(Clone, Debug, PartialEq, Eq, Error)]
#[non_exhaustive]
pub enum ExternalProblem {
    /// What says where they are can't be read.
    #[error("where its numbers are can't be read ({0}): export the model again")]
    Unreadable(String),
    /// The file is not one beside the graph.
    #[error("its numbers are in {:?}, and only a file in the folder of the model is read: export it with external_data=False", .0.display().to_string())]
    Place(PathBuf),
    /// The file is not there.
    #[error(
        "its numbers are in {}, which can't be read: copy it to the folder of the model, or export that with external_data=False",
        .0.display()
    )]
    Missing(PathBuf),
    /// The file ends before.
    #[error("its numbers are {length} bytes at {first} of {}, which has {found}: copy it once more", file.display())]
    Short {
        /// The file.
        file: PathBuf,
        /// Where they begin.
        first: u64,
        /// How many bytes they take.
        length: u64,
        /// How many bytes the file has.
        found: usize,
    },
}

/// Why a constant can't be used.
///
/// ```
/// use edgemix::import::TensorProblem;
///
/// let problem = TensorProblem::Length { expected: 6, found: 5 };
/// assert_eq!(problem.to_string(), "its sizes ask for 6 numbers, but the file has 5");
/// ```
#[derive(Clone, Debug, PartialEq, Eq, Error)]
#[non_exhaustive]
pub enum TensorProblem {
    /// It can't be read.
    #[error("it can't be read: {0}")]
    Unreadable(String),
    /// Its numbers are in another file.
    #[error("its numbers are in another file: save the model in one file (external_data=False)")]
    External,
    /// A size is negative.
    #[error("it has a size of {0}")]
    Size(i64),
    /// Its sizes multiply to more than can be counted.
    #[error("its sizes ask for more numbers than can be counted")]
    TooLarge,
    /// It has another number of numbers than its sizes say.
    #[error("its sizes ask for {expected} numbers, but the file has {found}")]
    Length {
        /// The product of its sizes.
        expected: usize,
        /// How many there are.
        found: usize,
    },
    /// Its numbers are of a type that is not read.
    #[error("its numbers are of type {0}: expected float32, float64, float16, bfloat16, int32 or int64")]
    Kind(i32),
    /// A number is NaN or infinite.
    #[error("it contains {0}: expected finite numbers")]
    NotFinite(String),
}
