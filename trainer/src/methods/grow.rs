//! Grow: this project's own method. It needs no number of clusters.
//!
//! **Schedule**: (1) an autoencoder, on moved samples; (2) components are grown on the standardised latents by split
//! and merge moves, those that random halves of the samples put together become one cluster
//! ([`consensus`](crate::mixture::consensus)), and clusters of hardly any samples are dropped; (3) a softmax head on the
//! clusters, then encoder, decoder and head are trained together for a short while: the latents of different clusters
//! part. With several `searches`, (2) and (3) follow each other several times, and a cluster that is found again keeps its
//! number.
//!
//! **Objective** of (3): cross entropy from targets of the clean path to predictions of the moved one, and a little
//! reconstruction. The targets are balanced once an epoch, `q ~ p / sqrt(sum_i p)` (Ghasedi Dizaji et al., "Deep
//! Clustering via Joint Convolutional Autoencoder Embedding and Relative Entropy Minimization", 2017, equation 8).
//!
//! In the end components are grown again on the new latents, within each of the head's clusters, and settle among all
//! samples; or the head itself is kept.

use burn::tensor::Tensor;
use burn::tensor::activation::softmax;
use burn::tensor::backend::{AutodiffBackend, Backend};
use serde::{Deserialize, Serialize};

use super::learner::{Learner, Saved, Standardisation, mismatch};
use super::softmax_head::{self, SoftmaxHead};
use crate::base::arrays::to_array;
use crate::data::{ImageShape, Samples};
use crate::metrics::renaming;
use crate::mixture::consensus::Grouping;
use crate::mixture::split_merge::SplitMerge;
use crate::mixture::{ClusterCountReport, Mixture, NotPositiveDefinite, demp, discriminant, elements, matrix, prune};
use crate::random::stream;
use crate::trained::{Head, Trained};
use crate::training::{Batch, Data, FitConfig, FitError, Method, Position, Stage, Terms};

/// The first stage with clusters; all that follow have them too.
const CLUSTER: usize = 1;

/// Settings of grow.
///
/// ```
/// use edgemix::methods::{Grow, Kind, Reconstruct};
///
/// let grow: Grow = toml::from_str("head = \"softmax\"\nreconstruct = \"still\"\ngrouping = { max-clusters = 12 }")?;
/// assert_eq!((grow.head, grow.reconstruct), (Kind::Softmax, Reconstruct::Still));
/// assert_eq!((grow.grouping.min_clusters, grow.grouping.max_clusters), (1, 12));
/// # Ok::<(), toml::de::Error>(())
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields, rename_all = "kebab-case")]
pub struct Grow {
    /// How components are found.
    pub components: SplitMerge,
    /// Which of them are one cluster.
    pub grouping: Grouping,
    /// The weight of the squared error, summed over features, beside the cross entropy.
    pub reconstruction: f64,
    /// How often clusters are found, evenly over the epochs on them.
    pub searches: usize,
    /// How often targets are taken anew.
    pub rounds: usize,
    /// Adam's step size once there are clusters, as a share of reconstruction's.
    pub rate: f64,
    /// What the decoder is to give of an image that was moved.
    pub reconstruct: Reconstruct,
    /// What is exported.
    pub head: Kind,
}

/// What the decoder is to give of an image that was moved. See [`Grow`] for an example.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Reconstruct {
    /// The moved image, if it is large enough; smaller ones as they were: between so few pixels, moving is blurring.
    Auto,
    /// The moved image.
    Moved,
    /// The image as it was.
    Still,
}

/// Rows and columns from which an image is large enough to be reconstructed as it was moved.
const LARGE: usize = 16;

impl Reconstruct {
    fn is_moved(self, image: Option<ImageShape>) -> bool {
        match self {
            Self::Auto => image.is_some_and(|shape| shape.height.min(shape.width) >= LARGE),
            Self::Moved => true,
            Self::Still => false,
        }
    }
}

/// What turns a latent into clusters. See [`Grow`] for an example.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Kind {
    /// A mixture of the final latents.
    Mixture,
    /// The softmax head.
    Softmax,
}

impl Grow {
    /// Epochs on the clusters, however few samples there are: a head that sees small data often learns its own mistakes.
    pub(crate) const EPOCHS: usize = 6;
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
            reconstruct: Reconstruct::Auto,
            head: Kind::Mixture,
        }
    }
}

/// An autoencoder with a softmax head on its standardised latents.
pub(crate) struct GrowMethod<B: AutodiffBackend> {
    settings: Grow,
    config: FitConfig,
    n_samples: usize,
    is_moved: bool,
    learner: Learner<B>,
    classifier: Option<Classifier<B>>,
    targets: Option<Tensor<B::InnerBackend, 2>>,
    /// How the clusters were found, until it is asked for.
    number: Option<ClusterCountReport>,
}

/// The softmax head, what its latents are standardised by, and each cluster's share of the samples, as found.
struct Classifier<B: AutodiffBackend> {
    standardisation: Standardisation,
    head: SoftmaxHead<B>,
    shares: Vec<f64>,
}

/// What a checkpoint holds.
#[derive(Serialize, Deserialize)]
struct State {
    learner: Saved,
    classifier: Option<SavedClassifier>,
    /// `N x C`, row-major.
    targets: Vec<f64>,
}

#[derive(Serialize, Deserialize)]
struct SavedClassifier {
    standardisation: Standardisation,
    head: softmax_head::Saved,
    shares: Vec<f64>,
}

/// `N x C`: the posterior of each cluster.
fn clusters_posterior<B: Backend>(z: &Tensor<B, 2>, mixture: &Mixture) -> Result<Tensor<B, 2>, NotPositiveDefinite> {
    Ok(demp::by_cluster(softmax(mixture.log_density(z)?, 1), mixture))
}

/// The column with the greatest value of each row.
fn greatest<B: Backend>(p: Tensor<B, 2>) -> Vec<u16> {
    elements(p.argmax(1).float()).into_iter().map(|column| column as u16).collect()
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
            n_samples: samples.n_samples(),
            is_moved: settings.reconstruct.is_moved(samples.image()),
            learner: Learner::new(config, samples, false, device),
            classifier: None,
            targets: None,
            number: None,
        }
    }

    /// Clusters are found, a linear discriminant of them is the head's start, and they are the first targets.
    fn find(&mut self, epoch: usize, data: &Data<B::InnerBackend>) -> Result<(), FitError> {
        let z = self.learner.latents(data)?;
        let standardisation = Standardisation::of(&z);
        let z = standardisation.apply(z);
        let rng = &mut stream(self.config.seed, "cluster", 1 + epoch as u64);
        let Grow { components, grouping, .. } = self.settings;
        let (mut mixture, number) = grouping.find(&components, to_array(z.clone()).view(), rng)?;
        self.number = Some(number);
        if let Some(before) = &self.classifier {
            let before = greatest(self.predict(before, data)?);
            let names = renaming(&before, &greatest(clusters_posterior(&z, &mixture)?), mixture.n_clusters());
            mixture.clusters.iter_mut().for_each(|cluster| *cluster = names[usize::from(*cluster)]);
        }
        let posterior = clusters_posterior(&z, &mixture)?;
        let (weights, bias) = discriminant::fit(&z, &posterior);
        self.classifier = Some(Classifier {
            standardisation,
            head: SoftmaxHead::new(weights, bias, &self.learner.device),
            shares: elements(posterior.clone().mean_dim(0)),
        });
        self.targets = Some(posterior);
        self.learner.forget();
        Ok(())
    }

    /// What the head says of all samples, `N x C`.
    fn predict(
        &self,
        of: &Classifier<B>,
        data: &Data<B::InnerBackend>,
    ) -> Result<Tensor<B::InnerBackend, 2>, FitError> {
        Ok(of.head.predict(of.standardisation.apply(self.learner.latents(data)?)))
    }

    /// Components of the final latents, grown in each of the head's clusters by itself.
    fn refit(&self, of: &Classifier<B>, data: &Data<B::InnerBackend>) -> Result<(Standardisation, Mixture), FitError> {
        let clusters = greatest(self.predict(of, data)?);
        let z = self.learner.latents(data)?;
        let standardisation = Standardisation::of(&z);
        let z = standardisation.apply(z);
        let rng = &mut stream(self.config.seed, "cluster", u64::MAX);
        let mixture = self.settings.components.fit_within(to_array(z).view(), &clusters, rng)?;
        let every: Vec<usize> = (0..mixture.n_components()).collect();
        Ok((standardisation, prune::keep(&mixture, &every)))
    }
}

impl<B: AutodiffBackend> Method<B> for GrowMethod<B> {
    fn stages(&self) -> Vec<Stage> {
        let mut stages = self.config.two_stages(self.n_samples);
        stages[CLUSTER].learning_rate *= self.settings.rate;
        stages
    }

    fn begin_epoch(&mut self, at: Position, data: &Data<B::InnerBackend>) -> Result<Option<usize>, FitError> {
        if at.stage == 0 {
            return Ok(None);
        }
        let epochs = self.stages()[at.stage].epochs;
        let begins = |parts: usize| at.epoch == 0 || at.epoch * parts / epochs > (at.epoch - 1) * parts / epochs;
        if begins(self.settings.searches.max(1)) {
            self.find(at.epoch, data)?;
        } else if begins(self.settings.rounds)
            && let Some(of) = &self.classifier
        {
            self.targets = Some(balanced(self.predict(of, data)?, &of.shares));
        }
        Ok(self.classifier.as_ref().map(|of| of.shares.len()))
    }

    fn step(&mut self, at: Position, mut batch: Batch<B>) -> Terms {
        let rate = batch.learning_rate;
        let samples = if self.is_moved { batch.augmented.clone() } else { batch.clean };
        let latent = self.learner.encode(batch.augmented, at);
        let reconstruction = self.learner.error(&latent, samples, &mut batch.rng);
        let (Some(of), Some(targets)) = (self.classifier.as_mut().filter(|_| at.stage > 0), &self.targets) else {
            return self.learner.descend(vec![("reconstruction", reconstruction)], rate, |_| ());
        };
        let targets = Tensor::from_inner(targets.clone().select(0, batch.indices.inner()));
        let cross_entropy = of.head.cross_entropy(targets, of.standardisation.apply(latent.mean));
        let reconstruction = reconstruction * (2.0 * self.settings.reconstruction);
        let losses = vec![("reconstruction", reconstruction), ("cluster", cross_entropy)];
        self.learner.descend(losses, rate, |gradients| of.head.descend(gradients, rate))
    }

    fn save(&self) -> Result<Vec<u8>, FitError> {
        let saved = |of: &Classifier<B>| -> Result<SavedClassifier, FitError> {
            let (standardisation, shares) = (of.standardisation.clone(), of.shares.clone());
            Ok(SavedClassifier { standardisation, head: of.head.save()?, shares })
        };
        let classifier = self.classifier.as_ref().map(saved).transpose()?;
        let targets = self.targets.clone().map_or_else(Vec::new, elements);
        postcard::to_stdvec(&State { learner: self.learner.save()?, classifier, targets }).map_err(mismatch)
    }

    fn restore(&mut self, bytes: &[u8]) -> Result<(), FitError> {
        let state: State = postcard::from_bytes(bytes).map_err(mismatch)?;
        self.learner.restore(state.learner)?;
        let device = &self.learner.device;
        let restored = |saved: SavedClassifier| -> Result<Classifier<B>, FitError> {
            let SavedClassifier { standardisation, head, shares } = saved;
            Ok(Classifier { standardisation, head: SoftmaxHead::restore(head, device)?, shares })
        };
        self.classifier = state.classifier.map(restored).transpose()?;
        let clusters = self.classifier.as_ref().map_or(1, |of| of.shares.len());
        self.targets = self.classifier.as_ref().map(|_| matrix(&state.targets, state.targets.len() / clusters, device));
        Ok(())
    }

    fn number(&mut self) -> Option<ClusterCountReport> {
        self.number.take()
    }

    fn finish(mut self: Box<Self>, data: &Data<B::InnerBackend>) -> Result<Trained, FitError> {
        if self.classifier.is_none() {
            self.find(0, data)?;
        }
        let Some(of) = &self.classifier else { return Err(mismatch("there are no clusters")) };
        let (standardisation, head) = match self.settings.head {
            Kind::Softmax => (of.standardisation.clone(), Head::Softmax(of.head.to_dense()?)),
            Kind::Mixture => {
                let (standardisation, mixture) = self.refit(of, data)?;
                (standardisation, Head::Mixture(mixture))
            }
        };
        Ok(Trained {
            method: "grow".into(),
            scaling: data.scaling.clone(),
            encoder: standardisation.fold(&self.learner),
            head,
            sticks: vec![],
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn large_images_are_reconstructed_as_they_were_moved_and_nothing_else_unless_asked_for() {
        let image = |side| Some(ImageShape { channels: 1, height: side, width: side });
        assert!(Reconstruct::Auto.is_moved(image(28)) && !Reconstruct::Auto.is_moved(image(8)));
        assert!(!Reconstruct::Auto.is_moved(None));
        assert!(Reconstruct::Moved.is_moved(image(8)) && !Reconstruct::Still.is_moved(image(28)));
    }

    /// Balanced targets: rows are distributions, and clusters that were predicted too often lose.
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
