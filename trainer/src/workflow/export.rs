//! Quantising the model of a run.

use std::path::Path;

use edgemix_runtime::Model;
use sha2::{Digest, Sha256};

use super::error::WorkflowError;
use crate::assessment::chips::Chip;
use crate::data::split::{Split, SplitSamples};
use crate::data::{DataRecord, Dataset, Source};
use crate::import::onnx_file;
use crate::methods::FitConfig;
use crate::quantize::{HeldOut, Provenance, QuantizeError, check, check_raw_counts, quantize};
use crate::run::{RunDir, RunError, write_whole};
use crate::trained::{AssignError, LevelChoice, Trained};

/// The trained model of a run, and the samples that are used to quantise it.
///
/// ```
/// # use edgemix::data::{self, Source};
/// # use edgemix::methods::FitConfig;
/// # use edgemix::workflow::{ExistingRun, FitOptions, Plan, fit, start};
/// use edgemix::workflow::Export;
///
/// # let folder = tempfile::tempdir()?;
/// # let (source, dataset) = (Source::new("digits"), data::digits());
/// # let epochs = edgemix::training::PhaseSettings::with_epochs(1);
/// # let config = FitConfig { encoder: "16-4".parse()?, reconstruction: epochs, clustering: epochs, ..FitConfig::default() };
/// # let plan = Plan::new(&source, &dataset, config)?;
/// # let run = start(folder.path(), &plan, ExistingRun::Refuse)?;
/// # fit(&run, &plan, &FitOptions { allow_disagreement: true, ..FitOptions::default() }, &mut ())?;
/// let export = Export::new(&run, &source, &dataset, None)?;
/// let path = folder.path().join("copy.emx");
/// export.write(&path, true)?;
/// // The same model and samples give the same file.
/// assert_eq!(std::fs::read(&path)?, std::fs::read(run.model()?.path())?);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Debug)]
pub struct Export<'a> {
    pub(super) run: RunDir,
    pub(super) trained: Trained,
    pub(super) parts: SplitSamples<'a>,
    pub(super) config: FitConfig,
    /// The chip that the model is for, and the most milliseconds.
    pub(super) chip: Option<(&'static Chip, Option<f64>)>,
}

impl<'a> Export<'a> {
    /// Reads the trained model of a run. The samples must be those that it was trained on, since they calibrate the
    /// integers. If `finest_rate` is given, it replaces the run's setting of this name.
    ///
    /// # Errors
    /// [`WorkflowError::OtherSamples`] if the run was trained on other samples, [`WorkflowError::Rate`] if the rate is not
    /// between 0 and 1, [`WorkflowError::Run`] if a file of the run can't be read, and [`WorkflowError::Data`] if the samples
    /// can't be read.
    pub fn new(
        run: &RunDir,
        source: &Source,
        dataset: &'a Dataset,
        finest_rate: Option<f64>,
    ) -> Result<Self, WorkflowError> {
        let trained = run.trained()?;
        let mut config = run.config()?;
        config.finest_rate = finest_rate.unwrap_or(config.finest_rate);
        if !(config.finest_rate > 0.0 && config.finest_rate < 1.0) {
            return Err(WorkflowError::Rate(config.finest_rate));
        }
        let found = DataRecord::new(source, &dataset.samples);
        if let Some(expected) = run.record()?.filter(|expected| expected.fingerprint != found.fingerprint) {
            return Err(WorkflowError::other_samples(&expected, &found));
        }
        let parts = Split::draw(dataset, config.holdout, config.seed).parts(&dataset.samples)?;
        Ok(Self { run: run.clone(), trained, parts, config, chip: None })
    }

    /// The same with the clusters of another level, without training anew.
    ///
    /// # Errors
    /// [`WorkflowError::NoLevel`] if the model does not have the level.
    pub fn at_level(self, level: LevelChoice) -> Result<Self, WorkflowError> {
        Ok(Self { trained: self.trained.at_level(level)?, ..self })
    }

    /// The same for a chip: a model that does not fit it, or takes more than `most_ms` there, is not written.
    pub fn for_chip(self, chip: &'static Chip, most_ms: Option<f64>) -> Self {
        Self { chip: Some((chip, most_ms)), ..self }
    }

    /// The trained model.
    pub fn trained(&self) -> &Trained {
        &self.trained
    }

    /// Quantises the model and writes the file. If the integers disagree with the trained model, the file is written only
    /// if `allow_disagreement` is set, and the disagreement is returned.
    ///
    /// # Errors
    /// [`WorkflowError::Quantize`] if the model can't be quantised, disagrees without permission, or assigns raw counts otherwise
    /// than the values that they stand for, [`WorkflowError::Chip`] if it does not fit the chip that it is for, and
    /// [`WorkflowError::Run`] if the file can't be written.
    pub fn write(&self, out: &Path, allow_disagreement: bool) -> Result<Option<QuantizeError>, WorkflowError> {
        check_and_write(self, out, allow_disagreement)
    }

    /// Writes the trained model in f32 as an ONNX file: its latent, scores and cluster.
    ///
    /// # Errors
    /// [`WorkflowError::NoGraph`] if the model has an autoencoder for each cluster, [`WorkflowError::Assign`] if a covariance is
    /// not positive definite, and [`WorkflowError::Run`] if the file can't be written.
    pub fn write_onnx(&self, out: &Path) -> Result<(), WorkflowError> {
        let bytes = onnx_file(&self.trained, self.parts.training.origins()).map_err(AssignError::from)?;
        let bytes = bytes.ok_or(WorkflowError::NoGraph)?;
        write_whole(out, &bytes).map_err(RunError::io(out))?;
        Ok(())
    }
}

pub(super) fn check_and_write(
    export: &Export,
    out: &Path,
    allow_disagreement: bool,
) -> Result<Option<QuantizeError>, WorkflowError> {
    let Export { run, trained, parts, config, chip } = export;
    let digest = Sha256::digest(run.config_text()?).into();
    let provenance = Provenance { name: parts.training.name().to_owned(), config: digest, seed: config.seed };
    let held_out = parts.held_out.as_ref().map(|samples| HeldOut { samples, finest_rate: config.finest_rate });
    let bytes = quantize(trained, &parts.training, held_out, &provenance)?;
    let model = Model::from_bytes(&bytes).map_err(|source| RunError::Model { path: out.into(), source })?;
    let disagreement = match check(trained, &model, &parts.training) {
        Err(error @ QuantizeError::Disagreement { .. }) if allow_disagreement => Some(error),
        checked => {
            checked?;
            None
        }
    };
    for samples in parts.held_out.iter().chain([&*parts.training]) {
        check_raw_counts(&model, samples)?;
    }
    if let Some((chip, most_ms)) = chip {
        chip.check(model.file(), *most_ms)?;
    }
    write_whole(out, &bytes).map_err(RunError::io(out))?;
    Ok(disagreement)
}
