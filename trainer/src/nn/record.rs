//! The weights of modules and the state of optimisers as bytes.

use std::panic::{AssertUnwindSafe, catch_unwind};

use burn::module::{Module, ModuleVisitor, Param};
use burn::record::{FullPrecisionSettings, NamedMpkBytesRecorder, Record, Recorder, RecorderError};
use burn::tensor::Tensor;
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

// MessagePack: what its reader allocates is bounded by the bytes there are, and not by a length that they state.
pub(super) fn write<B: Backend, R: Record<B>>(record: R) -> Result<Vec<u8>, RecordError> {
    let recorder = NamedMpkBytesRecorder::<FullPrecisionSettings>::default();
    Ok(Recorder::<B>::record(&recorder, record, ())?)
}

pub(super) fn read<B: Backend, R: Record<B>>(bytes: Vec<u8>, device: &B::Device) -> Result<R, RecordError> {
    let recorder = NamedMpkBytesRecorder::<FullPrecisionSettings>::default();
    guarded(|| Ok(Recorder::<B>::load(&recorder, bytes, device)?))
}

/// Calls a part of the library that panics on bytes that are no record, and on a record of another module. Nothing but its
/// result is used afterwards.
pub(super) fn guarded<T>(read: impl FnOnce() -> Result<T, RecordError>) -> Result<T, RecordError> {
    catch_unwind(AssertUnwindSafe(read)).map_err(|_| RecordError::Damaged)?
}

/// The shapes of a module's parameters, in their order.
pub(super) fn shapes<B: Backend, M: Module<B>>(module: &M) -> Vec<Vec<usize>> {
    let mut shapes = Shapes(vec![]);
    module.visit(&mut shapes);
    shapes.0
}

struct Shapes(Vec<Vec<usize>>);

impl<B: Backend> ModuleVisitor<B> for Shapes {
    fn visit_float<const D: usize>(&mut self, parameter: &Param<Tensor<B, D>>) {
        self.0.push(parameter.dims().into());
    }
}
