//! Grow: this project's own method. It needs no number of clusters.
//!
//! **Schedule**: (1) an autoencoder, on moved samples; (2) components are grown on the standardised latents by split
//! and merge moves, those that are confused with each other become one cluster, and clusters of hardly any samples are
//! dropped: the number of clusters is found; (3) a softmax head on the clusters, then encoder, decoder and head are
//! trained together.
//!
//! **Objective** of (3): cross entropy from targets of the clean path to predictions of the moved one, and a little
//! reconstruction. The targets are balanced once an epoch, `q ~ p / sqrt(sum_i p)` (Ghasedi Dizaji et al., "Deep
//! Clustering via Joint Convolutional Autoencoder Embedding and Relative Entropy Minimization", 2017, equation 8).
//!
//! In the end components are grown again on the new latents, each in the cluster that the head gives most of its
//! samples; or the head itself is kept.

use burn::module::{AutodiffModule, Module};
use burn::optim::adaptor::OptimizerAdaptor;
use burn::optim::{Adam, GradientsParams, Optimizer};
use burn::tensor::Tensor;
use burn::tensor::activation::{log_softmax, softmax};
use burn::tensor::backend::{AutodiffBackend, Backend};
use rand::Rng;
use serde::{Deserialize, Serialize};

use super::learner::{Learner, Saved, Standardisation, adam, mismatch, read, record};
use crate::data::Samples;
use crate::mixture::split_merge::SplitMerge;
use crate::mixture::{Mixture, NotPositiveDefinite, demp, discriminant, elements, matrix, prune};
use crate::nn::Network;
use crate::random::stream;
use crate::trained::{Head, Trained};
use crate::training::{Batch, Data, FitConfig, FitError, Method, Position, Stage, Terms};

/// Settings of grow.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields, rename_all = "kebab-case")]
pub struct Grow {
    /// How components are found.
    pub components: SplitMerge,
    /// Components more often confused than this are one cluster ([`demp::group`]).
    pub merge_threshold: f64,
    /// Clusters with a smaller share of the samples are dropped.
    pub min_share: f64,
    /// The weight of the squared error, summed over features, beside the cross entropy.
    pub reconstruction: f64,
    /// How often targets are taken anew.
    pub rounds: usize,
    /// What is exported.
    pub head: Kind,
}

/// What turns a latent into clusters.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Kind {
    /// A mixture of the final latents.
    Mixture,
    /// The softmax head.
    Softmax,
}

impl Default for Grow {
    fn default() -> Self {
        Self {
            components: SplitMerge::default(),
            merge_threshold: demp::CUSTOMARY,
            min_share: 0.005,
            reconstruction: 0.02,
            rounds: 5,
            head: Kind::Mixture,
        }
    }
}

impl Grow {
    /// Components of `N x D` standardised latents in their clusters; small clusters are dropped.
    fn clusters<B: Backend>(&self, z: &Tensor<B, 2>, rng: &mut impl Rng) -> Result<Mixture, NotPositiveDefinite> {
        let grown = self.components.fit(&elements(z.clone()), z.dims()[1], rng);
        let mixture = demp::group(grown, z, self.merge_threshold, 1)?;
        prune::clusters(&mixture, z, |counts| prune::survivors(counts, self.min_share))
    }
}

/// An autoencoder with a softmax head on its standardised latents.
pub(crate) struct GrowMethod<B: AutodiffBackend> {
    settings: Grow,
    config: FitConfig,
    n_samples: usize,
    learner: Learner<B>,
    head: Option<Classifier<B>>,
    targets: Option<Tensor<B::InnerBackend, 2>>,
}

/// The softmax head and its optimiser.
struct Classifier<B: AutodiffBackend> {
    standardisation: Standardisation,
    linear: Network<B>,
    optimizer: OptimizerAdaptor<Adam, Network<B>, B>,
    /// Each cluster's share of the samples, as found.
    shares: Vec<f64>,
}

/// What a checkpoint holds.
#[derive(Serialize, Deserialize)]
struct State {
    learner: Saved,
    head: Option<SavedHead>,
    /// `N x C`, row-major.
    targets: Vec<f64>,
}

#[derive(Serialize, Deserialize)]
struct SavedHead {
    standardisation: Standardisation,
    linear: Vec<u8>,
    optimizer: Vec<u8>,
    /// Each cluster's share of the samples, as found.
    shares: Vec<f64>,
}

impl<B: AutodiffBackend> Classifier<B> {
    /// A linear discriminant of `N x D` standardised latents to the mixture's clusters.
    fn new(
        standardisation: Standardisation,
        z: &Tensor<B::InnerBackend, 2>,
        mixture: &Mixture,
    ) -> Result<Self, FitError> {
        let posterior = clusters_posterior(z, mixture)?;
        let (weights, bias) = discriminant::fit(z, &posterior);
        let linear = Network::linear(weights, bias, &z.device());
        Ok(Self { standardisation, linear, optimizer: adam().init(), shares: elements(posterior.mean_dim(0)) })
    }

    fn save(&self) -> Result<SavedHead, FitError> {
        Ok(SavedHead {
            standardisation: self.standardisation.clone(),
            linear: record::<B, _>(self.linear.clone().into_record())?,
            optimizer: record::<B, _>(self.optimizer.to_record())?,
            shares: self.shares.clone(),
        })
    }

    fn restore(saved: SavedHead, device: &B::Device) -> Result<Self, FitError> {
        let (dims, k) = (saved.standardisation.n_dims(), saved.shares.len());
        let empty = Network::linear(vec![0.0; dims * k], vec![0.0; k], device);
        Ok(Self {
            standardisation: saved.standardisation,
            linear: empty.load_record(read::<B, _>(saved.linear, device)?),
            optimizer: adam().init().load_record(read::<B, _>(saved.optimizer, device)?),
            shares: saved.shares,
        })
    }
}

/// `N x C`: the posterior of each cluster.
fn clusters_posterior<B: Backend>(z: &Tensor<B, 2>, mixture: &Mixture) -> Result<Tensor<B, 2>, NotPositiveDefinite> {
    Ok(demp::by_cluster(softmax(mixture.log_density(z)?, 1), mixture))
}

/// `q_ic ~ p_ic sqrt(pi_c / mean_i p_ic)`, rows normalised: clusters keep the shares that they were found with.
fn balanced<B: Backend>(p: Tensor<B, 2>, shares: &[f64]) -> Tensor<B, 2> {
    let shares = matrix::<B>(shares, 1, &p.device());
    let q = p.clone() * (shares / p.mean_dim(0).clamp_min(1e-12)).sqrt();
    q.clone() / q.sum_dim(1)
}

impl<B: AutodiffBackend> GrowMethod<B> {
    pub(crate) fn new(settings: Grow, config: &FitConfig, samples: &Samples, device: &B::Device) -> Self {
        Self {
            settings,
            config: config.clone(),
            n_samples: samples.n_samples,
            learner: Learner::new(config, samples, false, device),
            head: None,
            targets: None,
        }
    }

    /// The clusters are found, the head is put on them, and they are the first targets.
    fn find(&mut self, data: &Data<B::InnerBackend>) -> Result<(), FitError> {
        let z = self.learner.latents(data);
        let standardisation = Standardisation::of(&z);
        let z = standardisation.apply(z);
        let mixture = self.settings.clusters(&z, &mut stream(self.config.seed, "cluster", 0))?;
        self.targets = Some(clusters_posterior(&z, &mixture)?);
        self.learner.forget();
        self.head = Some(Classifier::new(standardisation, &z, &mixture)?);
        Ok(())
    }

    /// What the head says of all samples, `N x C`.
    fn predict(&self, head: &Classifier<B>, data: &Data<B::InnerBackend>) -> Tensor<B::InnerBackend, 2> {
        softmax(head.linear.valid().forward(head.standardisation.apply(self.learner.latents(data))), 1)
    }
}

impl<B: AutodiffBackend> Method<B> for GrowMethod<B> {
    fn stages(&self) -> Vec<Stage> {
        self.config.two_stages(self.n_samples)
    }

    fn begin_epoch(&mut self, at: Position, data: &Data<B::InnerBackend>) -> Result<Option<usize>, FitError> {
        if at.stage == 0 {
            return Ok(None);
        }
        let (_, epochs) = self.config.epochs(self.n_samples);
        let round = |epoch: usize| epoch * self.settings.rounds / epochs.max(1);
        match &self.head {
            Some(head) if at.epoch == 0 || round(at.epoch) > round(at.epoch - 1) => {
                self.targets = Some(balanced(self.predict(head, data), &head.shares));
            }
            Some(_) => (),
            None => self.find(data)?,
        }
        Ok(self.head.as_ref().map(|head| head.shares.len()))
    }

    fn step(&mut self, at: Position, mut batch: Batch<B>) -> Terms {
        let rate = batch.learning_rate;
        let (Some(head), Some(targets)) = (self.head.as_mut().filter(|_| at.stage > 0), &self.targets) else {
            let losses = self.learner.pretraining(&mut batch);
            return self.learner.descend(losses, rate, |_| ());
        };
        let latent = self.learner.autoencoder.encode(batch.augmented.clone());
        let reconstruction = self.learner.reconstruction(&latent, &mut batch) * (2.0 * self.settings.reconstruction);
        let predictions = log_softmax(head.linear.forward(head.standardisation.apply(latent.mean)), 1);
        let targets = Tensor::from_inner(targets.clone().select(0, batch.indices.inner()));
        let cross_entropy = -(targets * predictions).sum_dim(1).mean();
        let losses = vec![("reconstruction", reconstruction), ("cluster", cross_entropy)];
        self.learner.descend(losses, rate, |gradients| {
            let own = GradientsParams::from_module(gradients, &head.linear);
            head.linear = head.optimizer.step(rate, head.linear.clone(), own);
        })
    }

    fn save(&self) -> Result<Vec<u8>, FitError> {
        let head = self.head.as_ref().map(Classifier::save).transpose()?;
        let targets = self.targets.clone().map_or_else(Vec::new, elements);
        postcard::to_stdvec(&State { learner: self.learner.save()?, head, targets }).map_err(mismatch)
    }

    fn restore(&mut self, bytes: &[u8]) -> Result<(), FitError> {
        let state: State = postcard::from_bytes(bytes).map_err(mismatch)?;
        self.learner.restore(state.learner)?;
        let device = &self.learner.device;
        if let Some(head) = &state.head {
            let rows = state.targets.len() / head.shares.len().max(1);
            self.targets = Some(matrix::<B::InnerBackend>(&state.targets, rows, device));
        }
        self.head = state.head.map(|head| Classifier::restore(head, device)).transpose()?;
        Ok(())
    }

    fn finish(mut self: Box<Self>, data: &Data<B::InnerBackend>) -> Result<Trained, FitError> {
        if self.head.is_none() {
            self.find(data)?;
        }
        let Some(head) = &self.head else { return Err(mismatch("there are no clusters")) };
        let trained = |standardisation: &Standardisation, kept| Trained {
            method: "grow".into(),
            scaling: data.scaling.clone(),
            encoder: standardisation.fold(&self.learner),
            head: kept,
        };
        if self.settings.head == Kind::Softmax {
            let linear = head.linear.to_linear().ok_or_else(|| mismatch("there is no head"))?;
            return Ok(trained(&head.standardisation, Head::Softmax(linear)));
        }
        let clusters = self.predict(head, data).argmax(1);
        let z = self.learner.latents(data);
        let standardisation = Standardisation::of(&z);
        let z = standardisation.apply(z);
        let rng = &mut stream(self.config.seed, "cluster", u64::MAX);
        let grown = self.settings.components.fit(&elements(z.clone()), z.dims()[1], rng);
        let best = elements(grown.log_density(&z)?.argmax(1).float());
        let mut votes = vec![vec![0usize; head.shares.len()]; grown.n_components()];
        for (component, cluster) in best.into_iter().zip(elements(clusters.float())) {
            votes[component as usize][cluster as usize] += 1;
        }
        let most =
            |votes: &Vec<usize>| (0..votes.len()).max_by_key(|&c| (votes[c], usize::MAX - c)).unwrap_or(0) as u16;
        let mixture = Mixture { clusters: votes.iter().map(most).collect(), ..grown };
        let every: Vec<usize> = (0..mixture.n_components()).collect();
        Ok(trained(&standardisation, Head::Mixture(prune::keep(&mixture, &every))))
    }
}
