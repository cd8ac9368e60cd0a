//! Models and assignments.

use core::mem::MaybeUninit;

use edgemix_runtime::{AssignError, Limits, LoadError, Novelty, RawCount};

use crate::status::{self, EDGEMIX_ERROR_NOT_READY, EDGEMIX_ERROR_NULL, Status};
use crate::storage;
use crate::structs::{Assignment, Model, Window};

impl Model {
    fn checked(&self) -> Result<&edgemix_runtime::Model<'static>, Status> {
        storage::get(&self.filled, &self.words).ok_or(EDGEMIX_ERROR_NOT_READY)
    }

    /// Keeps a checked model.
    pub(crate) fn fill(&mut self, checked: edgemix_runtime::Model<'static>) {
        storage::put(&mut self.filled, &mut self.words, checked);
    }
}

/// The place for a model, without the one that may have been there.
pub(crate) fn emptied(model: Option<&mut MaybeUninit<Model>>) -> Result<&mut Model, Status> {
    model.map(storage::empty).ok_or(EDGEMIX_ERROR_NULL)
}

/// The loaded model behind a pointer.
pub(crate) fn loaded(model: Option<&Model>) -> Result<&edgemix_runtime::Model<'static>, Status> {
    model.ok_or(EDGEMIX_ERROR_NULL)?.checked()
}

/// Checks a model and keeps it in `model`.
pub(crate) fn load(
    model: Option<&mut MaybeUninit<Model>>,
    bytes: Result<&'static [u8], Status>,
    limits: Limits,
) -> Result<(), Status> {
    let model = emptied(model)?;
    match check(bytes?, limits) {
        Ok(checked) => {
            model.fill(checked);
            Ok(())
        }
        Err(error) => Err(status::of_load(error)),
    }
}

/// Not inlined, so that the stack holds as few copies of a model as possible.
#[inline(never)]
fn check(bytes: &'static [u8], limits: Limits) -> Result<edgemix_runtime::Model<'static>, LoadError> {
    edgemix_runtime::Model::from_bytes_within(bytes, limits)
}

/// Where the result of an assignment goes.
pub(crate) type Place<'p> = Option<&'p mut MaybeUninit<Assignment>>;

/// Runs an inference, and writes what it finds.
fn assigned(found: Place, run: impl FnOnce() -> Result<Result<Assignment, AssignError>, Status>) -> Result<(), Status> {
    let place = found.ok_or(EDGEMIX_ERROR_NULL)?;
    place.write(run()?.map_err(status::of_assign)?);
    Ok(())
}

/// Assigns a sample of raw counts.
pub(crate) fn assign_raw<C: RawCount>(
    model: Option<&Model>,
    sample: Result<&[C], Status>,
    arena: Result<&mut [u8], Status>,
    found: Place,
) -> Result<(), Status> {
    assigned(found, || Ok(loaded(model)?.assign_raw(sample?, arena?).map(|found| of_c(&found))))
}

/// Assigns a sample in the unit of the training data.
pub(crate) fn assign(
    model: Option<&Model>,
    sample: Result<&[f32], Status>,
    arena: Result<&mut [u8], Status>,
    found: Place,
) -> Result<(), Status> {
    assigned(found, || Ok(loaded(model)?.assign(sample?, arena?).map(|found| of_c(&found))))
}

/// Assigns a window of a stream.
pub(crate) fn assign_window(
    model: Option<&Model>,
    parts: Result<(&Window, &[i16], &[i16]), Status>,
    arena: Result<&mut [u8], Status>,
    found: Place,
) -> Result<(), Status> {
    assigned(found, || {
        let (window, older, newer) = parts?;
        let window = edgemix_runtime::Window { older, newer, start: window.start };
        Ok(loaded(model)?.assign_window(&window, arena?).map(|found| of_c(&found)))
    })
}

fn of_c(found: &edgemix_runtime::Assignment) -> Assignment {
    Assignment {
        cluster: found.cluster,
        component: found.component,
        log_density: found.log_density.0,
        novelty: found.novelty.0,
        scores: found.scores().as_ptr(),
    }
}

/// The cluster at a level; 65535 if there is no such level.
pub(crate) fn cluster_at_level(found: &edgemix_runtime::Assignment, n_clusters: u16) -> u16 {
    found.at_level(n_clusters).map_or(u16::MAX, |level| level.cluster)
}

/// The posterior probability of a cluster of a level; 0 if there is no such level.
pub(crate) fn posterior_at_level(found: &edgemix_runtime::Assignment, n_clusters: u16, cluster: u16) -> f32 {
    found.at_level(n_clusters).map_or(0.0, |level| level.posterior(cluster))
}

/// A p-value from 0 to 1.
pub(crate) fn p_value(found: Option<&Assignment>) -> f32 {
    found.map_or(1.0, |found| Novelty(found.novelty).p_value())
}

/// Whether a p-value is at most `rate`.
pub(crate) fn is_novel(found: Option<&Assignment>, rate: f32) -> bool {
    found.is_some_and(|found| Novelty(found.novelty).is_novel(rate))
}

/// Sizes of the model; 0 of a model that is not loaded.
pub(crate) fn size<S: Default>(model: Option<&Model>, size: impl FnOnce(&edgemix_runtime::Model<'static>) -> S) -> S {
    loaded(model).map_or_else(|_| S::default(), size)
}
