//! The weights of modules and the state of optimisers as bytes.

use burn::record::{BinBytesRecorder, FullPrecisionSettings, Record, Recorder, RecorderError};
use burn::tensor::backend::Backend;
use thiserror::Error;

/// Why the weights of a network can't be written or read.
#[derive(Debug, Error)]
#[error("the weights of a network cannot be written or read: {0}")]
pub struct RecordError(#[from] RecorderError);

pub(super) fn write<B: Backend, R: Record<B>>(record: R) -> Result<Vec<u8>, RecordError> {
    let recorder = BinBytesRecorder::<FullPrecisionSettings>::default();
    Ok(Recorder::<B>::record(&recorder, record, ())?)
}

pub(super) fn read<B: Backend, R: Record<B>>(bytes: Vec<u8>, device: &B::Device) -> Result<R, RecordError> {
    let recorder = BinBytesRecorder::<FullPrecisionSettings>::default();
    Ok(Recorder::<B>::load(&recorder, bytes, device)?)
}
