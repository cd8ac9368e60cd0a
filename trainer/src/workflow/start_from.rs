//! The autoencoder of another run that a fit starts from.

use std::fs;

use super::error::WorkflowError;
use super::plan::Plan;
use crate::data::split::Split;
use crate::methods::FitConfig;
use crate::run::{RunDir, RunError, RunFile, settings_differences};
use crate::training::{CheckpointMismatch, CheckpointStore, KeptAutoencoder};

/// The bytes of the autoencoder that the settings say to start from, which has their layers and has learned from the same
/// samples.
///
/// # Errors
/// [`WorkflowError::StartFrom`] if the other run has no such autoencoder, [`WorkflowError::StartFromOtherPart`] if it has one
/// of another part of the samples, and [`WorkflowError::Run`] if it can't be read.
pub(super) fn kept_autoencoder(plan: &Plan) -> Result<Option<Vec<u8>>, WorkflowError> {
    let config = plan.config();
    let Some(path) = &config.start_from else { return Ok(None) };
    let refused = |source| WorkflowError::StartFrom { path: path.clone(), source };
    fs::metadata(path).map_err(RunError::io(path))?;
    let run = RunDir::open(path);
    let kept = run.load_autoencoder().map_err(RunError::io(&run.file(RunFile::Autoencoder)))?;
    let kept = kept.ok_or_else(|| refused(CheckpointMismatch::Missing))?;
    let training = Split::draw(plan.dataset(), config.holdout, config.seed).parts(plan.inputs())?.training;
    let wanted = config.check(&training)?.plan;
    match KeptAutoencoder::from_bytes(&kept, training.fingerprint(), &wanted) {
        Ok(_) => Ok(Some(kept)),
        Err(CheckpointMismatch::Samples) => {
            Err(other_part(plan, &run)?.unwrap_or_else(|| refused(CheckpointMismatch::Samples)))
        }
        Err(source) => Err(refused(source)),
    }
}

/// How the other run divides the same samples into those for training and those held out, if that is why they differ.
fn other_part(plan: &Plan, other: &RunDir) -> Result<Option<WorkflowError>, WorkflowError> {
    let fingerprint = other.record()?.map(|record| record.fingerprint);
    if fingerprint.as_ref() != Some(&plan.record().fingerprint) {
        return Ok(None);
    }
    let (before, now) = (other.config()?, plan.config());
    let same = FitConfig { seed: before.seed, holdout: before.holdout, ..now.clone() };
    let differences = settings_differences(&same, now)?;
    let path = other.path().into();
    Ok((!differences.is_empty()).then_some(WorkflowError::StartFromOtherPart { path, differences }))
}
