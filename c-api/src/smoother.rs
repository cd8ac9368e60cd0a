//! Smoothing the clusters of successive windows, for C.

use core::mem::MaybeUninit;

use edgemix_runtime::{ClusterBelief as Belief, ClusterFilter};

use crate::boundary::assignment;
use crate::model::loaded;
use crate::pointers::{elements, elements_mut};
use crate::status::{self, EDGEMIX_ERROR_NOT_READY, EDGEMIX_ERROR_NULL, Status};
use crate::storage;
use crate::structs::{Assignment, ClusterBelief, Model, Smoother};

/// Begins to smooth the clusters of successive windows. `clusters` has at least as many elements as the model has clusters. A
/// model knows how its clusters follow each other if it was trained on windows of a recording; the windows must be as far
/// apart as in training. The library has the functions of smoothers unless it was built without the feature `smoother`.
///
/// # Safety
/// `clusters` points to `n_clusters` elements that nobody else uses as long as the smoother is used, and `smoother` to memory
/// for it.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn edgemix_smoother_init(
    smoother: Option<&mut MaybeUninit<Smoother>>,
    model: Option<&Model>,
    clusters: *mut ClusterBelief,
    n_clusters: usize,
) -> Status {
    // SAFETY: the caller's, as above; clusters are written before they are read.
    let beliefs = unsafe { elements_mut(clusters, n_clusters) };
    status::of(init(smoother, model, beliefs))
}

/// Observes the assignment of the next window by the smoother's model, before its arena is used again. `*cluster` is then the
/// most probable cluster, the first of several.
///
/// # Safety
/// `smoother` was filled by `edgemix_smoother_init`, and `found` by an assignment with `model`, whose arena nothing has used
/// since.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn edgemix_smoother_observe(
    smoother: Option<&mut Smoother>,
    model: Option<&Model>,
    found: Option<&Assignment>,
    cluster: Option<&mut u16>,
) -> Status {
    if found.is_none() {
        return EDGEMIX_ERROR_NULL;
    }
    let Some(cluster) = cluster else { return EDGEMIX_ERROR_NULL };
    // SAFETY: the caller's, as above.
    let Some(found) = (unsafe { assignment(model, found) }) else { return EDGEMIX_ERROR_NOT_READY };
    // SAFETY: the caller's, as above.
    unsafe { with(smoother, |filter, beliefs| *cluster = filter.observe(&found, beliefs)) }
}

/// A window that was not observed: lost, or too novel to say anything of the clusters.
///
/// # Safety
/// `smoother` was filled by `edgemix_smoother_init`.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn edgemix_smoother_miss(smoother: Option<&mut Smoother>) -> Status {
    // SAFETY: the caller's, as above.
    unsafe { with(smoother, |filter, beliefs| filter.miss(beliefs)) }
}

/// Forgets all windows, as after a gap or a restart.
///
/// # Safety
/// `smoother` was filled by `edgemix_smoother_init`.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn edgemix_smoother_restart(smoother: Option<&mut Smoother>) -> Status {
    // SAFETY: the caller's, as above.
    unsafe { with(smoother, |filter, beliefs| filter.restart(beliefs)) }
}

/// The probability of a cluster after the windows so far, from 0 to 1. It is 0 for a cluster that does not exist.
///
/// # Safety
/// `smoother` was filled by `edgemix_smoother_init`.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn edgemix_smoother_probability(smoother: Option<&Smoother>, cluster: u16) -> f32 {
    let Some(smoother) = smoother.filter(|smoother| smoother.filter().is_some()) else { return 0.0 };
    // SAFETY: `edgemix_smoother_init` kept both, and the caller vouches for them.
    let clusters = unsafe { elements(smoother.clusters, smoother.n_clusters) }.unwrap_or(&[]);
    let Some(&belief) = clusters.get(usize::from(cluster)) else { return 0.0 };
    storage::beliefs(&mut [belief]).first().map_or(0.0, Belief::probability)
}

impl Smoother {
    fn filter(&self) -> Option<&ClusterFilter<'static>> {
        storage::get(&self.filled, &self.words)
    }
}

fn init(
    smoother: Option<&mut MaybeUninit<Smoother>>,
    model: Option<&Model>,
    clusters: Result<&mut [ClusterBelief], Status>,
) -> Result<(), Status> {
    let smoother = storage::empty(smoother.ok_or(EDGEMIX_ERROR_NULL)?);
    let (model, clusters) = (loaded(model)?, clusters?);
    // Those beyond the model's clusters do not exist.
    clusters.fill(ClusterBelief::default());
    let filter = ClusterFilter::new(model, storage::beliefs(clusters)).map_err(status::of_smoother)?;
    (smoother.clusters, smoother.n_clusters) = (clusters.as_mut_ptr(), clusters.len());
    storage::put(&mut smoother.filled, &mut smoother.words, filter);
    Ok(())
}

/// Calls the filter of a smoother with its memory.
///
/// # Safety
/// `smoother` was filled by `edgemix_smoother_init`.
unsafe fn with(smoother: Option<&mut Smoother>, call: impl FnOnce(&ClusterFilter<'static>, &mut [Belief])) -> Status {
    let Some(smoother) = smoother else { return EDGEMIX_ERROR_NULL };
    let Some(filter) = smoother.filter() else { return EDGEMIX_ERROR_NOT_READY };
    // SAFETY: `edgemix_smoother_init` kept both, and the caller vouches for them.
    status::of(unsafe { elements_mut(smoother.clusters, smoother.n_clusters) }.map(|clusters| {
        call(filter, storage::beliefs(clusters));
    }))
}
