//! Components that share their variances along the axes, which few samples can carry.
//!
//! Along each axis this is the analysis of variance of one way with random effects: samples scatter about the mean of their
//! component, and these means about the mean of all (Searle, Casella and McCulloch, "Variance components", 1992, chapter 3).
//! An axis along which the means do not differ tells no components apart, and costs nothing.

use std::f64::consts::PI;

use ndarray::Array2;

use super::niw::Statistics;

/// The least variance within components, in units of the variance of all samples.
const LEAST: f64 = 1e-6;

/// `x_d ~ N(m_d, within_d)` within a component, `m_d ~ N(0, between_d)`.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct SharedVariances {
    /// D.
    within: Vec<f64>,
    /// D.
    between: Vec<f64>,
}

impl SharedVariances {
    /// The variances of given components, as the analysis of variance estimates them. The samples' mean must be the origin.
    /// The mean of a single component may be anywhere among its samples.
    pub(super) fn of(components: &[Statistics], least: f64) -> Self {
        let n: f64 = components.iter().map(|own| own.n).sum();
        let k = components.len() as f64;
        let dims = components[0].mean().len();
        let means: Vec<Vec<f64>> = components.iter().map(Statistics::mean).collect();
        let squares: f64 = components.iter().map(|own| own.n * own.n).sum();
        let typical = (n - squares / n) / (k - 1.0);
        let variances = |d: usize| {
            let total = components.iter().map(|own| own.squares()[d]).sum::<f64>();
            let explained: f64 = components.iter().zip(&means).map(|(own, mean)| own.n * mean[d] * mean[d]).sum();
            let least = (LEAST * total / n).max(least);
            let within = ((total - explained) / (n - k).max(1.0)).max(least);
            let between = if k > 1.0 { (explained / (k - 1.0) - within) / typical } else { total / n };
            (within, between.max(0.0))
        };
        let (within, between) = (0..dims).map(variances).unzip();
        Self { within, between }
    }

    /// The log marginal likelihood of the samples of a component.
    pub(super) fn log_marginal(&self, of: &Statistics) -> f64 {
        let (mean, squares) = (of.mean(), of.squares());
        let axes = self.within.iter().zip(&self.between).zip(mean.iter().zip(&squares));
        let along = |((within, between), (mean, squares)): ((&f64, &f64), (&f64, &f64))| {
            let spread = within + of.n * between;
            let about = (squares - of.n * mean * mean).max(0.0);
            (2.0 * PI * within).ln() * of.n + (spread / within).ln() + about / within + of.n * mean * mean / spread
        };
        -0.5 * axes.map(along).sum::<f64>()
    }

    /// The posterior mean, D, and the covariance, `D x D`.
    pub(super) fn posterior(&self, of: &Statistics) -> (Vec<f64>, Array2<f64>) {
        let axes = self.within.iter().zip(&self.between).zip(of.mean());
        let mean = axes.map(|((within, between), mean)| mean * of.n * between / (within + of.n * between));
        let dims = self.within.len();
        let covariance = Array2::from_shape_fn((dims, dims), |(r, c)| if r == c { self.within[r] } else { 0.0 });
        (mean.collect(), covariance)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::base::random::{normal, stream};

    /// `k` components of `n` samples each about means of deviation 3, along one of two axes.
    fn components(k: usize, n: usize) -> Vec<Statistics> {
        let draws: Vec<f64> = normal(k + 2 * k * n, &mut stream(0, "shared", 0)).into_iter().map(f64::from).collect();
        let (means, noise) = draws.split_at(k);
        let row = |i: usize| [3.0 * means[i / n] + 0.5 * noise[2 * i], noise[2 * i + 1]];
        let rows: Vec<[f64; 2]> = (0..k * n).map(row).collect();
        rows.chunks(n).map(|own| Statistics::from_rows(own.iter().map(|row| &row[..]), 2)).collect()
    }

    #[test]
    fn variances_within_and_between_components_are_told_apart() {
        let found = SharedVariances::of(&components(400, 8), 0.0);
        let expected = [(found.within[0], 0.25), (found.within[1], 1.0), (found.between[0], 9.0)];
        assert!(expected.iter().all(|(found, expected)| (found / expected - 1.0).abs() < 0.15), "{found:?}");
        assert!(found.between[1] < 0.02, "{found:?}");
    }

    /// The marginal is the product of predictive densities, in one dimension computed from the definition.
    #[test]
    fn the_marginal_likelihood_is_the_product_of_predictive_densities() {
        let prior = SharedVariances { within: vec![0.7], between: vec![2.0] };
        let z = [0.4, -0.3, 1.1];
        let (mut mean, mut variance, mut log) = (0.0, 2.0, 0.0);
        for x in z {
            let total: f64 = variance + 0.7;
            log -= 0.5 * ((2.0 * PI * total).ln() + (x - mean) * (x - mean) / total);
            mean += variance / total * (x - mean);
            variance *= 0.7 / total;
        }
        let all = Statistics::from_rows(z.iter().map(std::slice::from_ref), 1);
        assert!((prior.log_marginal(&all) - log).abs() < 1e-12);
        let (posterior, covariance) = prior.posterior(&all);
        assert!((posterior[0] - mean).abs() < 1e-12 && covariance[[0, 0]] == 0.7);
    }
}
