//! The Dirichlet process mixture against plain f64 formulas, and its variational bound.

use burn::backend::Flex;
use burn::tensor::{Tensor, TensorData, activation::softmax};
use statrs::function::beta::ln_beta;
use statrs::function::gamma::{digamma, ln_gamma};

use super::{D, blobs, overlapping, tensor};
use crate::mixture::dirichlet::DirichletProcess;
use crate::mixture::elements;
use crate::random::{normal, stream};
use crate::variant::Variant;

/// Posterior parameters under responsibilities, by the module's formulas in f64, and with them the score of a sample.
struct Posterior {
    process: DirichletProcess,
    prior_mean: [f64; D],
    counts: Vec<f64>,
    kappa: Vec<f64>,
    means: Vec<[f64; D]>,
    a: Vec<f64>,
    b: Vec<[f64; D]>,
}

impl Posterior {
    fn new(process: &DirichletProcess, z: &[f64], r: &[Vec<f64>]) -> Self {
        let k = r[0].len();
        let n = r.len() as f64;
        let prior_mean = std::array::from_fn(|d| z.chunks(D).map(|z| z[d]).sum::<f64>() / n);
        let counts: Vec<f64> = (0..k).map(|k| r.iter().map(|r| r[k]).sum()).collect();
        let kappa: Vec<f64> = counts.iter().map(|n| process.mean_strength + n).collect();
        let sum = |k: usize, f: &dyn Fn(&[f64]) -> f64| z.chunks(D).zip(r).map(|(z, r)| r[k] * f(z)).sum::<f64>();
        let (mut means, mut b) = (vec![], vec![]);
        for k in 0..k {
            let bar: [f64; D] = std::array::from_fn(|d| sum(k, &|z| z[d]) / counts[k].max(1e-300));
            means
                .push(std::array::from_fn(|d| (process.mean_strength * prior_mean[d] + counts[k] * bar[d]) / kappa[k]));
            b.push(std::array::from_fn(|d| {
                let pull = process.mean_strength * counts[k] * (bar[d] - prior_mean[d]).powi(2) / kappa[k];
                process.rate + 0.5 * sum(k, &|z| (z[d] - bar[d]).powi(2)) + 0.5 * pull
            }));
        }
        let a = counts.iter().map(|n| process.shape + 0.5 * n).collect();
        Self { process: *process, prior_mean, counts, kappa, means, a, b }
    }

    fn sticks(&self) -> Vec<(f64, f64)> {
        let after = |k: usize| self.counts[k + 1..].iter().sum::<f64>();
        (0..self.counts.len()).map(|k| (1.0 + self.counts[k], self.process.concentration + after(k))).collect()
    }

    fn scores(&self, z: &[f64]) -> Vec<f64> {
        let mut left = 0.0;
        let sticks = self.sticks();
        let score = |(k, (g1, g2)): (usize, (f64, f64))| {
            let taken = digamma(g1) - digamma(g1 + g2);
            let gauss: f64 = (0..D)
                .map(|d| {
                    let precision = self.a[k] / self.b[k][d];
                    let log_precision = digamma(self.a[k]) - self.b[k][d].ln();
                    log_precision
                        - 1.0 / self.kappa[k]
                        - precision * (z[d] - self.means[k][d]).powi(2)
                        - std::f64::consts::TAU.ln()
                })
                .sum();
            let score = left + taken + 0.5 * gauss;
            left += digamma(g2) - digamma(g1 + g2);
            score
        };
        sticks.into_iter().enumerate().map(score).collect()
    }

    /// KL of the posterior over sticks, means and precisions from the prior.
    fn divergence(&self) -> f64 {
        let p = &self.process;
        let mut sum = 0.0;
        for (k, (g1, g2)) in self.sticks().into_iter().enumerate() {
            let total = digamma(g1 + g2);
            sum += ln_beta(1.0, p.concentration) - ln_beta(g1, g2)
                + (g1 - 1.0) * (digamma(g1) - total)
                + (g2 - p.concentration) * (digamma(g2) - total);
            let (a, kappa) = (self.a[k], self.kappa[k]);
            for d in 0..D {
                let b = self.b[k][d];
                // Gamma(a, b) from Gamma(a0, b0), then the mean's Gaussian given the precision.
                sum += (a - p.shape) * digamma(a) - ln_gamma(a)
                    + ln_gamma(p.shape)
                    + p.shape * (b.ln() - p.rate.ln())
                    + a * (p.rate - b) / b;
                let moved = (self.means[k][d] - self.prior_mean[d]).powi(2);
                sum += 0.5 * (p.mean_strength / kappa - 1.0 + (kappa / p.mean_strength).ln())
                    + 0.5 * p.mean_strength * a / b * moved;
            }
        }
        sum
    }

    /// The bound at responsibilities `r`: expected log joint, plus their entropy, less the divergence.
    fn bound(&self, z: &[f64], r: &[Vec<f64>]) -> f64 {
        let sample = |(z, r): (&[f64], &Vec<f64>)| -> f64 {
            let terms = self.scores(z).into_iter().zip(r);
            terms.filter(|(_, r)| **r > 0.0).map(|(s, r)| r * (s - r.ln())).sum()
        };
        z.chunks(D).zip(r).map(sample).sum::<f64>() - self.divergence()
    }
}

fn rows(t: Tensor<Flex, 2>) -> Vec<Vec<f64>> {
    let k = t.dims()[1];
    elements(t).chunks(k).map(<[f64]>::to_vec).collect()
}

/// Responsibilities to begin with: no two samples' are the same, the first component's are the largest.
fn responsibilities(n: usize, k: usize) -> Tensor<Flex, 2> {
    let logits: Vec<f32> = normal(n * k, &mut stream(8, "start", 0));
    let slope = (0..k).map(|k| -0.7 * k as f32).collect::<Vec<_>>();
    let slope = Tensor::from_data(TensorData::new(slope, [1, k]), &Default::default());
    softmax(Tensor::from_data(TensorData::new(logits, [n, k]), &Default::default()) + slope, 1)
}

#[test]
fn the_dirichlet_process_scores_by_the_mean_field_formulas() {
    let z = overlapping();
    for concentration in [2.0, 2000.0] {
        let process = DirichletProcess { concentration, ..DirichletProcess::default() };
        let r = responsibilities(z.len() / D, 5);
        let (mixture, counts) = process.update(&tensor::<Flex>(&z, D), &r);
        assert!(counts.is_sorted_by(|a, b| a >= b));
        let expected = Posterior::new(&process, &z, &rows(r));
        let whitened = mixture.whiten().unwrap();
        for z in z.chunks(D) {
            for (found, expected) in whitened.scores(z).into_iter().zip(expected.scores(z)) {
                assert!((found - expected).abs() < 1e-3 * (1.0 + expected.abs()), "{found} {expected}");
            }
        }
    }
}

#[test]
fn mean_field_updates_never_lower_the_bound() {
    let z = overlapping();
    let on_device = tensor::<Flex>(&z, D);
    for concentration in [1.0, 200.0] {
        let process = DirichletProcess { concentration, ..DirichletProcess::default() };
        let mut r = responsibilities(z.len() / D, 6);
        let mut previous = f64::NEG_INFINITY;
        for step in 0..30 {
            let bound = Posterior::new(&process, &z, &rows(r.clone())).bound(&z, &rows(r.clone()));
            assert!(bound > previous - 1e-2, "step {step}: {previous} then {bound}");
            previous = bound;
            // Components come back sorted, and so do the responsibilities that follow from them.
            let (mixture, _) = process.update(&on_device, &r);
            r = softmax(mixture.log_density(&on_device).unwrap(), 1);
        }
    }
}

#[test]
fn no_other_posterior_has_a_higher_bound() {
    let z = overlapping();
    let process = DirichletProcess { concentration: 5.0, ..DirichletProcess::default() };
    let r = rows(responsibilities(z.len() / D, 4));
    let best = Posterior::new(&process, &z, &r).bound(&z, &r);
    for k in 0..4 {
        for factor in [0.9, 1.1] {
            let changed = |change: &dyn Fn(&mut Posterior)| {
                let mut posterior = Posterior::new(&process, &z, &r);
                change(&mut posterior);
                assert!(posterior.bound(&z, &r) < best);
            };
            changed(&|p| p.a[k] *= factor);
            changed(&|p| p.b[k][1] *= factor);
            changed(&|p| p.kappa[k] *= factor);
            changed(&|p| p.means[k][0] += factor - 1.0);
        }
    }
}

#[test]
fn the_printed_form_scores_by_equation_13() {
    let z = overlapping();
    let process = DirichletProcess { variant: Variant::Paper, ..DirichletProcess::default() };
    let (mixture, counts) = process.update(&tensor::<Flex>(&z, D), &responsibilities(z.len() / D, 4));
    let whitened = mixture.whiten().unwrap();
    let v: Vec<f64> =
        (0..4).map(|k| counts[k] / (counts[k..].iter().sum::<f64>() + process.concentration - 1.0)).collect();
    let score = |z: &[f64], k: usize| {
        let square: f64 = (0..D).map(|d| (z[d] - mixture.means[[k, d]]).powi(2)).sum();
        -0.5 * square + v[k].ln() + v[..=k].iter().map(|v| (1.0 - v).ln()).sum::<f64>()
    };
    for z in z.chunks(D) {
        let found = whitened.scores(z);
        for k in 1..4 {
            assert!((found[k] - found[0] - score(z, k) + score(z, 0)).abs() < 1e-3);
        }
    }
}

#[test]
fn the_printed_precisions_are_equation_11() {
    let z = overlapping();
    let process = DirichletProcess { variant: Variant::Paper, ..DirichletProcess::default() };
    let tensor = tensor::<Flex>(&z, D);
    let (mixture, _) = process.update(&tensor, &responsibilities(z.len() / D, 4));
    let best = mixture.log_density(&tensor).unwrap().argmax(1).squeeze_dim::<1>(1);
    let members: Vec<i64> = best.clone().into_data().iter::<i64>().collect();
    let found = process.printed_precisions(&tensor, &best, mixture.means.view());
    for ((k, d), tau) in found.indexed_iter() {
        let inside = z.chunks(D).zip(&members).filter(|&(_, &member)| member == k as i64);
        let (mut n, mut squares) = (0.0, 0.0);
        inside.for_each(|(z, _)| {
            n += 1.0;
            squares += (z[d] - mixture.means[[k, d]]).powi(2);
        });
        let pull = process.mean_strength * (mixture.means[[k, d]] - 1.0).powi(2);
        let expected = (0.5 * n + process.shape - 1.0) / (process.rate + 0.5 * (squares + pull));
        assert!((tau / expected - 1.0).abs() < 1e-3, "{k} {d}: {tau} {expected}");
    }
}

#[test]
fn components_without_samples_are_dropped() {
    let z = blobs(&[[0.0, 0.0, 0.0], [9.0, 0.0, 0.0]], 60, 1.0, 3);
    let z = tensor::<Flex>(&z, D);
    let process = DirichletProcess { concentration: 2.0, ..DirichletProcess::default() };
    let shares: Vec<f64> = (0..120).flat_map(|i| if i < 60 { [0.0, 1.0, 0.0] } else { [1.0, 0.0, 0.0] }).collect();
    let (start, counts) = process.update(&z, &tensor(&shares, 3));
    assert_eq!(counts, [60.0, 60.0, 0.0]);
    assert_eq!(process.refine(&z, start).unwrap().n_components(), 2);
}

#[test]
fn the_printed_form_stays_finite() {
    let process = DirichletProcess { variant: Variant::Paper, truncation: 10, ..DirichletProcess::default() };
    let z = tensor::<Flex>(&overlapping(), D);
    let mixture = process.fit(&z, &mut stream(0, "test", 0)).unwrap();
    assert!(elements(mixture.log_density(&z).unwrap()).iter().all(|x| x.is_finite()));
}
