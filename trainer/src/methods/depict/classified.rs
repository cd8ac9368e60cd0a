//! The autoencoder and the softmax layer in training.

use burn::tensor::Tensor;
use burn::tensor::backend::AutodiffBackend;
use serde::{Deserialize, Serialize};

use super::super::common::learner::{Learner, LearnerState};
use super::super::common::softmax_head::{SoftmaxHead, SoftmaxHeadState, restored_targets};
use super::settings::Depict;
use crate::mixture::elements;
use crate::nn::Optimizer;
use crate::training::{Batch, FitError, Fitting, PhasePlan, Terms};

/// An autoencoder, usually convolutional, with a softmax layer on its latents, and the layer's targets.
pub(super) struct Classified<'d, B: AutodiffBackend> {
    pub(super) settings: &'d Depict,
    pub(super) learner: Learner<B>,
    pub(super) head: SoftmaxHead<B>,
    /// `N x K`.
    pub(super) targets: Tensor<B::InnerBackend, 2>,
}

/// The state of the phase in a checkpoint.
#[derive(Serialize, Deserialize)]
pub(super) struct ClassifiedState {
    learner: LearnerState,
    head: SoftmaxHeadState,
    /// `N x K`, row-major.
    targets: Vec<f64>,
}

impl<'d, B: AutodiffBackend> Classified<'d, B> {
    pub(super) fn find(
        settings: &'d Depict,
        optimizer: Optimizer,
        mut learner: Learner<B>,
        fit: &Fitting<'_, B>,
    ) -> Result<Self, FitError> {
        let (head, targets) = settings.find_clusters(optimizer, &mut learner, fit)?;
        Ok(Self { settings, learner, head, targets })
    }

    pub(super) fn restore(
        settings: &'d Depict,
        plan: PhasePlan,
        state: ClassifiedState,
        fit: &Fitting<'_, B>,
    ) -> Result<Self, FitError> {
        let learner = Learner::restored(fit, plan.optimizer, false, state.learner)?;
        let head = SoftmaxHead::restored(state.head, plan.optimizer, &learner.device)?;
        let targets = restored_targets(&state.targets, head.n_clusters(), fit)?;
        Ok(Self { settings, learner, head, targets })
    }

    pub(super) fn step(&mut self, mut batch: Batch<B>) -> Terms<B::InnerBackend> {
        let Self { settings, learner, head, targets } = self;
        let rate = batch.learning_rate;
        let (clean, z) = settings.paths(learner, &mut batch);
        let mut losses = settings.differences(learner, clean, z.clone());
        let targets: Tensor<B, 2> = Tensor::from_inner(targets.clone().select(0, batch.indices.inner()));
        losses.push(("cluster", head.cross_entropy(targets, z) * settings.gamma));
        learner.descend(losses, rate, |gradients| head.descend(gradients, rate))
    }

    pub(super) fn state(&self) -> Result<ClassifiedState, FitError> {
        let targets = elements(self.targets.clone());
        Ok(ClassifiedState { learner: self.learner.state()?, head: self.head.state()?, targets })
    }
}
