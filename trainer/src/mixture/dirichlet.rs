//! Dirichlet process mixture of diagonal Gaussians by mean-field variational inference on the truncated stick-breaking
//! representation (Blei and Jordan, 2006; Lim, "Deep Clustering using Dirichlet Process Gaussian Mixture and Alpha
//! Jensen-Shannon Divergence Clustering Loss", equations 11 to 14).
//!
//! The prior: sticks `v_k ~ Beta(1, omega0)`, precisions `tau_kd ~ Gamma(a0, b0)`, means
//! `eta_kd ~ N(m0_d, 1 / (lambda0 tau_kd))`; `m0` is the mean of the latents.

use burn::tensor::{Tensor, activation::softmax, backend::Backend};
use rand::Rng;
use serde::{Deserialize, Serialize};
use statrs::function::gamma::digamma;

use super::kmeans::{KMeans, nearest, one_hot};
use super::moments::Moments;
use super::{Covariance, CovarianceType, Mixture, NotPositiveDefinite, elements, prune};
use crate::variant::Variant;

/// Settings of a Dirichlet process mixture; the defaults are the paper's where it has them.
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
/// // What eight sticks weighed, and what was kept of them.
/// assert!(sticks.len() == 8 && mixture.n_components() <= 8);
/// # Ok::<(), edgemix::mixture::NotPositiveDefinite>(())
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields, rename_all = "kebab-case")]
pub struct DirichletProcess {
    /// T, the number of sticks the process is truncated to.
    pub truncation: usize,
    /// omega0, the concentration.
    pub concentration: f64,
    /// a0, the shape of the precisions' prior.
    pub shape: f64,
    /// b0, the rate of the precisions' prior, in units of the latent's variance.
    pub rate: f64,
    /// lambda0, how many samples the prior mean is worth.
    pub mean_strength: f64,
    /// s1, the variance of the encoder's `q(z|x)` about each latent, in units of the latent's variance: the bandwidth.
    /// The mixture is of the distributions `q`, not of their means, so their variance is part of every component's
    /// scatter and of every expected score.
    pub latent_variance: f64,
    /// Corrected: the mean-field optimum. As printed, equations 11 to 13: point estimates, scores without the
    /// precisions and with the component's own `ln(1 - v_k)`; equation 14 leaves a component's own count out, which
    /// gives `v > 1` and then NaN: here it counts.
    pub variant: Variant,
    /// Whether a sample belongs to all components by their responsibility or to the best alone.
    pub assignment: Assignment,
    /// Iterations at most, each time it is fitted.
    pub max_iter: usize,
    /// Starts of the k-means that the first fit starts from.
    pub n_init: usize,
    /// Components with a smaller share of the samples are dropped.
    pub prune_share: f64,
}

/// How samples are shared among components. See [`Dpm`](crate::methods::Dpm) for an example.
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

/// The expectations of `ln v_k` and `ln (1 - v_k)`.
#[derive(Clone, Debug, PartialEq)]
struct Sticks {
    taken: Vec<f64>,
    left: Vec<f64>,
}

impl DirichletProcess {
    /// Fits `N x D` latents from a k-means start and prunes. See [`DirichletProcess`] for an example.
    ///
    /// # Errors
    /// [`NotPositiveDefinite`] if a variance degenerates, which the prior forbids for finite latents.
    pub fn fit<B: Backend>(&self, z: &Tensor<B, 2>, rng: &mut impl Rng) -> Result<Mixture, NotPositiveDefinite> {
        Ok(self.fit_with_sticks(z, rng)?.0)
    }

    /// The same, with [`Self::weights`] from before pruning. See [`DirichletProcess`] for an example.
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
        let (_, index) = nearest(z, &centers.centers);
        let start = self.update(z, &one_hot(index, centers.shares.len())).0;
        let (mixture, counts) = self.settle(z, start)?;
        let weights = self.weights(&counts);
        Ok((self.prune(z, mixture, counts)?, weights))
    }

    /// Iterates from a given mixture until the components' counts settle, then prunes and settles again.
    /// See [`Self::adopt`] for an example.
    ///
    /// # Errors
    /// As [`DirichletProcess::fit`].
    pub fn refine<B: Backend>(&self, z: &Tensor<B, 2>, start: Mixture) -> Result<Mixture, NotPositiveDefinite> {
        let (mixture, counts) = self.settle(z, start)?;
        self.prune(z, mixture, counts)
    }

    /// Prunes and settles until nothing is left to prune.
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

    /// `N x K`: soft in the corrected form, one for the best component in the paper's (equation 13).
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

    /// The update of sticks, means and precisions under `N x K` responsibilities, with the counts; components sorted by
    /// their count, largest first, each its own cluster. See [`Self::adopt`] for an example.
    pub fn update<B: Backend>(&self, z: &Tensor<B, 2>, responsibilities: &Tensor<B, 2>) -> (Mixture, Vec<f64>) {
        let (mixture, counts) = self.update_in(z, responsibilities, &vec![0; responsibilities.dims()[1]]);
        (Mixture { clusters: (0..counts.len() as u16).collect(), ..mixture }, counts)
    }

    /// The update for the components of another mixture: their samples, their clusters, pruned; with [`Self::weights`]
    /// from before.
    ///
    /// ```
    /// # use burn::{backend::Flex, tensor::Tensor};
    /// # use edgemix::mixture::{Covariance, Mixture, dirichlet::DirichletProcess};
    /// let z = Tensor::<Flex, 2>::from_data([[0.0], [0.2], [0.4], [10.0]], &Default::default());
    /// // No sample is the third component's.
    /// let (means, covariance) = (vec![10.0, 0.0, 99.0], Covariance::Diagonal(vec![1.0; 3]));
    /// let other = Mixture { log_weights: vec![0.0; 3], means, covariance, clusters: vec![0, 1, 1] };
    /// let process = DirichletProcess::default();
    /// let (mixture, weights) = process.adopt(&z, &other)?;
    /// assert_eq!((mixture.n_components(), weights.len()), (2, 3));
    /// assert_eq!(process.refine(&z, mixture)?.n_components(), 2);
    /// // The largest first.
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
    /// The sum is less than one: the rest is left to sticks that hold no samples.
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
        let mut left = 1.0;
        let weight = |(g1, g2): (f64, f64)| {
            let taken = left * g1 / (g1 + g2);
            left -= taken;
            taken
        };
        beta(counts, self.concentration).into_iter().map(weight).collect()
    }

    /// The update; each component stays in its cluster.
    fn update_in<B: Backend>(
        &self,
        z: &Tensor<B, 2>,
        responsibilities: &Tensor<B, 2>,
        clusters: &[u16],
    ) -> (Mixture, Vec<f64>) {
        let moments = Moments::of(z, responsibilities, CovarianceType::Diagonal);
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

    /// Posterior parameters and expected log joint, written as a mixture's score: with `E ln tau = psi(a) - ln b`, the
    /// Gaussian of variance `b / a` differs from the expectation by `D/2 (psi(a) - ln a - 1/kappa)`, and the variance
    /// of `q` takes another `1/2 sum_d s1 a / b_d` away.
    fn mean_field(&self, moments: &Moments, order: &[usize], counts: &[f64], prior_mean: &[f64]) -> Mixture {
        let dims = prior_mean.len();
        let sticks = sticks(counts, self.concentration);
        let (mut log_weights, mut means, mut variances) = (vec![], vec![], vec![]);
        let mut log_left = 0.0;
        for ((&k, &n), (taken, left)) in order.iter().zip(counts).zip(sticks.taken.iter().zip(&sticks.left)) {
            let kappa = self.mean_strength + n;
            let a = self.shape + 0.5 * n;
            let mut spread = 0.0;
            for (d, m0) in prior_mean.iter().enumerate() {
                let mean = moments.means[k * dims + d];
                let scatter = moments.scatter[k * dims + d].max(0.0) + n * self.latent_variance;
                let pull = self.mean_strength * n * (mean - m0).powi(2) / kappa;
                let b = self.rate + 0.5 * scatter + 0.5 * pull;
                means.push((self.mean_strength * m0 + n * mean) / kappa);
                variances.push(b / a);
                spread += self.latent_variance * a / b;
            }
            let expected = 0.5 * (dims as f64 * (digamma(a) - a.ln() - kappa.recip()) - spread);
            log_weights.push(log_left + taken + expected);
            log_left += left;
        }
        Mixture { log_weights, means, covariance: Covariance::Diagonal(variances), clusters: vec![] }
    }

    /// Equations 12, 13 and the mended 14: unit variances, `m0 = 1`. The precisions of equation 11 do not enter
    /// equation 13's score, so they are not kept.
    fn printed(&self, moments: &Moments, order: &[usize], counts: &[f64]) -> Mixture {
        let dims = moments.means.len() / counts.len();
        let modes = stick_modes(counts, self.concentration);
        let (mut log_weights, mut means) = (vec![], vec![]);
        let mut log_left = 0.0;
        for ((&k, &n), v) in order.iter().zip(counts).zip(&modes) {
            log_left += (1.0 - v).max(f64::MIN_POSITIVE).ln();
            log_weights.push(v.max(f64::MIN_POSITIVE).ln() + log_left);
            let kappa = self.mean_strength + n;
            let row = &moments.means[k * dims..(k + 1) * dims];
            means.extend(row.iter().map(|mean| (n * mean + self.mean_strength) / kappa));
        }
        let k = order.len();
        Mixture { log_weights, means, covariance: Covariance::Diagonal(vec![1.0; k * dims]), clusters: vec![] }
    }
}

/// Expected log sticks under `v_k ~ Beta(1 + N_k, omega0 + N_{>k})`. The last one is a stick like the others, and what
/// it leaves stays with the prior (Kurihara, Welling and Vlassis, 2006): if it took all that is left, a large
/// concentration would make the smallest component the likeliest, and sorting could lower the bound.
fn sticks(counts: &[f64], concentration: f64) -> Sticks {
    let expectation = |(g1, g2): (f64, f64)| {
        let total = digamma(g1 + g2);
        (digamma(g1) - total, digamma(g2) - total)
    };
    let (taken, left) = beta(counts, concentration).into_iter().map(expectation).unzip();
    Sticks { taken, left }
}

fn beta(counts: &[f64], concentration: f64) -> Vec<(f64, f64)> {
    let total: f64 = counts.iter().sum();
    let mut seen = 0.0;
    counts
        .iter()
        .map(|n| {
            seen += n;
            (1.0 + n, concentration + (total - seen).max(0.0))
        })
        .collect()
}

/// The modes of the sticks' posteriors, `N_k / (N_k + N_{>k} + omega0 - 1)`: what equation 14 means.
fn stick_modes(counts: &[f64], concentration: f64) -> Vec<f64> {
    beta(counts, concentration)
        .into_iter()
        .map(|(g1, g2)| (g1 - 1.0) / (g1 + g2 - 2.0).max(f64::MIN_POSITIVE))
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    const COUNTS: [f64; 7] = [5200.0, 4900.0, 5100.0, 800.0, 30.0, 0.0, 0.0];

    #[test]
    fn stick_means_and_modes_are_those_of_the_worked_example() {
        let means = beta(&COUNTS, 2.0).into_iter().map(|(a, b)| a / (a + b));
        for (mean, expected) in means.zip([0.3244, 0.4524, 0.8598, 0.9616, 0.9394, 0.3333, 0.3333]) {
            assert!((mean - expected).abs() < 5e-5, "{mean} {expected}");
        }
        for (mode, expected) in
            stick_modes(&COUNTS, 2.0).into_iter().zip([0.3244, 0.4524, 0.8599, 0.9627, 0.9677, 0.0, 0.0])
        {
            assert!((mode - expected).abs() < 5e-5, "{mode} {expected}");
        }
    }

    /// A stick's expected weight is the mean over draws of all sticks, and the order of the sticks is that of the counts.
    #[test]
    fn expected_weights_are_the_means_of_broken_sticks() {
        let process = DirichletProcess { concentration: 2.0, ..DirichletProcess::default() };
        let weights = process.weights(&COUNTS);
        let means: Vec<f64> = beta(&COUNTS, 2.0).into_iter().map(|(a, b)| a / (a + b)).collect();
        assert!((weights[0] - means[0]).abs() < 1e-12);
        assert!((weights[2] - (1.0 - means[0]) * (1.0 - means[1]) * means[2]).abs() < 1e-12);
        let total: f64 = weights.iter().sum();
        let left: f64 = means.iter().map(|v| 1.0 - v).product();
        assert!((total + left - 1.0).abs() < 1e-12 && weights.iter().all(|&w| w > 0.0));
    }

    #[test]
    fn expected_log_sticks_are_the_integrals_they_stand_for() {
        let sticks = sticks(&[30.0, 12.0, 3.0], 2.5);
        for (k, (g1, g2)) in beta(&[30.0, 12.0, 3.0], 2.5).into_iter().enumerate() {
            let density = |v: f64| v.powf(g1 - 1.0) * (1.0 - v).powf(g2 - 1.0);
            let steps = 200_000;
            let points = (0..steps).map(|i| (f64::from(i) + 0.5) / f64::from(steps));
            let (mut mass, mut taken, mut left) = (0.0, 0.0, 0.0);
            points.for_each(|v| {
                mass += density(v);
                taken += density(v) * v.ln();
                left += density(v) * (1.0 - v).ln();
            });
            assert!((sticks.taken[k] - taken / mass).abs() < 1e-6);
            assert!((sticks.left[k] - left / mass).abs() < 1e-6);
        }
    }
}
