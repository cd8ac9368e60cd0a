//! How a model assigns samples, and how far the result can be trusted.
//!
//! [`inference`] runs an `.emx` file over many samples with the chip's arithmetic, [`posterior`] calibrates its
//! probabilities, [`collapse`] detects clusterings that collapsed during training, and [`interval`] measures how well several
//! runs agree.

pub mod collapse;
pub mod inference;
pub mod interval;
pub mod posterior;
