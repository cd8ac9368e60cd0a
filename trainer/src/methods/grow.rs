//! Grow, this project's own method, which needs no number of clusters.
//!
//! **Schedule**: (1) an autoencoder is trained on augmented samples; (2) components are grown on the standardised
//! latents by split and merge moves, components that random halves of the samples agree to join become one cluster
//! ([`consensus`](crate::mixture::consensus)), and clusters of very few samples are dropped; (3) encoder, decoder and a
//! softmax head on the clusters are trained together for a few epochs, which separates the latents of different
//! clusters. With several `searches`, steps (2) and (3) are repeated, and a cluster that is found again keeps its
//! number.
//!
//! **Objective** of (3): the cross entropy between targets from original samples and predictions for augmented ones,
//! plus a small reconstruction loss. The targets are rebalanced several times (`rounds`): `q ~ p / sqrt(sum_i p)`
//! (Ghasedi Dizaji, Herandi, Deng, Cai and Huang, "Deep Clustering via Joint Convolutional Autoencoder Embedding and
//! Relative Entropy Minimization", 2017, equation 8).
//!
//! Finally, components are grown again on the new latents within each of the head's clusters and refined on all
//! samples. Alternatively, the softmax head itself is exported.
//!
//! Without an encoder there is step (2) alone, on the features or their principal axes.

use burn::tensor::Tensor;
use burn::tensor::activation::softmax;
use burn::tensor::backend::{AutodiffBackend, Backend};
use serde::{Deserialize, Serialize};

use super::common::defaults::{ClusterEpochs, DefaultEncoder};
use super::common::learner::{Learner, LearnerState};
use super::common::linear::LinearLatents;
use super::common::reconstruction::reconstruct;
use super::common::softmax_head::{SoftmaxHead, SoftmaxHeadState, restored_targets};
use super::common::standardisation::Standardisation;
use super::definition::{ClusterCount, MethodSettings};
use crate::base::arrays::to_array;
use crate::data::Samples;
use crate::metrics::renaming;
use crate::mixture::consensus::Grouping;
use crate::mixture::split_merge::SplitMerge;
use crate::mixture::{Mixture, NotPositiveDefinite, demp, discriminant, elements, matrix, prune};
use crate::nn::LayerShape;
use crate::stop::StopFlag;
use crate::trained::{Head, Trained};
use crate::training::{Batch, Data, Finding, FitError, Fitting, Phase, PhasePlan, Terms};
use crate::variant::Variant;

/// Clustering epochs, whatever the number of samples: with more epochs on small data, the head would learn its own
/// mistakes.
const EPOCHS: usize = 6;

/// Settings of grow.
///
/// ```
/// use edgemix::methods::{ExportedHead, Grow};
///
/// let grow: Grow = toml::from_str("head = \"softmax\"\ngrouping = { max-clusters = 12 }")?;
/// assert_eq!(grow.head, ExportedHead::Softmax);
/// assert_eq!((grow.grouping.min_clusters, grow.grouping.max_clusters), (1, 12));
/// # Ok::<(), toml::de::Error>(())
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields, rename_all = "kebab-case")]
pub struct Grow {
    /// How components are found.
    pub components: SplitMerge,
    /// Which components are grouped into one cluster.
    pub grouping: Grouping,
    /// The weight of the squared error, summed over features, relative to the cross entropy.
    pub reconstruction: f64,
    /// How often clusters are searched for, spread evenly over the clustering epochs.
    pub searches: usize,
    /// How often targets are recomputed.
    pub rounds: usize,
    /// A factor of the clustering phase's learning rate.
    pub rate: f64,
    /// The exported head.
    pub head: ExportedHead,
}

/// The head that is exported.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum ExportedHead {
    /// A mixture of the final latents.
    Mixture,
    /// The softmax head.
    Softmax,
}

impl Default for Grow {
    fn default() -> Self {
        Self {
            components: SplitMerge::default(),
            grouping: Grouping::default(),
            reconstruction: 0.02,
            searches: 1,
            rounds: 5,
            rate: 0.3,
            head: ExportedHead::Mixture,
        }
    }
}

impl MethodSettings for Grow {
    const NAME: &'static str = "grow";
    const ENCODER_LEARNS_WITH_CLUSTERS: bool = true;
    const ENCODER: DefaultEncoder = DefaultEncoder::DEC;
    const WORKS_WITHOUT_ENCODER: bool = true;
    const CLUSTER_EPOCHS: ClusterEpochs = ClusterEpochs::Exactly(EPOCHS);
    const PAPER: Option<&'static str> = None;
    const CLUSTERING_WEIGHT: Option<&'static str> = None;

    fn cluster_count(&mut self) -> ClusterCount<'_> {
        ClusterCount::Found { least: &mut self.grouping.min_clusters, most: &mut self.grouping.max_clusters }
    }

    fn set_variant(&mut self, _: Variant) -> bool {
        false
    }

    fn check(&self, _: &[LayerShape], _: &Samples) -> Result<(), FitError> {
        Ok(())
    }

    fn exported_encoder(&self, encoder: &[LayerShape], _: &Samples) -> Result<Vec<LayerShape>, FitError> {
        Ok(encoder.to_vec())
    }

    fn fit<B: AutodiffBackend>(&self, fit: &mut Fitting<'_, B>) -> Result<Trained, FitError> {
        if fit.plan.encoder.is_empty() {
            return self.fit_features(fit);
        }
        let plan = fit.plan.clustering;
        let plan = PhasePlan { learning_rate: plan.learning_rate * self.rate, ..plan };
        let phase = fit.phase(
            plan,
            |fit| GrowPhase::begin(self, plan, fit),
            |state, fit| GrowPhase::restore(self, plan, state, fit),
        )?;
        fit.activity("last fit of the clusters");
        let (standardisation, head) = match self.head {
            ExportedHead::Softmax => {
                (phase.classifier.standardisation, Head::Softmax(phase.classifier.head.to_dense()))
            }
            ExportedHead::Mixture => {
                let (standardisation, mixture) = phase.regrow(fit)?;
                (standardisation, Head::Mixture(mixture))
            }
        };
        // Without a reconstruction, the decoder stayed behind when the encoder learned on.
        let reconstructs = self.reconstruction > 0.0;
        let decoder = reconstructs.then(|| phase.learner.to_decoder(Some(&standardisation), false, &fit.data));
        let decoder = decoder.transpose()?;
        Ok(Trained { decoder, ..fit.trained(standardisation.fold(phase.learner.to_layers()), head) })
    }
}

impl Grow {
    /// Finds clusters of the features themselves. There is nothing to train: no encoder could separate them further.
    fn fit_features<B: AutodiffBackend>(&self, fit: &mut Fitting<'_, B>) -> Result<Trained, FitError> {
        fit.activity("finding clusters");
        let LinearLatents { scaling, encoder, z } = LinearLatents::of(fit)?;
        let rng = &mut fit.rng("cluster", 1);
        let (mixture, report) =
            self.grouping.find_until(&fit.stop_flag(), &self.components, to_array(z.clone()).view(), None, rng)?;
        let (mixture, report) = fit.unless_stopped((mixture, report))?;
        fit.found(Finding::ClusterCount(report));
        let head = match self.head {
            ExportedHead::Mixture => Head::Mixture(mixture),
            ExportedHead::Softmax => {
                let (weights, bias) = discriminant::fit(&z, &clusters_posterior(&z, &mixture)?);
                let head = SoftmaxHead::<B>::new(weights, bias, fit.plan.clustering.optimizer, &fit.device);
                Head::Softmax(head.to_dense())
            }
        };
        Ok(Trained { scaling, ..fit.trained(encoder, head) })
    }
}

/// An autoencoder with a softmax head on its standardised latents, both trained on the clusters found so far.
struct GrowPhase<'g, B: AutodiffBackend> {
    settings: &'g Grow,
    plan: PhasePlan,
    learner: Learner<B>,
    classifier: Classifier<B>,
    /// `N x C`.
    targets: Tensor<B::InnerBackend, 2>,
}

/// The softmax head, the standardisation of its latents, and each cluster's share of the samples, as found.
struct Classifier<B: AutodiffBackend> {
    standardisation: Standardisation,
    head: SoftmaxHead<B>,
    shares: Vec<f64>,
}

/// The state of the phase in a checkpoint.
#[derive(Serialize, Deserialize)]
struct GrowState {
    learner: LearnerState,
    standardisation: Standardisation,
    head: SoftmaxHeadState,
    shares: Vec<f64>,
    /// `N x C`, row-major.
    targets: Vec<f64>,
}

/// `N x C`: the posterior of each cluster.
fn clusters_posterior<B: Backend>(z: &Tensor<B, 2>, mixture: &Mixture) -> Result<Tensor<B, 2>, NotPositiveDefinite> {
    Ok(demp::by_cluster(softmax(mixture.log_density(z)?, 1), mixture))
}

/// The column with the greatest value of each row.
fn greatest<B: Backend>(p: Tensor<B, 2>) -> Vec<u16> {
    elements(p.argmax(1).float()).into_iter().map(|column| column as u16).collect()
}

/// `q_ic ~ p_ic sqrt(pi_c / mean_i p_ic)` with normalised rows, which moves each cluster towards the share that it was
/// found with.
fn balanced<B: Backend>(p: Tensor<B, 2>, shares: &[f64]) -> Tensor<B, 2> {
    let shares = matrix::<B>(shares, 1, &p.device());
    let q = p.clone() * (shares / p.mean_dim(0).clamp_min(1e-12)).sqrt();
    q.clone() / q.sum_dim(1)
}

impl<B: AutodiffBackend> Classifier<B> {
    /// Grows components on the latents and groups them. The head is initialised with a linear discriminant of the
    /// clusters, whose posteriors are the first targets. Clusters that are also in `before` keep their numbers.
    fn find(
        settings: &Grow,
        plan: PhasePlan,
        learner: &Learner<B>,
        before: Option<&Self>,
        epoch: usize,
        fit: &mut Fitting<'_, B>,
    ) -> Result<(Self, Tensor<B::InnerBackend, 2>), FitError> {
        let (standardisation, z) = learner.standardised_latents(&fit.data)?;
        let rng = &mut fit.rng("cluster", 1 + epoch as u64);
        // A later search begins after epochs of which there may be no checkpoint, so that it is not cut short.
        let stop = if before.is_none() { fit.stop_flag() } else { StopFlag::default() };
        let latents = to_array(z.clone());
        let (mut mixture, report) =
            settings.grouping.find_until(&stop, &settings.components, latents.view(), fit.data.groups(), rng)?;
        if stop.is_raised() {
            fit.unless_stopped(())?;
        }
        fit.found(Finding::ClusterCount(report));
        if let Some(before) = before {
            let before = greatest(before.predict(learner, &fit.data)?);
            let names = renaming(&before, &greatest(clusters_posterior(&z, &mixture)?), mixture.n_clusters());
            mixture.clusters.iter_mut().for_each(|cluster| *cluster = names[usize::from(*cluster)]);
        }
        let posterior = clusters_posterior(&z, &mixture)?;
        let (weights, bias) = discriminant::fit(&z, &posterior);
        let head = SoftmaxHead::new(weights, bias, plan.optimizer, &learner.device);
        let shares = elements(posterior.clone().mean_dim(0));
        Ok((Self { standardisation, head, shares }, posterior))
    }

    /// The head's probabilities of all samples, `N x C`.
    fn predict(
        &self,
        learner: &Learner<B>,
        data: &Data<B::InnerBackend>,
    ) -> Result<Tensor<B::InnerBackend, 2>, FitError> {
        Ok(self.head.predict(self.standardisation.apply(learner.latents(data)?)))
    }
}

impl<'g, B: AutodiffBackend> GrowPhase<'g, B> {
    fn begin(settings: &'g Grow, plan: PhasePlan, fit: &mut Fitting<'_, B>) -> Result<Self, FitError> {
        let mut learner = reconstruct(fit, false, |learner, batch| {
            let latent = learner.autoencoder.encode(batch.augmented.clone());
            vec![("reconstruction", learner.reconstruction(&latent, batch))]
        })?;
        fit.activity("finding clusters");
        let (classifier, targets) = Classifier::find(settings, plan, &learner, None, 0, fit)?;
        learner.autoencoder.restart(plan.optimizer);
        Ok(Self { settings, plan, learner, classifier, targets })
    }

    fn restore(settings: &'g Grow, plan: PhasePlan, state: GrowState, fit: &Fitting<'_, B>) -> Result<Self, FitError> {
        let GrowState { learner, standardisation, head, shares, targets } = state;
        let learner = Learner::restored(fit, plan.optimizer, false, learner)?;
        let head = SoftmaxHead::restored(head, plan.optimizer, &learner.device)?;
        let targets = restored_targets(&targets, shares.len(), fit)?;
        let classifier = Classifier { standardisation, head, shares };
        Ok(Self { settings, plan, learner, classifier, targets })
    }

    /// Grows components on the final latents, separately in each of the head's clusters.
    fn regrow(&self, fit: &Fitting<'_, B>) -> Result<(Standardisation, Mixture), FitError> {
        let clusters = greatest(self.classifier.predict(&self.learner, &fit.data)?);
        let (standardisation, z) = self.learner.standardised_latents(&fit.data)?;
        let rng = &mut fit.rng("cluster", u64::MAX);
        let components = &self.settings.components;
        let mixture = components.fit_within_until(&fit.stop_flag(), to_array(z).view(), &clusters, rng)?;
        let mixture = fit.unless_stopped(mixture)?;
        let every: Vec<usize> = (0..mixture.n_components()).collect();
        Ok((standardisation, prune::keep(&mixture, &every)))
    }
}

impl<B: AutodiffBackend> Phase<B> for GrowPhase<'_, B> {
    type State = GrowState;
    type Epoch = ();

    fn begin_epoch(&mut self, epoch: usize, fit: &mut Fitting<'_, B>) -> Result<(), FitError> {
        let begins = |parts: usize| epoch * parts / self.plan.epochs > (epoch - 1) * parts / self.plan.epochs;
        // The first epoch's clusters have just been found.
        if epoch == 0 {
            return Ok(());
        }
        if begins(self.settings.searches) {
            let before = Some(&self.classifier);
            (self.classifier, self.targets) =
                Classifier::find(self.settings, self.plan, &self.learner, before, epoch, fit)?;
            self.learner.autoencoder.restart(self.plan.optimizer);
        } else if begins(self.settings.rounds) {
            let predictions = self.classifier.predict(&self.learner, &fit.data)?;
            self.targets = balanced(predictions, &self.classifier.shares);
        }
        Ok(())
    }

    fn step(&mut self, (): &(), mut batch: Batch<B>) -> Terms<B::InnerBackend> {
        let Self { settings, learner, classifier, targets, .. } = self;
        let rate = batch.learning_rate;
        let latent = learner.encode(batch.augmented.clone());
        let reconstruction = learner.reconstruction(&latent, &mut batch) * (2.0 * settings.reconstruction);
        let targets = Tensor::from_inner(targets.clone().select(0, batch.indices.inner()));
        let cross_entropy = classifier.head.cross_entropy(targets, classifier.standardisation.apply(latent.mean));
        let losses = vec![("reconstruction", reconstruction), ("cluster", cross_entropy)];
        learner.descend(losses, rate, |gradients| classifier.head.descend(gradients, rate))
    }

    fn n_clusters(&self) -> Option<usize> {
        Some(self.classifier.shares.len())
    }

    fn latents(&self, x: Tensor<B::InnerBackend, 2>) -> Option<Tensor<B::InnerBackend, 2>> {
        Some(self.learner.latents_of(x))
    }

    fn state(&self) -> Result<GrowState, FitError> {
        let Classifier { standardisation, head, shares } = &self.classifier;
        Ok(GrowState {
            learner: self.learner.state()?,
            standardisation: standardisation.clone(),
            head: head.state()?,
            shares: shares.clone(),
            targets: elements(self.targets.clone()),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The rows of balanced targets are distributions, and clusters that are predicted too often lose weight.
    #[test]
    fn balanced_targets_come_nearer_to_the_shares_that_were_found() {
        let p = matrix::<burn::backend::Flex>(&[0.9, 0.1, 0.8, 0.2, 0.6, 0.4, 0.7, 0.3], 4, &Default::default());
        let shares = [0.5, 0.5];
        let q = elements(balanced(p.clone(), &shares));
        assert!(q.chunks(2).all(|row| (row[0] + row[1] - 1.0).abs() < 1e-6));
        let share = |values: &[f64]| values.iter().step_by(2).sum::<f64>() / 4.0;
        assert!((share(&q) - 0.5).abs() < (share(&elements(p)) - 0.5).abs(), "{q:?}");
        // sqrt(.5/.75) of .9 against sqrt(.5/.25) of .1.
        let exact = 0.9 / 3f64.sqrt() / (0.9 / 3f64.sqrt() + 0.1);
        assert!((q[0] - exact).abs() < 1e-6, "{} {exact}", q[0]);
    }
}
