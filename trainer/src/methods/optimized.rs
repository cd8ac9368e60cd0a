//! A module with the optimiser that moves it.

use std::ops::Deref;

use burn::module::AutodiffModule;
use burn::optim::{GradientsParams, Optimizer};
use burn::tensor::backend::AutodiffBackend;
use replace_with::replace_with_or_abort;
use serde::{Deserialize, Serialize};

use super::learner::{read, record};
use crate::nn::{AdamOf, adam};
use crate::training::FitError;

/// A module and its Adam; seen as the module.
pub(super) struct Optimized<B: AutodiffBackend, M: AutodiffModule<B>> {
    module: M,
    optimizer: AdamOf<B, M>,
}

/// What a checkpoint holds of it.
#[derive(Serialize, Deserialize)]
pub(super) struct Saved {
    module: Vec<u8>,
    optimizer: Vec<u8>,
}

impl<B: AutodiffBackend, M: AutodiffModule<B>> Deref for Optimized<B, M> {
    type Target = M;

    fn deref(&self) -> &M {
        &self.module
    }
}

impl<B: AutodiffBackend, M: AutodiffModule<B>> Optimized<B, M> {
    pub(super) fn new(module: M) -> Self {
        Self { module, optimizer: adam() }
    }

    /// A step down the loss that these gradients are of.
    pub(super) fn descend(&mut self, gradients: &mut B::Gradients, rate: f64) {
        let own = GradientsParams::from_module(gradients, &self.module);
        // Not a clone: parameters that nobody else holds are moved in place.
        replace_with_or_abort(&mut self.module, |module| self.optimizer.step(rate, module, own));
    }

    /// Forgets the gradients' moments: those of another loss make Adam's first steps far too long.
    pub(super) fn forget(&mut self) {
        self.optimizer = adam();
    }

    pub(super) fn save(&self) -> Result<Saved, FitError> {
        Ok(Saved {
            module: record::<B, _>(self.module.clone().into_record())?,
            optimizer: record::<B, _>(self.optimizer.to_record())?,
        })
    }

    /// Takes up what was saved of a module of the same shape.
    pub(super) fn restore(&mut self, saved: Saved, device: &B::Device) -> Result<(), FitError> {
        self.module = self.module.clone().load_record(read::<B, _>(saved.module, device)?);
        self.optimizer = self.optimizer.clone().load_record(read::<B, _>(saved.optimizer, device)?);
        Ok(())
    }
}
