//! The layers' arithmetic. [`portable`] is the definition; a faster kernel must equal it bit for bit.
//!
//! A fast dense layer is [`blocks`] with the kernel of a core: [`scalar`] in plain Rust, `dsp` and `mainline` in the
//! instructions of Cortex-M3 and above, `four_rows` in those of Cortex-M0+ or RISC-V, `x86` in those of hosts. A
//! convolution is a dense layer at each position of its window, except on cores with the DSP extension: there `few_taps`
//! computes small filters, and `two_positions` takes the others two positions at a time.

/// Tells the assembler of the DSP extension, which ARMv8-M's targets leave out; ARMv7E-M's have it.
#[cfg(all(edgemix_core = "dsp", edgemix_v8m))]
macro_rules! extension {
    () => {
        ".cpu cortex-m33"
    };
}
#[cfg(all(any(edgemix_core = "dsp", edgemix_core = "mainline"), not(all(edgemix_core = "dsp", edgemix_v8m))))]
macro_rules! extension {
    () => {
        ""
    };
}

#[cfg(edgemix_core = "baseline")]
mod baseline;
pub mod blocks;
mod convolution;
mod dense;
#[cfg(edgemix_core = "dsp")]
pub mod dsp;
#[cfg(edgemix_core = "dsp")]
mod few_taps;
#[cfg(any(edgemix_core = "baseline", edgemix_core = "riscv"))]
pub mod four_rows;
mod gather;
#[cfg(edgemix_core = "mainline")]
pub mod mainline;
pub(crate) mod mixture;
#[cfg(any(edgemix_core = "dsp", edgemix_core = "mainline"))]
pub(crate) mod mixture_arm;
pub mod pooling;
pub mod portable;
#[cfg(edgemix_core = "riscv")]
mod riscv;
pub mod scalar;
#[cfg(edgemix_core = "dsp")]
mod two_positions;
pub(crate) mod wide;
mod width;
#[cfg(all(edgemix_core = "host", target_arch = "x86_64"))]
pub mod x86;

#[cfg(not(edgemix_core = "host"))]
pub use dense::TILE;
pub use width::Width;

use edgemix_format::view::Layer;
use edgemix_format::{CONVOLUTION, POOLING};

use dense::dense;

/// Runs one layer. `input` has as many elements as the layer has inputs, `output` as many as it has outputs, and `scratch` as
/// many as [`Layer::scratch`] says. `input` and `scratch` are clobbered.
pub fn run(layer: &Layer, width: Width, input: &mut [i16], output: &mut [i16], scratch: &mut [i16]) {
    match layer {
        Layer::Dense(layer) => dense(layer, width, input, output),
        Layer::Conv2d(layer) if CONVOLUTION => convolution::run(layer, width, input, output, scratch),
        Layer::Pool2d(layer) if POOLING => pooling::run(layer, input, output),
        // Without their features, loading refuses such layers.
        Layer::Conv2d(_) | Layer::Pool2d(_) => {}
    }
}
