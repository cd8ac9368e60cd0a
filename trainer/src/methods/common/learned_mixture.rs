//! A diagonal Gaussian mixture whose weights, means and variances are learned by gradients, together with an encoder.

use burn::module::{Module, Param};
use burn::tensor::Tensor;
use burn::tensor::activation::log_softmax;
use burn::tensor::backend::{AutodiffBackend, Backend};
use ndarray::{Array2, ArrayView2};
use serde::{Deserialize, Serialize};

use crate::base::arrays::{to_array, to_tensor};
use crate::divergence::Gaussians;
use crate::mixture::{Covariance, Mixture, elements, matrix};
use crate::nn::{Optimized, OptimizedState, Optimizer};
use crate::training::FitError;

/// A diagonal Gaussian mixture's parameters.
#[derive(Module, Debug)]
pub(in crate::methods) struct MixtureParameters<B: Backend> {
    /// `1 x K`: the weights are their softmax.
    logits: Param<Tensor<B, 2>>,
    /// `K x D`.
    pub(in crate::methods) means: Param<Tensor<B, 2>>,
    /// `K x D`: half the log variances.
    log_deviations: Param<Tensor<B, 2>>,
}

impl<B: Backend> MixtureParameters<B> {
    pub(in crate::methods) fn new(
        logits: &[f64],
        means: ArrayView2<f64>,
        log_deviations: ArrayView2<f64>,
        device: &B::Device,
    ) -> Self {
        let learned = |values| Param::from_tensor(to_tensor::<B>(values, device));
        let logits = Param::from_tensor(matrix::<B>(logits, 1, device));
        Self { logits, means: learned(means), log_deviations: learned(log_deviations) }
    }

    /// K and D.
    pub(in crate::methods) fn dims(&self) -> [usize; 2] {
        self.means.val().dims()
    }

    /// `1 x K`.
    pub(in crate::methods) fn log_weights(&self) -> Tensor<B, 2> {
        log_softmax(self.logits.val(), 1)
    }

    /// `K x D`, half the log variances; variances are at least `floor`.
    pub(in crate::methods) fn log_deviations(&self, floor: f64) -> Tensor<B, 2> {
        self.log_deviations.val().clamp_min(0.5 * floor.ln())
    }

    /// `ln w_k + ln N(z; mu_k, s_k)` of `N x D` latents without the constant `-D/2 ln 2 pi`, `N x K`.
    pub(in crate::methods) fn log_joint(&self, z: Tensor<B, 2>, floor: f64) -> Tensor<B, 2> {
        self.scores(z, None, floor)
    }

    /// `ln w_k - KL[q || N(mu_k, s_k)]` of N diagonal Gaussians, `N x K`.
    pub(in crate::methods) fn log_evidence(&self, q: Gaussians<B>, floor: f64) -> Tensor<B, 2> {
        let entropy = (q.log_variance.clone() + 1.0).sum_dim(1) * 0.5;
        self.scores(q.mean, Some(q.log_variance), floor) + entropy
    }

    /// `ln w_k - 1/2 sum_d [(Delta^2 + s1) / s_k + ln s_k]`.
    fn scores(&self, mean: Tensor<B, 2>, log_variance: Option<Tensor<B, 2>>, floor: f64) -> Tensor<B, 2> {
        let log_deviations = self.log_deviations(floor);
        let precision = (log_deviations.clone() * -2.0).exp();
        let difference = mean.unsqueeze_dim::<3>(1) - self.means.val().unsqueeze_dim::<3>(0);
        let squares = (difference.square() * precision.clone().unsqueeze_dim::<3>(0)).sum_dim(2).squeeze_dim::<2>(2);
        let spread = match log_variance {
            Some(log_variance) => squares + log_variance.exp().matmul(precision.transpose()),
            None => squares,
        };
        self.log_weights() - spread * 0.5 - log_deviations.sum_dim(1).transpose()
    }
}

/// `ln sum_k exp x_k` for each row, `N x 1`.
pub(in crate::methods) fn log_sum_exp<B: Backend>(x: Tensor<B, 2>) -> Tensor<B, 2> {
    let most = x.clone().detach().max_dim(1);
    (x - most.clone()).exp().sum_dim(1).log() + most
}

/// The mixture and its optimiser.
pub(in crate::methods) struct LearnedMixture<B: AutodiffBackend> {
    pub(in crate::methods) parameters: Optimized<B, MixtureParameters<B>>,
    /// Variances are at least this.
    pub(in crate::methods) floor: f64,
}

/// The state of a [`LearnedMixture`] in a checkpoint.
#[derive(Serialize, Deserialize)]
pub(in crate::methods) struct LearnedMixtureState {
    k: usize,
    dims: usize,
    floor: f64,
    parameters: OptimizedState,
}

impl<B: AutodiffBackend> LearnedMixture<B> {
    /// Starts from a mixture. Only the diagonals of full covariances are used.
    pub(in crate::methods) fn new(mixture: &Mixture, floor: f64, optimizer: Optimizer, device: &B::Device) -> Self {
        let log_deviations = mixture.log_variances().mapv(|l| 0.5 * l);
        let parameters =
            MixtureParameters::new(&mixture.log_weights, mixture.means.view(), log_deviations.view(), device);
        Self { parameters: Optimized::new(parameters, optimizer), floor: floor.max(1e-6) }
    }

    pub(in crate::methods) fn descend(&mut self, gradients: &mut B::Gradients, rate: f64) {
        self.parameters.descend(gradients, rate);
    }

    /// The mixture as plain numbers, for latents `z * deviation + mean` (`1 x D` each).
    pub(in crate::methods) fn mixture(
        &self,
        mean: Tensor<B::InnerBackend, 2>,
        deviation: Tensor<B::InnerBackend, 2>,
    ) -> Mixture {
        let means = self.parameters.means.val().inner() * deviation.clone() + mean;
        let deviations = self.parameters.log_deviations(self.floor).inner().exp() * deviation;
        Mixture {
            log_weights: elements(self.parameters.log_weights().inner()),
            means: to_array(means),
            covariance: Covariance::Diagonal(to_array(deviations.square())),
            clusters: (0..self.parameters.dims()[0] as u16).collect(),
        }
    }

    pub(in crate::methods) fn state(&self) -> Result<LearnedMixtureState, FitError> {
        let [k, dims] = self.parameters.dims();
        Ok(LearnedMixtureState { k, dims, floor: self.floor, parameters: self.parameters.state()? })
    }

    pub(in crate::methods) fn restored(
        state: LearnedMixtureState,
        optimizer: Optimizer,
        device: &B::Device,
    ) -> Result<Self, FitError> {
        state.parameters.check_holds(state.k, state.dims)?;
        let zeros = Array2::zeros((state.k, state.dims));
        let parameters = MixtureParameters::new(&vec![0.0; state.k], zeros.view(), zeros.view(), device);
        let parameters = Optimized::new(parameters, optimizer).with_state(state.parameters, device)?;
        Ok(Self { parameters, floor: state.floor })
    }
}

#[cfg(test)]
mod tests {
    use burn::backend::Flex;
    use ndarray::array;

    use super::*;
    use crate::base::arrays::from_rows;
    use crate::divergence::Divergence;
    use crate::random::{normal, stream};

    const K: usize = 5;
    const DIMS: usize = 3;
    const N: usize = 8;

    fn random(n: usize, index: u64) -> Vec<f64> {
        normal(n, &mut stream(5, "learned", index)).into_iter().map(f64::from).collect()
    }

    fn parameters() -> MixtureParameters<Flex> {
        let log_deviations = from_rows(random(K * DIMS, 1), DIMS) * 0.3;
        let means = from_rows(random(K * DIMS, 2), DIMS);
        MixtureParameters::new(&random(K, 0), means.view(), log_deviations.view(), &Default::default())
    }

    #[test]
    fn the_joint_density_is_the_mixtures_own() {
        let parameters = parameters();
        let log_variances: Array2<f64> = to_array(parameters.log_deviations(1e-6) * 2.0);
        let mixture = Mixture {
            log_weights: elements(parameters.log_weights()),
            means: to_array(parameters.means.val()),
            covariance: Covariance::Diagonal(log_variances.mapv(f64::exp)),
            clusters: (0..K as u16).collect(),
        };
        let z = random(N * DIMS, 3);
        let joint = parameters.log_joint(matrix(&z, N, &Default::default()), 1e-6);
        let total = elements(log_sum_exp(joint.clone()));
        let constant = 0.5 * DIMS as f64 * std::f64::consts::TAU.ln();
        for ((row, found), total) in z.chunks(DIMS).zip(elements(joint).chunks(K)).zip(total) {
            let scores = mixture.whiten().unwrap().scores(row);
            assert!(scores.iter().zip(found).all(|(score, found)| (score + constant - found).abs() < 1e-4));
            let density: f64 = scores.iter().map(|score| score.exp()).sum();
            assert!((density.ln() + constant - total).abs() < 1e-4);
        }
    }

    #[test]
    fn the_evidence_is_the_weight_less_the_divergence() {
        let parameters = parameters();
        let tensor = |index| matrix::<Flex>(&random(N * DIMS, index), N, &Default::default());
        let q = Gaussians { mean: tensor(3), log_variance: tensor(4) };
        let found = elements(parameters.log_evidence(q.clone(), 1e-6));
        let log_weights = elements(parameters.log_weights());
        for k in 0..K {
            let row = |tensor: Tensor<Flex, 2>| tensor.narrow(0, k, 1).repeat_dim(0, N);
            let p = Gaussians {
                mean: row(parameters.means.val()),
                log_variance: row(parameters.log_deviations(1e-6) * 2.0),
            };
            for (i, kl) in elements(Divergence::KullbackLeibler.between(q.clone(), p)).into_iter().enumerate() {
                assert!((log_weights[k] - kl - found[i * K + k]).abs() < 1e-4, "{i} {k}");
            }
        }
    }

    #[test]
    fn the_variance_is_floored() {
        let flat =
            MixtureParameters::<Flex>::new(&[0.0], array![[0.0]].view(), array![[-20.0]].view(), &Default::default());
        let found = elements(flat.log_joint(matrix(&[0.0], 1, &Default::default()), 1e-2))[0];
        assert!((found + 0.5 * 1e-2f64.ln()).abs() < 1e-5);
    }
}
