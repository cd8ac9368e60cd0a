//! Why a layer can't be taken into a model file.

use edgemix_format::description::MAX_LAYERS;
use edgemix_format::view::{MAX_INPUTS, MAX_LATENT};
use thiserror::Error;

/// Why a layer of another program can't be one of a model file.
///
/// ```
/// use edgemix::import::LayerProblem;
///
/// assert!(LayerProblem::TooWide(70_000).to_string().starts_with("it gives 70000 values"));
/// ```
#[derive(Clone, Debug, PartialEq, Eq, Error)]
#[non_exhaustive]
pub enum LayerProblem {
    /// A number of its weights, or what follows from them, is NaN or infinite.
    #[error("its weights, or factors that are folded into them, are NaN or infinite in f32: train the model anew")]
    NotFinite,
    /// It has no outputs.
    #[error("it gives no values")]
    NoOutputs,
    /// It has more outputs than a model file allows.
    #[error("it gives {0} values, but a model file allows at most {MAX_INPUTS} in a layer: use a smaller layer")]
    TooWide(usize),
    /// Values would have to be scaled one by one in a layer of their own.
    #[error(
        "scaling {0} values one by one after an activation would need a layer of its own, which can have at most \
         {MAX_LATENT}: normalise before the activation"
    )]
    TooWideToScale(usize),
    /// There are more layers than a model file allows.
    #[error("with it there are more than {MAX_LAYERS} layers, which is the most of a model file: use fewer layers")]
    TooManyLayers,
    /// There is no layer.
    #[error("it has no layers")]
    NoLayers,
    /// A window is larger than what it moves over.
    #[error("its window does not fit what it moves over")]
    WindowTooLarge,
}
