//! Watching for drift.

use core::mem::MaybeUninit;

use edgemix_runtime::{DriftTest, Novelty};

use crate::model::loaded;
use crate::status::{self, EDGEMIX_ERROR_NOT_READY, EDGEMIX_ERROR_NULL, Status};
use crate::storage;
use crate::structs::{Assignment, ClusterDrift, Drift, Model};

impl Drift {
    pub(crate) fn test(&self) -> Option<&DriftTest<'static>> {
        storage::get(&self.filled, &self.words)
    }

    pub(crate) fn test_mut(&mut self) -> Result<&mut DriftTest<'static>, Status> {
        storage::get_mut(&self.filled, &mut self.words).ok_or(EDGEMIX_ERROR_NOT_READY)
    }
}

/// Begins to watch the assignments of a model.
pub(crate) fn init(
    drift: Option<&mut MaybeUninit<Drift>>,
    model: Option<&Model>,
    clusters: Result<&mut [ClusterDrift], Status>,
    one_in: u32,
) -> Result<(), Status> {
    let drift = storage::empty(drift.ok_or(EDGEMIX_ERROR_NULL)?);
    let (model, clusters) = (loaded(model)?, clusters?);
    let test = DriftTest::new(model, one_in, storage::clusters(clusters)).map_err(status::of_drift)?;
    (drift.clusters, drift.n_clusters) = (clusters.as_mut_ptr(), clusters.len());
    storage::put(&mut drift.filled, &mut drift.words, test);
    Ok(())
}

/// Observes an assignment.
pub(crate) fn observe(test: &mut DriftTest, found: &Assignment, clusters: &mut [ClusterDrift]) {
    test.observe(found.cluster, Novelty(found.novelty), storage::clusters(clusters));
}

/// Sets what counts as novel in the running shares, and how many samples these remember.
pub(crate) fn set_running_shares(test: &mut DriftTest<'static>, rate: f32, log2_window: u32) {
    *test = test.clone().with_running_shares(rate, log2_window);
}

/// What a monitor says; the default of a monitor that is not ready.
pub(crate) fn read<V: Default>(drift: Option<&Drift>, value: impl FnOnce(&DriftTest<'static>) -> V) -> V {
    drift.and_then(Drift::test).map_or_else(V::default, value)
}

/// The running share of a cluster.
pub(crate) fn share(clusters: &[ClusterDrift], cluster: u16) -> f32 {
    clusters.get(usize::from(cluster)).map_or(0.0, |cluster| storage::cluster(cluster).share())
}
