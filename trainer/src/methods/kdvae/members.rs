//! K autoencoders of one shape, and the score that each gives a sample.

use burn::module::AutodiffModule;
use burn::tensor::backend::{AutodiffBackend, Backend};
use burn::tensor::{Int, Tensor, TensorData};
use rand_chacha::ChaCha8Rng;
use serde::{Deserialize, Serialize};

use super::likelihood::{FeatureNoise, Likelihood, bernoulli_loss, gaussian_loss, printed_prior};
use crate::methods::common::learner::{CHUNK, divergence_from_standard, gaussians};
use crate::methods::common::standardisation::Standardisation;
use crate::mixture::{elements, matrix};
use crate::nn::{Autoencoder, Latent, Optimized, OptimizedState, Optimizer};
use crate::trained::{Activation, Autoencoders, DecoderLayer, DecoderOutputs, Pair};
use crate::training::{Data, FitError, Term, Terms, read_all};
use crate::variant::Variant;

/// The initial variance of the decoders' noise, relative to the variance of the samples.
const FIRST_ERROR: f64 = 0.1;

/// K autoencoders, the weights of their clusters, and the noise of their decoders.
pub(super) struct Members<B: AutodiffBackend> {
    networks: Optimized<B, Vec<Autoencoder<B>>>,
    model: Model,
    shared: SharedByMembers,
    /// The squared errors of this epoch's steps that are not yet among the shared ones.
    unread_errors: Vec<Tensor<B::InnerBackend, 1>>,
}

/// What the members are a model of.
#[derive(Clone, Copy, Debug)]
pub(super) struct Model {
    /// Whether the members are variational.
    pub(super) variational: bool,
    /// The distribution of a sample given its reconstruction.
    pub(super) likelihood: Likelihood,
    /// The printed form has no weights of clusters, and scores finished members by equation 8.
    pub(super) variant: Variant,
    /// The input that stands for 0 of the Bernoulli distribution; that for 1 is 1.
    pub(super) black: f32,
}

/// Whether scores are those that members learn by, or those of the finished model.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Scores {
    Learning,
    Finished,
}

/// Parameters that all autoencoders share.
#[derive(Clone, Debug, Serialize, Deserialize)]
struct SharedByMembers {
    /// K: logarithms of the shares of the samples; zeros if not variational.
    log_weights: Vec<f64>,
    /// The decoders' variance: the mean squared error per feature of the last epoch.
    variance: f64,
    /// The sum of this epoch's squared errors, and their number.
    errors: (f64, usize),
    /// The noise of each member; none unless each feature has its own variance.
    by_feature: Vec<FeatureNoise>,
}

/// The state of the members in a checkpoint.
#[derive(Serialize, Deserialize)]
pub(super) struct MembersState {
    networks: OptimizedState,
    shared: SharedByMembers,
}

impl<B: AutodiffBackend> Members<B> {
    /// Members of these networks; `variance` is the variance per feature of the samples, which have `n_features`.
    pub(super) fn new(
        networks: Vec<Autoencoder<B>>,
        model: Model,
        variance: f64,
        n_features: usize,
        optimizer: Optimizer,
    ) -> Self {
        let k = networks.len();
        let by_feature = match model.likelihood {
            Likelihood::PerFeature => vec![FeatureNoise::new(variance, variance * FIRST_ERROR, n_features); k],
            Likelihood::Gaussian | Likelihood::Bernoulli => vec![],
        };
        let variance = (variance * FIRST_ERROR).max(1e-6);
        let shared = SharedByMembers { log_weights: vec![0.0; k], variance, errors: (0.0, 0), by_feature };
        Self { networks: Optimized::new(networks, optimizer), model, shared, unread_errors: vec![] }
    }

    /// K.
    pub(super) fn n_members(&self) -> usize {
        self.shared.log_weights.len()
    }

    /// Sets the decoders' variance to the mean squared error of the last epoch, which maximises the bound.
    pub(super) fn update_variance(&mut self) {
        self.shared = self.shared();
        self.unread_errors.clear();
        let (sum, count) = std::mem::take(&mut self.shared.errors);
        if count > 0 {
            self.shared.variance = (sum / count as f64).max(1e-6);
        }
        self.shared.by_feature.iter_mut().for_each(FeatureNoise::update);
    }

    /// Sets the weight of each member to its share of the samples. Each count is increased by one, so that no weight
    /// becomes 0. Members that are not variational have no weights, nor have those of the printed form.
    pub(super) fn weigh(&mut self, best: &[usize]) {
        if !self.model.variational || self.model.variant == Variant::Paper {
            return;
        }
        let mut counts = vec![1.0; self.n_members()];
        best.iter().for_each(|&k| counts[k] += 1.0);
        let total: f64 = counts.iter().sum();
        self.shared.log_weights = counts.iter().map(|count| (count / total).ln()).collect();
    }

    /// `N x K` scores of samples, `ln alpha_i + ln p(x | decoder_i(mean)) - KL_i`.
    pub(super) fn scores(&self, x: &Tensor<B::InnerBackend, 2>, which: Scores) -> Tensor<B::InnerBackend, 2> {
        let networks = self.networks.valid();
        let weights = matrix::<B::InnerBackend>(&self.shared.log_weights, 1, &x.device());
        let is_printed = which == Scores::Finished && self.model.variant == Variant::Paper;
        let scores = networks.iter().enumerate().map(|(k, network)| {
            let latent = network.encode(x.clone());
            let decoded = network.decode(latent.mean.clone());
            let score = match self.model.likelihood {
                Likelihood::Gaussian => {
                    (decoded - x.clone()).square().sum_dim(1).squeeze_dim::<1>(1) * (-0.5 / self.shared.variance)
                }
                Likelihood::PerFeature | Likelihood::Bernoulli => -self.loss(k, decoded, x.clone()),
            };
            let prior = if is_printed { printed_prior(&latent) } else { prior(latent) };
            prior.map_or(score.clone(), |prior| score - prior)
        });
        Tensor::stack::<2>(scores.collect(), 1) + weights
    }

    /// `-ln p(x | y)` of each row for the reconstructions of a member, up to a constant, by a likelihood other than the
    /// Gaussian with one variance.
    fn loss<I: Backend>(&self, k: usize, y: Tensor<I, 2>, x: Tensor<I, 2>) -> Tensor<I, 1> {
        match self.shared.by_feature.get(k) {
            Some(noise) => {
                let variances = matrix(&noise.variances, 1, &x.device());
                gaussian_loss(y, x, variances)
            }
            None => bernoulli_loss(y, (x - self.model.black) / (1.0 - self.model.black)),
        }
    }

    /// Takes a step of each member on its own samples. `best` has the member of each row of the batch.
    pub(super) fn descend(
        &mut self,
        moved: &Tensor<B, 2>,
        clean: &Tensor<B, 2>,
        best: &[usize],
        rate: f64,
        rng: &mut ChaCha8Rng,
    ) -> Terms<B::InnerBackend> {
        let n = best.len() as f64;
        let is_simple = self.model.likelihood == Likelihood::Gaussian;
        let mut reconstruction = vec![];
        let mut errors = vec![];
        let mut prior_loss = vec![];
        for (k, network) in self.networks.iter().enumerate() {
            let own: Vec<i32> = (0..best.len()).filter(|&row| best[row] == k).map(|row| row as i32).collect();
            if own.is_empty() {
                continue;
            }
            let count = own.len();
            let own = Tensor::<B, 1, Int>::from_data(TensorData::from(&own[..]), &clean.device());
            let latent = network.encode(moved.clone().select(0, own.clone()));
            let decoded = network.decode(latent.sample(rng));
            let own = clean.clone().select(0, own);
            if self.model.likelihood == Likelihood::PerFeature {
                let squares = (decoded.clone() - own.clone()).square().sum_dim(0);
                errors.push((k, count, elements(squares.inner())));
            }
            reconstruction.push(match is_simple {
                true => (decoded - own).square().sum(),
                false => self.loss(k, decoded, own).sum(),
            });
            prior_loss.extend(prior(latent).map(|prior| prior.sum()));
        }
        let total = |losses: Vec<Tensor<B, 1>>| losses.into_iter().reduce(|a, b| a + b);
        let Some(error) = total(reconstruction) else { return vec![] };
        let sum = error.clone().inner();
        errors.into_iter().for_each(|(k, count, squares)| self.shared.by_feature[k].add(count, &squares));
        if is_simple {
            self.unread_errors.push(sum.clone());
            self.shared.errors.1 += best.len() * clean.dims()[1];
        }
        // With one variance, the loss is scaled so that the error has the weight of other methods' reconstruction.
        let (weight, scale) = if is_simple { (0.5, self.shared.variance / n) } else { (1.0, 1.0 / n) };
        let mut terms = vec![Term::scaled("reconstruction", sum, weight / n)];
        let mut loss = error * (weight / n);
        if let Some(prior) = total(prior_loss) {
            terms.push(Term::scaled("prior", prior.clone().inner(), 1.0 / n));
            loss = loss + prior * scale;
        }
        self.networks.descend(&mut loss.backward(), rate);
        terms
    }

    /// The members as plain numbers.
    pub(super) fn to_plain(&self) -> Autoencoders {
        let pair = |network: &Autoencoder<B>| Pair {
            encoder: network.encoder().to_layers(Activation::Identity),
            decoder: network.decoder().to_layers(Activation::Identity),
        };
        Autoencoders {
            pairs: self.networks.iter().map(pair).collect(),
            variational: self.model.variational,
            precision: 1.0 / self.shared.variance,
            log_weights: self.shared.log_weights.clone(),
        }
    }

    /// The decoders as plain numbers. Those of variational members take draws of the prior; those of others take the latents of
    /// their own samples, standardised, since those have no prior. `best` has the member of each sample.
    pub(super) fn to_decoders(
        &self,
        data: &Data<B::InnerBackend>,
        best: &[usize],
    ) -> Result<Vec<Vec<DecoderLayer>>, FitError> {
        let networks = self.networks.valid();
        let mut latents = vec![vec![]; networks.len()];
        if !self.model.variational {
            let mut best = best.iter();
            for x in data.chunks(CHUNK) {
                let x = x?;
                let own: Vec<usize> = best.by_ref().take(x.dims()[0]).copied().collect();
                for (k, (network, latents)) in networks.iter().zip(&mut latents).enumerate() {
                    let rows: Vec<i32> = (0..own.len()).filter(|&row| own[row] == k).map(|row| row as i32).collect();
                    if !rows.is_empty() {
                        let rows = Tensor::from_data(TensorData::from(&rows[..]), &x.device());
                        latents.push(network.encode(x.clone().select(0, rows)).mean);
                    }
                }
            }
        }
        let decoder = |(network, latents): (&Autoencoder<B>, Vec<Tensor<B::InnerBackend, 2>>)| {
            let layers = network.decoder().to_decoder_layers();
            match latents.is_empty() {
                true => layers,
                false => Standardisation::fit(&Tensor::cat(latents, 0)).unfold(layers),
            }
        };
        Ok(self.networks.iter().zip(latents).map(decoder).collect())
    }

    /// What the outputs of the decoders are.
    pub(super) fn outputs(&self) -> DecoderOutputs {
        match self.model.likelihood {
            Likelihood::Gaussian | Likelihood::PerFeature => DecoderOutputs::Values,
            Likelihood::Bernoulli => DecoderOutputs::Logits(self.model.black),
        }
    }

    /// See [`Optimized::continue_with`].
    pub(super) fn continue_with(&mut self, optimizer: Optimizer) {
        self.networks.continue_with(optimizer);
    }

    /// The shared parameters, with the errors of all steps.
    fn shared(&self) -> SharedByMembers {
        let mut shared = self.shared.clone();
        shared.errors.0 =
            read_all(self.unread_errors.clone()).into_iter().fold(shared.errors.0, |sum, error| sum + error);
        shared
    }

    pub(super) fn state(&self) -> Result<MembersState, FitError> {
        Ok(MembersState { networks: self.networks.state()?, shared: self.shared() })
    }

    /// Restores the state of members of the same shapes.
    pub(super) fn with_state(self, state: MembersState, device: &B::Device) -> Result<Self, FitError> {
        Ok(Self { networks: self.networks.with_state(state.networks, device)?, shared: state.shared, ..self })
    }
}

/// `KL(q(z|x) || N(0, 1))` of each sample; `None` for a plain autoencoder.
fn prior<B: Backend>(latent: Latent<B>) -> Option<Tensor<B, 1>> {
    latent.log_variance.is_some().then(|| divergence_from_standard(gaussians(latent, 1.0)))
}

#[cfg(test)]
mod tests;
