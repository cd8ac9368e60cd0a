//! A module with the optimiser that moves it.

use burn::module::AutodiffModule;
use burn::optim::adaptor::OptimizerAdaptor;
use burn::optim::{Adam, GradientsParams, Optimizer};
use burn::tensor::backend::AutodiffBackend;
use serde::{Deserialize, Serialize};

use super::learner::{adam, read, record};
use crate::training::FitError;

/// A module and its Adam.
pub(super) struct Optimized<B: AutodiffBackend, M: AutodiffModule<B>> {
    pub(super) module: M,
    optimizer: OptimizerAdaptor<Adam, M, B>,
}

/// What a checkpoint holds of it.
#[derive(Serialize, Deserialize)]
pub(super) struct Saved {
    module: Vec<u8>,
    optimizer: Vec<u8>,
}

impl<B: AutodiffBackend, M: AutodiffModule<B>> Optimized<B, M> {
    pub(super) fn new(module: M) -> Self {
        Self { module, optimizer: adam().init() }
    }

    /// A step down the loss that these gradients are of.
    pub(super) fn descend(&mut self, gradients: &mut B::Gradients, rate: f64) {
        let own = GradientsParams::from_module(gradients, &self.module);
        self.module = self.optimizer.step(rate, self.module.clone(), own);
    }

    pub(super) fn save(&self) -> Result<Saved, FitError> {
        Ok(Saved {
            module: record::<B, _>(self.module.clone().into_record())?,
            optimizer: record::<B, _>(self.optimizer.to_record())?,
        })
    }

    /// Takes up what was saved of a module of the same shape.
    pub(super) fn restore(self, saved: Saved, device: &B::Device) -> Result<Self, FitError> {
        Ok(Self {
            module: self.module.load_record(read::<B, _>(saved.module, device)?),
            optimizer: self.optimizer.load_record(read::<B, _>(saved.optimizer, device)?),
        })
    }
}
