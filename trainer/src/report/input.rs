//! What the report of a run is made of.

use edgemix_runtime::Model;

use crate::assessment::inference::{self, Assigned};
use crate::assessment::interval::SeedInterval;
use crate::data::Dataset;
use crate::mixture::ClusterCountReport;
use crate::trained::{AssignError, Trained};
use crate::training::{EpochReport, LatentHistory};

/// What the report of a run is made of.
///
/// ```
/// use edgemix::device::Device;
/// use edgemix::methods::{FitConfig, MethodConfig};
/// use edgemix::quantize::{Provenance, quantize};
/// use edgemix::report::ReportInput;
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
/// let input = ReportInput {
///     dataset: &dataset,
///     trained: &trained,
///     model: &Model::from_bytes(&file)?,
///     flash: file.len(),
///     metrics: &[],
///     config: "",
///     commands: "edgemix train digits",
///     cluster_count: None,
///     sticks: &[],
///     interval: None,
///     history: None,
///     seconds_a_step: None,
/// };
/// assert!(input.page()?.starts_with("<!DOCTYPE html>"));
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Copy, Debug)]
pub struct ReportInput<'a> {
    /// The samples that are shown, usually those of the run.
    pub dataset: &'a Dataset,
    /// The trained model in floating point.
    pub trained: &'a Trained,
    /// The quantised model.
    pub model: &'a Model<'a>,
    /// The size of the model file in bytes.
    pub flash: usize,
    /// The reports of all epochs, in order; may be empty.
    pub metrics: &'a [EpochReport],
    /// The settings of the run as TOML.
    pub config: &'a str,
    /// The commands that reproduce the run and use it.
    pub commands: &'a str,
    /// How the number of clusters was determined, if the method did that.
    pub cluster_count: Option<&'a ClusterCountReport>,
    /// The weights of the sticks of a Dirichlet process before pruning, largest first; empty for other methods.
    pub sticks: &'a [f64],
    /// What runs with several seeds agree on, if there were several.
    pub interval: Option<&'a SeedInterval>,
    /// The latents at a few moments of the training, and which of the dataset's samples they are of, if they are kept.
    pub history: Option<(&'a LatentHistory, &'a [usize])>,
    /// The seconds from a window to the next, if the samples are windows of a recording whose rate is known.
    pub seconds_a_step: Option<f64>,
}

/// How both models assign the samples.
pub(super) struct Assignments {
    /// `N x D`, of the trained model; the scaled samples if each cluster has a latent space of its own.
    pub(super) latents: Vec<f32>,
    pub(super) dims: usize,
    /// By the quantised model.
    pub(super) assigned: Vec<Assigned>,
    pub(super) clusters: Vec<u16>,
    /// By the trained model.
    pub(super) exact: Vec<u16>,
    pub(super) k: usize,
}

impl Assignments {
    pub(super) fn new(input: &ReportInput) -> Result<Self, AssignError> {
        let samples = &input.dataset.samples;
        let assigned = inference::assign_samples(input.model, samples)?;
        let latents = input.trained.encode(samples)?;
        Ok(Self {
            dims: latents.len() / samples.n_samples().max(1),
            exact: input.trained.head.assign(&latents)?,
            latents,
            clusters: assigned.iter().map(|found| found.cluster).collect(),
            assigned,
            k: input.model.n_clusters(),
        })
    }
}
