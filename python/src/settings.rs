//! The parameters of the estimator, as Python gives them.

use std::path::PathBuf;

use edgemix::device::{DeviceChoice, DeviceError};
use edgemix::methods::{Clusters, FitConfig};
use edgemix::run::{Choices, Preset};
use edgemix::trained::LevelChoice;
use edgemix::variant::Variant;
use edgemix::workflow::{ExistingRun, FitOptions};
use pyo3::prelude::*;

use crate::errors::Failure;

/// The parameters. `None` leaves the trainer's default.
#[derive(FromPyObject)]
#[pyo3(from_item_all)]
pub(crate) struct Parameters {
    method: Option<String>,
    n_clusters: Option<String>,
    seed: Option<u64>,
    encoder: Option<String>,
    variant: Option<String>,
    preset: Option<String>,
    front_end: Option<String>,
    rate: Option<f64>,
    pretrain_epochs: Option<usize>,
    cluster_epochs: Option<usize>,
    learning_rate: Option<f64>,
    holdout: Option<f64>,
    level: Option<String>,
    /// As `key=value`.
    settings: Vec<String>,
    allow_disagreement: bool,
    device: String,
    pub(crate) name: String,
    pub(crate) run_dir: Option<PathBuf>,
    existing: String,
}

impl Parameters {
    /// The settings of the fit, and how many clusters are asked for.
    pub(crate) fn config(&self) -> Result<(FitConfig, Option<Clusters>), Failure> {
        let clusters = self.n_clusters.as_deref().map(|text| read("n_clusters", text)).transpose()?;
        let choices = Choices {
            preset: self.preset.as_deref().map(preset).transpose()?,
            method: self.method.clone(),
            variant: self.variant.as_deref().map(variant).transpose()?,
            clusters,
            encoder: self.encoder.clone(),
            front_end: self.front_end.clone(),
            rate: self.rate,
            seed: self.seed,
            pretrain_epochs: self.pretrain_epochs,
            cluster_epochs: self.cluster_epochs,
            learning_rate: self.learning_rate,
            holdout: self.holdout,
            sets: self.settings.clone(),
            ..Choices::default()
        };
        let config = choices.applied(FitConfig::default()).map_err(Failure::of_choice)?;
        Ok((config, clusters))
    }

    /// How the fit is run, and what is done with a run that is there.
    pub(crate) fn options(&self) -> Result<(FitOptions, ExistingRun), Failure> {
        let level: Option<LevelChoice> = self.level.as_deref().map(|text| read("level", text)).transpose()?;
        let named = |error: DeviceError| Failure::Parameter(format!("device: {error}"));
        let device = self.device.parse().and_then(DeviceChoice::resolve).map_err(named)?;
        let existing = match &*self.existing {
            "refuse" => ExistingRun::Refuse,
            "replace" => ExistingRun::Replace,
            "resume" => ExistingRun::Resume,
            other => return Err(unknown("existing", other, "refuse, replace or resume")),
        };
        let options =
            FitOptions { device, allow_disagreement: self.allow_disagreement, level: level.unwrap_or_default() };
        Ok((options, existing))
    }
}

fn read<T: std::str::FromStr<Err = String>>(parameter: &str, text: &str) -> Result<T, Failure> {
    text.parse().map_err(|problem| Failure::Parameter(format!("{parameter}={text:?}: {problem}")))
}

fn preset(name: &str) -> Result<Preset, Failure> {
    if name == "paper" { Ok(Preset::Paper) } else { Err(unknown("preset", name, "paper")) }
}

fn variant(name: &str) -> Result<Variant, Failure> {
    match name {
        "paper" => Ok(Variant::Paper),
        "corrected" => Ok(Variant::Corrected),
        _ => Err(unknown("variant", name, "paper or corrected")),
    }
}

fn unknown(parameter: &str, found: &str, expected: &str) -> Failure {
    Failure::Parameter(format!("{parameter}={found:?}: expected {expected}"))
}
