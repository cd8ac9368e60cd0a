//! Adaptive Gaussian mixture (paper 002): encoder and mixture are trained together by gradients.
//!
//! **Objective**: the mean log-likelihood of the latents under a diagonal mixture plus `eta R`, maximised. `R` pushes
//! each centre from its K/2 nearest: as printed `sum |mu_k - mu_j|^2`, which has no bound, or by default
//! `-sum exp(-|mu_k - mu_j|^2 / mean |mu_k - mu_j|^2)`. `eta = 0` is DeepGMM. **Update**: softmax logits, means and log
//! deviations learn with the encoder. **Schedule**: reconstruction, EM, then the objective.
//!
//! The likelihood of latents grows without bound as they shrink: each batch is standardised before it is scored.

use burn::module::{Module, Param};
use burn::optim::adaptor::OptimizerAdaptor;
use burn::optim::{Adam, GradientsParams, Optimizer};
use burn::tensor::activation::log_softmax;
use burn::tensor::backend::{AutodiffBackend, Backend};
use burn::tensor::{Tensor, TensorData};
use rand_chacha::ChaCha8Rng;
use serde::{Deserialize, Serialize};

use super::Variant;
use super::joint::Clusters;
use super::learner::{Losses, adam, mismatch, read, record};
use crate::mixture::gmm::Gmm;
use crate::mixture::{Covariance, Mixture, Shape, elements, matrix};
use crate::trained::Head;
use crate::training::{Batch, FitError};

/// Settings of the adaptive mixture.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields, rename_all = "kebab-case")]
pub struct AdaptiveGmm {
    /// The weight of the repulsion of centres.
    pub eta: f64,
    /// Whether the repulsion is bounded and the reconstruction kept.
    pub variant: Variant,
    /// The weight of the log-likelihood beside the reconstruction.
    pub lambda: f64,
    /// The mixture that training starts from; its floor bounds the variances all along.
    pub mixture: Gmm,
}

impl Default for AdaptiveGmm {
    fn default() -> Self {
        let mixture = Gmm { covariance: Shape::Diagonal, ..Gmm::default() };
        Self { eta: 0.01, variant: Variant::Corrected, lambda: 0.1, mixture }
    }
}

/// A diagonal mixture that is learned by gradients.
#[derive(Module, Debug)]
struct Learned<B: Backend> {
    /// `1 x K`: the weights are their softmax.
    logits: Param<Tensor<B, 2>>,
    /// `K x D`.
    means: Param<Tensor<B, 2>>,
    /// `K x D`.
    log_deviations: Param<Tensor<B, 2>>,
}

impl<B: Backend> Learned<B> {
    fn new(logits: &[f64], means: &[f64], log_deviations: &[f64], device: &B::Device) -> Self {
        let rows = |values: &[f64], rows| Param::from_tensor(matrix::<B>(values, rows, device));
        let k = logits.len();
        Self { logits: rows(logits, 1), means: rows(means, k), log_deviations: rows(log_deviations, k) }
    }

    /// The log-likelihood of each of `N x D` latents, `N x 1`, up to a constant; variances at least `floor`.
    fn log_likelihood(&self, z: Tensor<B, 2>, floor: f64) -> Tensor<B, 2> {
        let log_deviations = self.log_deviations.val().clamp_min(0.5 * floor.ln());
        let difference = z.unsqueeze_dim::<3>(1) - self.means.val().unsqueeze_dim::<3>(0);
        let scaled = difference / log_deviations.clone().exp().unsqueeze_dim::<3>(0);
        let squares = scaled.square().sum_dim(2).squeeze_dim::<2>(2);
        let log_det = log_deviations.sum_dim(1).transpose();
        let joint = log_softmax(self.logits.val(), 1) - squares * 0.5 - log_det;
        let most = joint.clone().detach().max_dim(1);
        (joint - most.clone()).exp().sum_dim(1).log() + most
    }

    /// What pushes centres apart, averaged over components: greater is further apart.
    fn repulsion(&self, variant: Variant) -> Tensor<B, 1> {
        let means = self.means.val();
        let k = means.dims()[0];
        let difference = means.clone().unsqueeze_dim::<3>(1) - means.unsqueeze_dim::<3>(0);
        let squares = difference.square().sum_dim(2).squeeze_dim::<2>(2);
        let near = neighbours(&elements(squares.clone()), k);
        let pairs = near.iter().sum::<f32>().max(1.0);
        let near = Tensor::from_data(TensorData::new(near, [k, k]), &squares.device());
        let each = match variant {
            Variant::Paper => squares,
            Variant::Corrected => {
                let mean = (squares.clone().detach() * near.clone()).sum().clamp_min(1e-12) / f64::from(pairs);
                -(-squares / mean.unsqueeze::<2>()).exp()
            }
        };
        (each * near).sum() / k as f64
    }
}

/// `K x K`, one where the column is among the K/2 nearest of the row.
fn neighbours(squares: &[f64], k: usize) -> Vec<f32> {
    let mut near = vec![0.0; k * k];
    for row in 0..k {
        let mut others: Vec<usize> = (0..k).filter(|&other| other != row).collect();
        others.sort_by(|&a, &b| squares[row * k + a].total_cmp(&squares[row * k + b]));
        others.into_iter().take(k / 2).for_each(|other| near[row * k + other] = 1.0);
    }
    near
}

/// A mixture that learns, and its optimiser.
pub(crate) struct LearnedMixture<B: AutodiffBackend> {
    learned: Learned<B>,
    optimizer: OptimizerAdaptor<Adam, Learned<B>, B>,
    floor: f64,
}

/// What a checkpoint holds.
#[derive(Serialize, Deserialize)]
struct Saved {
    k: usize,
    dims: usize,
    floor: f64,
    learned: Vec<u8>,
    optimizer: Vec<u8>,
}

/// Means and deviations of the columns, `1 x D` each.
fn moments<B: Backend>(z: &Tensor<B, 2>) -> (Tensor<B, 2>, Tensor<B, 2>) {
    let mean = z.clone().mean_dim(0);
    let variance = (z.clone() - mean.clone()).square().mean_dim(0);
    (mean, (variance + 1e-6).sqrt())
}

impl<B: AutodiffBackend> Clusters<B> for LearnedMixture<B> {
    type Settings = AdaptiveGmm;

    const MOVED: bool = true;

    fn find(settings: &AdaptiveGmm, z: &Tensor<B::InnerBackend, 2>, rng: &mut ChaCha8Rng) -> Result<Self, FitError> {
        let diagonal = Gmm { covariance: Shape::Diagonal, ..settings.mixture };
        let mixture = diagonal.fit(z, rng)?;
        let log_deviations: Vec<f64> = super::latent::log_variances(&mixture).iter().map(|l| 0.5 * l).collect();
        let learned = Learned::new(&mixture.log_weights, &mixture.means, &log_deviations, &z.device());
        Ok(Self { learned, optimizer: adam().init(), floor: settings.mixture.variance_floor.max(1e-6) })
    }

    fn reconstruction(settings: &AdaptiveGmm, _: usize) -> f64 {
        if settings.variant == Variant::Corrected { 1.0 } else { 0.0 }
    }

    fn begin_epoch(&mut self, _: &AdaptiveGmm, _: &Tensor<B::InnerBackend, 2>) -> Result<(), FitError> {
        Ok(())
    }

    fn losses(&mut self, settings: &AdaptiveGmm, z: Tensor<B, 2>, _: &mut Batch<B>) -> Losses<B> {
        let (mean, deviation) = moments(&z);
        let likelihood = self.learned.log_likelihood((z - mean) / deviation, self.floor).mean();
        let repulsion = self.learned.repulsion(settings.variant);
        vec![("cluster", -(likelihood * settings.lambda)), ("repulsion", -(repulsion * settings.eta))]
    }

    fn descend(&mut self, gradients: &mut B::Gradients, rate: f64) {
        let own = GradientsParams::from_module(gradients, &self.learned);
        self.learned = self.optimizer.step(rate, self.learned.clone(), own);
    }

    fn n_clusters(&self) -> usize {
        self.learned.means.val().dims()[0]
    }

    /// The mixture is one of latents of mean 0 and deviation 1; it is moved to where the latents are.
    fn head(&self, z: &Tensor<B::InnerBackend, 2>) -> Head {
        let inner = |tensor: Tensor<B, 2>| tensor.inner();
        let (mean, deviation) = moments(z);
        let means = inner(self.learned.means.val()) * deviation.clone() + mean;
        let deviations = inner(self.learned.log_deviations.val()).clamp_min(0.5 * self.floor.ln()).exp() * deviation;
        Head::Mixture(Mixture {
            log_weights: elements(log_softmax(inner(self.learned.logits.val()), 1)),
            means: elements(means),
            covariance: Covariance::Diagonal(elements(deviations.square())),
            clusters: (0..self.n_clusters() as u16).collect(),
        })
    }

    fn save(&self) -> Result<Vec<u8>, FitError> {
        let [k, dims] = self.learned.means.val().dims();
        let learned = record::<B, _>(self.learned.clone().into_record())?;
        let optimizer = record::<B, _>(self.optimizer.to_record())?;
        postcard::to_stdvec(&Saved { k, dims, floor: self.floor, learned, optimizer }).map_err(mismatch)
    }

    fn restore(bytes: &[u8], device: &B::Device) -> Result<Self, FitError> {
        let saved: Saved = postcard::from_bytes(bytes).map_err(mismatch)?;
        let zeros = vec![0.0; saved.k * saved.dims];
        let empty = Learned::new(&vec![0.0; saved.k], &zeros, &zeros, device);
        Ok(Self {
            learned: empty.load_record(read::<B, _>(saved.learned, device)?),
            optimizer: adam().init().load_record(read::<B, _>(saved.optimizer, device)?),
            floor: saved.floor,
        })
    }
}

#[cfg(test)]
mod tests {
    use burn::backend::{Autodiff, Flex};

    use super::*;
    use crate::random::{normal, stream};

    const K: usize = 5;
    const DIMS: usize = 3;

    fn random(n: usize, index: u64) -> Vec<f64> {
        normal(n, &mut stream(5, "adaptive", index)).into_iter().map(f64::from).collect()
    }

    fn learned<B: Backend>(means: &[f64]) -> Learned<B> {
        let log_deviations: Vec<f64> = random(K * DIMS, 1).iter().map(|x| 0.3 * x).collect();
        Learned::new(&random(K, 0), means, &log_deviations, &Default::default())
    }

    #[test]
    fn the_likelihood_is_the_mixtures_own() {
        let learned = learned::<Flex>(&random(K * DIMS, 2));
        let log_variances = elements(learned.log_deviations.val() * 2.0);
        let mixture = Mixture {
            log_weights: elements(log_softmax(learned.logits.val(), 1)),
            means: elements(learned.means.val()),
            covariance: Covariance::Diagonal(log_variances.iter().map(|l| l.exp()).collect()),
            clusters: (0..K as u16).collect(),
        };
        let z = random(8 * DIMS, 3);
        let found = elements(learned.log_likelihood(matrix(&z, 8, &Default::default()), 1e-6));
        for (row, found) in z.chunks(DIMS).zip(found) {
            let density: f64 = mixture.whiten().unwrap().scores(row).iter().map(|score| score.exp()).sum();
            let constant = 0.5 * DIMS as f64 * std::f64::consts::TAU.ln();
            assert!((density.ln() + constant - found).abs() < 1e-4);
        }
    }

    #[test]
    fn the_variance_is_floored() {
        let flat = Learned::<Flex>::new(&[0.0], &[0.0], &[-20.0], &Default::default());
        let found = elements(flat.log_likelihood(matrix(&[0.0], 1, &Default::default()), 1e-2))[0];
        assert!((found + 0.5 * 1e-2f64.ln()).abs() < 1e-5);
    }

    /// The printed gradient (equation 10) leaves out those neighbours that count k among theirs.
    #[test]
    fn the_printed_repulsions_gradient_is_that_of_both_directions() {
        let means = random(K * DIMS, 4);
        let learned = learned::<Autodiff<Flex>>(&means);
        let gradients = learned.repulsion(Variant::Paper).backward();
        let found = elements(learned.means.val().grad(&gradients).unwrap());
        let square = |k: usize, j: usize| -> f64 {
            (0..DIMS).map(|d| (means[k * DIMS + d] - means[j * DIMS + d]).powi(2)).sum()
        };
        let squares: Vec<f64> = (0..K * K).map(|at| square(at / K, at % K)).collect();
        let near = neighbours(&squares, K);
        assert!(near.chunks(K).enumerate().all(|(k, row)| row.iter().sum::<f32>() == (K / 2) as f32 && row[k] == 0.0));
        for k in 0..K {
            for d in 0..DIMS {
                let both = |j: usize| f64::from(near[k * K + j] + near[j * K + k]);
                let pull = |j: usize| 2.0 * both(j) * (means[k * DIMS + d] - means[j * DIMS + d]);
                let expected = (0..K).map(pull).sum::<f64>() / K as f64;
                assert!((found[k * DIMS + d] - expected).abs() < 1e-4, "{k} {d}");
            }
        }
    }

    #[test]
    fn the_bounded_repulsion_grows_with_distance_and_stays_below_zero() {
        let at = |scale: f64| {
            // Four centres stay where they are, so that the mean distance hardly moves; the fifth goes away.
            let mut means = random(K * DIMS, 6);
            means[..DIMS].iter_mut().for_each(|m| *m *= scale);
            elements(learned::<Flex>(&means).repulsion(Variant::Corrected))[0]
        };
        assert!(at(1.0) > -((K / 2) as f64) && at(100.0) < 0.0);
        let printed = |scale: f64| {
            let means: Vec<f64> = random(K * DIMS, 6).iter().map(|m| scale * m).collect();
            let learned = learned::<Flex>(&means);
            (elements(learned.repulsion(Variant::Paper))[0], elements(learned.repulsion(Variant::Corrected))[0])
        };
        // The scale of the latents is worth something to the printed one and nothing to the bounded one.
        assert!((printed(8.0).0 / printed(1.0).0 - 64.0).abs() < 0.1);
        assert!((printed(8.0).1 - printed(1.0).1).abs() < 1e-5);
    }
}
