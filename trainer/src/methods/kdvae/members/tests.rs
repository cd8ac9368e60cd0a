//! Scores, losses and variances of the members against their definitions.

use burn::backend::{Autodiff, Flex};

use super::*;
use crate::nn::Architecture;
use crate::random::{normal, stream};

const FEATURES: usize = 6;
const N: usize = 20;

fn members(variational: bool) -> Members<Autodiff<Flex>> {
    members_of(Model { variational, likelihood: Likelihood::Gaussian, variant: Variant::Corrected, black: 0.0 })
}

fn members_of(model: Model) -> Members<Autodiff<Flex>> {
    let shapes = Architecture::dense(&[5, 2]).shapes(FEATURES, None).unwrap();
    let mut rng = stream(0, "weights", 0);
    let networks = (0..3).map(|_| Autoencoder::new(&shapes, model.variational, &mut rng, &Default::default()));
    Members::new(networks.collect(), model, 1.0, FEATURES, Optimizer::Adam {})
}

fn samples() -> (Vec<f32>, Tensor<Flex, 2>) {
    let values = normal(N * FEATURES, &mut stream(0, "samples", 0));
    let tensor = Tensor::from_data(TensorData::new(values.clone(), [N, FEATURES]), &Default::default());
    (values, tensor)
}

#[test]
fn plain_numbers_score_as_the_members_do() {
    for variational in [false, true] {
        let mut members = members(variational);
        members.weigh(&[0, 0, 0, 1]);
        let (values, x) = samples();
        let plain = members.to_plain().scores(&values);
        for (plain, found) in plain.iter().zip(elements(members.scores(&x, Scores::Finished))) {
            assert!((plain - found).abs() < 1e-3 * plain.abs().max(1.0), "{plain} {found}");
        }
    }
}

/// The latents and reconstructions of each member: means, log variances and outputs of the decoder.
fn encoded(members: &Members<Autodiff<Flex>>, x: &Tensor<Flex, 2>) -> Vec<[Vec<f64>; 3]> {
    let networks = members.networks.valid();
    let each = networks.iter().map(|network| {
        let latent = network.encode(x.clone());
        let decoded = network.decode(latent.mean.clone());
        let log_variance = latent.log_variance.unwrap_or_else(|| latent.mean.zeros_like());
        [latent.mean, log_variance, decoded].map(elements)
    });
    each.collect()
}

/// `ln N(x; mean, variance)`.
fn log_normal(x: f64, mean: f64, variance: f64) -> f64 {
    -0.5 * ((x - mean).powi(2) / variance + (std::f64::consts::TAU * variance).ln())
}

#[test]
fn the_printed_score_is_equation_7_by_its_densities_and_differs_from_the_bound_as_it_must() {
    for likelihood in [Likelihood::Gaussian, Likelihood::PerFeature] {
        let mut members = members_of(Model { variational: true, likelihood, variant: Variant::Paper, black: 0.0 });
        // The printed form has no weights.
        members.weigh(&[0, 0, 0, 1]);
        let (values, x) = samples();
        let [finished, learning] =
            [Scores::Finished, Scores::Learning].map(|which| elements(members.scores(&x, which)));
        // What all members have in common is left out.
        let constant = match likelihood {
            Likelihood::Gaussian => (std::f64::consts::TAU * FIRST_ERROR).ln(),
            _ => std::f64::consts::TAU.ln(),
        };
        for (k, [mean, log_variance, decoded]) in encoded(&members, &x).into_iter().enumerate() {
            for row in 0..N {
                let features = row * FEATURES..(row + 1) * FEATURES;
                let density = features.map(|at| log_normal(f64::from(values[at]), decoded[at], FIRST_ERROR));
                let mut score = density.sum::<f64>() + 0.5 * FEATURES as f64 * constant;
                let mut excess = 0.0;
                for at in row * 2..row * 2 + 2 {
                    let (m, s) = (mean[at], log_variance[at].exp());
                    score -= log_normal(m, m, s) - log_normal(m, 0.0, 1.0);
                    excess += 0.5 * s - 0.5;
                }
                let found = finished[row * 3 + k];
                assert!((found - score).abs() < 1e-3 * score.abs().max(1.0), "{likelihood:?}: {found} {score}");
                assert!((found - learning[row * 3 + k] - excess).abs() < 1e-3 * found.abs().max(1.0));
            }
        }
    }
}

#[test]
fn bernoulli_scores_are_those_of_the_definition_whatever_the_range_of_inputs() {
    let shares: Vec<f64> = samples().0.iter().map(|x| f64::from(x.abs() % 1.0)).collect();
    for black in [0.0f32, -1.0] {
        let likelihood = Likelihood::Bernoulli;
        let members = members_of(Model { variational: true, likelihood, variant: Variant::Corrected, black });
        let inputs: Vec<f64> = shares.iter().map(|x| x * f64::from(1.0 - black) + f64::from(black)).collect();
        let x = matrix::<Flex>(&inputs, N, &Default::default());
        let scores = elements(members.scores(&x, Scores::Finished));
        for (k, [mean, log_variance, decoded]) in encoded(&members, &x).into_iter().enumerate() {
            for row in 0..N {
                let probable = |at: usize| {
                    let p = 1.0 / (1.0 + (-decoded[at]).exp());
                    shares[at] * p.ln() + (1.0 - shares[at]) * (1.0 - p).ln()
                };
                let divergence = |at: usize| 0.5 * (mean[at].powi(2) + log_variance[at].exp() - log_variance[at] - 1.0);
                let expected = (row * FEATURES..(row + 1) * FEATURES).map(probable).sum::<f64>()
                    - (row * 2..row * 2 + 2).map(divergence).sum::<f64>();
                assert!((scores[row * 3 + k] - expected).abs() < 1e-3, "{} {expected}", scores[row * 3 + k]);
            }
        }
    }
}

#[test]
fn each_feature_of_a_member_has_the_variance_of_its_last_errors() {
    let likelihood = Likelihood::PerFeature;
    let mut members = members_of(Model { variational: false, likelihood, variant: Variant::Corrected, black: 0.0 });
    let (values, x) = samples();
    let [_, _, decoded] = encoded(&members, &x).swap_remove(1);
    let x = Tensor::from_inner(x);
    members.descend(&x, &x, &[1; N], 1e-2, &mut stream(0, "noise", 0));
    members.update_variance();
    let variances = |k: usize, d: usize| members.shared.by_feature[k].variances[d];
    for d in 0..FEATURES {
        let error = |row: usize| f64::from(values[row * FEATURES + d]) - decoded[row * FEATURES + d];
        let expected = (0..N).map(|row| error(row).powi(2)).sum::<f64>() / N as f64;
        assert!((variances(1, d) / expected - 1.0).abs() < 1e-4, "{d}");
        assert_eq!(variances(0, d), FIRST_ERROR);
    }
}

#[test]
fn a_member_learns_from_its_own_samples_alone() {
    let mut members = members(true);
    let before = members.to_plain();
    let (_, x) = samples();
    let x = Tensor::from_inner(x);
    let terms = members.descend(&x, &x, &[1; N], 1e-2, &mut stream(0, "noise", 0));
    let after = members.to_plain();
    assert_eq!(terms.iter().map(|term| term.name).collect::<Vec<_>>(), ["reconstruction", "prior"]);
    assert!(before.pairs[0] == after.pairs[0] && before.pairs[2] == after.pairs[2]);
    assert!(before.pairs[1].encoder != after.pairs[1].encoder && before.pairs[1].decoder != after.pairs[1].decoder);
}

#[test]
fn the_variance_is_the_last_epochs_mean_squared_error() {
    let mut members = members(false);
    let (_, x) = samples();
    let x = Tensor::from_inner(x);
    let terms = members.descend(&x, &x, &[0; N], 1e-2, &mut stream(0, "noise", 0));
    members.update_variance();
    // Half the squared error, summed over features.
    let expected = FEATURES as f64 / (2.0 * terms[0].value());
    assert!((members.to_plain().precision / expected - 1.0).abs() < 1e-6);
}
