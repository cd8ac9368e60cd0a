//! The clean and the corrupted path, and the differences between their layers.

use burn::module::AutodiffModule;
use burn::tensor::Tensor;
use burn::tensor::backend::AutodiffBackend;

use super::super::common::learner::{Learner, Losses};
use super::settings::Depict;
use crate::nn::Dropout;
use crate::training::Batch;

impl Depict {
    /// The samples of the clean path, which the decoder reconstructs, and the latents of the corrupted path.
    pub(super) fn paths<B: AutodiffBackend>(
        &self,
        learner: &Learner<B>,
        batch: &mut Batch<B>,
    ) -> (Tensor<B::InnerBackend, 2>, Tensor<B, 2>) {
        let mut dropout = Dropout { rate: self.dropout, rng: &mut batch.rng };
        let clean = batch.target.clone();
        let z = learner.autoencoder.encoder().corrupted(batch.augmented.clone(), &mut dropout).tanh();
        (clean.inner(), z)
    }

    /// The mean squared differences between the clean encoder's layers and the decoder's, from corrupted latents.
    pub(super) fn differences<B: AutodiffBackend>(
        &self,
        learner: &Learner<B>,
        clean: Tensor<B::InnerBackend, 2>,
        z: Tensor<B, 2>,
    ) -> Losses<B> {
        let mut layers = learner.autoencoder.valid().encoder().outputs(clean.clone());
        layers.pop();
        layers.insert(0, clean);
        let decoded = learner.autoencoder.decoder().outputs(z);
        let mut differences =
            decoded.into_iter().rev().zip(layers).map(|(a, b)| (a - Tensor::from_inner(b)).square().mean());
        let samples = differences.next().map(|loss| ("reconstruction", loss));
        let hidden = differences.reduce(|a, b| a + b).map(|loss| ("hidden", loss * self.hidden));
        samples.into_iter().chain(hidden).collect()
    }
}
