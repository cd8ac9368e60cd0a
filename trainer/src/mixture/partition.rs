//! Which component each point is of: what that says of the components, and the mixture that it becomes.

use rayon::prelude::*;

use super::niw::{NormalInverseWishart, Statistics};
use super::points::Points;
use super::scorer::Scorer;
use super::{Covariance, Mixture};

/// Samples whose sums are taken together: fixed, so that the number of threads changes no bit.
pub(super) const CHUNK: usize = 2048;

/// The rows of each component; those without any are left out.
pub(super) fn members(labels: &[u32]) -> Vec<Vec<usize>> {
    let k = labels.iter().max().map_or(0, |&most| most as usize + 1);
    let mut members = vec![vec![]; k];
    labels.iter().enumerate().for_each(|(row, &label)| members[label as usize].push(row));
    members.retain(|rows| !rows.is_empty());
    members
}

/// Numbers components anew, without those that have no samples.
pub(super) fn compact(labels: &mut [u32]) {
    let members = members(labels);
    (0..).zip(&members).for_each(|(k, rows)| rows.iter().for_each(|&row| labels[row] = k));
}

/// What each component's Gaussian needs to know.
pub(super) fn statistics(points: &Points, labels: &[u32]) -> Vec<Statistics> {
    members(labels).par_iter().map(|rows| points.statistics(rows)).collect()
}

/// Expectation maximisation from hard components; the prior keeps covariances from vanishing.
pub(super) fn soften(
    points: &Points,
    labels: &[u32],
    prior: &NormalInverseWishart,
    center: &[f64],
    rounds: usize,
) -> Mixture {
    let dims = points.dims;
    let mut guesses = labels.to_vec();
    compact(&mut guesses);
    let mut statistics = statistics(points, &guesses);
    for _ in 0..rounds {
        let Some(scorer) = Scorer::new(&statistics, prior) else { break };
        let k = statistics.len();
        let sums = |(guesses, rows): (&[u32], &[f64])| {
            let mut part = vec![Statistics::empty(dims); k];
            for (guess, row) in guesses.iter().zip(rows.chunks_exact(dims)) {
                for (component, share) in scorer.posterior(row, *guess as usize) {
                    part[component].add(row, share);
                }
            }
            part
        };
        let parts: Vec<Vec<Statistics>> =
            guesses.par_chunks(CHUNK).zip(points.values.par_chunks(CHUNK * dims)).map(sums).collect();
        let mut next = vec![Statistics::empty(dims); k];
        for part in parts {
            next.iter_mut().zip(&part).for_each(|(all, part)| all.absorb(part));
        }
        if next.iter().any(|of| of.n < 1.0) {
            break;
        }
        statistics = next;
    }
    let (mut means, mut covariances) = (vec![], vec![]);
    for of in &statistics {
        let (mean, covariance) = prior.posterior(of);
        means.extend(mean.iter().zip(center).map(|(m, c)| m + c));
        covariances.extend(covariance);
    }
    let n: f64 = statistics.iter().map(|of| of.n).sum();
    Mixture {
        log_weights: statistics.iter().map(|of| (of.n / n).ln()).collect(),
        means,
        covariance: Covariance::Full(covariances),
        clusters: (0..statistics.len() as u16).collect(),
    }
}
