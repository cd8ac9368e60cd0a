//! Why a state dict can't be imported.

use thiserror::Error;

use crate::base::text::listed;
use crate::nn::LayerError;

/// Why a state dict can't be imported.
///
/// ```
/// use edgemix::import::StateDictProblem;
///
/// let problem = StateDictProblem::NoModule { layer: 2 };
/// assert!(problem.to_string().starts_with("layer 2 of --encoder has no module"));
/// ```
#[derive(Clone, Debug, PartialEq, Eq, Error)]
#[non_exhaustive]
pub enum StateDictProblem {
    /// It is not in the safetensors format.
    #[error("not a readable safetensors file: {0}")]
    Unreadable(String),
    /// No tensor has the prefix.
    #[error("no tensor's name begins with `{0}`: give another --prefix")]
    NoTensors(String),
    /// No layers are spelt.
    #[error("no layers are given: spell them with --encoder, such as 256-128-10")]
    NoLayers,
    /// The layers do not fit the samples.
    #[error(transparent)]
    Layers(#[from] LayerError),
    /// There are more layers with weights than modules.
    #[error("layer {layer} of --encoder has no module: there are fewer modules with weights than layers")]
    NoModule {
        /// The layer's index.
        layer: usize,
    },
    /// There are more modules than layers.
    #[error(
        "no layer of --encoder is left for {}: give the layers of all modules, or a --prefix of those of the encoder",
        listed(.0)
    )]
    LeftOver(Vec<String>),
    /// A module lacks a tensor.
    #[error("the tensor {0} is missing")]
    MissingTensor(String),
    /// A module has a tensor that those of such a layer do not have.
    #[error("the tensor {0} is none of a fully connected layer, a convolution or a batch normalisation")]
    Unexpected(String),
    /// A tensor has other sizes than the layer.
    #[error("the tensor {name} has sizes {found:?}, but its layer of --encoder needs {expected:?}")]
    Sizes {
        /// The tensor.
        name: String,
        /// Its sizes.
        found: Vec<usize>,
        /// What the layer needs.
        expected: Vec<usize>,
    },
    /// Numbers of a type that is not read.
    #[error("the tensor {name} has numbers of type {found}: expected F32, F64, F16 or BF16")]
    Kind {
        /// The tensor.
        name: String,
        /// Its type.
        found: String,
    },
}
