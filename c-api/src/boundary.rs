//! The functions that C calls. `include/edgemix.h` is made from this file and from the types it names.

use core::ffi::{c_char, c_void};
use core::mem::MaybeUninit;

use edgemix_runtime::Limits;

use crate::drift;
use crate::model;
use crate::pointers::{bytes_mut, elements, elements_mut};
use crate::status::{self, EDGEMIX_ERROR_NULL, Status};
use crate::stream;
use crate::structs::{Assignment, ClusterDrift, Drift, Model, Stream, Window};

/// A sentence for a status, such as "the model is damaged: its checksum does not match".
#[unsafe(no_mangle)]
pub extern "C" fn edgemix_status_text(status: Status) -> *const c_char {
    status::text(status).as_ptr()
}

/// What is wrong with the part of the model that a status names, such as "a scale is not a finite positive number". It is
/// empty for a status that names no part.
#[unsafe(no_mangle)]
pub extern "C" fn edgemix_fault_text(status: Status) -> *const c_char {
    status::fault_text(status).as_ptr()
}

/// Checks a model completely, and fills `model`. Afterwards only a wrong sample or arena can cause an error.
///
/// `bytes` is at a multiple of 16, and may go on after the model, as a flash partition does. Any flipped bit and any
/// truncation is refused. The bytes must stay where they are, unchanged, as long as `model` is used.
///
/// # Safety
/// `bytes` points to `length` bytes that live as long as `model` is used, and `model` to memory for it.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn edgemix_load(
    model: Option<&mut MaybeUninit<Model>>,
    bytes: *const c_void,
    length: usize,
) -> Status {
    // SAFETY: the caller's, as above.
    let bytes = unsafe { elements(bytes.cast(), length) };
    status::of(model::load(model, bytes, Limits::NONE))
}

/// As `edgemix_load`, but refuses a model of which an assignment takes more than `most_macs` multiply-accumulates or an arena
/// of more than `most_arena` bytes, before anything else of it is looked at: for models that arrive later.
///
/// # Safety
/// As for `edgemix_load`.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn edgemix_load_within(
    model: Option<&mut MaybeUninit<Model>>,
    bytes: *const c_void,
    length: usize,
    most_macs: u64,
    most_arena: usize,
) -> Status {
    // SAFETY: the caller's, as above.
    let bytes = unsafe { elements(bytes.cast(), length) };
    status::of(model::load(model, bytes, Limits { macs: most_macs, arena: most_arena }))
}

/// Number of elements of a sample; 0 if the model is not loaded.
#[unsafe(no_mangle)]
pub extern "C" fn edgemix_input_length(model: Option<&Model>) -> usize {
    model::size(model, |model| model.input_len())
}

/// Bytes of the arena that an assignment needs; 0 if the model is not loaded.
#[unsafe(no_mangle)]
pub extern "C" fn edgemix_arena_length(model: Option<&Model>) -> usize {
    model::size(model, |model| model.arena_len())
}

/// Number of clusters; 0 if the model is not loaded.
#[unsafe(no_mangle)]
pub extern "C" fn edgemix_n_clusters(model: Option<&Model>) -> usize {
    model::size(model, |model| model.n_clusters())
}

/// Number of components of a mixture, classes of a softmax head, or autoencoders; 0 if the model is not loaded.
#[unsafe(no_mangle)]
pub extern "C" fn edgemix_n_components(model: Option<&Model>) -> usize {
    model::size(model, |model| model.n_components())
}

/// Multiply-accumulates of an assignment, and other steps that take as long; 0 if the model is not loaded.
#[unsafe(no_mangle)]
pub extern "C" fn edgemix_macs(model: Option<&Model>) -> u64 {
    model::size(model, |model| model.macs())
}

/// The model's name, which is in the model's bytes and does not end with a zero: `*length` is its length. Null if the model is
/// not loaded.
#[unsafe(no_mangle)]
pub extern "C" fn edgemix_name(model: Option<&Model>, length: Option<&mut usize>) -> *const c_char {
    let (Ok(model), Some(length)) = (model::loaded(model), length) else { return core::ptr::null() };
    *length = model.name().len();
    model.name().as_ptr().cast()
}

/// Assigns a sample of raw counts. Raw counts of all three integer types mean the same: `200` is `200`.
///
/// `sample` has as many counts as the model takes, instant after instant, with the channels of an instant side by side.
/// `arena` is at a multiple of 4 and has at least `edgemix_arena_length` bytes. Nothing in it needs to be kept between calls,
/// so that models can share it; calls that run at once need an arena each.
///
/// # Safety
/// `sample` points to `length` counts, `arena` to `arena_length` bytes that nobody else uses, and `found` to memory for the
/// result.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn edgemix_assign_u8(
    model: Option<&Model>,
    sample: *const u8,
    length: usize,
    arena: *mut c_void,
    arena_length: usize,
    found: Option<&mut MaybeUninit<Assignment>>,
) -> Status {
    // SAFETY: the caller's, as above.
    let (sample, arena) = unsafe { (elements(sample, length), bytes_mut(arena, arena_length)) };
    status::of(model::assign_raw(model, sample, arena, found))
}

/// As `edgemix_assign_u8`.
///
/// # Safety
/// As for `edgemix_assign_u8`.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn edgemix_assign_i8(
    model: Option<&Model>,
    sample: *const i8,
    length: usize,
    arena: *mut c_void,
    arena_length: usize,
    found: Option<&mut MaybeUninit<Assignment>>,
) -> Status {
    // SAFETY: the caller's, as above.
    let (sample, arena) = unsafe { (elements(sample, length), bytes_mut(arena, arena_length)) };
    status::of(model::assign_raw(model, sample, arena, found))
}

/// As `edgemix_assign_u8`.
///
/// # Safety
/// As for `edgemix_assign_u8`.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn edgemix_assign_i16(
    model: Option<&Model>,
    sample: *const i16,
    length: usize,
    arena: *mut c_void,
    arena_length: usize,
    found: Option<&mut MaybeUninit<Assignment>>,
) -> Status {
    // SAFETY: the caller's, as above.
    let (sample, arena) = unsafe { (elements(sample, length), bytes_mut(arena, arena_length)) };
    status::of(model::assign_raw(model, sample, arena, found))
}

/// Assigns a sample of values in the unit of the training data. They are rounded to raw counts first, so the result is that
/// of `edgemix_assign_i16` for these.
///
/// # Safety
/// As for `edgemix_assign_u8`.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn edgemix_assign_float(
    model: Option<&Model>,
    sample: *const f32,
    length: usize,
    arena: *mut c_void,
    arena_length: usize,
    found: Option<&mut MaybeUninit<Assignment>>,
) -> Status {
    // SAFETY: the caller's, as above.
    let (sample, arena) = unsafe { (elements(sample, length), bytes_mut(arena, arena_length)) };
    status::of(model::assign(model, sample, arena, found))
}

/// Assigns a window of a stream, without a copy of it.
///
/// # Safety
/// `window` is one of `edgemix_stream_next`, and its stream was not used since. Otherwise as for `edgemix_assign_u8`.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn edgemix_assign_window(
    model: Option<&Model>,
    window: Option<&Window>,
    arena: *mut c_void,
    arena_length: usize,
    found: Option<&mut MaybeUninit<Assignment>>,
) -> Status {
    // SAFETY: the caller's, as above.
    let parts = window.ok_or(EDGEMIX_ERROR_NULL).and_then(|window| unsafe {
        let older = elements(window.older, window.older_length)?;
        Ok((window, older, elements(window.newer, window.newer_length)?))
    });
    // SAFETY: the caller's, as above.
    let arena = unsafe { bytes_mut(arena, arena_length) };
    status::of(model::assign_window(model, parts, arena, found))
}

/// The posterior probability of a cluster, from 0 to 1: how certain the model is of it among its clusters. It is 0 for a
/// cluster that does not exist, and without a model or an assignment.
///
/// # Safety
/// `found` is an assignment by this model, and its arena was not used since.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn edgemix_posterior(model: Option<&Model>, found: Option<&Assignment>, cluster: u16) -> f32 {
    // SAFETY: the caller's, as above.
    unsafe { assignment(model, found) }.map_or(0.0, |found| found.posterior(cluster))
}

/// The cluster of a sample at the level of the model's hierarchy that has `n_clusters` clusters; 65535 if there is no such level,
/// and without a model or an assignment.
///
/// # Safety
/// As for `edgemix_posterior`.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn edgemix_cluster_at_level(
    model: Option<&Model>,
    found: Option<&Assignment>,
    n_clusters: u16,
) -> u16 {
    // SAFETY: the caller's, as above.
    unsafe { assignment(model, found) }.map_or(u16::MAX, |found| model::cluster_at_level(&found, n_clusters))
}

/// The posterior probability of a cluster of that level, from 0 to 1. It is 0 if there is no such level or cluster, and without
/// a model or an assignment.
///
/// # Safety
/// As for `edgemix_posterior`.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn edgemix_posterior_at_level(
    model: Option<&Model>,
    found: Option<&Assignment>,
    n_clusters: u16,
    cluster: u16,
) -> f32 {
    // SAFETY: the caller's, as above.
    unsafe { assignment(model, found) }.map_or(0.0, |found| model::posterior_at_level(&found, n_clusters, cluster))
}

/// The runtime's view of an assignment.
///
/// # Safety
/// As for [`edgemix_posterior`].
pub(crate) unsafe fn assignment<'a>(
    model: Option<&'a Model>,
    found: Option<&'a Assignment>,
) -> Option<edgemix_runtime::Assignment<'a>> {
    let (model, found) = (model::loaded(model).ok()?, found?);
    // SAFETY: the caller's: an assignment has a score for each component.
    Some(model.assignment(unsafe { elements(found.scores, model.n_components()) }.ok()?))
}

/// The share of known samples that are at least as unusual, from 0 to 1; 1 without an assignment.
#[unsafe(no_mangle)]
pub extern "C" fn edgemix_p_value(found: Option<&Assignment>) -> f32 {
    model::p_value(found)
}

/// Whether the p-value is at most `rate`, the rate of false alarms, from 0 to 1.
#[unsafe(no_mangle)]
pub extern "C" fn edgemix_is_novel(found: Option<&Assignment>, rate: f32) -> bool {
    model::is_novel(found, rate)
}

/// Begins a stream of instants of `channels` counts. It keeps the last `length` counts, a window, in `ring`. The first window
/// is complete after `length / channels` instants, and each other one `step` instants after the one before.
///
/// # Safety
/// `ring` points to `length` counts that nobody else uses as long as the stream is used, and `stream` to memory for it.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn edgemix_stream_init(
    stream: Option<&mut MaybeUninit<Stream>>,
    ring: *mut i16,
    length: usize,
    channels: usize,
    step: usize,
) -> Status {
    // SAFETY: the caller's, as above.
    let ring = unsafe { elements_mut(ring, length) };
    status::of(stream::init(stream, ring, channels, step))
}

/// Takes counts from the beginning of a block until a window is complete, gives the window and returns true; `*block` and
/// `*length` are then what is left of the block. Takes all of them and returns false if they do not suffice. A block may begin
/// and end within an instant.
///
/// # Safety
/// `*block` points to `*length` counts, and `stream` was filled by `edgemix_stream_init`.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn edgemix_stream_next(
    stream: Option<&mut Stream>,
    block: Option<&mut *const i16>,
    length: Option<&mut usize>,
    window: Option<&mut MaybeUninit<Window>>,
) -> bool {
    let (Some(stream), Some(block), Some(length), Some(window)) = (stream, block, length, window) else { return false };
    // SAFETY: the caller's, as above; `edgemix_stream_init` kept the ring and its length.
    let slices = unsafe { (elements(*block, *length), elements_mut(stream.ring, stream.length)) };
    let ((Ok(mut counts), Ok(ring)), Ok(windows)) = (slices, stream.windows()) else { return false };
    let is_complete = stream::next(windows, ring, &mut counts, window);
    (*block, *length) = (counts.as_ptr(), counts.len());
    is_complete
}

/// Says that `n_lost` instants were lost, and that the next count is the first of an instant. No window reaches across the
/// gap.
#[unsafe(no_mangle)]
pub extern "C" fn edgemix_stream_gap(stream: Option<&mut Stream>, n_lost: u64) -> Status {
    let windows = stream.ok_or(EDGEMIX_ERROR_NULL).and_then(Stream::windows);
    status::of(windows.map(|windows| windows.gap(n_lost)))
}

/// Begins to watch the assignments of a model for drift. `clusters` has at least as many elements as the model has clusters.
/// Without drift, the probability that the monitor ever raises an alarm is at most `1 / one_in`, provided that the samples
/// are exchangeable: overlapping windows of a recording are not.
///
/// # Safety
/// `clusters` points to `n_clusters` elements that nobody else uses as long as the monitor is used, and `drift` to memory for
/// it.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn edgemix_drift_init(
    drift: Option<&mut MaybeUninit<Drift>>,
    model: Option<&Model>,
    clusters: *mut ClusterDrift,
    n_clusters: usize,
    one_in: u32,
) -> Status {
    // SAFETY: the caller's, as above; clusters are written before they are read.
    let clusters = unsafe { elements_mut(clusters, n_clusters) };
    status::of(drift::init(drift, model, clusters, one_in))
}

/// Sets the p-value up to which a sample counts as novel in the running shares, 0.01 by default, and the number of samples
/// that the shares remember, about `2^log2_window`: 2^10 by default, at most 2^31.
#[unsafe(no_mangle)]
pub extern "C" fn edgemix_drift_running_shares(drift: Option<&mut Drift>, rate: f32, log2_window: u32) -> Status {
    let test = drift.ok_or(EDGEMIX_ERROR_NULL).and_then(Drift::test_mut);
    status::of(test.map(|test| drift::set_running_shares(test, rate, log2_window)))
}

/// Observes an assignment.
///
/// # Safety
/// `drift` was filled by `edgemix_drift_init`.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn edgemix_drift_observe(drift: Option<&mut Drift>, found: Option<&Assignment>) -> Status {
    let (Some(drift), Some(found)) = (drift, found) else { return EDGEMIX_ERROR_NULL };
    let (clusters, n_clusters) = (drift.clusters, drift.n_clusters);
    status::of(drift.test_mut().and_then(|test| {
        // SAFETY: `edgemix_drift_init` kept both, and the caller vouches for them.
        drift::observe(test, found, unsafe { elements_mut(clusters, n_clusters) }?);
        Ok(())
    }))
}

/// Whether the monitor has ever raised an alarm. An alarm stays; `edgemix_drift_init` starts over.
#[unsafe(no_mangle)]
pub extern "C" fn edgemix_has_drifted(drift: Option<&Drift>) -> bool {
    drift::read(drift, |test| test.has_drifted())
}

/// The present evidence of drift in units of 2^-16 bit; it may be negative.
#[unsafe(no_mangle)]
pub extern "C" fn edgemix_drift_evidence(drift: Option<&Drift>) -> i32 {
    drift::read(drift, |test| test.evidence().0)
}

/// The evidence that raises an alarm, in units of 2^-16 bit.
#[unsafe(no_mangle)]
pub extern "C" fn edgemix_drift_alarm(drift: Option<&Drift>) -> i32 {
    drift::read(drift, |test| test.evidence().1)
}

/// Number of observed assignments.
#[unsafe(no_mangle)]
pub extern "C" fn edgemix_drift_seen(drift: Option<&Drift>) -> u64 {
    drift::read(drift, |test| test.seen())
}

/// The running share of novel samples, from 0 to 1.
#[unsafe(no_mangle)]
pub extern "C" fn edgemix_drift_novel_share(drift: Option<&Drift>) -> f32 {
    drift::read(drift, |test| test.novel_share())
}

/// The running share of a cluster, from 0 to 1. It is 0 for a cluster that does not exist.
///
/// # Safety
/// `drift` was filled by `edgemix_drift_init`.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn edgemix_drift_cluster_share(drift: Option<&Drift>, cluster: u16) -> f32 {
    let Some(drift) = drift.filter(|drift| drift.test().is_some()) else { return 0.0 };
    // SAFETY: `edgemix_drift_init` kept both, and the caller vouches for them.
    let clusters = unsafe { elements(drift.clusters, drift.n_clusters) };
    clusters.map_or(0.0, |clusters| drift::share(clusters, cluster))
}

/// Reads beyond an array that a caller chooses.
#[cfg(feature = "reachable-panic")]
#[unsafe(no_mangle)]
pub extern "C" fn edgemix_panic(index: usize) -> u8 {
    const TABLE: [u8; 4] = [1, 2, 3, 4];
    TABLE[index]
}
