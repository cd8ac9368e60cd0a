//! The phase that most methods begin with: an autoencoder learns to reconstruct the samples.

use burn::tensor::Tensor;
use burn::tensor::backend::AutodiffBackend;
use serde::{Deserialize, Serialize};

use super::learner::{Learner, LearnerState, Losses, divergence_from_standard, gaussians};
use crate::data::ImageShape;
use crate::nn::Latent;
use crate::training::{Batch, FitError, Fitting, Phase, Terms};

/// What a decoder learns to reconstruct from the latents of an augmented sample.
///
/// Phases that encode the samples as they are reconstruct those, whatever this says.
///
/// ```
/// use edgemix::methods::{FitConfig, ReconstructionTarget};
///
/// let config: FitConfig = toml::from_str("reconstruct = \"moved\"\nmethod.name = \"idec\"")?;
/// assert_eq!(config.reconstruct, ReconstructionTarget::Moved);
/// # Ok::<(), toml::de::Error>(())
/// ```
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum ReconstructionTarget {
    /// The augmented sample if it is an image of at least 16 rows and columns, as in "Deep Embedded Clustering with Data
    /// Augmentation" (Guo, Zhu, Liu and Yin, 2018); otherwise the original sample, since interpolation blurs images of
    /// few pixels.
    #[default]
    Auto,
    /// The augmented sample.
    Moved,
    /// The original sample.
    Still,
}

/// The least number of rows and columns with which [`ReconstructionTarget::Auto`] chooses the augmented image.
const LARGE: usize = 16;

impl ReconstructionTarget {
    /// Whether the target is the augmented sample, for samples that form such images or none.
    pub(in crate::methods) fn is_moved(self, image: Option<ImageShape>) -> bool {
        match self {
            Self::Auto => image.is_some_and(|shape| shape.height.min(shape.width) >= LARGE),
            Self::Moved => true,
            Self::Still => false,
        }
    }
}

/// Trains an autoencoder on a loss and returns it, or returns the one that the fit starts from. One that was trained is kept,
/// so that other fits can start from it.
///
/// If the weights of the encoder are given, the decoder learns alone, and from the squared error: gradients that come through a
/// fresh decoder would spoil what the encoder has learned (Kumar, Raghunathan, Jones, Ma and Liang, "Fine-Tuning can Distort
/// Pretrained Features and Underperform Out-of-Distribution", 2022).
///
/// # Errors
/// See [`FitError`].
pub(in crate::methods) fn reconstruct<B: AutodiffBackend>(
    fit: &mut Fitting<'_, B>,
    variational: bool,
    loss: impl Fn(&Learner<B>, &mut Batch<B>) -> Losses<B>,
) -> Result<Learner<B>, FitError> {
    let plan = fit.plan.reconstruction;
    if let Some(kept) = fit.kept_autoencoder()? {
        return Learner::started(fit, plan.optimizer, variational, kept);
    }
    if fit.start.is_some() {
        let learner = train(fit, false, decoding)?;
        let kept = fit.keep_autoencoder(false, learner.autoencoder.weights()?)?;
        return Learner::started(fit, plan.optimizer, variational, kept);
    }
    let learner = train(fit, variational, loss)?;
    fit.keep_autoencoder(variational, learner.autoencoder.weights()?)?;
    Ok(learner)
}

/// Runs the phase.
fn train<B: AutodiffBackend>(
    fit: &mut Fitting<'_, B>,
    variational: bool,
    loss: impl Fn(&Learner<B>, &mut Batch<B>) -> Losses<B>,
) -> Result<Learner<B>, FitError> {
    let (plan, loss) = (fit.plan.reconstruction, &loss);
    let phase = fit.phase(
        plan,
        |fit| Ok(Reconstruction { learner: Learner::new(fit, plan.optimizer, variational), loss }),
        |state, fit| Ok(Reconstruction { learner: Learner::restored(fit, plan.optimizer, variational, state)?, loss }),
    )?;
    Ok(phase.learner)
}

/// The loss of a decoder whose encoder stays as it is.
fn decoding<B: AutodiffBackend>(learner: &Learner<B>, batch: &mut Batch<B>) -> Losses<B> {
    let mean = learner.autoencoder.encode(batch.augmented.clone()).mean.detach();
    vec![("reconstruction", learner.reconstruction(&Latent { mean, log_variance: None }, batch))]
}

/// The loss of a plain or variational autoencoder: augmented samples are encoded, and they or the original ones reconstructed.
/// A variational autoencoder adds the divergence from the standard normal.
pub(in crate::methods) fn evidence<B: AutodiffBackend>(learner: &Learner<B>, batch: &mut Batch<B>) -> Losses<B> {
    let latent = learner.autoencoder.encode(batch.augmented.clone());
    let mut losses = vec![("reconstruction", learner.reconstruction(&latent, batch))];
    if latent.log_variance.is_some() {
        losses.push(("prior", divergence_from_standard(gaussians(latent, 1.0)).mean()));
    }
    losses
}

/// The loss of a plain autoencoder, which decodes the means. It also pretrains encoders that are variational later.
pub(in crate::methods) fn squared_error<B: AutodiffBackend>(learner: &Learner<B>, batch: &mut Batch<B>) -> Losses<B> {
    let mean = learner.autoencoder.encode(batch.augmented.clone()).mean;
    let latent = Latent { mean, log_variance: None };
    vec![("reconstruction", learner.reconstruction(&latent, batch))]
}

/// An autoencoder and the loss that it is trained on.
struct Reconstruction<'l, B: AutodiffBackend, L> {
    learner: Learner<B>,
    loss: &'l L,
}

impl<B: AutodiffBackend, L: Fn(&Learner<B>, &mut Batch<B>) -> Losses<B>> Phase<B> for Reconstruction<'_, B, L> {
    type State = LearnerState;
    type Epoch = ();

    fn begin_epoch(&mut self, _: usize, _: &mut Fitting<'_, B>) -> Result<(), FitError> {
        Ok(())
    }

    fn step(&mut self, (): &(), mut batch: Batch<B>) -> Terms<B::InnerBackend> {
        let losses = (self.loss)(&self.learner, &mut batch);
        self.learner.descend(losses, batch.learning_rate, |_| ())
    }

    fn n_clusters(&self) -> Option<usize> {
        None
    }

    fn latents(&self, x: Tensor<B::InnerBackend, 2>) -> Option<Tensor<B::InnerBackend, 2>> {
        Some(self.learner.latents_of(x))
    }

    fn state(&self) -> Result<LearnerState, FitError> {
        self.learner.state()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn large_images_are_reconstructed_as_they_were_moved_and_nothing_else_unless_asked_for() {
        use ReconstructionTarget::{Auto, Moved, Still};
        let image = |side| Some(ImageShape { channels: 1, height: side, width: side });
        assert!(Auto.is_moved(image(28)) && !Auto.is_moved(image(8)) && !Auto.is_moved(None));
        assert!(Moved.is_moved(image(8)) && !Still.is_moved(image(28)));
    }
}
