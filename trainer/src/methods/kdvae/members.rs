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
mod tests {
    use burn::backend::{Autodiff, Flex};

    use super::*;
    use crate::nn::Architecture;
    use crate::random::{normal, stream};

    const FEATURES: usize = 6;
    const N: usize = 20;

    fn members(variational: bool) -> Members<Autodiff<Flex>> {
        members_of(Model { variational, likelihood: Likelihood::Gaussian, variant: Variant::Corrected, black: 0.0 })
    }

    fn members_of(model: Model) -> Members<Autodiff<Flex>> {
        let shapes = Architecture::dense(&[5, 2]).shapes(FEATURES, None).unwrap();
        let mut rng = stream(0, "weights", 0);
        let networks = (0..3).map(|_| Autoencoder::new(&shapes, model.variational, &mut rng, &Default::default()));
        Members::new(networks.collect(), model, 1.0, FEATURES, Optimizer::Adam {})
    }

    fn samples() -> (Vec<f32>, Tensor<Flex, 2>) {
        let values = normal(N * FEATURES, &mut stream(0, "samples", 0));
        let tensor = Tensor::from_data(TensorData::new(values.clone(), [N, FEATURES]), &Default::default());
        (values, tensor)
    }

    #[test]
    fn plain_numbers_score_as_the_members_do() {
        for variational in [false, true] {
            let mut members = members(variational);
            members.weigh(&[0, 0, 0, 1]);
            let (values, x) = samples();
            let plain = members.to_plain().scores(&values);
            for (plain, found) in plain.iter().zip(elements(members.scores(&x, Scores::Finished))) {
                assert!((plain - found).abs() < 1e-3 * plain.abs().max(1.0), "{plain} {found}");
            }
        }
    }

    /// The latents and reconstructions of each member: means, log variances and outputs of the decoder.
    fn encoded(members: &Members<Autodiff<Flex>>, x: &Tensor<Flex, 2>) -> Vec<[Vec<f64>; 3]> {
        let networks = members.networks.valid();
        let each = networks.iter().map(|network| {
            let latent = network.encode(x.clone());
            let decoded = network.decode(latent.mean.clone());
            let log_variance = latent.log_variance.unwrap_or_else(|| latent.mean.zeros_like());
            [latent.mean, log_variance, decoded].map(elements)
        });
        each.collect()
    }

    /// `ln N(x; mean, variance)`.
    fn log_normal(x: f64, mean: f64, variance: f64) -> f64 {
        -0.5 * ((x - mean).powi(2) / variance + (std::f64::consts::TAU * variance).ln())
    }

    #[test]
    fn the_printed_score_is_equation_7_by_its_densities_and_differs_from_the_bound_as_it_must() {
        for likelihood in [Likelihood::Gaussian, Likelihood::PerFeature] {
            let mut members = members_of(Model { variational: true, likelihood, variant: Variant::Paper, black: 0.0 });
            // The printed form has no weights.
            members.weigh(&[0, 0, 0, 1]);
            let (values, x) = samples();
            let [finished, learning] =
                [Scores::Finished, Scores::Learning].map(|which| elements(members.scores(&x, which)));
            // What all members have in common is left out.
            let constant = match likelihood {
                Likelihood::Gaussian => (std::f64::consts::TAU * FIRST_ERROR).ln(),
                _ => std::f64::consts::TAU.ln(),
            };
            for (k, [mean, log_variance, decoded]) in encoded(&members, &x).into_iter().enumerate() {
                for row in 0..N {
                    let features = row * FEATURES..(row + 1) * FEATURES;
                    let density = features.map(|at| log_normal(f64::from(values[at]), decoded[at], FIRST_ERROR));
                    let mut score = density.sum::<f64>() + 0.5 * FEATURES as f64 * constant;
                    let mut excess = 0.0;
                    for at in row * 2..row * 2 + 2 {
                        let (m, s) = (mean[at], log_variance[at].exp());
                        score -= log_normal(m, m, s) - log_normal(m, 0.0, 1.0);
                        excess += 0.5 * s - 0.5;
                    }
                    let found = finished[row * 3 + k];
                    assert!((found - score).abs() < 1e-3 * score.abs().max(1.0), "{likelihood:?}: {found} {score}");
                    assert!((found - learning[row * 3 + k] - excess).abs() < 1e-3 * found.abs().max(1.0));
                }
            }
        }
    }

    #[test]
    fn bernoulli_scores_are_those_of_the_definition_whatever_the_range_of_inputs() {
        let shares: Vec<f64> = samples().0.iter().map(|x| f64::from(x.abs() % 1.0)).collect();
        for black in [0.0f32, -1.0] {
            let likelihood = Likelihood::Bernoulli;
            let members = members_of(Model { variational: true, likelihood, variant: Variant::Corrected, black });
            let inputs: Vec<f64> = shares.iter().map(|x| x * f64::from(1.0 - black) + f64::from(black)).collect();
            let x = matrix::<Flex>(&inputs, N, &Default::default());
            let scores = elements(members.scores(&x, Scores::Finished));
            for (k, [mean, log_variance, decoded]) in encoded(&members, &x).into_iter().enumerate() {
                for row in 0..N {
                    let probable = |at: usize| {
                        let p = 1.0 / (1.0 + (-decoded[at]).exp());
                        shares[at] * p.ln() + (1.0 - shares[at]) * (1.0 - p).ln()
                    };
                    let divergence =
                        |at: usize| 0.5 * (mean[at].powi(2) + log_variance[at].exp() - log_variance[at] - 1.0);
                    let expected = (row * FEATURES..(row + 1) * FEATURES).map(probable).sum::<f64>()
                        - (row * 2..row * 2 + 2).map(divergence).sum::<f64>();
                    assert!((scores[row * 3 + k] - expected).abs() < 1e-3, "{} {expected}", scores[row * 3 + k]);
                }
            }
        }
    }

    #[test]
    fn each_feature_of_a_member_has_the_variance_of_its_last_errors() {
        let likelihood = Likelihood::PerFeature;
        let mut members = members_of(Model { variational: false, likelihood, variant: Variant::Corrected, black: 0.0 });
        let (values, x) = samples();
        let [_, _, decoded] = encoded(&members, &x).swap_remove(1);
        let x = Tensor::from_inner(x);
        members.descend(&x, &x, &[1; N], 1e-2, &mut stream(0, "noise", 0));
        members.update_variance();
        let variances = |k: usize, d: usize| members.shared.by_feature[k].variances[d];
        for d in 0..FEATURES {
            let error = |row: usize| f64::from(values[row * FEATURES + d]) - decoded[row * FEATURES + d];
            let expected = (0..N).map(|row| error(row).powi(2)).sum::<f64>() / N as f64;
            assert!((variances(1, d) / expected - 1.0).abs() < 1e-4, "{d}");
            assert_eq!(variances(0, d), FIRST_ERROR);
        }
    }

    #[test]
    fn a_member_learns_from_its_own_samples_alone() {
        let mut members = members(true);
        let before = members.to_plain();
        let (_, x) = samples();
        let x = Tensor::from_inner(x);
        let terms = members.descend(&x, &x, &[1; N], 1e-2, &mut stream(0, "noise", 0));
        let after = members.to_plain();
        assert_eq!(terms.iter().map(|term| term.name).collect::<Vec<_>>(), ["reconstruction", "prior"]);
        assert!(before.pairs[0] == after.pairs[0] && before.pairs[2] == after.pairs[2]);
        assert!(before.pairs[1].encoder != after.pairs[1].encoder && before.pairs[1].decoder != after.pairs[1].decoder);
    }

    #[test]
    fn the_variance_is_the_last_epochs_mean_squared_error() {
        let mut members = members(false);
        let (_, x) = samples();
        let x = Tensor::from_inner(x);
        let terms = members.descend(&x, &x, &[0; N], 1e-2, &mut stream(0, "noise", 0));
        members.update_variance();
        // Half the squared error, summed over features.
        let expected = FEATURES as f64 / (2.0 * terms[0].value());
        assert!((members.to_plain().precision / expected - 1.0).abs() < 1e-6);
    }
}
