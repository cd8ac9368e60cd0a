//! A module with its optimiser.

use std::ops::Deref;

use burn::module::AutodiffModule;
use burn::optim::GradientsParams;
use burn::tensor::backend::AutodiffBackend;
use replace_with::replace_with_or_abort;
use serde::{Deserialize, Serialize};

use super::optimizer::{Optimizer, OptimizerOf};
use super::record::{RecordError, guarded, read, shapes, write};

/// A module and its optimiser; dereferences to the module.
pub(crate) struct Optimized<B: AutodiffBackend, M: AutodiffModule<B>> {
    module: M,
    kind: Optimizer,
    optimizer: OptimizerOf<B, M>,
}

/// The weights of a module and the state of its optimiser in a checkpoint.
#[derive(Serialize, Deserialize)]
pub(crate) struct OptimizedState {
    module: Vec<u8>,
    optimizer: Vec<u8>,
}

impl OptimizedState {
    /// Checks sizes that a checkpoint states beside the weights, before anything of these sizes is created.
    ///
    /// # Errors
    /// If the state is too short for a matrix of weights of these sizes.
    pub(crate) fn check_holds(&self, rows: usize, columns: usize) -> Result<(), RecordError> {
        match rows.checked_mul(columns) {
            Some(weights) if weights.max(rows).max(columns) <= self.module.len() / size_of::<f32>() => Ok(()),
            _ => Err(RecordError::Damaged),
        }
    }
}

impl<B: AutodiffBackend, M: AutodiffModule<B>> Deref for Optimized<B, M> {
    type Target = M;

    fn deref(&self) -> &M {
        &self.module
    }
}

impl<B: AutodiffBackend, M: AutodiffModule<B>> Optimized<B, M> {
    pub(crate) fn new(module: M, optimizer: Optimizer) -> Self {
        Self { module, kind: optimizer, optimizer: OptimizerOf::new(optimizer) }
    }

    /// Takes a step of the optimiser with the gradients of a loss.
    pub(crate) fn descend(&mut self, gradients: &mut B::Gradients, rate: f64) {
        let own = GradientsParams::from_module(gradients, &self.module);
        // The module is not cloned: parameters with a single owner are updated in place.
        replace_with_or_abort(&mut self.module, |module| self.optimizer.step(rate, module, own));
    }

    /// Starts a fresh optimiser. With the moments of another loss, the first steps of Adam would be far too long.
    pub(crate) fn restart(&mut self, optimizer: Optimizer) {
        self.kind = optimizer;
        self.optimizer = OptimizerOf::new(optimizer);
    }

    /// Keeps the optimiser's state if the next optimiser is the same; otherwise starts a fresh one.
    pub(crate) fn continue_with(&mut self, optimizer: Optimizer) {
        if optimizer != self.kind {
            self.restart(optimizer);
        }
    }

    /// The state from which [`Self::with_state`] continues with the same bits.
    pub(crate) fn state(&self) -> Result<OptimizedState, RecordError> {
        let module = write::<B, _>(self.module.clone().into_record())?;
        Ok(OptimizedState { module, optimizer: self.optimizer.to_bytes()? })
    }

    /// Restores the state of a module of the same shape with the same optimiser.
    pub(crate) fn with_state(self, state: OptimizedState, device: &B::Device) -> Result<Self, RecordError> {
        let Self { module, kind, optimizer } = self;
        let expected = shapes(&module);
        let record = read::<B, _>(state.module, device)?;
        let module = guarded(|| Ok(module.load_record(record)))?;
        if shapes(&module) != expected {
            return Err(RecordError::Damaged);
        }
        Ok(Self { module, kind, optimizer: optimizer.with_bytes(state.optimizer, device)? })
    }
}
