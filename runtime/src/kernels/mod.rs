//! The layers' arithmetic. [`portable`] is the definition; a faster kernel must equal it bit for bit.
//!
//! A fast dense layer is [`blocks`] with the kernel of a core: [`scalar`] in plain Rust, those of `cores` in the core's
//! instructions. A convolution is a dense layer at each position of its window, except on cores with the DSP extension: there
//! `few_taps` computes small filters, and `two_positions` takes the others two positions at a time. `cores` says which kernels a
//! core has.

/// Tells the assembler of the DSP extension, which ARMv8-M's targets leave out; ARMv7E-M's have it.
#[cfg(all(edgemix_has = "dsp", edgemix_v8m))]
macro_rules! extension {
    () => {
        ".cpu cortex-m33"
    };
}
#[cfg(all(edgemix_has = "armv7m", not(all(edgemix_has = "dsp", edgemix_v8m))))]
macro_rules! extension {
    () => {
        ""
    };
}

#[cfg(all(feature = "batch", edgemix_core = "host"))]
pub mod batch;
pub mod blocks;
mod convolution;
mod cores;
mod gather;
pub(crate) mod mixture;
pub mod pooling;
pub mod portable;
pub mod scalar;
pub(crate) mod wide;
mod width;

#[cfg(not(edgemix_core = "host"))]
pub use cores::TILE;
#[cfg(all(edgemix_core = "host", target_arch = "x86_64"))]
pub use cores::x86;
pub(crate) use cores::{diagonal, full};
pub use width::Width;

use edgemix_format::view::Layer;
use edgemix_format::{CONVOLUTION, POOLING};

/// Runs one layer. `input` has as many elements as the layer has inputs, `output` as many as it has outputs, and `scratch` as
/// many as [`Layer::scratch`] says. `input` and `scratch` are clobbered.
pub fn run(layer: &Layer, width: Width, input: &mut [i16], output: &mut [i16], scratch: &mut [i16]) {
    match layer {
        Layer::Dense(layer) => cores::dense(layer, width, input, output),
        Layer::Conv2d(layer) if CONVOLUTION => convolution::run(layer, width, input, output, scratch),
        Layer::Pool2d(layer) if POOLING => pooling::run(layer, input, output),
        // Without their features, loading refuses such layers.
        Layer::Conv2d(_) | Layer::Pool2d(_) => {}
    }
}
