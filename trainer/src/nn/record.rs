//! The weights of modules and the state of optimisers as bytes.

use std::panic::{AssertUnwindSafe, catch_unwind};

use burn::record::{BinBytesRecorder, FullPrecisionSettings, Record, Recorder, RecorderError};
use burn::tensor::backend::Backend;
use thiserror::Error;

/// Why the weights of a network can't be written or read.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum RecordError {
    /// The library of the networks gives the reason.
    #[error("the weights of a network cannot be written or read: {0}")]
    Recorder(#[from] RecorderError),
    /// The bytes are not weights.
    #[error("the weights of a network are damaged")]
    Damaged,
}

pub(super) fn write<B: Backend, R: Record<B>>(record: R) -> Result<Vec<u8>, RecordError> {
    let recorder = BinBytesRecorder::<FullPrecisionSettings>::default();
    Ok(Recorder::<B>::record(&recorder, record, ())?)
}

pub(super) fn read<B: Backend, R: Record<B>>(bytes: Vec<u8>, device: &B::Device) -> Result<R, RecordError> {
    let recorder = BinBytesRecorder::<FullPrecisionSettings>::default();
    // The recorder panics on bytes that are no record. Nothing but its result is used afterwards.
    let read = AssertUnwindSafe(|| Recorder::<B>::load(&recorder, bytes, device));
    Ok(catch_unwind(read).map_err(|_| RecordError::Damaged)??)
}
