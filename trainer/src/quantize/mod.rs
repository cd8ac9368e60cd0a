//! From a trained model in f32 to an `.emx` file of integers.
//!
//! [`quantize`] works in these steps:
//!
//! 1. `calibrate` runs the f32 encoder over the training samples and records the range of each layer's values.
//! 2. `network` folds zero points and scales into int8 weights, i32 biases and requantisation multipliers, with a file for
//!    each kind of layer in `layers`.
//! 3. `refit` adapts a mixture to the latents that the quantised encoder outputs.
//! 4. `heads` writes the head: int16 coefficients, or the layers of autoencoders.
//! 5. `novelty` runs the finished file over held-out samples and fills its novelty tables, and [`crate::assessment::posterior`] chooses
//!    the posterior's temperature.
//!
//! [`check`] then compares the integers' clusters with those of the f32 model, and [`check_raw_counts`] those of raw counts with
//! those of the values that they stand for.

mod agreement;
mod build;
mod calibrate;
mod counts;
mod error;
mod fixed;
mod heads;
mod hierarchy;
mod input;
mod layers;
mod network;
mod novelty;
mod ranges;
#[cfg(test)]
mod raw_tables;
mod refit;
mod sizes;
mod transitions;

pub use agreement::{check, check_raw_counts};
pub use build::{HeldOut, Provenance, quantize};
pub use error::QuantizeError;
pub use sizes::check_sizes;
