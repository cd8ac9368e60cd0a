//! The normal-inverse-Wishart prior of a Gaussian: marginal likelihood and posterior from sufficient statistics.
//!
//! Murphy, "Conjugate Bayesian analysis of the Gaussian distribution", 2007, section 9 (equations 250 to 266), for a
//! prior mean at the origin and a prior scatter that is the same in all directions.

use std::f64::consts::PI;

use ndarray::Array2;
use statrs::function::gamma::ln_gamma;

use super::cholesky;
use super::lanes::{Vectorized, vectorized};
use super::triangle::{LowerTriangle, PaddedTriangle};

/// The sufficient statistics of samples for a Gaussian: their weight, their sum and the sum of their products.
///
/// ```
/// use edgemix::mixture::niw::Statistics;
///
/// let mut all = Statistics::empty(2);
/// all.add(&[1.0, 2.0], 1.0);
/// all.absorb(&Statistics::from_rows([&[3.0, 4.0][..]], 2));
/// assert_eq!((all.n, all.mean(), all.variance()), (2.0, vec![2.0, 3.0], 1.0));
/// assert_eq!(all.with(&Statistics::empty(2)), all);
/// ```
#[derive(Clone, Debug, PartialEq)]
pub struct Statistics {
    /// The number of samples, or the sum of their weights.
    pub n: f64,
    /// D.
    sum: Vec<f64>,
    /// Of the sum of `z z^T`.
    products: LowerTriangle,
}

impl Statistics {
    /// The statistics of no samples of D dimensions.
    pub fn empty(dims: usize) -> Self {
        Self { n: 0.0, sum: vec![0.0; dims], products: LowerTriangle::zeros(dims) }
    }

    /// The statistics of samples of D dimensions.
    pub fn from_rows<'a>(rows: impl IntoIterator<Item = &'a [f64]>, dims: usize) -> Self {
        vectorized(Sum { rows: rows.into_iter(), dims })
    }

    /// Adds a sample of the given weight.
    #[inline(always)]
    pub fn add(&mut self, z: &[f64], weight: f64) {
        self.n += weight;
        self.sum.iter_mut().zip(z).for_each(|(sum, x)| *sum += weight * x);
        self.products.add_products(z, weight);
    }

    /// Adds the samples of others.
    pub fn absorb(&mut self, other: &Self) {
        self.n += other.n;
        self.sum.iter_mut().zip(&other.sum).for_each(|(a, b)| *a += b);
        self.products.add(&other.products);
    }

    /// The statistics of the samples of both.
    #[must_use]
    pub fn with(&self, other: &Self) -> Self {
        let mut both = self.clone();
        both.absorb(other);
        both
    }

    /// The mean, D.
    pub fn mean(&self) -> Vec<f64> {
        self.sum.iter().map(|s| s / self.n.max(f64::MIN_POSITIVE)).collect()
    }

    /// The sum of the squares along each axis, D.
    pub(super) fn squares(&self) -> Vec<f64> {
        self.products.diagonal().collect()
    }

    /// The variance about the mean, averaged over the dimensions.
    pub fn variance(&self) -> f64 {
        let squares: f64 = self.products.diagonal().sum();
        let n = self.n.max(f64::MIN_POSITIVE);
        (squares / n - self.mean().iter().map(|m| m * m).sum::<f64>()) / self.sum.len() as f64
    }
}

/// [`Statistics::from_rows`].
struct Sum<I> {
    rows: I,
    dims: usize,
}

impl<'a, I: Iterator<Item = &'a [f64]>> Vectorized for Sum<I> {
    type Output = Statistics;

    #[inline(always)]
    fn run(self) -> Statistics {
        let mut all = Statistics::empty(self.dims);
        let mut products = PaddedTriangle::zeros(self.dims);
        for row in self.rows {
            all.n += 1.0;
            all.sum.iter_mut().zip(row).for_each(|(sum, x)| *sum += x);
            products.add_products(row);
        }
        all.products = products.into_triangle();
        all
    }
}

/// `Sigma ~ IW(psi I, nu)`, `mu ~ N(0, Sigma / kappa)`.
///
/// ```
/// use edgemix::mixture::niw::{NormalInverseWishart, Statistics};
/// use ndarray::array;
///
/// let prior = NormalInverseWishart { kappa: 1.0, extra: 2.0, psi: 1.0 };
/// // One sample at 4: the mean lies half way to the origin, the covariance is (1 + 4^2 - 4^2 / 2) / 2.
/// let one = Statistics::from_rows([&[4.0][..]], 1);
/// assert_eq!(prior.posterior(&one), (vec![2.0], array![[4.5]]));
/// assert!(prior.log_marginal(&Statistics::empty(1)).abs() < 1e-12);
/// ```
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct NormalInverseWishart {
    /// The number of samples that the prior mean is worth.
    pub kappa: f64,
    /// The prior's degrees of freedom beyond the number of dimensions; above 1 the mean of `Sigma` exists.
    pub extra: f64,
    /// The prior scatter.
    pub psi: f64,
}

impl NormalInverseWishart {
    /// The posterior scatter, `D x D`.
    fn scatter(&self, of: &Statistics) -> Array2<f64> {
        let dims = of.sum.len();
        let kappa = self.kappa + of.n;
        let mut scatter = Array2::zeros((dims, dims));
        for (r, row) in of.products.rows().enumerate() {
            for (c, p) in row.iter().enumerate() {
                let value = p - of.sum[r] * of.sum[c] / kappa + if r == c { self.psi } else { 0.0 };
                scatter[[r, c]] = value;
                scatter[[c, r]] = value;
            }
        }
        scatter
    }

    /// The log marginal likelihood of the samples (Murphy, equation 266); minus infinity if rounding has made their
    /// scatter indefinite.
    pub fn log_marginal(&self, of: &Statistics) -> f64 {
        let dims = of.sum.len();
        let d = dims as f64;
        let (nu0, kappa) = (d + self.extra, self.kappa + of.n);
        let nu = nu0 + of.n;
        let Some(factor) = cholesky::factor(self.scatter(of).view()) else { return f64::NEG_INFINITY };
        let log_det: f64 = factor.diag().iter().map(|x| 2.0 * x.ln()).sum();
        0.5 * (nu0 * d * self.psi.ln() - nu * log_det + d * (self.kappa / kappa).ln() - of.n * d * PI.ln())
            + ln_gamma_multivariate(0.5 * nu, dims)
            - ln_gamma_multivariate(0.5 * nu0, dims)
    }

    /// The posterior mean, D, and the expected covariance, `D x D`.
    pub fn posterior(&self, of: &Statistics) -> (Vec<f64>, Array2<f64>) {
        let kappa = self.kappa + of.n;
        let freedom = (self.extra + of.n - 1.0).max(f64::MIN_POSITIVE);
        let covariance = self.scatter(of).mapv_into(|s| s / freedom);
        (of.sum.iter().map(|s| s / kappa).collect(), covariance)
    }
}

/// `ln Gamma_D(x)` without the constant `D (D - 1) / 4 ln pi`, which cancels.
fn ln_gamma_multivariate(x: f64, dims: usize) -> f64 {
    (0..dims).map(|d| ln_gamma(x - 0.5 * d as f64)).sum()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::base::random::{normal, stream};

    const PRIOR: NormalInverseWishart = NormalInverseWishart { kappa: 0.3, extra: 2.0, psi: 0.7 };

    fn rows(n: usize, dims: usize) -> Vec<Vec<f64>> {
        let values = normal(n * dims, &mut stream(1, "niw", 0));
        values.chunks(dims).map(|row| row.iter().map(|&x| 0.5 + f64::from(x)).collect()).collect()
    }

    /// In one dimension the prior is a normal-inverse-gamma: the likelihood is integrated over both parameters.
    #[test]
    fn the_marginal_likelihood_is_the_integral_over_mean_and_variance() {
        let z = [0.4, -0.3, 1.1];
        let (shape, rate) = (0.5 * (1.0 + PRIOR.extra), 0.5 * PRIOR.psi);
        let (mut sum, steps) = (0.0, 1500);
        for i in 0..steps {
            // The variance on a logarithmic grid, the mean on a linear one.
            let t = -6.0 + 14.0 * (f64::from(i) + 0.5) / f64::from(steps);
            let variance = t.exp();
            let prior = shape * rate.ln() - ln_gamma(shape) - (shape + 1.0) * t - rate / variance;
            for j in 0..steps {
                let mean = -25.0 + 50.0 * (f64::from(j) + 0.5) / f64::from(steps);
                let gauss = |x: f64, v: f64| -0.5 * (x * x / v + (2.0 * PI * v).ln());
                let log =
                    z.iter().map(|x| gauss(x - mean, variance)).sum::<f64>() + gauss(mean, variance / PRIOR.kappa);
                sum += (log + prior + t).exp();
            }
        }
        let integral = (sum * 14.0 / f64::from(steps) * 50.0 / f64::from(steps)).ln();
        let found = PRIOR.log_marginal(&Statistics::from_rows(z.iter().map(std::slice::from_ref), 1));
        assert!((found - integral).abs() < 2e-3, "{found} {integral}");
    }

    #[test]
    fn the_marginal_likelihood_is_the_product_of_predictive_densities() {
        // p(x | rest) is the ratio of two marginals; over all orders the product is the same.
        let z = rows(6, 3);
        let of = |rows: &[Vec<f64>]| PRIOR.log_marginal(&Statistics::from_rows(rows.iter().map(Vec::as_slice), 3));
        assert!(of(&[]).abs() < 1e-12);
        let chained: f64 = (0..6).map(|i| of(&z[..=i]) - of(&z[..i])).sum();
        let reversed: Vec<Vec<f64>> = z.iter().rev().cloned().collect();
        assert!((chained - of(&reversed)).abs() < 1e-9);
    }

    #[test]
    fn with_many_samples_the_posterior_has_their_moments() {
        let z = rows(20_000, 2);
        let all = Statistics::from_rows(z.iter().map(Vec::as_slice), 2);
        let (mean, covariance) = PRIOR.posterior(&all);
        assert!(mean.iter().all(|m| (m - 0.5).abs() < 0.03), "{mean:?}");
        for (c, expected) in covariance.iter().zip([1.0, 0.0, 0.0, 1.0]) {
            assert!((c - expected).abs() < 0.05, "{covariance:?}");
        }
        assert!((all.variance() - 1.0).abs() < 0.05);
    }

    #[test]
    fn statistics_add_up() {
        let z = rows(10, 3);
        let of = |rows: &[Vec<f64>]| Statistics::from_rows(rows.iter().map(Vec::as_slice), 3);
        let (parts, all) = (of(&z[..4]).with(&of(&z[4..])), of(&z));
        let pairs = parts.products.rows().flatten().zip(all.products.rows().flatten());
        assert!(pairs.into_iter().all(|(a, b)| (a - b).abs() < 1e-12) && parts.n == all.n);
    }
}
