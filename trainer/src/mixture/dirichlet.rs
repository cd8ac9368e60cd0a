//! Dirichlet process mixture of diagonal Gaussians by mean-field variational inference on the truncated stick-breaking
//! representation.
//!
//! Blei and Jordan, "Variational inference for Dirichlet process mixtures", 2006; Lim, "Deep Clustering using Dirichlet
//! Process Gaussian Mixture and Alpha Jensen-Shannon Divergence Clustering Loss", equations 11 to 14.
//!
//! The prior has sticks `v_k ~ Beta(1, omega0)`, precisions `tau_kd ~ Gamma(a0, b0)`, means
//! `eta_kd ~ N(m0_d, 1 / (lambda0 tau_kd))`; `m0` is the mean of the latents.

use burn::tensor::{Int, Tensor, activation::softmax, backend::Backend};
use ndarray::{Array2, ArrayView2, Axis};
use rand::Rng;
use serde::{Deserialize, Serialize};
use statrs::function::gamma::digamma;

use super::covariance::{Covariance, NotPositiveDefinite};
use super::gaussian_mixture::Mixture;
use super::kmeans::{KMeans, nearest, one_hot};
use super::moments::Moments;
use super::prune;
use super::sticks;
use crate::base::arrays::elements;
use crate::variant::Variant;

/// Settings of a Dirichlet process mixture. The defaults are those of Lim's paper, where it gives any.
///
/// ```
/// use burn::backend::Flex;
/// use burn::tensor::{Tensor, TensorData};
/// use edgemix::mixture::dirichlet::DirichletProcess;
/// use edgemix::random::{normal, stream};
///
/// let z = TensorData::new(normal(600, &mut stream(0, "example", 0)), [300, 2]);
/// let z = Tensor::<Flex, 2>::from_data(z, &Default::default());
/// let process = DirichletProcess { truncation: 8, prune_share: 0.05, ..DirichletProcess::default() };
/// let (mixture, sticks) = process.fit_with_sticks(&z, &mut stream(0, "example", 1))?;
/// // The weights of eight sticks, and the components that were kept of them.
/// assert!(sticks.len() == 8 && mixture.n_components() <= 8);
/// # Ok::<(), edgemix::mixture::NotPositiveDefinite>(())
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields, rename_all = "kebab-case")]
pub struct DirichletProcess {
    /// T, the number of sticks that the process is truncated to.
    pub truncation: usize,
    /// omega0, the concentration.
    pub concentration: f64,
    /// a0, the shape of the prior of the precisions.
    pub shape: f64,
    /// b0, the rate of the prior of the precisions, in units of the latents' variance.
    pub rate: f64,
    /// lambda0, the number of samples that the prior mean is worth.
    pub mean_strength: f64,
    /// s1, the variance of the encoder's `q(z|x)` about each latent, in units of the latents' variance. The mixture is
    /// fitted to the distributions `q`, not to their means, so this variance is part of the scatter of every component and
    /// of every expected score.
    pub latent_variance: f64,
    /// The corrected form is the mean-field optimum. The printed form, equations 11 to 13, has point estimates, and its
    /// scores contain the component's own `ln(1 - v_k)` but not the precisions. Equation 14 omits a component's own count,
    /// which gives `v > 1` and then NaN; here the count is included.
    pub variant: Variant,
    /// Whether a sample belongs to all components, by their responsibilities, or to the best one alone.
    pub assignment: Assignment,
    /// The most iterations of a fit.
    pub max_iter: usize,
    /// The number of starts of the k-means that the first fit starts from.
    pub n_init: usize,
    /// Components with a smaller share of the samples are dropped.
    pub prune_share: f64,
}

/// How samples are shared among components.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Assignment {
    /// By responsibility: mean-field variational inference.
    Soft,
    /// To the best component: the paper's maximisation-maximisation (equation 13; Lim and Wang, 2018).
    Hard,
}

impl Default for DirichletProcess {
    fn default() -> Self {
        Self {
            truncation: 30,
            concentration: 2000.0,
            shape: 1.25,
            rate: 0.25,
            mean_strength: 0.5,
            latent_variance: 0.0,
            variant: Variant::Corrected,
            assignment: Assignment::Hard,
            max_iter: 100,
            n_init: 5,
            prune_share: 0.005,
        }
    }
}

/// Moments with squares alone.
type Squares = Moments<Array2<f64>>;

impl DirichletProcess {
    /// Fits `N x D` latents, starting from k-means, and drops small components.
    ///
    /// # Errors
    /// [`NotPositiveDefinite`] if a variance degenerates, which the prior prevents for finite latents.
    pub fn fit<B: Backend>(&self, z: &Tensor<B, 2>, rng: &mut impl Rng) -> Result<Mixture, NotPositiveDefinite> {
        Ok(self.fit_with_sticks(z, rng)?.0)
    }

    /// As [`Self::fit`], and also returns [`Self::weights`] from before components were dropped.
    ///
    /// # Errors
    /// As [`DirichletProcess::fit`].
    pub fn fit_with_sticks<B: Backend>(
        &self,
        z: &Tensor<B, 2>,
        rng: &mut impl Rng,
    ) -> Result<(Mixture, Vec<f64>), NotPositiveDefinite> {
        let kmeans = KMeans { n_clusters: self.truncation, n_init: self.n_init, ..KMeans::default() };
        let centers = kmeans.fit(z, rng);
        let (_, index) = nearest(z, centers.centers.view());
        let start = self.update(z, &one_hot(index, centers.shares.len())).0;
        let (mixture, counts) = self.settle(z, start)?;
        let weights = self.weights(&counts);
        Ok((self.prune(z, mixture, counts)?, weights))
    }

    /// Iterates from a given mixture until the components' counts settle, drops small components, and iterates again.
    ///
    /// # Errors
    /// As [`DirichletProcess::fit`].
    pub fn refine<B: Backend>(&self, z: &Tensor<B, 2>, start: Mixture) -> Result<Mixture, NotPositiveDefinite> {
        let (mixture, counts) = self.settle(z, start)?;
        self.prune(z, mixture, counts)
    }

    /// Drops small components and iterates until there are none left.
    fn prune<B: Backend>(
        &self,
        z: &Tensor<B, 2>,
        mut mixture: Mixture,
        mut counts: Vec<f64>,
    ) -> Result<Mixture, NotPositiveDefinite> {
        loop {
            let kept = prune::survivors(&counts, self.prune_share);
            if kept.len() == mixture.n_components() {
                return Ok(mixture);
            }
            (mixture, counts) = self.settle(z, prune::keep(&mixture, &kept))?;
        }
    }

    fn settle<B: Backend>(&self, z: &Tensor<B, 2>, start: Mixture) -> Result<(Mixture, Vec<f64>), NotPositiveDefinite> {
        let n = z.dims()[0] as f64;
        let mut mixture = start;
        let mut previous: Vec<f64> = vec![];
        for _ in 0..self.max_iter.max(1) {
            let responsibilities = self.responsibilities(z, &mixture)?;
            let (updated, counts) = self.update_in(z, &responsibilities, &mixture.clusters);
            let moved: f64 = counts.iter().zip(&previous).map(|(a, b)| (a - b).abs()).sum();
            let settled = previous.len() == counts.len() && moved < 1e-3 * n;
            (mixture, previous) = (updated, counts);
            if settled {
                break;
            }
        }
        Ok((mixture, previous))
    }

    /// `N x K` responsibilities; in the paper's form one for the best component and zero for the others (equation 13).
    fn responsibilities<B: Backend>(
        &self,
        z: &Tensor<B, 2>,
        mixture: &Mixture,
    ) -> Result<Tensor<B, 2>, NotPositiveDefinite> {
        let scores = mixture.log_density(z)?;
        Ok(match (self.variant, self.assignment) {
            (Variant::Corrected, Assignment::Soft) => softmax(scores, 1),
            _ => one_hot(scores.argmax(1), mixture.n_components()),
        })
    }

    /// The update of sticks, means and precisions under `N x K` responsibilities, and the components' counts. Components
    /// are sorted by their counts, largest first, and each is a cluster.
    pub fn update<B: Backend>(&self, z: &Tensor<B, 2>, responsibilities: &Tensor<B, 2>) -> (Mixture, Vec<f64>) {
        let (mixture, counts) = self.update_in(z, responsibilities, &vec![0; responsibilities.dims()[1]]);
        (Mixture { clusters: (0..counts.len() as u16).collect(), ..mixture }, counts)
    }

    /// The update under the best components of another mixture, without its small components. Components stay in their
    /// clusters. Also returns [`Self::weights`] from before components were dropped.
    ///
    /// ```
    /// # use burn::{backend::Flex, tensor::Tensor};
    /// # use edgemix::mixture::{Covariance, Mixture, dirichlet::DirichletProcess};
    /// # use ndarray::array;
    /// let z = Tensor::<Flex, 2>::from_data([[0.0], [0.2], [0.4], [10.0]], &Default::default());
    /// // The third component has no samples.
    /// let (means, covariance) = (array![[10.0], [0.0], [99.0]], Covariance::Spherical(vec![1.0; 3]));
    /// let other = Mixture { log_weights: vec![0.0; 3], means, covariance, clusters: vec![0, 1, 1] };
    /// let process = DirichletProcess::default();
    /// let (mixture, weights) = process.adopt(&z, &other)?;
    /// assert_eq!((mixture.n_components(), weights.len()), (2, 3));
    /// assert_eq!(process.refine(&z, mixture)?.n_components(), 2);
    /// // The largest component comes first.
    /// let shares = Tensor::from_data([[0.0, 1.0], [0.0, 1.0], [0.0, 1.0], [1.0, 0.0]], &Default::default());
    /// assert_eq!(process.update(&z, &shares).1, [3.0, 1.0]);
    /// # Ok::<(), edgemix::mixture::NotPositiveDefinite>(())
    /// ```
    ///
    /// # Errors
    /// As [`DirichletProcess::fit`].
    pub fn adopt<B: Backend>(
        &self,
        z: &Tensor<B, 2>,
        other: &Mixture,
    ) -> Result<(Mixture, Vec<f64>), NotPositiveDefinite> {
        let best = one_hot(other.log_density(z)?.argmax(1), other.n_components());
        let (mixture, counts) = self.update_in(z, &best, &other.clusters);
        let kept = prune::keep(&mixture, &prune::survivors(&counts, self.prune_share));
        Ok((kept, self.weights(&counts)))
    }

    /// The expected weight of each stick, `E[v_k] prod_{l<k} E[1 - v_l]`, from the components' counts, largest first.
    /// The weights add up to less than one: the rest belongs to sticks without samples.
    ///
    /// ```
    /// use edgemix::mixture::dirichlet::DirichletProcess;
    ///
    /// let process = DirichletProcess { concentration: 1.0, ..DirichletProcess::default() };
    /// // (1 + 3) / (1 + 3 + 1 + 1), and (1 + 1) / (1 + 1 + 1) of what is left.
    /// let weights = process.weights(&[3.0, 1.0]);
    /// assert!((weights[0] - 2.0 / 3.0).abs() < 1e-12 && (weights[1] - 2.0 / 9.0).abs() < 1e-12);
    /// ```
    pub fn weights(&self, counts: &[f64]) -> Vec<f64> {
        sticks::expected_weights(counts, self.concentration)
    }

    /// The update; each component stays in its cluster.
    fn update_in<B: Backend>(
        &self,
        z: &Tensor<B, 2>,
        responsibilities: &Tensor<B, 2>,
        clusters: &[u16],
    ) -> (Mixture, Vec<f64>) {
        let moments = Moments::with_squares(z, responsibilities);
        let prior_mean = elements(z.clone().mean_dim(0));
        let mut order: Vec<usize> = (0..moments.counts.len()).collect();
        order.sort_by(|&a, &b| moments.counts[b].total_cmp(&moments.counts[a]));
        let counts: Vec<f64> = order.iter().map(|&k| moments.counts[k]).collect();
        let mixture = match self.variant {
            Variant::Corrected => self.mean_field(&moments, &order, &counts, &prior_mean),
            Variant::Paper => self.printed(&moments, &order, &counts),
        };
        let clusters = order.iter().map(|&k| clusters[k]).collect();
        (Mixture { clusters, ..mixture }, counts)
    }

    /// Posterior parameters and the expected log joint, written as a mixture's score: with `E ln tau = psi(a) - ln b`, the
    /// Gaussian of variance `b / a` differs from the expectation by `D/2 (psi(a) - ln a - 1/kappa)`, and the variance of
    /// `q` subtracts another `1/2 sum_d s1 a / b_d`.
    fn mean_field(&self, moments: &Squares, order: &[usize], counts: &[f64], prior_mean: &[f64]) -> Mixture {
        let dims = prior_mean.len();
        let sticks = sticks::expected_logs(counts, self.concentration);
        let mut log_weights = vec![];
        let mut means = moments.means.select(Axis(0), order);
        let mut variances = moments.scatter.select(Axis(0), order);
        let mut log_left = 0.0;
        for (row, (&n, (taken, left))) in counts.iter().zip(sticks.taken.iter().zip(&sticks.left)).enumerate() {
            let kappa = self.mean_strength + n;
            let a = self.shape + 0.5 * n;
            let mut spread = 0.0;
            for (d, m0) in prior_mean.iter().enumerate() {
                let mean = means[[row, d]];
                let scatter = variances[[row, d]].max(0.0) + n * self.latent_variance;
                let pull = self.mean_strength * n * (mean - m0).powi(2) / kappa;
                let b = self.rate + 0.5 * scatter + 0.5 * pull;
                means[[row, d]] = (self.mean_strength * m0 + n * mean) / kappa;
                variances[[row, d]] = b / a;
                spread += self.latent_variance * a / b;
            }
            let expected = 0.5 * (dims as f64 * (digamma(a) - a.ln() - kappa.recip()) - spread);
            log_weights.push(log_left + taken + expected);
            log_left += left;
        }
        Mixture { log_weights, means, covariance: Covariance::Diagonal(variances), clusters: vec![] }
    }

    /// The precisions of equation 11, `K x D`, of components with these `K x D` means and the latents that are best in them,
    /// with `m0 = 1`. They enter the divergence (equation 5), but not the scores.
    pub(crate) fn printed_precisions<B: Backend>(
        &self,
        z: &Tensor<B, 2>,
        best: &Tensor<B, 1, Int>,
        means: ArrayView2<f64>,
    ) -> Array2<f64> {
        let moments = Moments::with_squares(z, &one_hot(best.clone().unsqueeze_dim::<2>(1), means.nrows()));
        Array2::from_shape_fn(means.raw_dim(), |(k, d)| {
            let (n, mean) = (moments.counts[k], means[[k, d]]);
            let scatter = moments.scatter[[k, d]].max(0.0) + n * (moments.means[[k, d]] - mean).powi(2);
            let rate = self.rate + 0.5 * (scatter + self.mean_strength * (mean - 1.0).powi(2));
            (0.5 * n + self.shape - 1.0).max(f64::MIN_POSITIVE) / rate
        })
    }

    /// Equations 12, 13 and the corrected 14: unit variances, `m0 = 1`. The precisions of equation 11 do not enter the
    /// score of equation 13: [`printed_precisions`](Self::printed_precisions).
    fn printed(&self, moments: &Squares, order: &[usize], counts: &[f64]) -> Mixture {
        let modes = sticks::modes(counts, self.concentration);
        let mut log_weights = vec![];
        let mut means = moments.means.select(Axis(0), order);
        let mut log_left = 0.0;
        for ((mut row, &n), v) in means.rows_mut().into_iter().zip(counts).zip(&modes) {
            log_left += (1.0 - v).max(f64::MIN_POSITIVE).ln();
            log_weights.push(v.max(f64::MIN_POSITIVE).ln() + log_left);
            let kappa = self.mean_strength + n;
            row.iter_mut().for_each(|mean| *mean = (n * *mean + self.mean_strength) / kappa);
        }
        let covariance = Covariance::Diagonal(Array2::ones(means.raw_dim()));
        Mixture { log_weights, means, covariance, clusters: vec![] }
    }
}
