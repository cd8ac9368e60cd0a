//! Merges of the components of a Dirichlet process that are more probable as one.
//!
//! Mean-field updates only move samples between the components that there are, so a single Gaussian stays cut into nearly as
//! many of them as the truncation allows. The Hastings ratio of the process decides as for split and merge moves (Chang and
//! Fisher, "Parallel sampling of DP mixture models using sub-cluster splits", 2013, equation 16), with the marginal likelihood
//! of the normal-gamma prior (Murphy, "Conjugate Bayesian analysis of the Gaussian distribution", 2007, equation 95).

use burn::tensor::{Tensor, backend::Backend};
use ndarray::Array2;
use statrs::function::gamma::ln_gamma;

use super::covariance::NotPositiveDefinite;
use super::dirichlet::DirichletProcess;
use super::gaussian_mixture::Mixture;
use super::kmeans::one_hot;
use super::moments::Moments;
use crate::base::arrays::{elements, row_slice, to_tensor};

// The concentration of the process is taken to be 1 here: at the paper's 2000, every component of a small part of the samples
// would be worth keeping.

/// The most rounds of merges and refits.
const ROUNDS: usize = 10;

/// The sufficient statistics of a component with a diagonal covariance.
#[derive(Clone)]
struct Part {
    n: f64,
    /// D.
    mean: Vec<f64>,
    /// The sums of squares about the mean, D.
    scatter: Vec<f64>,
    /// The components that were merged.
    members: Vec<usize>,
}

impl Part {
    fn with(&self, other: &Self) -> Self {
        let n = self.n + other.n;
        let pairs = || self.mean.iter().zip(&other.mean);
        let between = pairs().map(|(a, b)| self.n * other.n / n * (a - b).powi(2));
        Self {
            n,
            mean: pairs().map(|(a, b)| (self.n * a + other.n * b) / n).collect(),
            scatter: self.scatter.iter().zip(&other.scatter).zip(between).map(|((a, b), c)| a + b + c).collect(),
            members: [&self.members[..], &other.members].concat(),
        }
    }
}

impl DirichletProcess {
    /// Merges components of `N x D` latents as long as that makes the latents more probable, and refits those that are left.
    ///
    /// ```
    /// use burn::backend::Flex;
    /// use burn::tensor::{Tensor, TensorData};
    /// use edgemix::mixture::dirichlet::DirichletProcess;
    /// use edgemix::random::{normal, stream};
    ///
    /// // A single Gaussian.
    /// let z = TensorData::new(normal(1200, &mut stream(0, "example", 0)), [600, 2]);
    /// let z = Tensor::<Flex, 2>::from_data(z, &Default::default());
    /// let process = DirichletProcess::default();
    /// let mixture = process.fit(&z, &mut stream(0, "example", 1))?;
    /// assert!(mixture.n_components() > 20);
    /// assert_eq!(process.merged(&z, mixture)?.n_components(), 1);
    /// # Ok::<(), edgemix::mixture::NotPositiveDefinite>(())
    /// ```
    ///
    /// # Errors
    /// [`NotPositiveDefinite`] if a variance degenerates, which the prior prevents for finite latents.
    pub fn merged<B: Backend>(&self, z: &Tensor<B, 2>, mut mixture: Mixture) -> Result<Mixture, NotPositiveDefinite> {
        let prior_mean = elements(z.clone().mean_dim(0));
        for _ in 0..ROUNDS {
            let before = mixture.n_components();
            let best = one_hot(mixture.log_density(z)?.argmax(1), before);
            let parts = self.merge(parts(&Moments::with_squares(z, &best)), &prior_mean);
            if parts.len() == before {
                break;
            }
            let mut owners = Array2::zeros((before, parts.len()));
            for (part, component) in
                parts.iter().enumerate().flat_map(|(p, part)| part.members.iter().map(move |&k| (p, k)))
            {
                owners[[component, part]] = 1.0;
            }
            let start = self.update(z, &best.matmul(to_tensor::<B>(owners.view(), &z.device()))).0;
            mixture = self.refine(z, start)?;
        }
        Ok(mixture)
    }

    /// Merges the pair that gains most until no merge gains anything.
    fn merge(&self, mut parts: Vec<Part>, prior_mean: &[f64]) -> Vec<Part> {
        let marginal = |part: &Part| self.log_marginal(part, prior_mean);
        let mut own: Vec<f64> = parts.iter().map(marginal).collect();
        loop {
            let ratio = |i: usize, j: usize| {
                let both = parts[i].with(&parts[j]);
                ln_gamma(parts[i].n) + ln_gamma(parts[j].n) - ln_gamma(both.n) + own[i] + own[j] - marginal(&both)
            };
            let pairs = (0..parts.len()).flat_map(|i| (i + 1..parts.len()).map(move |j| (i, j)));
            let least = pairs.map(|(i, j)| (ratio(i, j), i, j)).min_by(|a, b| a.0.total_cmp(&b.0));
            let Some((_, i, j)) = least.filter(|(ratio, ..)| *ratio < 0.0) else { return parts };
            let other = parts.remove(j);
            own.remove(j);
            parts[i] = parts[i].with(&other);
            own[i] = marginal(&parts[i]);
        }
    }

    /// The log marginal likelihood of a component's samples, except for terms that depend on their number alone and are the
    /// same before and after a merge.
    fn log_marginal(&self, part: &Part, prior_mean: &[f64]) -> f64 {
        let (kappa, a) = (self.mean_strength + part.n, self.shape + 0.5 * part.n);
        let along = |((mean, scatter), m0): ((&f64, &f64), &f64)| {
            let pull = self.mean_strength * part.n * (mean - m0).powi(2) / kappa;
            let b = self.rate + 0.5 * (scatter.max(0.0) + part.n * self.latent_variance + pull);
            ln_gamma(a) - ln_gamma(self.shape) + self.shape * self.rate.ln() - a * b.ln()
                + 0.5 * (self.mean_strength / kappa).ln()
        };
        part.mean.iter().zip(&part.scatter).zip(prior_mean).map(along).sum()
    }
}

/// The components that have samples.
fn parts(moments: &Moments<Array2<f64>>) -> Vec<Part> {
    let part = |k: usize| Part {
        n: moments.counts[k],
        mean: row_slice(moments.means.view(), k).to_vec(),
        scatter: row_slice(moments.scatter.view(), k).to_vec(),
        members: vec![k],
    };
    (0..moments.counts.len()).filter(|&k| moments.counts[k] > 0.0).map(part).collect()
}

#[cfg(test)]
mod tests {
    use burn::backend::Flex;
    use burn::tensor::TensorData;

    use super::*;
    use crate::base::random::{normal, stream};

    /// `k` Gaussians of 200 samples, ten deviations apart on a diagonal.
    fn found(k: usize, dims: usize, seed: u64) -> usize {
        let noise = normal(200 * k * dims, &mut stream(seed, "merges", 0));
        let deviation = 1.0 + 3.0 * (k as f32 - 1.0);
        let place = |i: usize| 10.0 * ((i / dims) % k) as f32;
        let values: Vec<f32> = noise.iter().enumerate().map(|(i, x)| (x + place(i)) / deviation).collect();
        let z = Tensor::<Flex, 2>::from_data(TensorData::new(values, [200 * k, dims]), &Default::default());
        let process = DirichletProcess::default();
        let mixture = process.fit(&z, &mut stream(seed, "merges", 1)).unwrap();
        process.merged(&z, mixture).unwrap().n_components()
    }

    #[test]
    fn gaussians_are_found_and_not_the_truncation() {
        for (k, dims) in [(1, 1), (1, 2), (1, 8), (2, 2), (3, 3), (5, 8)] {
            assert_eq!(found(k, dims, 4), k, "{k} in {dims} dimensions");
        }
    }
}
