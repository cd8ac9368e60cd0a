//! Trains deep clusterings and exports them for microcontrollers.
//!
//! [`workflow`] does what the commands of the program do: it starts and resumes runs, exports, evaluates and compares them.
//! Everything below can be used without a directory, too: [`Device::fit`](device::Device::fit) learns an encoder and its
//! clusters from [`data::Samples`] by one of the published [`methods`] and returns plain numbers, a [`trained::Trained`];
//! [`quantize::quantize`] converts it to an `.emx` file, and [`assessment::inference::assign`] runs that file with the
//! arithmetic of the chip.
//!
//! ```
//! use edgemix::device::Device;
//! use edgemix::methods::{FitConfig, MethodConfig};
//! use edgemix::quantize::{Provenance, quantize};
//! use edgemix::training::PhaseSettings;
//! use edgemix::assessment::inference;
//! use edgemix::{data, metrics};
//! use edgemix_runtime::Model;
//!
//! let digits = data::digits();
//! let mut config = FitConfig { encoder: "32-8".parse()?, ..FitConfig::default() };
//! config.reconstruction = PhaseSettings::with_epochs(2);
//! config.method = MethodConfig::named("ae-gmm").unwrap();
//! // Without a checkpoint store and without an observer.
//! let trained = Device::Cpu.fit(&digits.samples, &config, &mut (), &mut ())?.trained;
//!
//! // No samples are held out, so the p-values of novelty come from the training samples.
//! let provenance = Provenance { name: "digits".into(), config: [0; 32], seed: config.seed };
//! let file = quantize(&trained, &digits.samples, None, &provenance)?;
//! let model = Model::from_bytes(&file)?;
//! let found = inference::assign_samples(&model, &digits.samples)?;
//! let clusters: Vec<u16> = found.iter().map(|found| found.cluster).collect();
//! assert!(metrics::agreement(&clusters, &trained.assign(&digits.samples)?) > 0.95);
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```
#![recursion_limit = "256"]
#![warn(missing_docs)]

pub mod assessment;
mod base;
pub mod cli;
pub mod data;
pub mod device;
pub mod divergence;
pub mod front_end;
pub mod import;
pub mod methods;
pub mod mixture;
pub mod nn;
pub mod quantize;
pub mod report;
pub mod run;
pub mod trained;
pub mod training;
pub mod workflow;

pub use base::{metrics, random, stop, variant};
