//! A run as one HTML page without anything beside it: what was learned, how, what the integers lose, what it needs.
//!
//! [`Run::page`] puts the sections in order; `plot` draws, `geometry` says where, `layers` measures the integers,
//! `pictures` shows samples, `chips` knows what microcontrollers have.

mod chips;
mod geometry;
mod layers;
mod number;
mod pictures;
mod plot;
mod sections;

use edgemix_runtime::Model;
use maud::{DOCTYPE, PreEscaped, html};

pub(crate) use plot::short;

use crate::assessment::inference::{self, Assigned};
use crate::assessment::interval::SeedInterval;
use crate::data::Dataset;
use crate::mixture::ClusterCountReport;
use crate::trained::{AssignError, Trained};
use crate::training::EpochReport;

/// What a page is made of.
///
/// ```
/// use edgemix::device::Device;
/// use edgemix::methods::{FitConfig, MethodConfig};
/// use edgemix::quantize::{Provenance, quantize};
/// use edgemix::report::Run;
/// use edgemix::training::PhaseSettings;
/// use edgemix_runtime::Model;
///
/// let dataset = edgemix::data::digits();
/// let mut config = FitConfig { encoder: "16-4".parse()?, ..FitConfig::default() };
/// config.reconstruction = PhaseSettings::with_epochs(1);
/// config.method = MethodConfig::named("ae-kmeans").unwrap();
/// let trained = Device::Cpu.fit(&dataset.samples, &config, &mut (), &mut ())?.trained;
/// let provenance = Provenance { name: "digits".into(), config: [0; 32], seed: 0 };
/// let file = quantize(&trained, &dataset.samples, None, &provenance)?;
/// let run = Run {
///     dataset: &dataset,
///     trained: &trained,
///     model: &Model::from_bytes(&file)?,
///     flash: file.len(),
///     metrics: &[],
///     config: "",
///     commands: "edgemix train digits",
///     number: None,
///     sticks: &[],
///     interval: None,
/// };
/// assert!(run.page()?.starts_with("<!DOCTYPE html>"));
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Copy, Debug)]
pub struct Run<'a> {
    /// The samples that are shown; usually those that were trained on.
    pub dataset: &'a Dataset,
    /// The f32 model.
    pub trained: &'a Trained,
    /// The integers.
    pub model: &'a Model<'a>,
    /// The bytes of the model's file.
    pub flash: usize,
    /// One per epoch, in order; may be empty.
    pub metrics: &'a [EpochReport],
    /// The run's settings as TOML.
    pub config: &'a str,
    /// What to type to have the same again.
    pub commands: &'a str,
    /// How the number of clusters was found, if it was.
    pub number: Option<&'a ClusterCountReport>,
    /// The weights of a Dirichlet process' sticks before any was pruned, largest first; empty without one.
    pub sticks: &'a [f64],
    /// What several runs agreed on, if there were several.
    pub interval: Option<&'a SeedInterval>,
}

/// What both models make of the samples.
struct Found {
    /// `N x D`, in f32; the scaled samples where clusters have latents of their own.
    latents: Vec<f32>,
    dims: usize,
    /// By the integers.
    assigned: Vec<Assigned>,
    clusters: Vec<u16>,
    /// By the f32 model.
    exact: Vec<u16>,
    k: usize,
}

impl Run<'_> {
    /// The page. See [`Run`] for an example.
    ///
    /// # Errors
    /// See [`AssignError`].
    pub fn page(&self) -> Result<String, AssignError> {
        let found = self.found()?;
        let title = format!("{} by {}", self.dataset.samples.name(), self.trained.method);
        let page = html! {
            (DOCTYPE)
            html lang="en" {
                head {
                    meta charset="utf-8";
                    meta name="viewport" content="width=device-width, initial-scale=1";
                    title { (title) ": Edgemix" }
                    style { (PreEscaped(include_str!("style.css"))) }
                }
                body {
                    h1 { (title) }
                    (sections::facts(self, &found))
                    (sections::latents(self, &found))
                    (sections::clusters(self, &found))
                    (number::number(self))
                    (sections::labels(self, &found))
                    (sections::samples(self, &found)?)
                    (sections::training(self))
                    (sections::integers(self)?)
                    (sections::chips(self))
                    (sections::again(self))
                }
            }
        };
        Ok(page.into_string())
    }

    fn found(&self) -> Result<Found, AssignError> {
        let samples = &self.dataset.samples;
        let assigned = inference::assign_samples(self.model, samples)?;
        let latents = self.trained.encode(samples)?;
        Ok(Found {
            dims: latents.len() / samples.n_samples().max(1),
            exact: self.trained.head.assign(&latents)?,
            latents,
            clusters: assigned.iter().map(|found| found.cluster).collect(),
            assigned,
            k: self.model.n_clusters(),
        })
    }
}
