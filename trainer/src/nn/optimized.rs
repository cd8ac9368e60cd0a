//! A module with its optimiser.

use std::ops::Deref;

use burn::module::{AutodiffModule, Module, ModuleVisitor, Param};
use burn::optim::GradientsParams;
use burn::tensor::Tensor;
use burn::tensor::backend::{AutodiffBackend, Backend};
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
    #[serde(with = "serde_bytes")]
    module: Vec<u8>,
    #[serde(with = "serde_bytes")]
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

    /// The weights alone.
    pub(crate) fn weights(&self) -> Result<Vec<u8>, RecordError> {
        write::<B, _>(self.module.clone().into_record())
    }

    /// The state from which [`Self::with_state`] continues with the same bits.
    pub(crate) fn state(&self) -> Result<OptimizedState, RecordError> {
        Ok(OptimizedState { module: self.weights()?, optimizer: self.optimizer.to_bytes()? })
    }

    /// Restores the state of a module of the same shape with the same optimiser.
    pub(crate) fn with_state(self, state: OptimizedState, device: &B::Device) -> Result<Self, RecordError> {
        let Self { module, kind, optimizer } = self;
        let module = with_weights::<B, M>(module, state.module, device)?;
        let expected = shapes(&module);
        let optimizer = optimizer.with_bytes(state.optimizer, device)?;
        // Moments of other shapes than the weights are a panic of the step that uses them.
        let tried = guarded(|| Ok(optimizer.clone().step(0.0, module.clone(), no_gradients(&module))))?;
        if shapes(&tried) != expected {
            return Err(RecordError::Damaged);
        }
        Ok(Self { module, kind, optimizer })
    }
}

/// A module with other [weights](Optimized::weights) of the same shapes.
pub(crate) fn with_weights<B: Backend, M: Module<B>>(
    module: M,
    weights: Vec<u8>,
    device: &B::Device,
) -> Result<M, RecordError> {
    let expected = shapes(&module);
    let record = read::<B, _>(weights, device)?;
    let module = guarded(|| Ok(module.load_record(record)))?;
    if shapes(&module) != expected { Err(RecordError::Damaged) } else { Ok(module) }
}

/// A gradient of zeros for each parameter.
fn no_gradients<B: AutodiffBackend, M: AutodiffModule<B>>(module: &M) -> GradientsParams {
    let mut zeros = Zeros(GradientsParams::new());
    module.visit(&mut zeros);
    zeros.0
}

struct Zeros(GradientsParams);

impl<B: AutodiffBackend> ModuleVisitor<B> for Zeros {
    fn visit_float<const D: usize>(&mut self, parameter: &Param<Tensor<B, D>>) {
        self.0.register(parameter.id, parameter.val().inner().zeros_like());
    }
}

#[cfg(test)]
mod tests {
    use burn::backend::{Autodiff, Flex};
    use burn::nn::{Linear, LinearConfig};

    use super::*;

    type B = Autodiff<Flex>;

    fn layer(inputs: usize) -> Linear<B> {
        LinearConfig::new(inputs, 3).with_bias(false).init(&Default::default())
    }

    #[test]
    fn moments_of_other_weights_are_refused() {
        for kind in [Optimizer::Adam {}, Optimizer::Sgd { momentum: 0.5 }] {
            let mut taught = Optimized::new(layer(2), kind);
            let id = taught.weight.id;
            let mut gradients = taught.weight.val().sum().backward();
            taught.descend(&mut gradients, 0.1);
            let restored = |inputs| {
                let mut other = layer(inputs);
                other.weight = Param::initialized(id, other.weight.val());
                let other = Optimized::new(other, kind);
                let OptimizedState { module, .. } = other.state().unwrap();
                let OptimizedState { optimizer, .. } = taught.state().unwrap();
                other.with_state(OptimizedState { module, optimizer }, &Default::default())
            };
            assert!(restored(2).is_ok());
            assert!(matches!(restored(4), Err(RecordError::Damaged)), "{kind:?}");
        }
    }
}
