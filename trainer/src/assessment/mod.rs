//! What a model makes of samples, and how far that can be trusted.
//!
//! [`inference`] runs an `.emx` file over many samples with the chip's arithmetic, [`posterior`] calibrates its
//! probabilities, [`collapse`] notices clusters that training lost, and [`interval`] says what several runs agree on.

pub mod collapse;
pub mod inference;
pub mod interval;
pub mod posterior;
