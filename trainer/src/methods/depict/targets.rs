//! The targets that the softmax layer learns.

use burn::tensor::Tensor;
use burn::tensor::backend::Backend;
use serde::{Deserialize, Serialize};

use super::super::dec;
use crate::mixture::{elements, matrix};

/// How targets are computed from predictions.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum TargetRule {
    /// `q ~ p sqrt(u / sum_i p)`: one step towards the exact minimum (equation 8).
    Sqrt,
    /// `q ~ p^2 / sum_i p`: the targets of DEC, which the authors' program uses.
    Dec,
    /// The minimum of equation 5, iterated to its fixed point.
    Exact,
}

impl TargetRule {
    /// The `N x K` targets for `N x K` predictions, with the prior of [`Depict`](super::Depict) over clusters; none is uniform.
    pub(in crate::methods) fn targets<B: Backend>(self, p: Tensor<B, 2>, shares: &[f64]) -> Tensor<B, 2> {
        // KL(q||p) + KL(f||u) is KL(q||p u) + KL(f||1).
        let favoured = if shares.is_empty() { p.clone() } else { p.clone() * by_size(&p, shares) };
        match self {
            Self::Sqrt if shares.is_empty() => rows_normalised(p.clone() / p.sum_dim(0).clamp_min(1e-12).sqrt()),
            Self::Sqrt => rows_normalised(favoured.clone() / favoured.sum_dim(0).clamp_min(1e-12).sqrt()),
            Self::Dec => dec::sharpened(p),
            Self::Exact => exact(favoured),
        }
    }
}

/// The shares, `1 x K`, largest first by the clusters' sizes.
fn by_size<B: Backend>(p: &Tensor<B, 2>, shares: &[f64]) -> Tensor<B, 2> {
    let sizes = elements(p.clone().sum_dim(0));
    let mut largest: Vec<usize> = (0..sizes.len()).collect();
    largest.sort_by(|&a, &b| sizes[b].total_cmp(&sizes[a]));
    let mut sorted = shares.to_vec();
    sorted.sort_by(|a, b| b.total_cmp(a));
    let total: f64 = shares.iter().sum();
    let mut each = vec![0.0; sizes.len()];
    largest.into_iter().zip(sorted).for_each(|(cluster, share)| each[cluster] = share / total);
    matrix(&each, 1, &p.device())
}

fn rows_normalised<B: Backend>(q: Tensor<B, 2>) -> Tensor<B, 2> {
    q.clone() / q.sum_dim(1).clamp_min(1e-30)
}

/// `q ~ p / f` with `f = mean q`: this minimises `KL(q||p) + KL(f||uniform)`. The iteration is damped because the plain
/// one cycles.
fn exact<B: Backend>(p: Tensor<B, 2>) -> Tensor<B, 2> {
    let mut shares = p.clone().mean_dim(0).clamp_min(1e-12);
    for _ in 0..200 {
        let mean = rows_normalised(p.clone() / shares.clone()).mean_dim(0);
        let next = (shares.clone() * mean).sqrt().clamp_min(1e-12);
        let next = next.clone() / next.sum_dim(1);
        let moved = elements((next.clone() - shares).abs().max());
        shares = next;
        if moved[0] < 1e-7 {
            break;
        }
    }
    rows_normalised(p / shares)
}

#[cfg(test)]
mod tests {
    use burn::backend::Flex;

    use super::*;
    use crate::random::{normal, stream};

    const N: usize = 60;
    const K: usize = 4;

    /// Predictions that favour the first cluster.
    fn predictions() -> Vec<f64> {
        let logits = normal(N * K, &mut stream(7, "depict", 0));
        let rows = logits.chunks(K).flat_map(|row| {
            let row: Vec<f64> =
                row.iter().enumerate().map(|(k, x)| (f64::from(*x) + 1.2 / (k + 1) as f64).exp()).collect();
            let sum: f64 = row.iter().sum();
            row.into_iter().map(move |x| x / sum)
        });
        rows.collect()
    }

    fn targets(rule: TargetRule, p: &[f64]) -> Vec<f64> {
        targets_with(rule, p, &[])
    }

    fn targets_with(rule: TargetRule, p: &[f64], shares: &[f64]) -> Vec<f64> {
        elements(rule.targets(matrix::<Flex>(p, N, &Default::default()), shares))
    }

    /// `KL(q||p)`, a mean over samples, and `KL(mean q||uniform)`: equation 5.
    fn objective(q: &[f64], p: &[f64]) -> f64 {
        objective_with(q, p, &[1.0 / K as f64; K])
    }

    fn objective_with(q: &[f64], p: &[f64], u: &[f64]) -> f64 {
        let shares: Vec<f64> = (0..K).map(|k| q.iter().skip(k).step_by(K).sum::<f64>() / N as f64).collect();
        let first: f64 = q.iter().zip(p).map(|(q, p)| q * (q / p).ln()).sum::<f64>() / N as f64;
        first + shares.iter().zip(u).map(|(f, u)| f * (f / u).ln()).sum::<f64>()
    }

    #[test]
    fn exact_targets_are_where_the_objective_is_least_and_one_step_comes_near() {
        let p = predictions();
        let (exact, sqrt) = (targets(TargetRule::Exact, &p), targets(TargetRule::Sqrt, &p));
        let least = objective(&exact, &p);
        assert!(least < objective(&sqrt, &p) && objective(&sqrt, &p) < objective(&p, &p), "{least}");
        // No exchange between two clusters of a sample lowers it.
        for row in 0..N {
            for (from, to) in [(0, 1), (1, 0), (2, 3), (3, 0)] {
                let mut moved = exact.clone();
                let step = 0.02 * moved[row * K + from];
                moved[row * K + from] -= step;
                moved[row * K + to] += step;
                assert!(objective(&moved, &p) > least - 1e-7, "{row} {from} {to}");
            }
        }
    }

    /// The first cluster is the largest, so that it gets the largest share, in whatever order shares are given.
    #[test]
    fn exact_targets_with_shares_are_where_their_objective_is_least() {
        let p = predictions();
        let given = [2.0, 14.0, 3.0, 1.0];
        let size = |k: usize| p.iter().skip(k).step_by(K).sum::<f64>();
        let mut order: Vec<usize> = (0..K).collect();
        order.sort_by(|&a, &b| size(b).total_cmp(&size(a)));
        let mut u = [0.0; K];
        order.iter().zip([0.7, 0.15, 0.1, 0.05]).for_each(|(&k, share)| u[k] = share);
        let exact = targets_with(TargetRule::Exact, &p, &given);
        let least = objective_with(&exact, &p, &u);
        for other in [TargetRule::Sqrt, TargetRule::Exact] {
            assert!(least < objective_with(&targets(other, &p), &p, &u), "{other:?} without shares");
        }
        let step = targets_with(TargetRule::Sqrt, &p, &given);
        assert!(least <= objective_with(&step, &p, &u) && objective_with(&step, &p, &u) < objective_with(&p, &p, &u));
        for row in 0..N {
            for (from, to) in [(0, 1), (1, 0), (2, 3), (3, 0)] {
                let mut moved = exact.clone();
                let step = 0.02 * moved[row * K + from];
                moved[row * K + from] -= step;
                moved[row * K + to] += step;
                assert!(objective_with(&moved, &p, &u) > least - 1e-7, "{row} {from} {to}");
            }
        }
        let even = targets_with(TargetRule::Exact, &p, &[5.0; K]);
        assert!(even.iter().zip(targets(TargetRule::Exact, &p)).all(|(a, b)| (a - b).abs() < 1e-5));
    }

    #[test]
    fn targets_are_distributions_and_the_balanced_ones_are_more_even_than_predictions() {
        let p = predictions();
        let largest = |q: &[f64]| q.iter().step_by(K).sum::<f64>() / N as f64;
        for target in [TargetRule::Sqrt, TargetRule::Dec, TargetRule::Exact] {
            let q = targets(target, &p);
            assert!(q.chunks(K).all(|row| (row.iter().sum::<f64>() - 1.0).abs() < 1e-5), "{target:?}");
        }
        assert!(largest(&targets(TargetRule::Exact, &p)) < largest(&targets(TargetRule::Sqrt, &p)));
        assert!(largest(&targets(TargetRule::Sqrt, &p)) < largest(&p));
    }
}
