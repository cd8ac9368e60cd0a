//! The layers' arithmetic. [`portable`] is the definition; a faster kernel must equal it bit for bit.

pub mod portable;

pub use crate::input::Width;

use edgemix_format::view::Layer;

/// Runs one layer: `input` has the layer's inputs, `output` its outputs. What `input` holds afterwards is not said:
/// kernels may put it in another order.
pub fn run(layer: &Layer, width: Width, input: &mut [i16], output: &mut [i16]) {
    match layer {
        Layer::Dense(dense) => portable::dense(dense, width, input, output),
        // The format's enum may grow before this match does; its checker refuses what isn't here.
        _ => output.fill(0),
    }
}
