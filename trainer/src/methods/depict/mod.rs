//! DEPICT (Ghasedi Dizaji, Herandi, Deng, Cai and Huang, "Deep Clustering via Joint Convolutional Autoencoder Embedding
//! and Relative Entropy Minimization", 2017).
//!
//! **Objective**: the cross entropy between targets `q` from the clean path and predictions `p` from the corrupted one,
//! given by a softmax layer on `tanh` latents (equation 9), plus the mean squared differences between the layers of the
//! clean encoder and those of the decoder on the corrupted path (equation 10). **Update**: targets that minimise
//! `KL(q||p) + KL(mean q||u)` (equations 4 to 8), where the prior `u` is uniform unless shares are given. **Schedule**: reconstruction; the softmax layer learns the
//! clusters of k-means; then targets and networks are updated in turn. If it starts from grown components instead, they
//! are grown again once the softmax layer has learned them.
//!
//! The layers of the clean path are constants, like the targets of a regression, so hidden layers can't lower the loss
//! by shrinking.

mod classified;
mod clusters;
mod losses;
mod phases;
mod settings;
mod targets;

use burn::tensor::backend::AutodiffBackend;

use self::classified::Classified;
use self::phases::{ClassifyPhase, ClusterPhase};
pub use self::settings::{Depict, HeadStart, SoftmaxStart};
pub use self::targets::TargetRule;
use super::common::defaults::{ClusterEpochs, DefaultEncoder};
use super::common::reconstruction::reconstruct;
use super::definition::{ClusterCount, MethodSettings};
use crate::data::Samples;
use crate::nn::LayerShape;
use crate::trained::{Activation, Head, Trained};
use crate::training::{FitError, Fitting, PhasePlan};
use crate::variant::Variant;

impl MethodSettings for Depict {
    const NAME: &'static str = "depict";
    const ENCODER_LEARNS_WITH_CLUSTERS: bool = false;
    const ENCODER: DefaultEncoder = DefaultEncoder::ConvolutionalForImages;
    const WORKS_WITHOUT_ENCODER: bool = false;
    const CLUSTER_EPOCHS: ClusterEpochs = ClusterEpochs::ByReconstruction;
    const PAPER: Option<&'static str> = Some(include_str!("../presets/depict.toml"));
    const CLUSTERING_WEIGHT: Option<&'static str> = Some("gamma");

    fn cluster_count(&mut self) -> ClusterCount<'_> {
        ClusterCount::Given(&mut self.kmeans.n_clusters)
    }

    fn set_variant(&mut self, _: Variant) -> bool {
        false
    }

    fn check(&self, _: &[LayerShape], _: &Samples) -> Result<(), FitError> {
        self.check_shares()
    }

    fn exported_encoder(&self, encoder: &[LayerShape], _: &Samples) -> Result<Vec<LayerShape>, FitError> {
        Ok(encoder.to_vec())
    }

    fn fit<B: AutodiffBackend>(&self, fit: &mut Fitting<'_, B>) -> Result<Trained, FitError> {
        let plan = fit.plan.clustering;
        let phase = fit.phase(
            plan,
            |fit| {
                let mut classified = self.classify(fit)?;
                classified.learner.autoencoder.continue_with(plan.optimizer);
                classified.head.continue_with(plan.optimizer);
                Ok(ClusterPhase { classified, epochs: plan.epochs })
            },
            |state, fit| {
                Ok(ClusterPhase { classified: Classified::restore(self, plan, state, fit)?, epochs: plan.epochs })
            },
        )?;
        let Classified { learner, head, .. } = phase.classified;
        let decoder = Some(learner.to_decoder(None, false, &fit.data)?);
        let encoder = learner.autoencoder.encoder().to_layers(Activation::Tanh);
        Ok(Trained { decoder, ..fit.trained(encoder, Head::Softmax(head.to_dense())) })
    }
}

impl Depict {
    /// Trains the reconstruction, then the softmax layer on the clusters found in the latents.
    fn classify<'d, B: AutodiffBackend>(&'d self, fit: &mut Fitting<'_, B>) -> Result<Classified<'d, B>, FitError> {
        let plan = fit.plan.clustering;
        let plan = PhasePlan { epochs: plan.epochs.div_ceil(4), ..plan.named("classify") };
        let phase = fit.phase(
            plan,
            |fit| {
                let learner = reconstruct(fit, false, |learner, batch| {
                    let (clean, z) = self.paths(learner, batch);
                    self.differences(learner, clean, z)
                })?;
                fit.activity("finding clusters");
                Ok(ClassifyPhase(Classified::find(self, plan.optimizer, learner, fit)?))
            },
            |state, fit| Ok(ClassifyPhase(Classified::restore(self, plan, state, fit)?)),
        )?;
        Ok(phase.0)
    }
}
