//! DEPICT (Ghasedi Dizaji, Herandi, Deng, Cai and Huang, "Deep Clustering via Joint Convolutional Autoencoder Embedding
//! and Relative Entropy Minimization", 2017).
//!
//! **Objective**: the cross entropy from targets `q` of the clean path to predictions `p` of the corrupted one, a softmax
//! layer on `tanh` latents (equation 9), beside the mean squared differences between each of the clean encoder's layers
//! and the decoder's from the corrupted path (equation 10). **Update**: targets that minimise
//! `KL(q||p) + KL(mean q||uniform)` (equations 4 to 8). **Schedule**: reconstruction; the softmax layer learns k-means'
//! clusters; then targets and networks in turn. Where it starts from grown components instead, they are grown again when
//! the softmax layer has learned them.
//!
//! The clean path gives constants, as the targets of a regression: hidden layers can't shrink to please the decoder.

use burn::module::AutodiffModule;
use burn::tensor::Tensor;
use burn::tensor::activation::softmax;
use burn::tensor::backend::{AutodiffBackend, Backend};
use serde::{Deserialize, Serialize};

use super::common::defaults;
use super::common::learner::{Learner, LearnerState, Losses};
use super::common::reconstruction::{ReconstructionTarget, reconstruct};
use super::common::softmax_head::{SoftmaxHead, SoftmaxHeadState};
use super::definition::MethodSettings;
use crate::base::arrays::{to_array, to_tensor};
use crate::data::Samples;
use crate::mixture::kmeans::KMeans;
use crate::mixture::merging::ClusterBounds;
use crate::mixture::split_merge::SplitMerge;
use crate::mixture::{demp, discriminant, elements, matrix, prune};
use crate::nn::{Architecture, Dropout, Optimizer};
use crate::trained::{Activation, Head, Trained};
use crate::training::{Batch, Data, FitError, Fitting, Phase, PhasePlan, Terms};
use crate::variant::Variant;

/// Settings of DEPICT.
///
/// ```
/// use edgemix::methods::{Depict, ReconstructionTarget, SoftmaxStart, TargetRule};
///
/// let depict: Depict = toml::from_str("start = \"components\"\ntarget = \"exact\"\nreconstruct = \"moved\"")?;
/// assert_eq!((depict.start, depict.target), (SoftmaxStart::Components, TargetRule::Exact));
/// assert_eq!(depict.reconstruct, ReconstructionTarget::Moved);
/// assert_eq!((depict.rounds, depict.dropout), (5, 0.1));
/// # Ok::<(), toml::de::Error>(())
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields, rename_all = "kebab-case")]
pub struct Depict {
    /// The number of clusters, and k-means' own settings.
    pub kmeans: KMeans,
    /// The clustering that the softmax layer starts from.
    pub start: SoftmaxStart,
    /// How components are found, if it starts from them.
    pub components: SplitMerge,
    /// How targets follow from predictions.
    pub target: TargetRule,
    /// How often targets are taken anew: once an epoch, they wander, and clusters are lost.
    pub rounds: usize,
    /// Which images the clean path sees, and so reconstructs.
    pub reconstruct: ReconstructionTarget,
    /// The probability that a value of the corrupted path is zeroed.
    pub dropout: f64,
    /// The weight of the hidden layers' squared differences beside the samples'.
    pub hidden: f64,
    /// The weight of the cross entropy beside them.
    pub gamma: f64,
}

/// Where the clusters come from that the softmax layer learns first.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum SoftmaxStart {
    /// k-means of the latents, as in the paper.
    KMeans,
    /// Gaussians that are grown on the latents before their `tanh` and grouped, the largest groups: finds clusters that are
    /// longer in one direction than others are apart.
    Components,
}

/// How targets follow from predictions.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum TargetRule {
    /// `q ~ p / sqrt(sum_i p)`: one step of the exact one (equation 8).
    Sqrt,
    /// `q ~ p^2 / sum_i p`: DEC's, which the authors' program has.
    Dec,
    /// The minimum of equation 5 for a uniform prior, iterated to its fixed point.
    Exact,
}

impl Default for Depict {
    fn default() -> Self {
        Self {
            kmeans: KMeans { n_init: 40, ..KMeans::default() },
            start: SoftmaxStart::KMeans,
            components: SplitMerge::default(),
            target: TargetRule::Sqrt,
            rounds: 5,
            reconstruct: ReconstructionTarget::Still,
            dropout: 0.1,
            hidden: 0.1,
            gamma: 1.0,
        }
    }
}

impl TargetRule {
    /// `N x K` targets of `N x K` predictions.
    pub(super) fn targets<B: Backend>(self, p: Tensor<B, 2>) -> Tensor<B, 2> {
        match self {
            Self::Sqrt => rows_normalised(p.clone() / p.sum_dim(0).clamp_min(1e-12).sqrt()),
            Self::Dec => super::dec::sharpened(p),
            Self::Exact => exact(p),
        }
    }
}

fn rows_normalised<B: Backend>(q: Tensor<B, 2>) -> Tensor<B, 2> {
    q.clone() / q.sum_dim(1).clamp_min(1e-30)
}

/// `q ~ p / f` with `f = mean q`: where `KL(q||p) + KL(f||uniform)` is least. Damped, as the plain iteration circles.
fn exact<B: Backend>(p: Tensor<B, 2>) -> Tensor<B, 2> {
    let mut shares = p.clone().mean_dim(0).clamp_min(1e-12);
    for _ in 0..200 {
        let mean = rows_normalised(p.clone() / shares.clone()).mean_dim(0);
        let next = (shares.clone() * mean).sqrt().clamp_min(1e-12);
        let next = next.clone() / next.sum_dim(1);
        let moved = elements((next.clone() - shares).abs().max());
        shares = next;
        if moved[0] < 1e-7 {
            break;
        }
    }
    rows_normalised(p / shares)
}

impl MethodSettings for Depict {
    const NAME: &'static str = "depict";
    const ENCODER_LEARNS_WITH_CLUSTERS: bool = false;

    fn architecture(&self, samples: &Samples) -> Architecture {
        if samples.image().is_some() { Architecture::depict() } else { defaults::architecture(samples) }
    }

    fn cluster_epochs(&self, reconstruction: usize) -> usize {
        defaults::cluster_epochs(reconstruction)
    }

    fn set_n_clusters(&mut self, n: usize) {
        self.kmeans.n_clusters = n;
    }

    fn set_cluster_bounds(&mut self, _: usize, _: Option<usize>) -> bool {
        false
    }

    fn set_variant(&mut self, _: Variant) -> bool {
        false
    }

    fn check(&self, _: &Samples) -> Result<(), FitError> {
        Ok(())
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
        Ok(fit.trained(learner.autoencoder.encoder().to_layers(Activation::Tanh), Head::Softmax(head.to_dense())))
    }
}

impl Depict {
    /// Reconstructs, then lets the softmax layer learn the clusters that are found in the latents.
    fn classify<'d, B: AutodiffBackend>(&'d self, fit: &mut Fitting<'_, B>) -> Result<Classified<'d, B>, FitError> {
        let plan = fit.plan.clustering;
        let plan = PhasePlan { epochs: plan.epochs.div_ceil(4), ..plan.named("classify") };
        let phase = fit.phase(
            plan,
            |fit| {
                let is_moved = self.reconstruct.is_moved(fit.data.image);
                let learner = reconstruct(fit, false, |learner, batch| {
                    let (clean, z) = self.paths(learner, is_moved, batch);
                    self.differences(learner, clean, z)
                })?;
                fit.activity("finding clusters");
                Ok(ClassifyPhase(Classified::find(self, plan.optimizer, learner, fit)?))
            },
            |state, fit| Ok(ClassifyPhase(Classified::restore(self, plan, state, fit)?)),
        )?;
        Ok(phase.0)
    }

    /// Clusters of the latents are the targets, their linear discriminant is the softmax layer's start. (The paper's, the
    /// centres' directions, says next to nothing at first, since `tanh` bounds the latents.)
    fn find_clusters<B: AutodiffBackend>(
        &self,
        optimizer: Optimizer,
        learner: &mut Learner<B>,
        fit: &Fitting<'_, B>,
    ) -> Result<(SoftmaxHead<B>, Tensor<B::InnerBackend, 2>), FitError> {
        let z = bounded_latents(learner, &fit.data)?;
        let targets = match self.start {
            SoftmaxStart::KMeans => self.nearest_centers(z.clone(), fit),
            SoftmaxStart::Components => self.largest_groups(learner, fit)?,
        };
        let (weights, bias) = discriminant::fit(&z, &targets);
        learner.autoencoder.restart(optimizer);
        Ok((SoftmaxHead::new(weights, bias, optimizer, &learner.device), targets))
    }

    /// The clean samples, and the latents of the corrupted path.
    fn paths<B: AutodiffBackend>(
        &self,
        learner: &Learner<B>,
        is_moved: bool,
        batch: &mut Batch<B>,
    ) -> (Tensor<B::InnerBackend, 2>, Tensor<B, 2>) {
        let mut dropout = Dropout { rate: self.dropout, rng: &mut batch.rng };
        let clean = if is_moved { batch.augmented.clone() } else { batch.clean.clone() };
        let z = learner.autoencoder.encoder().corrupted(batch.augmented.clone(), &mut dropout).tanh();
        (clean.inner(), z)
    }

    /// The mean squared differences between the clean encoder's layers and the decoder's, from corrupted latents.
    fn differences<B: AutodiffBackend>(
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

    /// `N x K` assignments to k-means' centres, one of each row 1.
    fn nearest_centers<B: AutodiffBackend>(
        &self,
        z: Tensor<B::InnerBackend, 2>,
        fit: &Fitting<'_, B>,
    ) -> Tensor<B::InnerBackend, 2> {
        let found = self.kmeans.fit(&z, &mut fit.rng("cluster", 0));
        let k = found.shares.len();
        let centers = to_tensor::<B::InnerBackend>(found.centers.view(), &fit.device);
        distances(z, &centers).argmin(1).squeeze_dim::<1>(1).one_hot::<2>(k).float()
    }

    /// `N x K`, the posterior of each group; fewer than K where so many are not to be found.
    fn largest_groups<B: AutodiffBackend>(
        &self,
        learner: &Learner<B>,
        fit: &Fitting<'_, B>,
    ) -> Result<Tensor<B::InnerBackend, 2>, FitError> {
        let (_, z) = learner.standardised_latents(&fit.data)?;
        let grown = self.components.fit(to_array(z.clone()).view(), &mut fit.rng("cluster", 0))?;
        let k = self.kmeans.n_clusters;
        let grouped = demp::group(grown, &z, demp::CUSTOMARY, ClusterBounds { least: k, most: usize::MAX })?;
        let mixture = prune::clusters(&grouped, &z, |counts| prune::greatest(counts, k))?;
        Ok(demp::by_cluster(softmax(mixture.log_density(&z)?, 1), &mixture))
    }
}

/// `N x K` squared distances of `N x D` latents to `K x D` centres, but for a constant of each row.
fn distances<B: Backend>(z: Tensor<B, 2>, centers: &Tensor<B, 2>) -> Tensor<B, 2> {
    centers.clone().square().sum_dim(1).transpose() - z.matmul(centers.clone().transpose()) * 2.0
}

/// An autoencoder, usually convolutional, with a softmax layer on its latents, and what the layer is to predict.
struct Classified<'d, B: AutodiffBackend> {
    settings: &'d Depict,
    is_moved: bool,
    learner: Learner<B>,
    head: SoftmaxHead<B>,
    /// `N x K`.
    targets: Tensor<B::InnerBackend, 2>,
}

/// What a checkpoint holds.
#[derive(Serialize, Deserialize)]
struct ClassifiedState {
    learner: LearnerState,
    head: SoftmaxHeadState,
    /// `N x K`, row-major.
    targets: Vec<f64>,
}

impl<'d, B: AutodiffBackend> Classified<'d, B> {
    fn find(
        settings: &'d Depict,
        optimizer: Optimizer,
        mut learner: Learner<B>,
        fit: &Fitting<'_, B>,
    ) -> Result<Self, FitError> {
        let (head, targets) = settings.find_clusters(optimizer, &mut learner, fit)?;
        Ok(Self { settings, is_moved: settings.reconstruct.is_moved(fit.data.image), learner, head, targets })
    }

    fn restore(
        settings: &'d Depict,
        plan: PhasePlan,
        state: ClassifiedState,
        fit: &Fitting<'_, B>,
    ) -> Result<Self, FitError> {
        let learner = Learner::restored(fit, plan.optimizer, false, state.learner)?;
        let head = SoftmaxHead::restored(state.head, plan.optimizer, &learner.device)?;
        let targets = matrix(&state.targets, state.targets.len() / head.n_clusters().max(1), &learner.device);
        Ok(Self { settings, is_moved: settings.reconstruct.is_moved(fit.data.image), learner, head, targets })
    }

    fn step(&mut self, mut batch: Batch<B>) -> Terms {
        let Self { settings, is_moved, learner, head, targets } = self;
        let rate = batch.learning_rate;
        let (clean, z) = settings.paths(learner, *is_moved, &mut batch);
        let mut losses = settings.differences(learner, clean, z.clone());
        let targets: Tensor<B, 2> = Tensor::from_inner(targets.clone().select(0, batch.indices.inner()));
        losses.push(("cluster", head.cross_entropy(targets, z) * settings.gamma));
        learner.descend(losses, rate, |gradients| head.descend(gradients, rate))
    }

    fn state(&self) -> Result<ClassifiedState, FitError> {
        let targets = elements(self.targets.clone());
        Ok(ClassifiedState { learner: self.learner.state()?, head: self.head.state()?, targets })
    }
}

/// The latents of all samples, `N x D`.
fn bounded_latents<B: AutodiffBackend>(
    learner: &Learner<B>,
    data: &Data<B::InnerBackend>,
) -> Result<Tensor<B::InnerBackend, 2>, FitError> {
    Ok(learner.latents(data)?.tanh())
}

/// The softmax layer learns the clusters that were found.
struct ClassifyPhase<'d, B: AutodiffBackend>(Classified<'d, B>);

impl<B: AutodiffBackend> Phase<B> for ClassifyPhase<'_, B> {
    type State = ClassifiedState;
    type Epoch = ();

    fn begin_epoch(&mut self, _: usize, _: &mut Fitting<'_, B>) -> Result<(), FitError> {
        Ok(())
    }

    fn step(&mut self, (): &(), batch: Batch<B>) -> Terms {
        self.0.step(batch)
    }

    fn n_clusters(&self) -> Option<usize> {
        Some(self.0.head.n_clusters())
    }

    fn state(&self) -> Result<ClassifiedState, FitError> {
        self.0.state()
    }
}

/// Targets are computed from predictions, and learned, in turn.
struct ClusterPhase<'d, B: AutodiffBackend> {
    classified: Classified<'d, B>,
    epochs: usize,
}

impl<B: AutodiffBackend> Phase<B> for ClusterPhase<'_, B> {
    type State = ClassifiedState;
    type Epoch = ();

    fn begin_epoch(&mut self, epoch: usize, fit: &mut Fitting<'_, B>) -> Result<(), FitError> {
        let Classified { settings, learner, head, .. } = &mut self.classified;
        if epoch == 0 && settings.start == SoftmaxStart::Components {
            // Components are told apart better once the latents have been trained on them for a while.
            (*head, self.classified.targets) = settings.find_clusters(fit.plan.clustering.optimizer, learner, fit)?;
            return Ok(());
        }
        let round = |epoch: usize| epoch * settings.rounds / self.epochs;
        if epoch == 0 || round(epoch) > round(epoch - 1) {
            let predictions = head.predict(bounded_latents(learner, &fit.data)?);
            self.classified.targets = settings.target.targets(predictions);
        }
        Ok(())
    }

    fn step(&mut self, (): &(), batch: Batch<B>) -> Terms {
        self.classified.step(batch)
    }

    fn n_clusters(&self) -> Option<usize> {
        Some(self.classified.head.n_clusters())
    }

    fn state(&self) -> Result<ClassifiedState, FitError> {
        self.classified.state()
    }
}

#[cfg(test)]
mod tests {
    use burn::backend::Flex;

    use super::*;
    use crate::random::{normal, stream};

    const N: usize = 60;
    const K: usize = 4;

    /// Predictions that favour the first cluster.
    fn predictions() -> Vec<f64> {
        let logits = normal(N * K, &mut stream(7, "depict", 0));
        let rows = logits.chunks(K).flat_map(|row| {
            let row: Vec<f64> =
                row.iter().enumerate().map(|(k, x)| (f64::from(*x) + 1.2 / (k + 1) as f64).exp()).collect();
            let sum: f64 = row.iter().sum();
            row.into_iter().map(move |x| x / sum)
        });
        rows.collect()
    }

    fn targets(rule: TargetRule, p: &[f64]) -> Vec<f64> {
        elements(rule.targets(matrix::<Flex>(p, N, &Default::default())))
    }

    /// `KL(q||p)`, a mean over samples, and `KL(mean q||uniform)`: equation 5.
    fn objective(q: &[f64], p: &[f64]) -> f64 {
        let shares: Vec<f64> = (0..K).map(|k| q.iter().skip(k).step_by(K).sum::<f64>() / N as f64).collect();
        let first: f64 = q.iter().zip(p).map(|(q, p)| q * (q / p).ln()).sum::<f64>() / N as f64;
        first + shares.iter().map(|f| f * (f * K as f64).ln()).sum::<f64>()
    }

    #[test]
    fn exact_targets_are_where_the_objective_is_least_and_one_step_comes_near() {
        let p = predictions();
        let (exact, sqrt) = (targets(TargetRule::Exact, &p), targets(TargetRule::Sqrt, &p));
        let least = objective(&exact, &p);
        assert!(least < objective(&sqrt, &p) && objective(&sqrt, &p) < objective(&p, &p), "{least}");
        // No exchange between two clusters of a sample lowers it.
        for row in 0..N {
            for (from, to) in [(0, 1), (1, 0), (2, 3), (3, 0)] {
                let mut moved = exact.clone();
                let step = 0.02 * moved[row * K + from];
                moved[row * K + from] -= step;
                moved[row * K + to] += step;
                assert!(objective(&moved, &p) > least - 1e-7, "{row} {from} {to}");
            }
        }
    }

    #[test]
    fn targets_are_distributions_and_the_balanced_ones_are_more_even_than_predictions() {
        let p = predictions();
        let largest = |q: &[f64]| q.iter().step_by(K).sum::<f64>() / N as f64;
        for target in [TargetRule::Sqrt, TargetRule::Dec, TargetRule::Exact] {
            let q = targets(target, &p);
            assert!(q.chunks(K).all(|row| (row.iter().sum::<f64>() - 1.0).abs() < 1e-5), "{target:?}");
        }
        assert!(largest(&targets(TargetRule::Exact, &p)) < largest(&targets(TargetRule::Sqrt, &p)));
        assert!(largest(&targets(TargetRule::Sqrt, &p)) < largest(&p));
    }
}
