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

use super::learner::{Learner, Losses, Saved, Standardisation, mismatch};
use super::softmax_head::{self, SoftmaxHead};
use crate::base::arrays::{to_array, to_tensor};
use crate::data::Samples;
use crate::mixture::kmeans::KMeans;
use crate::mixture::merging::ClusterBounds;
use crate::mixture::split_merge::SplitMerge;
use crate::mixture::{demp, discriminant, elements, matrix, prune};
use crate::nn::Dropout;
use crate::random::stream;
use crate::trained::{Activation, Head, Trained};
use crate::training::{Batch, Data, FitConfig, FitError, Method, Position, Stage, Terms};

/// Settings of DEPICT.
///
/// ```
/// use edgemix::methods::{Depict, Start, Target};
///
/// let depict: Depict = toml::from_str("start = \"components\"\ntarget = \"exact\"\nmoved = true")?;
/// assert_eq!((depict.start, depict.target, depict.moved), (Start::Components, Target::Exact, true));
/// assert_eq!((depict.rounds, depict.dropout), (5, 0.1));
/// # Ok::<(), toml::de::Error>(())
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields, rename_all = "kebab-case")]
pub struct Depict {
    /// The number of clusters, and k-means' own settings.
    pub kmeans: KMeans,
    /// The clustering that the softmax layer starts from.
    pub start: Start,
    /// How components are found, if it starts from them.
    pub components: SplitMerge,
    /// How targets follow from predictions.
    pub target: Target,
    /// How often targets are taken anew: once an epoch, they wander, and clusters are lost.
    pub rounds: usize,
    /// Whether the clean path sees images as they were moved, and so reconstructs them; else as they were.
    pub moved: bool,
    /// The probability that a value of the corrupted path is zeroed.
    pub dropout: f64,
    /// The weight of the hidden layers' squared differences beside the samples'.
    pub hidden: f64,
    /// The weight of the cross entropy beside them.
    pub gamma: f64,
}

/// Where the clusters come from that the softmax layer learns first. See [`Depict`] for an example.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Start {
    /// k-means of the latents, as in the paper.
    KMeans,
    /// Gaussians that are grown on the latents before their `tanh` and grouped, the largest groups: finds clusters that are
    /// longer in one direction than others are apart.
    Components,
}

/// The index of the stage in which targets are taken from predictions.
const CLUSTER: usize = 2;

/// How targets follow from predictions. See [`Depict`] for an example.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Target {
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
            start: Start::KMeans,
            components: SplitMerge::default(),
            target: Target::Sqrt,
            rounds: 5,
            moved: false,
            dropout: 0.1,
            hidden: 0.1,
            gamma: 1.0,
        }
    }
}

impl Target {
    /// `N x K` targets of `N x K` predictions.
    pub(super) fn of<B: Backend>(self, p: Tensor<B, 2>) -> Tensor<B, 2> {
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

/// An autoencoder, usually convolutional, with a softmax layer on its latents.
pub(crate) struct DepictMethod<B: AutodiffBackend> {
    settings: Depict,
    config: FitConfig,
    n_samples: usize,
    learner: Learner<B>,
    head: Option<SoftmaxHead<B>>,
    targets: Option<Tensor<B::InnerBackend, 2>>,
}

/// What a checkpoint holds.
#[derive(Serialize, Deserialize)]
struct State {
    learner: Saved,
    head: Option<softmax_head::Saved>,
    /// `N x K`, row-major.
    targets: Vec<f64>,
}

impl<B: AutodiffBackend> DepictMethod<B> {
    pub(crate) fn new(settings: Depict, config: &FitConfig, samples: &Samples, device: &B::Device) -> Self {
        Self {
            settings,
            config: config.clone(),
            n_samples: samples.n_samples(),
            learner: Learner::new(config, samples, false, device),
            head: None,
            targets: None,
        }
    }

    /// The latents of all samples, `N x D`.
    fn latents(&self, data: &Data<B::InnerBackend>) -> Result<Tensor<B::InnerBackend, 2>, FitError> {
        Ok(self.learner.latents(data)?.tanh())
    }

    /// Clusters of the latents are the first targets, their linear discriminant is the softmax layer's start. (The paper's,
    /// the centres' directions, says next to nothing at first, since `tanh` bounds the latents.)
    fn find(&mut self, data: &Data<B::InnerBackend>) -> Result<(), FitError> {
        let targets = match self.settings.start {
            Start::KMeans => self.nearest_centers(data)?,
            Start::Components => self.largest_groups(data)?,
        };
        let (weights, bias) = discriminant::fit(&self.latents(data)?, &targets);
        self.targets = Some(targets);
        self.head = Some(SoftmaxHead::new(weights, bias, &self.learner.device));
        self.learner.forget();
        Ok(())
    }

    /// `N x K`, one of each row 1.
    fn nearest_centers(&self, data: &Data<B::InnerBackend>) -> Result<Tensor<B::InnerBackend, 2>, FitError> {
        let z = self.latents(data)?;
        let found = self.settings.kmeans.fit(&z, &mut stream(self.config.seed, "cluster", 0));
        let k = found.shares.len();
        let centers = to_tensor::<B::InnerBackend>(found.centers.view(), &self.learner.device);
        Ok(distances(z, &centers).argmin(1).squeeze_dim::<1>(1).one_hot::<2>(k).float())
    }

    /// `N x K`, the posterior of each group; fewer than K where so many are not to be found.
    fn largest_groups(&self, data: &Data<B::InnerBackend>) -> Result<Tensor<B::InnerBackend, 2>, FitError> {
        let z = self.learner.latents(data)?;
        let z = Standardisation::of(&z).apply(z);
        let rng = &mut stream(self.config.seed, "cluster", 0);
        let grown = self.settings.components.fit(to_array(z.clone()).view(), rng)?;
        let k = self.settings.kmeans.n_clusters;
        let grouped = demp::group(grown, &z, demp::CUSTOMARY, ClusterBounds { least: k, most: usize::MAX })?;
        let mixture = prune::clusters(&grouped, &z, |counts| prune::greatest(counts, k))?;
        Ok(demp::by_cluster(softmax(mixture.log_density(&z)?, 1), &mixture))
    }

    /// The mean squared differences between the clean encoder's layers and the decoder's, from corrupted latents.
    fn reconstruction(&self, clean: Tensor<B::InnerBackend, 2>, z: Tensor<B, 2>) -> Losses<B> {
        let mut layers = self.learner.autoencoder.valid().encoder().outputs(clean.clone());
        layers.pop();
        layers.insert(0, clean);
        let decoded = self.learner.autoencoder.decoder().outputs(z);
        let mut differences =
            decoded.into_iter().rev().zip(layers).map(|(a, b)| (a - Tensor::from_inner(b)).square().mean());
        let samples = differences.next().map(|loss| ("reconstruction", loss));
        let hidden = differences.reduce(|a, b| a + b).map(|loss| ("hidden", loss * self.settings.hidden));
        samples.into_iter().chain(hidden).collect()
    }
}

/// `N x K` squared distances of `N x D` latents to `K x D` centres, but for a constant of each row.
fn distances<B: Backend>(z: Tensor<B, 2>, centers: &Tensor<B, 2>) -> Tensor<B, 2> {
    centers.clone().square().sum_dim(1).transpose() - z.matmul(centers.clone().transpose()) * 2.0
}

impl<B: AutodiffBackend> Method<B> for DepictMethod<B> {
    fn stages(&self) -> Vec<Stage> {
        let mut stages = self.config.two_stages(self.n_samples);
        let classify = Stage { name: "classify", epochs: stages[1].epochs.div_ceil(4), ..stages[1] };
        stages.insert(1, classify);
        stages
    }

    fn begin_epoch(&mut self, at: Position, data: &Data<B::InnerBackend>) -> Result<Option<usize>, FitError> {
        // Components are told apart better once the latents have been trained on them for a while.
        let again = self.settings.start == Start::Components && at.stage == CLUSTER && at.epoch == 0;
        if at.stage > 0 && (self.head.is_none() || again) {
            self.find(data)?;
        }
        let epochs = self.stages()[CLUSTER].epochs;
        let round = |epoch: usize| epoch * self.settings.rounds / epochs.max(1);
        let is_due = at.stage == CLUSTER && !again && (at.epoch == 0 || round(at.epoch) > round(at.epoch - 1));
        if let Some(head) = self.head.as_ref().filter(|_| is_due) {
            self.targets = Some(self.settings.target.of(head.predict(self.latents(data)?)));
        }
        Ok(self.head.as_ref().map(SoftmaxHead::n_clusters))
    }

    fn step(&mut self, at: Position, mut batch: Batch<B>) -> Terms {
        let rate = batch.learning_rate;
        let mut dropout = Dropout { rate: self.settings.dropout, rng: &mut batch.rng };
        let clean = if self.settings.moved { batch.augmented.clone() } else { batch.clean };
        let z = self.learner.autoencoder.encoder().corrupted(batch.augmented, &mut dropout).tanh();
        let mut losses = self.reconstruction(clean.inner(), z.clone());
        let (Some(head), Some(targets)) = (self.head.as_mut().filter(|_| at.stage > 0), &self.targets) else {
            return self.learner.descend(losses, rate, |_| ());
        };
        let targets: Tensor<B, 2> = Tensor::from_inner(targets.clone().select(0, batch.indices.inner()));
        losses.push(("cluster", head.cross_entropy(targets, z) * self.settings.gamma));
        self.learner.descend(losses, rate, |gradients| head.descend(gradients, rate))
    }

    fn save(&self) -> Result<Vec<u8>, FitError> {
        let head = self.head.as_ref().map(SoftmaxHead::save).transpose()?;
        let targets = self.targets.clone().map_or_else(Vec::new, elements);
        postcard::to_stdvec(&State { learner: self.learner.save()?, head, targets }).map_err(mismatch)
    }

    fn restore(&mut self, bytes: &[u8]) -> Result<(), FitError> {
        let state: State = postcard::from_bytes(bytes).map_err(mismatch)?;
        self.learner.restore(state.learner)?;
        let device = &self.learner.device;
        self.head = state.head.map(|head| SoftmaxHead::restore(head, device)).transpose()?;
        let k = self.head.as_ref().map_or(1, SoftmaxHead::n_clusters);
        self.targets = self.head.as_ref().map(|_| matrix(&state.targets, state.targets.len() / k, device));
        Ok(())
    }

    fn finish(mut self: Box<Self>, data: &Data<B::InnerBackend>) -> Result<Trained, FitError> {
        if self.head.is_none() {
            self.find(data)?;
        }
        let Some(head) = &self.head else { return Err(mismatch("there are no clusters")) };
        Ok(Trained {
            method: "depict".into(),
            scaling: data.scaling.clone(),
            encoder: self.learner.autoencoder.encoder().to_layers(Activation::Tanh),
            head: Head::Softmax(head.to_dense()?),
            sticks: vec![],
        })
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

    fn targets(target: Target, p: &[f64]) -> Vec<f64> {
        elements(target.of(matrix::<Flex>(p, N, &Default::default())))
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
        let (exact, sqrt) = (targets(Target::Exact, &p), targets(Target::Sqrt, &p));
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
        for target in [Target::Sqrt, Target::Dec, Target::Exact] {
            let q = targets(target, &p);
            assert!(q.chunks(K).all(|row| (row.iter().sum::<f64>() - 1.0).abs() < 1e-5), "{target:?}");
        }
        assert!(largest(&targets(Target::Exact, &p)) < largest(&targets(Target::Sqrt, &p)));
        assert!(largest(&targets(Target::Sqrt, &p)) < largest(&p));
    }
}
