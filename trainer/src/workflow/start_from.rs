//! The autoencoder of another run that a fit starts from.

use std::fs;

use super::error::WorkflowError;
use super::plan::Plan;
use crate::data::split::Split;
use crate::run::{RunDir, RunError, RunFile};
use crate::training::{CheckpointMismatch, CheckpointStore, KeptAutoencoder};

/// The bytes of the autoencoder that the settings say to start from, which has their layers and has learned from the same
/// samples.
///
/// # Errors
/// [`WorkflowError::StartFrom`] if the other run has no such autoencoder, and [`WorkflowError::Run`] if it can't be read.
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
    KeptAutoencoder::from_bytes(&kept, training.fingerprint(), &wanted).map_err(refused)?;
    Ok(Some(kept))
}
