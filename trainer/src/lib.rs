//! Trains deep clusterings and exports them for microcontrollers.
//!
//! [`training::fit`] learns an encoder and its clusters from [`data::Samples`] by one of the published
//! [`methods`]; what it gives, a [`trained::Trained`], is plain numbers. [`quantize::quantize`] turns it into an `.emx`
//! file, and [`inference::assign`] runs that file with the arithmetic of the chip.
#![recursion_limit = "256"]
#![warn(missing_docs)]

pub mod cli;
pub mod collapse;
pub mod data;
pub mod device;
pub mod divergence;
pub mod inference;
pub mod interval;
pub mod methods;
pub mod metrics;
pub mod mixture;
mod nearest;
pub mod nn;
pub mod quantize;
pub mod random;
pub mod report;
pub mod run;
pub mod trained;
pub mod training;
pub mod variant;
