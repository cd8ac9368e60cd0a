//! Adaptive Gaussian mixture (Wang and Jiang, "Unsupervised deep clustering via adaptive GMM modeling and optimization",
//! 2021): encoder and mixture are trained together by gradients.
//!
//! **Objective**: `ln p(z) + eta R`, the log-likelihood of a latent under a diagonal mixture and a repulsion, averaged over
//! samples and maximised (equation 5). `R` pushes each centre away from the K/2 nearest ones. The paper prints
//! `sum |mu_k - mu_j|^2`, which is unbounded; the default is `-sum exp(-|mu_k - mu_j|^2 / mean |mu_k - mu_j|^2)`.
//! `eta = 0` is DeepGMM. The default keeps the reconstruction, and weighs the objective by `lambda` beside it.
//! **Update**: softmax logits, means and log deviations learn with the encoder. **Schedule**: reconstruction; EM with full
//! covariances, whose diagonals the mixture starts from, or with diagonal ones as printed; then the objective.
//!
//! The likelihood of latents grows without bound as they shrink: each batch is standardised before it is scored.

use burn::tensor::backend::{AutodiffBackend, Backend};
use burn::tensor::{Tensor, TensorData};
use rand_chacha::ChaCha8Rng;
use serde::{Deserialize, Serialize};

use super::common::defaults::{ClusterEpochs, DefaultEncoder};
use super::common::joint::{self, LearnedClusters};
use super::common::learned_mixture::{LearnedMixture, LearnedMixtureState, log_sum_exp};
use super::common::learner::Losses;
use super::definition::{ClusterCount, MethodSettings};
use crate::data::Samples;
use crate::mixture::gmm::Gmm;
use crate::mixture::{CovarianceType, column_moments, elements};
use crate::nn::{Latent, LayerShape, Optimizer};
use crate::trained::{Head, Trained};
use crate::training::{Batch, FitError, Fitting};
use crate::variant::Variant;

/// Settings of the adaptive mixture.
///
/// ```
/// use edgemix::methods::AdaptiveGmm;
/// use edgemix::mixture::CovarianceType;
///
/// // DeepGMM, and what was learned is what is kept.
/// let deep: AdaptiveGmm = toml::from_str("eta = 0.0\nrefit = \"diagonal\"")?;
/// assert_eq!((deep.eta, deep.refit, deep.mixture.covariance), (0.0, CovarianceType::Diagonal, CovarianceType::Full));
/// # Ok::<(), toml::de::Error>(())
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields, rename_all = "kebab-case")]
pub struct AdaptiveGmm {
    /// The weight of the repulsion of centres beside the log-likelihood, as in the paper's equation 5.
    pub eta: f64,
    /// Whether the repulsion is bounded and the reconstruction kept.
    pub variant: Variant,
    /// The weight of log-likelihood and repulsion beside the reconstruction. It is 1 in the printed form, which has none.
    pub lambda: f64,
    /// The mixture that training starts from. Training takes over only the diagonals of its covariances. Its variance floor
    /// also holds during training.
    pub mixture: Gmm,
    /// The covariances that EM finally fits to the latents, starting from the learned mixture. If they are diagonal,
    /// the learned mixture is exported unchanged.
    pub refit: CovarianceType,
}

impl Default for AdaptiveGmm {
    fn default() -> Self {
        let covariance = CovarianceType::Full;
        let mixture = Gmm { covariance, ..Gmm::default() };
        Self { eta: 0.01, variant: Variant::Corrected, lambda: 0.1, mixture, refit: covariance }
    }
}

/// The repulsion of `K x D` centres, averaged over them. It grows with their distance.
fn repulsion<B: Backend>(means: Tensor<B, 2>, variant: Variant) -> Tensor<B, 1> {
    let [k, _] = means.dims();
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

/// A `K x K` matrix with a 1 where the column is among the K/2 nearest centres of the row.
fn neighbours(squares: &[f64], k: usize) -> Vec<f32> {
    let mut near = vec![0.0; k * k];
    for row in 0..k {
        let mut others: Vec<usize> = (0..k).filter(|&other| other != row).collect();
        others.sort_by(|&a, &b| squares[row * k + a].total_cmp(&squares[row * k + b]));
        others.into_iter().take(k / 2).for_each(|other| near[row * k + other] = 1.0);
    }
    near
}

impl MethodSettings for AdaptiveGmm {
    const NAME: &'static str = "adaptive-gmm";
    const ENCODER_LEARNS_WITH_CLUSTERS: bool = true;
    const ENCODER: DefaultEncoder = DefaultEncoder::DEC;
    const WORKS_WITHOUT_ENCODER: bool = false;
    const CLUSTER_EPOCHS: ClusterEpochs = ClusterEpochs::ByReconstruction;
    const PAPER: Option<&'static str> = Some(include_str!("presets/adaptive-gmm.toml"));
    const CLUSTERING_WEIGHT: Option<&'static str> = Some("lambda");

    fn cluster_count(&mut self) -> ClusterCount<'_> {
        ClusterCount::Given(&mut self.mixture.n_components)
    }

    fn set_variant(&mut self, variant: Variant) -> bool {
        if variant != self.variant {
            self.variant = variant;
            (self.refit, self.lambda) = match variant {
                Variant::Paper => (CovarianceType::Diagonal, 1.0),
                Variant::Corrected => (Self::default().refit, Self::default().lambda),
            };
            self.mixture.covariance = self.refit;
        }
        true
    }

    fn check(&self, _: &[LayerShape], _: &Samples) -> Result<(), FitError> {
        Ok(())
    }

    fn exported_encoder(&self, encoder: &[LayerShape], _: &Samples) -> Result<Vec<LayerShape>, FitError> {
        Ok(encoder.to_vec())
    }

    fn fit<B: AutodiffBackend>(&self, fit: &mut Fitting<'_, B>) -> Result<Trained, FitError> {
        joint::fit::<B, Adaptive<B>>(self, fit)
    }
}

/// The mixture in training.
struct Adaptive<B: AutodiffBackend>(LearnedMixture<B>);

/// Means and deviations of the columns, `1 x D` each.
fn means_and_deviations<B: Backend>(z: &Tensor<B, 2>) -> (Tensor<B, 2>, Tensor<B, 2>) {
    let (mean, variance) = column_moments(z);
    (mean, (variance + 1e-6).sqrt())
}

impl<B: AutodiffBackend> LearnedClusters<B> for Adaptive<B> {
    type Settings = AdaptiveGmm;
    type State = LearnedMixtureState;
    type Epoch = ();

    const MOVED: bool = true;
    const VARIATIONAL: bool = false;

    fn find(
        settings: &AdaptiveGmm,
        optimizer: Optimizer,
        z: &Tensor<B::InnerBackend, 2>,
        rng: &mut ChaCha8Rng,
    ) -> Result<Self, FitError> {
        let mixture = settings.mixture.fit(z, rng)?;
        Ok(Self(LearnedMixture::new(&mixture, settings.mixture.variance_floor, optimizer, &z.device())))
    }

    fn reconstruction_weight(settings: &AdaptiveGmm, _: usize, _: f64) -> f64 {
        match settings.variant {
            Variant::Corrected => 1.0,
            Variant::Paper => 0.0,
        }
    }

    fn begin_epoch(&mut self, _: &AdaptiveGmm, _: &Tensor<B::InnerBackend, 2>) -> Result<(), FitError> {
        Ok(())
    }

    fn losses(&mut self, settings: &AdaptiveGmm, (): &(), latent: Latent<B>, _: &mut Batch<B>) -> Losses<B> {
        let (mean, deviation) = means_and_deviations(&latent.mean);
        let mixture = &self.0.parameters;
        let likelihood = log_sum_exp(mixture.log_joint((latent.mean - mean) / deviation, self.0.floor)).mean();
        let [k, _] = mixture.dims();
        // The objective has the sum over centres.
        let repulsion = repulsion(mixture.means.val(), settings.variant) * (settings.eta * settings.lambda * k as f64);
        vec![("cluster", -(likelihood * settings.lambda)), ("repulsion", -repulsion)]
    }

    fn descend(&mut self, gradients: &mut B::Gradients, rate: f64) {
        self.0.descend(gradients, rate);
    }

    fn n_clusters(&self) -> usize {
        self.0.parameters.dims()[0]
    }

    /// The learned mixture describes latents of mean 0 and deviation 1, so it is first scaled to the actual latents.
    fn head(&self, settings: &AdaptiveGmm, z: &Tensor<B::InnerBackend, 2>) -> Result<Head, FitError> {
        let (mean, deviation) = means_and_deviations(z);
        let learned = self.0.mixture(mean, deviation);
        let refit = Gmm { covariance: settings.refit, ..settings.mixture };
        Ok(Head::Mixture(if settings.refit == CovarianceType::Diagonal {
            learned
        } else {
            refit.refine(z, learned)?
        }))
    }

    fn state(&self) -> Result<LearnedMixtureState, FitError> {
        self.0.state()
    }

    fn restore(
        _: &AdaptiveGmm,
        optimizer: Optimizer,
        state: LearnedMixtureState,
        device: &B::Device,
    ) -> Result<Self, FitError> {
        LearnedMixture::restored(state, optimizer, device).map(Self)
    }
}

#[cfg(test)]
mod tests {
    use burn::backend::{Autodiff, Flex};

    use super::*;
    use crate::mixture::matrix;
    use crate::random::{normal, stream};

    const K: usize = 5;
    const DIMS: usize = 3;

    fn random(n: usize, index: u64) -> Vec<f64> {
        normal(n, &mut stream(5, "adaptive", index)).into_iter().map(f64::from).collect()
    }

    fn centers<B: Backend>(means: &[f64]) -> Tensor<B, 2> {
        matrix::<B>(means, K, &Default::default())
    }

    /// The printed gradient (equation 10) omits the centres that have k among their own neighbours.
    #[test]
    fn the_printed_repulsions_gradient_is_that_of_both_directions() {
        let means = random(K * DIMS, 4);
        let centers = centers::<Autodiff<Flex>>(&means).require_grad();
        let gradients = repulsion(centers.clone(), Variant::Paper).backward();
        let found = elements(centers.grad(&gradients).unwrap());
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

    /// Equation 5, averaged over samples, with the constant of the density and without.
    #[test]
    fn the_loss_of_the_printed_form_is_its_objective_by_definition() {
        let n = 40;
        let values = random(n * DIMS, 7);
        let mut settings = AdaptiveGmm { eta: 0.05, ..AdaptiveGmm::default() };
        settings.mixture.n_components = K;
        assert!(settings.set_variant(Variant::Paper));
        assert_eq!(settings.mixture.covariance, CovarianceType::Diagonal);
        let z = matrix::<Autodiff<Flex>>(&values, n, &Default::default());
        let (mean, deviation) = means_and_deviations(&z.clone().inner());
        let scaled = elements((z.clone().inner() - mean) / deviation);
        let optimizer = Optimizer::default();
        let find = Adaptive::<Autodiff<Flex>>::find;
        let mut adaptive = find(&settings, optimizer, &z.clone().inner(), &mut stream(5, "adaptive", 8))
            .unwrap_or_else(|e| panic!("{e}"));
        let rows = z.clone().narrow(1, 0, 1);
        let mut batch = Batch {
            clean: rows.clone(),
            augmented: rows.clone(),
            target: rows,
            rows: vec![0],
            indices: Tensor::from_data(TensorData::from([0].as_slice()), &Default::default()),
            learning_rate: 0.01,
            rng: stream(0, "step", 0),
        };
        let losses = adaptive.losses(&settings, &(), Latent { mean: z, log_variance: None }, &mut batch);
        let found: f64 = losses.into_iter().map(|(_, loss)| elements(loss)[0]).sum();

        let unit = Tensor::<Flex, 2>::ones([1, DIMS], &Default::default());
        let mixture = adaptive.0.mixture(unit.zeros_like(), unit);
        let constant = 0.5 * DIMS as f64 * std::f64::consts::TAU.ln();
        let scores = mixture.whiten().unwrap();
        let likelihood = |row: &[f64]| scores.scores(row).into_iter().map(f64::exp).sum::<f64>().ln() + constant;
        let mean_likelihood = scaled.chunks(DIMS).map(likelihood).sum::<f64>() / n as f64;
        let square = |k: usize, j: usize| (&mixture.means.row(k) - &mixture.means.row(j)).mapv(|d| d * d).sum();
        let nearest = |k: usize| {
            let mut squares: Vec<f64> = (0..K).filter(|&j| j != k).map(|j| square(k, j)).collect();
            squares.sort_by(f64::total_cmp);
            squares[..K / 2].iter().sum::<f64>()
        };
        let expected = -(mean_likelihood + settings.eta * (0..K).map(nearest).sum::<f64>());
        assert!((found - expected).abs() < 1e-3 * expected.abs(), "{found} {expected}");
    }

    #[test]
    fn the_bounded_repulsion_stays_between_its_bounds_and_knows_no_scale() {
        let at = |scale: f64| {
            let means: Vec<f64> = random(K * DIMS, 6).iter().map(|m| scale * m).collect();
            let of = |variant| elements(repulsion(centers::<Flex>(&means), variant))[0];
            (of(Variant::Paper), of(Variant::Corrected))
        };
        let least = -((K / 2) as f64);
        assert!(at(1.0).1 > least && at(1.0).1 < 0.0);
        assert!((at(8.0).0 / at(1.0).0 - 64.0).abs() < 0.1, "the printed one grows with the latents");
        assert!((at(8.0).1 - at(1.0).1).abs() < 1e-5);
        let together = elements(repulsion(centers::<Flex>(&[1.0; K * DIMS]), Variant::Corrected))[0];
        assert!((together - least).abs() < 1e-5, "nothing is worse than centres in one place");
    }
}
