//! The targets that the softmax layer learns.

use burn::tensor::Tensor;
use burn::tensor::backend::Backend;
use serde::{Deserialize, Serialize};

use super::super::dec;
use crate::mixture::elements;

/// How targets are computed from predictions.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum TargetRule {
    /// `q ~ p / sqrt(sum_i p)`: one step towards the exact minimum (equation 8).
    Sqrt,
    /// `q ~ p^2 / sum_i p`: the targets of DEC, which the authors' program uses.
    Dec,
    /// The minimum of equation 5 for a uniform prior, iterated to its fixed point.
    Exact,
}

impl TargetRule {
    /// The `N x K` targets for `N x K` predictions.
    pub(in crate::methods) fn targets<B: Backend>(self, p: Tensor<B, 2>) -> Tensor<B, 2> {
        match self {
            Self::Sqrt => rows_normalised(p.clone() / p.sum_dim(0).clamp_min(1e-12).sqrt()),
            Self::Dec => dec::sharpened(p),
            Self::Exact => exact(p),
        }
    }
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
    use crate::mixture::matrix;
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
        elements(rule.targets(matrix::<Flex>(p, N, &Default::default())))
    }

    /// `KL(q||p)`, a mean over samples, and `KL(mean q||uniform)`: equation 5.
    fn objective(q: &[f64], p: &[f64]) -> f64 {
        let shares: Vec<f64> = (0..K).map(|k| q.iter().skip(k).step_by(K).sum::<f64>() / N as f64).collect();
        let first: f64 = q.iter().zip(p).map(|(q, p)| q * (q / p).ln()).sum::<f64>() / N as f64;
        first + shares.iter().map(|f| f * (f * K as f64).ln()).sum::<f64>()
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
