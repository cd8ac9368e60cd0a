//! The two phases that follow the reconstruction.

use burn::tensor::Tensor;
use burn::tensor::backend::AutodiffBackend;

use super::classified::{Classified, ClassifiedState};
use super::clusters::bounded_latents;
use super::settings::SoftmaxStart;
use crate::training::{Batch, FitError, Fitting, Phase, Terms};

/// The softmax layer learns the clusters that were found.
pub(super) struct ClassifyPhase<'d, B: AutodiffBackend>(pub(super) Classified<'d, B>);

impl<B: AutodiffBackend> Phase<B> for ClassifyPhase<'_, B> {
    type State = ClassifiedState;
    type Epoch = ();

    fn begin_epoch(&mut self, _: usize, _: &mut Fitting<'_, B>) -> Result<(), FitError> {
        Ok(())
    }

    fn step(&mut self, (): &(), batch: Batch<B>) -> Terms<B::InnerBackend> {
        self.0.step(batch)
    }

    fn n_clusters(&self) -> Option<usize> {
        Some(self.0.head.n_clusters())
    }

    fn latents(&self, x: Tensor<B::InnerBackend, 2>) -> Option<Tensor<B::InnerBackend, 2>> {
        Some(self.0.learner.latents_of(x).tanh())
    }

    fn state(&self) -> Result<ClassifiedState, FitError> {
        self.0.state()
    }
}

/// Targets are recomputed from predictions, and then learned, in turn.
pub(super) struct ClusterPhase<'d, B: AutodiffBackend> {
    pub(super) classified: Classified<'d, B>,
    pub(super) epochs: usize,
}

impl<B: AutodiffBackend> Phase<B> for ClusterPhase<'_, B> {
    type State = ClassifiedState;
    type Epoch = ();

    fn begin_epoch(&mut self, epoch: usize, fit: &mut Fitting<'_, B>) -> Result<(), FitError> {
        let Classified { settings, learner, head, .. } = &mut self.classified;
        if epoch == 0 && settings.start == SoftmaxStart::Components {
            // Components are separated better once the latents have been trained on them.
            (*head, self.classified.targets) = settings.find_clusters(fit.plan.clustering.optimizer, learner, fit)?;
            return Ok(());
        }
        let round = |epoch: usize| epoch * settings.rounds / self.epochs;
        if epoch == 0 || round(epoch) > round(epoch - 1) {
            let predictions = head.predict(bounded_latents(learner, &fit.data)?);
            self.classified.targets = settings.target.targets(predictions, &settings.shares);
        }
        Ok(())
    }

    fn step(&mut self, (): &(), batch: Batch<B>) -> Terms<B::InnerBackend> {
        self.classified.step(batch)
    }

    fn n_clusters(&self) -> Option<usize> {
        Some(self.classified.head.n_clusters())
    }

    fn latents(&self, x: Tensor<B::InnerBackend, 2>) -> Option<Tensor<B::InnerBackend, 2>> {
        Some(self.classified.learner.latents_of(x).tanh())
    }

    fn state(&self) -> Result<ClassifiedState, FitError> {
        self.classified.state()
    }
}
