//! The clustering phase of methods whose clusters learn together with the encoder: the latents are standardised once,
//! clusters are found, and encoder and clusters are trained on one objective.

use burn::tensor::Tensor;
use burn::tensor::backend::AutodiffBackend;
use rand_chacha::ChaCha8Rng;
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};

use super::learner::{Learner, LearnerState, Losses};
use super::reconstruction::{reconstruct, squared_error};
use super::standardisation::Standardisation;
use crate::nn::{Latent, Optimizer};
use crate::trained::{Head, Trained};
use crate::training::{Batch, FitError, Fitting, Phase, Terms};

/// Clusters of standardised latents that are trained together with the encoder.
pub(in crate::methods) trait LearnedClusters<B: AutodiffBackend>: Sized {
    /// The method's settings.
    type Settings;

    /// The state of the clusters in a checkpoint.
    type State: Serialize + DeserializeOwned;

    /// Values that stay the same during an epoch.
    type Epoch;

    /// Whether the clustering loss is computed on augmented samples. An epoch's targets always come from unaugmented
    /// ones.
    const MOVED: bool;

    /// Whether the autoencoder is variational in this phase. During reconstruction it never is.
    const VARIATIONAL: bool;

    /// Finds clusters of `N x D` latents.
    ///
    /// # Errors
    /// If a mixture degenerates.
    fn find(
        settings: &Self::Settings,
        optimizer: Optimizer,
        z: &Tensor<B::InnerBackend, 2>,
        rng: &mut ChaCha8Rng,
    ) -> Result<Self, FitError>;

    /// The weight of the reconstruction loss, which is half the squared error summed over `n_features`. `squared_error`
    /// is the mean squared error per feature at the start of the epoch; it is 0 unless the autoencoder is variational.
    fn reconstruction_weight(settings: &Self::Settings, n_features: usize, squared_error: f64) -> f64;

    /// Computes the values that stay the same during an epoch, from the latents of all samples.
    ///
    /// # Errors
    /// If a mixture degenerates.
    fn begin_epoch(
        &mut self,
        settings: &Self::Settings,
        z: &Tensor<B::InnerBackend, 2>,
    ) -> Result<Self::Epoch, FitError>;

    /// The clustering losses of a batch's standardised latents. Parts that learn by a loss of their own take their step
    /// here.
    fn losses(
        &mut self,
        settings: &Self::Settings,
        epoch: &Self::Epoch,
        latent: Latent<B>,
        batch: &mut Batch<B>,
    ) -> Losses<B>;

    /// Takes a step of the parameters that learn by the same losses as the encoder.
    fn descend(&mut self, gradients: &mut B::Gradients, rate: f64);

    /// The number of clusters.
    fn n_clusters(&self) -> usize;

    /// The head to export, given the latents of all samples.
    ///
    /// # Errors
    /// If a mixture degenerates.
    fn head(&self, settings: &Self::Settings, z: &Tensor<B::InnerBackend, 2>) -> Result<Head, FitError>;

    /// The state for a checkpoint.
    ///
    /// # Errors
    /// If a network's numbers can't be written.
    fn state(&self) -> Result<Self::State, FitError>;

    /// Restores the clusters from a checkpoint's [`state`](Self::state).
    ///
    /// # Errors
    /// If a network's numbers can't be read.
    fn restore(
        settings: &Self::Settings,
        optimizer: Optimizer,
        state: Self::State,
        device: &B::Device,
    ) -> Result<Self, FitError>;
}

/// Reconstructs, then trains encoder and clusters together.
///
/// # Errors
/// See [`FitError`].
pub(in crate::methods) fn fit<B: AutodiffBackend, C: LearnedClusters<B>>(
    settings: &C::Settings,
    fit: &mut Fitting<'_, B>,
) -> Result<Trained, FitError> {
    let plan = fit.plan.clustering;
    let JointPhase { learner, standardisation, clusters, .. } = fit.phase(
        plan,
        |fit| JointPhase::<B, C>::begin(settings, fit),
        |state, fit| JointPhase::restore(settings, state, fit),
    )?;
    fit.activity("last fit of the clusters");
    let z = standardisation.apply(learner.latents(&fit.data)?);
    let head = clusters.head(settings, &z)?;
    // Without a reconstruction, the decoder stayed behind when the encoder learned on.
    let reconstructs = C::reconstruction_weight(settings, fit.data.n_inputs(), 1.0) > 0.0;
    let decoder = reconstructs.then(|| learner.to_decoder(Some(&standardisation), C::VARIATIONAL, &fit.data));
    let decoder = decoder.transpose()?;
    Ok(Trained { decoder, ..fit.trained(standardisation.fold(learner.to_layers()), head) })
}

/// An autoencoder and the clusters that are trained with it.
struct JointPhase<'s, B: AutodiffBackend, C: LearnedClusters<B>> {
    settings: &'s C::Settings,
    learner: Learner<B>,
    standardisation: Standardisation,
    clusters: C,
}

/// The state of the phase in a checkpoint.
#[derive(Serialize, Deserialize)]
struct JointState<S> {
    learner: LearnerState,
    standardisation: Standardisation,
    clusters: S,
}

impl<'s, B: AutodiffBackend, C: LearnedClusters<B>> JointPhase<'s, B, C> {
    fn begin(settings: &'s C::Settings, fit: &mut Fitting<'_, B>) -> Result<Self, FitError> {
        let optimizer = fit.plan.clustering.optimizer;
        let mut learner = reconstruct(fit, C::VARIATIONAL, squared_error)?;
        fit.activity("finding clusters");
        let (standardisation, z) = learner.standardised_latents(&fit.data)?;
        let clusters = C::find(settings, optimizer, &z, &mut fit.rng("cluster", 0))?;
        learner.autoencoder.restart(optimizer);
        Ok(Self { settings, learner, standardisation, clusters })
    }

    fn restore(settings: &'s C::Settings, state: JointState<C::State>, fit: &Fitting<'_, B>) -> Result<Self, FitError> {
        let optimizer = fit.plan.clustering.optimizer;
        let learner = Learner::restored(fit, optimizer, C::VARIATIONAL, state.learner)?;
        let clusters = C::restore(settings, optimizer, state.clusters, &learner.device)?;
        Ok(Self { settings, learner, standardisation: state.standardisation, clusters })
    }
}

/// The weight of the reconstruction, and the clusters' own values for an epoch.
struct JointEpoch<E> {
    reconstruction: f64,
    clusters: E,
}

impl<B: AutodiffBackend, C: LearnedClusters<B>> Phase<B> for JointPhase<'_, B, C> {
    type State = JointState<C::State>;
    type Epoch = JointEpoch<C::Epoch>;

    fn begin_epoch(&mut self, _: usize, fit: &mut Fitting<'_, B>) -> Result<Self::Epoch, FitError> {
        let z = self.learner.latents(&fit.data)?;
        let squared_error = if C::VARIATIONAL { self.learner.squared_error(&z, &fit.data)? } else { 0.0 };
        let reconstruction = C::reconstruction_weight(self.settings, fit.data.n_inputs(), squared_error);
        let clusters = self.clusters.begin_epoch(self.settings, &self.standardisation.apply(z))?;
        Ok(JointEpoch { reconstruction, clusters })
    }

    fn step(&mut self, epoch: &Self::Epoch, mut batch: Batch<B>) -> Terms<B::InnerBackend> {
        let Self { settings, learner, standardisation, clusters } = self;
        let rate = batch.learning_rate;
        let (seen, target) = match C::MOVED {
            true => (batch.augmented.clone(), batch.target.clone()),
            false => (batch.clean.clone(), batch.clean.clone()),
        };
        let latent = standardisation.noisy(learner.encode(seen), &learner.device);
        let mut losses = vec![];
        if epoch.reconstruction > 0.0 {
            losses.push(("reconstruction", learner.error(&latent, target, &mut batch.rng) * epoch.reconstruction));
        }
        let standardised = standardisation.apply_to(latent, &learner.device);
        losses.extend(clusters.losses(settings, &epoch.clusters, standardised, &mut batch));
        learner.descend(losses, rate, |gradients| clusters.descend(gradients, rate))
    }

    fn n_clusters(&self) -> Option<usize> {
        Some(self.clusters.n_clusters())
    }

    fn latents(&self, x: Tensor<B::InnerBackend, 2>) -> Option<Tensor<B::InnerBackend, 2>> {
        Some(self.learner.latents_of(x))
    }

    fn state(&self) -> Result<Self::State, FitError> {
        let (learner, standardisation) = (self.learner.state()?, self.standardisation.clone());
        Ok(JointState { learner, standardisation, clusters: self.clusters.state()? })
    }
}
