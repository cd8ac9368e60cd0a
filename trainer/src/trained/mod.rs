//! A trained model as plain f32 numbers, independent of any backend. Methods return it; evaluation and export read it.

mod activation;
mod autoencoders;
mod convolution;
mod dense;
mod head;
mod layer;
mod model;
mod plain_layer;
mod window;

pub use activation::Activation;
pub use autoencoders::{Autoencoders, LOG_VARIANCES, Pair};
pub use convolution::{Convolution, ConvolutionShape};
pub use dense::Dense;
pub use head::Head;
pub(crate) use layer::CHUNK;
pub use layer::Layer;
pub use model::{AssignError, Trained};
pub use window::Window;
