//! Every loss's gradient against finite differences, in double precision.

use burn::backend::Autodiff;
use burn::tensor::activation::log_softmax;
use burn::tensor::{DType, Tensor, TensorData};
use burn_ndarray::NdArray;

use crate::divergence::{Divergence, Gaussians};
use crate::methods::common::learned_mixture::{MixtureParameters, log_sum_exp};
use crate::methods::{TargetRule, dec};
use crate::mixture::elements;
use crate::random::{normal, stream};

type Double = Autodiff<NdArray<f64>>;
type Matrix = Tensor<Double, 2>;

const N: usize = 5;
const DIMS: usize = 3;
const K: usize = 4;

fn random(n: usize, index: u64) -> Vec<f64> {
    normal(n, &mut stream(9, "gradients", index)).into_iter().map(f64::from).collect()
}

fn matrix(values: &[f64], rows: usize) -> Matrix {
    let device = Default::default();
    Tensor::from_data(TensorData::new(values.to_vec(), [rows, values.len() / rows]), (&device, DType::F64))
}

/// Compares the gradient of a loss of `rows x columns` numbers with its finite differences.
fn holds(name: &str, rows: usize, columns: usize, loss: impl Fn(Matrix) -> Tensor<Double, 1>) {
    let at = random(rows * columns, 100);
    let x = matrix(&at, rows).require_grad();
    let gradients = loss(x.clone()).backward();
    let found = elements(x.grad(&gradients).unwrap());
    let value = |values: &[f64]| elements(loss(matrix(values, rows)))[0];
    for index in 0..at.len() {
        let moved = |step: f64| {
            let mut values = at.clone();
            values[index] += step;
            value(&values)
        };
        let expected = (moved(1e-5) - moved(-1e-5)) / 2e-5;
        assert!((found[index] - expected).abs() < 1e-6, "{name}, {index}: {} and {expected}", found[index]);
    }
}

fn parameters() -> MixtureParameters<Double> {
    let rows = |index| crate::base::arrays::from_rows(random(K * DIMS, index), DIMS);
    MixtureParameters::new(&random(K, 0), rows(1).view(), rows(2).view(), &Default::default())
}

#[test]
fn the_students_loss_and_its_centres() {
    let centers = matrix(&random(K * DIMS, 3), K);
    let z = matrix(&random(N * DIMS, 4), N);
    let targets = dec::sharpened(dec::student(z.clone(), centers.clone()));
    holds("latents", N, DIMS, |z| dec::divergence(targets.clone(), dec::student(z, centers.clone())));
    holds("centres", K, DIMS, |centers| dec::divergence(targets.clone(), dec::student(z.clone(), centers)));
}

#[test]
fn a_mixtures_likelihood_and_a_variational_one() {
    let p = parameters();
    holds("likelihood", N, DIMS, |z| log_sum_exp(p.log_joint(z, 1e-6)).mean());
    let log_variance = matrix(&random(N * DIMS, 5), N);
    let of_mean = |mean| Gaussians { mean, log_variance: log_variance.clone() };
    holds("evidence, mean", N, DIMS, |mean| log_sum_exp(p.log_evidence(of_mean(mean), 1e-6)).mean());
    let mean = matrix(&random(N * DIMS, 6), N);
    let of_variance = |log_variance| Gaussians { mean: mean.clone(), log_variance };
    holds("evidence, variance", N, DIMS, |l| log_sum_exp(p.log_evidence(of_variance(l), 1e-6)).mean());
}

#[test]
fn every_divergence() {
    let rows = |index| matrix(&random(N * DIMS, index), N);
    let p = Gaussians { mean: rows(7), log_variance: rows(8) };
    let fixed = rows(9);
    for divergence in
        [Divergence::KullbackLeibler, Divergence::Primal(0.25), Divergence::Primal(0.5), Divergence::Dual(0.25)]
    {
        let of = |mean, log_variance| divergence.between(Gaussians { mean, log_variance }, p.clone()).mean();
        holds("mean", N, DIMS, |mean| of(mean, fixed.clone()));
        holds("log variance", N, DIMS, |log_variance| of(fixed.clone(), log_variance));
    }
}

#[test]
fn cross_entropy_to_balanced_targets() {
    let targets =
        TargetRule::Exact.targets(dec::student(matrix(&random(N * DIMS, 10), N), matrix(&random(K * DIMS, 3), K)), &[]);
    let cross_entropy = |logits| -(targets.clone() * log_softmax(logits, 1)).sum_dim(1).mean();
    holds("logits", N, K, cross_entropy);
    // Its gradient is the difference of the distributions.
    let logits = matrix(&random(N * K, 100), N).require_grad();
    let gradients = cross_entropy(logits.clone()).backward();
    let difference = (log_softmax(logits.clone(), 1).exp() - targets) / N as f64;
    let found = elements(logits.grad(&gradients).unwrap());
    assert!(found.iter().zip(elements(difference)).all(|(a, b)| (a - b).abs() < 1e-12));
}
