//! Samples labelled with their components: statistics of the components, and the mixture that they start.

use ndarray::{Array2, Array3, ArrayView1, Axis};
use rayon::prelude::*;

use super::covariance::Covariance;
use super::gaussian_mixture::Mixture;
use super::niw::Statistics;
use super::points::{CHUNK, Points};
use super::prior::Prior;
use super::scorer::Scorer;

/// The rows of each component; components without rows are left out.
pub(super) fn members(labels: &[u32]) -> Vec<Vec<usize>> {
    let k = labels.iter().max().map_or(0, |&most| most as usize + 1);
    let mut members = vec![vec![]; k];
    labels.iter().enumerate().for_each(|(row, &label)| members[label as usize].push(row));
    members.retain(|rows| !rows.is_empty());
    members
}

/// Renumbers components without those that have no samples.
pub(super) fn compact(labels: &mut [u32]) {
    let members = members(labels);
    (0..).zip(&members).for_each(|(k, rows)| rows.iter().for_each(|&row| labels[row] = k));
}

/// The statistics of each component. Labels must be [`compact`] for these to be in the order of the labels.
pub(super) fn statistics(points: &Points, labels: &[u32]) -> Vec<Statistics> {
    members(labels).par_iter().map(|rows| points.statistics(rows)).collect()
}

/// Samples labelled with components that all have samples, and the components' statistics.
pub(super) struct Partition {
    pub(super) labels: Vec<u32>,
    pub(super) statistics: Vec<Statistics>,
}

impl Partition {
    /// Components without samples are left out.
    pub(super) fn of(points: &Points, mut labels: Vec<u32>) -> Self {
        let members = members(&labels);
        (0..).zip(&members).for_each(|(k, rows)| rows.iter().for_each(|&row| labels[row] = k));
        Self { statistics: members.par_iter().map(|rows| points.statistics(rows)).collect(), labels }
    }

    /// Moves every sample to the component that scores it best, and leaves out components that have lost all samples. Returns
    /// whether any has moved; `None` if a covariance is not positive definite.
    pub(super) fn move_to_best(&mut self, points: &Points, prior: &Prior) -> Option<bool> {
        let scorer = Scorer::new(&self.statistics, prior)?;
        let chunks = self.labels.par_chunks_mut(CHUNK).zip(points.chunks(CHUNK));
        let move_chunk = |(labels, samples): (&mut [u32], &[f64])| scorer.move_to_best(samples, labels);
        let has_moved = chunks.map(move_chunk).reduce(|| false, |a, b| a | b);
        if has_moved {
            *self = Self::of(points, std::mem::take(&mut self.labels));
        }
        Some(has_moved)
    }
}

/// Expectation maximisation from hard labels; the prior keeps covariances from vanishing.
pub(super) fn soften(points: &Points, labels: &[u32], prior: &Prior, center: &[f64], rounds: usize) -> Mixture {
    let Partition { labels: guesses, mut statistics } = Partition::of(points, labels.to_vec());
    for _ in 0..rounds {
        let Some(next) = maximised(points, &guesses, &statistics, prior) else { break };
        statistics = next;
    }
    let [k, dims] = [statistics.len(), center.len()];
    let (mut means, mut covariances) = (Array2::zeros((k, dims)), Array3::zeros((k, dims, dims)));
    for (k, statistics) in statistics.iter().enumerate() {
        let (mean, covariance) = prior.posterior(statistics);
        means.index_axis_mut(Axis(0), k).assign(&(&ArrayView1::from(&mean) + &ArrayView1::from(center)));
        covariances.index_axis_mut(Axis(0), k).assign(&covariance);
    }
    let n: f64 = statistics.iter().map(|statistics| statistics.n).sum();
    Mixture {
        log_weights: statistics.iter().map(|statistics| (statistics.n / n).ln()).collect(),
        means,
        covariance: Covariance::Full(covariances),
        clusters: (0..k as u16).collect(),
    }
}

/// The components' statistics after one round of expectation maximisation; `None` where a component would vanish.
fn maximised(points: &Points, guesses: &[u32], statistics: &[Statistics], prior: &Prior) -> Option<Vec<Statistics>> {
    let scorer = Scorer::new(statistics, prior)?;
    let empty = || vec![Statistics::empty(points.dims()); statistics.len()];
    let part = |(guesses, rows): (&[u32], &[f64])| {
        let mut part = empty();
        scorer.posteriors(rows, guesses, |row, shares| {
            shares.iter().for_each(|&(component, share)| part[component].add(row, share));
        });
        part
    };
    let parts: Vec<Vec<Statistics>> = guesses.par_chunks(CHUNK).zip(points.chunks(CHUNK)).map(part).collect();
    let mut next = empty();
    for part in parts {
        next.iter_mut().zip(&part).for_each(|(all, part)| all.absorb(part));
    }
    next.iter().all(|statistics| statistics.n >= 1.0).then_some(next)
}
