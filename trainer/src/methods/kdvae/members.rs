//! K autoencoders of one shape, and the score that each gives a sample.

use burn::module::AutodiffModule;
use burn::tensor::backend::{AutodiffBackend, Backend};
use burn::tensor::{ElementConversion, Int, Tensor, TensorData};
use rand_chacha::ChaCha8Rng;
use serde::{Deserialize, Serialize};

use crate::methods::common::learner::{divergence_from_standard, gaussians};
use crate::mixture::matrix;
use crate::nn::{Autoencoder, Latent, Optimized, OptimizedState, Optimizer};
use crate::trained::{Activation, Autoencoders, Pair};
use crate::training::FitError;

/// The initial variance of the decoders' noise, relative to the variance of the samples.
const FIRST_ERROR: f64 = 0.1;

/// K autoencoders, the weights of their clusters, and the noise that they share.
pub(super) struct Members<B: AutodiffBackend> {
    networks: Optimized<B, Vec<Autoencoder<B>>>,
    variational: bool,
    shared: SharedByMembers,
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
}

/// The state of the members in a checkpoint.
#[derive(Serialize, Deserialize)]
pub(super) struct MembersState {
    networks: OptimizedState,
    shared: SharedByMembers,
}

impl<B: AutodiffBackend> Members<B> {
    /// Members of these networks; `variance` is the variance of the samples per feature.
    pub(super) fn new(networks: Vec<Autoencoder<B>>, variational: bool, variance: f64, optimizer: Optimizer) -> Self {
        let k = networks.len();
        let variance = (variance * FIRST_ERROR).max(1e-6);
        let shared = SharedByMembers { log_weights: vec![0.0; k], variance, errors: (0.0, 0) };
        Self { networks: Optimized::new(networks, optimizer), variational, shared }
    }

    /// K.
    pub(super) fn n_members(&self) -> usize {
        self.shared.log_weights.len()
    }

    /// Sets the decoders' variance to the mean squared error of the last epoch, which maximises the bound.
    pub(super) fn update_variance(&mut self) {
        let (sum, count) = std::mem::take(&mut self.shared.errors);
        if count > 0 {
            self.shared.variance = (sum / count as f64).max(1e-6);
        }
    }

    /// Sets the weight of each member to its share of the samples. Each count is increased by one, so that no weight
    /// becomes 0. Members that are not variational have no weights.
    pub(super) fn weigh(&mut self, best: &[usize]) {
        if !self.variational {
            return;
        }
        let mut counts = vec![1.0; self.n_members()];
        best.iter().for_each(|&k| counts[k] += 1.0);
        let total: f64 = counts.iter().sum();
        self.shared.log_weights = counts.iter().map(|count| (count / total).ln()).collect();
    }

    /// `N x K` scores of samples, `ln alpha_i - |x - decoder_i(mean)|^2 / 2 s^2 - KL_i`.
    pub(super) fn scores(&self, x: &Tensor<B::InnerBackend, 2>) -> Tensor<B::InnerBackend, 2> {
        let networks = self.networks.valid();
        let weights = matrix::<B::InnerBackend>(&self.shared.log_weights, 1, &x.device());
        let scores = networks.iter().map(|network| {
            let latent = network.encode(x.clone());
            let error = (network.decode(latent.mean.clone()) - x.clone()).square().sum_dim(1);
            let score = error.squeeze_dim::<1>(1) * (-0.5 / self.shared.variance);
            prior(latent).map_or(score.clone(), |prior| score - prior)
        });
        Tensor::stack::<2>(scores.collect(), 1) + weights
    }

    /// Takes a step of each member on its own samples. `best` has the member of each row of the batch.
    pub(super) fn descend(
        &mut self,
        moved: &Tensor<B, 2>,
        clean: &Tensor<B, 2>,
        best: &[usize],
        rate: f64,
        rng: &mut ChaCha8Rng,
    ) -> Vec<(&'static str, f64)> {
        let n = best.len() as f64;
        let mut reconstruction = vec![];
        let mut prior_loss = vec![];
        for (k, network) in self.networks.iter().enumerate() {
            let own: Vec<i32> = (0..best.len()).filter(|&row| best[row] == k).map(|row| row as i32).collect();
            if own.is_empty() {
                continue;
            }
            let own = Tensor::<B, 1, Int>::from_data(TensorData::from(&own[..]), &clean.device());
            let latent = network.encode(moved.clone().select(0, own.clone()));
            let decoded = network.decode(latent.sample(rng));
            reconstruction.push((decoded - clean.clone().select(0, own)).square().sum());
            prior_loss.extend(prior(latent).map(|prior| prior.sum()));
        }
        let total = |losses: Vec<Tensor<B, 1>>| losses.into_iter().reduce(|a, b| a + b);
        let Some(error) = total(reconstruction) else { return vec![] };
        let squared = error.clone().into_scalar().elem::<f64>();
        self.shared.errors.0 += squared;
        self.shared.errors.1 += best.len() * clean.dims()[1];
        // The loss is scaled so that the error has the weight of other methods' reconstruction.
        let scale = self.shared.variance / n;
        let mut terms = vec![("reconstruction", 0.5 * squared / n)];
        let mut loss = error * (0.5 / n);
        if let Some(prior) = total(prior_loss) {
            terms.push(("prior", prior.clone().into_scalar().elem::<f64>() / n));
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
            variational: self.variational,
            precision: 1.0 / self.shared.variance,
            log_weights: self.shared.log_weights.clone(),
        }
    }

    /// See [`Optimized::continue_with`].
    pub(super) fn continue_with(&mut self, optimizer: Optimizer) {
        self.networks.continue_with(optimizer);
    }

    pub(super) fn state(&self) -> Result<MembersState, FitError> {
        Ok(MembersState { networks: self.networks.state()?, shared: self.shared.clone() })
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
    use crate::mixture::elements;
    use crate::nn::Architecture;
    use crate::random::{normal, stream};

    const FEATURES: usize = 6;
    const N: usize = 20;

    fn members(variational: bool) -> Members<Autodiff<Flex>> {
        let shapes = Architecture::dense(&[5, 2]).shapes(FEATURES, None).unwrap();
        let mut rng = stream(0, "weights", 0);
        let networks = (0..3).map(|_| Autoencoder::new(&shapes, variational, &mut rng, &Default::default()));
        Members::new(networks.collect(), variational, 1.0, Optimizer::Adam {})
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
            for (plain, found) in plain.iter().zip(elements(members.scores(&x))) {
                assert!((plain - found).abs() < 1e-3 * plain.abs().max(1.0), "{plain} {found}");
            }
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
        assert_eq!(terms.iter().map(|(name, _)| *name).collect::<Vec<_>>(), ["reconstruction", "prior"]);
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
        let expected = FEATURES as f64 / (2.0 * terms[0].1);
        assert!((members.to_plain().precision / expected - 1.0).abs() < 1e-6);
    }
}
