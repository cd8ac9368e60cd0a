//! Samples for a firmware to check itself with.

use edgemix_format::write::AlignedBytes;
use edgemix_runtime::Model;

use super::error::WorkflowError;
use crate::data::Samples;

/// Samples as raw counts, with the clusters that the firmware must find.
pub(super) struct FirmwareSamples {
    pub(super) counts: Vec<Vec<i16>>,
    pub(super) clusters: Vec<u16>,
}

impl FirmwareSamples {
    /// At most `n` samples, spread evenly over all.
    ///
    /// # Errors
    /// [`WorkflowError::Data`] if the samples can't be read, and [`WorkflowError::Raw`] if they are not raw counts that fit
    /// the model.
    pub(super) fn choose(model: &Model, samples: &Samples, n: usize) -> Result<Self, WorkflowError> {
        let mut workspace = AlignedBytes::zeroed(model.arena_len());
        let mut chosen = Self { counts: vec![], clusters: vec![] };
        let n = n.min(samples.n_samples());
        let every: Vec<usize> = (0..n).map(|i| i * samples.n_samples() / n).collect();
        for sample in samples.select(&every)?.chunks(1) {
            let refused = |source| WorkflowError::Raw { samples: samples.name().to_owned(), source };
            let mut raw = vec![0i16; model.input_len()];
            model.counts(&sample?, &mut raw).map_err(refused)?;
            chosen.clusters.push(model.assign_raw(&raw, &mut workspace).map_err(refused)?.cluster);
            chosen.counts.push(raw);
        }
        Ok(chosen)
    }
}
