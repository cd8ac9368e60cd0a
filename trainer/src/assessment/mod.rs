//! How a model assigns samples, and how far the result can be trusted.
//!
//! [`inference`] runs an `.emx` file over many samples with the chip's arithmetic, [`posterior`] calibrates its
//! probabilities, [`collapse`] detects clusterings that collapsed during training, [`lone`] finds clusters that one group
//! shows alone, [`sizes`] compares small clusters and classes with large ones, [`interval`] measures how well several runs agree,
//! and [`raw_counts`] compares what a chip takes with the samples.

pub mod chips;
pub mod collapse;
pub mod inference;
pub mod interval;
pub mod lone;
pub mod posterior;
pub mod raw_counts;
pub mod sizes;
pub mod smoothing;
