//! How many Gaussians describe latents: deterministic split and merge moves under a normal-inverse-Wishart prior.
//!
//! The Dirichlet process's Hastings ratios (Chang and Fisher, "Parallel sampling of DP mixture models using sub-cluster
//! splits", 2013, equation 16) taken as a criterion: a component is split where that makes its samples more probable,
//! two are merged where they are more probable as one, and in between all samples go to their best component.
//!
//! A limit: Gaussians evenly spaced along a line can stay one component, since cut in two they gain as little as a uniform
//! distribution would.
//!
//! Host work in f64: a sample is compared with the two halves of its own component only, so that a round costs little
//! more than one pass over the latents.

use rand::{Rng, RngExt};
use rayon::prelude::*;
use serde::{Deserialize, Serialize};
use statrs::function::gamma::ln_gamma;

use super::niw::{NormalInverseWishart, Statistics};
use super::{Covariance, Mixture, cholesky};
use crate::random::stream;

/// Settings of the split and merge moves.
///
/// ```
/// use edgemix::mixture::split_merge::SplitMerge;
/// use edgemix::random::{normal, stream};
///
/// // Two hundred samples about each corner of a triangle; how many corners there are is not told.
/// let noise = normal(1200, &mut stream(0, "example", 0));
/// let corners = [[0.0, 0.0], [4.0, 0.0], [0.0, 4.0]];
/// let z: Vec<f64> = (0..1200).map(|i| corners[i / 2 % 3][i % 2] + 0.2 * f64::from(noise[i])).collect();
/// let mixture = SplitMerge::default().fit(&z, 2, &mut stream(0, "example", 1));
/// assert_eq!(mixture.n_components(), 3);
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields, rename_all = "kebab-case")]
pub struct SplitMerge {
    /// Components at most.
    pub max_components: usize,
    /// The prior scatter of a component, in units of the latents' variance: a component is expected to be as wide as
    /// all of them together, and that is worth one sample.
    pub prior_scale: f64,
    /// How many samples the prior mean of a component is worth.
    pub mean_strength: f64,
    /// The process's concentration.
    pub concentration: f64,
    /// Samples that components are grown on, evenly spread; all samples are assigned to them.
    pub subsample: usize,
    /// Rounds of splits and merges at most.
    pub max_rounds: usize,
}

impl Default for SplitMerge {
    fn default() -> Self {
        Self {
            max_components: 100,
            prior_scale: 1.0,
            mean_strength: 1e-4,
            concentration: 1.0,
            subsample: 100_000,
            max_rounds: 60,
        }
    }
}

/// How often samples are reassigned after a round's splits, and in a proposal.
const SETTLE: usize = 5;
const REFINE: usize = 10;
/// Iterations of expectation maximisation in the end.
const SOFTEN: usize = 10;
/// Samples whose sums are taken together: fixed, so that the number of threads changes no bit.
const CHUNK: usize = 2048;
/// Neighbours that a merge is tried with.
const NEIGHBOURS: usize = 3;

/// Latents about their mean, row after row.
struct Points {
    values: Vec<f64>,
    dims: usize,
}

/// Gaussians that score a point.
struct Scorer {
    dims: usize,
    constants: Vec<f64>,
    means: Vec<f64>,
    /// K lower triangles, `D x D`.
    whitening: Vec<f64>,
}

impl SplitMerge {
    /// Grows components on `N x D` latents, row-major; a mixture with full covariances, each component its own cluster.
    pub fn fit(&self, z: &[f64], dims: usize, rng: &mut impl Rng) -> Mixture {
        let n = z.len() / dims;
        let step = n.div_ceil(self.subsample.max(1)).max(1);
        let rows = || z.chunks_exact(dims).step_by(step);
        let all = Statistics::of(rows(), dims);
        let center = all.mean();
        let values = rows().flat_map(|row| row.iter().zip(&center).map(|(z, m)| z - m)).collect();
        let points = Points { values, dims };
        let variance = all.variance().max(f64::MIN_POSITIVE);
        let prior = NormalInverseWishart { kappa: self.mean_strength, extra: 2.0, psi: self.prior_scale * variance };
        let labels = self.grow(&points, &prior, rng.random());
        soften(&points, &labels, &prior, &center)
    }

    /// Rounds of splits and merges, from one component until nothing changes.
    fn grow(&self, points: &Points, prior: &NormalInverseWishart, seed: u64) -> Vec<u32> {
        let mut labels = vec![0u32; points.len()];
        for round in 0..self.max_rounds {
            let has_split = self.split(points, prior, &mut labels, seed, round as u64);
            for _ in 0..SETTLE {
                reassign(points, prior, &mut labels);
            }
            let has_merged = self.merge(points, prior, &mut labels);
            if !has_split && !has_merged {
                break;
            }
        }
        labels
    }

    /// Splits every component that is better as two.
    fn split(&self, points: &Points, prior: &NormalInverseWishart, labels: &mut [u32], seed: u64, round: u64) -> bool {
        let members = members(labels);
        let proposals: Vec<Option<Vec<bool>>> = members
            .par_iter()
            .enumerate()
            .map(|(k, rows)| {
                let mut rng = stream(seed, "split", round << 32 | k as u64);
                let own = points.select(rows);
                let starts = [own.halves(), own.two_means(&mut rng), own.two_means(&mut rng)];
                let tried = starts.into_iter().filter_map(|start| self.gain(&own, prior, start));
                tried.filter(|(gain, _)| *gain > 0.0).max_by(|a, b| a.0.total_cmp(&b.0)).map(|(_, sides)| sides)
            })
            .collect();
        let mut next = members.len();
        for (rows, sides) in members.iter().zip(proposals) {
            let Some(sides) = sides.filter(|_| next < self.max_components) else { continue };
            rows.iter().zip(sides).filter(|(_, side)| *side).for_each(|(&row, _)| labels[row] = next as u32);
            next += 1;
        }
        next > members.len()
    }

    /// Refines a split and gives the log ratio by which it makes the samples more probable.
    fn gain(&self, own: &Points, prior: &NormalInverseWishart, start: Vec<bool>) -> Option<(f64, Vec<bool>)> {
        let mut sides = start;
        let halves = |sides: &[bool]| {
            let of =
                |side| Statistics::of(own.rows().zip(sides).filter(|(_, s)| **s == side).map(|(row, _)| row), own.dims);
            let halves = [of(false), of(true)];
            (halves[0].n >= 2.0 && halves[1].n >= 2.0).then_some(halves)
        };
        for _ in 0..REFINE {
            let scorer = Scorer::new(&halves(&sides)?, prior)?;
            let moved: Vec<bool> = own.rows().map(|row| scorer.best(row) == 1).collect();
            if moved == sides {
                break;
            }
            sides = moved;
        }
        let [a, b] = halves(&sides)?;
        Some((self.ratio(&a, &b, prior), sides))
    }

    /// `ln p(two components) - ln p(one)`.
    fn ratio(&self, a: &Statistics, b: &Statistics, prior: &NormalInverseWishart) -> f64 {
        self.concentration.ln() + ln_gamma(a.n) + ln_gamma(b.n) - ln_gamma(a.n + b.n)
            + prior.log_marginal(a)
            + prior.log_marginal(b)
            - prior.log_marginal(&a.with(b))
    }

    /// Merges pairs of neighbours, the one that gains most first, until none gains.
    fn merge(&self, points: &Points, prior: &NormalInverseWishart, labels: &mut [u32]) -> bool {
        let mut components: Vec<(Statistics, Vec<usize>)> =
            members(labels).into_iter().map(|rows| (points.statistics(&rows), rows)).collect();
        let before = components.len();
        loop {
            let means: Vec<Vec<f64>> = components.iter().map(|(of, _)| of.mean()).collect();
            let pairs: Vec<(usize, usize)> = (0..components.len())
                .flat_map(|i| nearest(&means, i).into_iter().map(move |j| (i.min(j), i.max(j))))
                .collect();
            let ratios = pairs.par_iter().map(|&(i, j)| (self.ratio(&components[i].0, &components[j].0, prior), i, j));
            let worst = ratios.collect::<Vec<_>>().into_iter().min_by(|a, b| a.0.total_cmp(&b.0));
            let Some((ratio, i, j)) = worst else { break };
            if ratio >= 0.0 {
                break;
            }
            let (of, rows) = components.remove(j);
            components[i].0.absorb(&of);
            components[i].1.extend(rows);
        }
        for (k, (_, rows)) in components.iter().enumerate() {
            rows.iter().for_each(|&row| labels[row] = k as u32);
        }
        components.len() < before
    }
}

/// The nearest other means.
fn nearest(means: &[Vec<f64>], i: usize) -> Vec<usize> {
    let distance = |j: usize| means[i].iter().zip(&means[j]).map(|(a, b)| (a - b).powi(2)).sum::<f64>();
    let mut others: Vec<(f64, usize)> = (0..means.len()).filter(|&j| j != i).map(|j| (distance(j), j)).collect();
    others.sort_by(|a, b| a.0.total_cmp(&b.0));
    others.into_iter().take(NEIGHBOURS).map(|(_, j)| j).collect()
}

/// The rows of each component; those without any are left out.
fn members(labels: &[u32]) -> Vec<Vec<usize>> {
    let k = labels.iter().max().map_or(0, |&most| most as usize + 1);
    let mut members = vec![vec![]; k];
    labels.iter().enumerate().for_each(|(row, &label)| members[label as usize].push(row));
    members.retain(|rows| !rows.is_empty());
    members
}

/// Every sample goes to the component that scores it best.
fn reassign(points: &Points, prior: &NormalInverseWishart, labels: &mut [u32]) {
    let statistics: Vec<Statistics> = members(labels).iter().map(|rows| points.statistics(rows)).collect();
    let Some(scorer) = Scorer::new(&statistics, prior) else { return };
    labels.par_chunks_mut(CHUNK).zip(points.values.par_chunks(CHUNK * points.dims)).for_each(|(labels, rows)| {
        labels.iter_mut().zip(rows.chunks_exact(points.dims)).for_each(|(label, row)| *label = scorer.best(row) as u32);
    });
}

/// Expectation maximisation from hard components; the prior keeps covariances from vanishing.
fn soften(points: &Points, labels: &[u32], prior: &NormalInverseWishart, center: &[f64]) -> Mixture {
    let dims = points.dims;
    let mut statistics: Vec<Statistics> = members(labels).iter().map(|rows| points.statistics(rows)).collect();
    for _ in 0..SOFTEN {
        let Some(scorer) = Scorer::new(&statistics, prior) else { break };
        let k = statistics.len();
        let parts: Vec<Vec<Statistics>> = points
            .values
            .par_chunks(CHUNK * dims)
            .map(|rows| {
                let mut part = vec![Statistics::empty(dims); k];
                for row in rows.chunks_exact(dims) {
                    let scores = scorer.scores(row);
                    let most = scores.iter().copied().fold(f64::NEG_INFINITY, f64::max);
                    let weights: Vec<f64> = scores.iter().map(|s| (s - most).exp()).collect();
                    let total: f64 = weights.iter().sum();
                    let shared = part.iter_mut().zip(weights).filter(|(_, w)| *w > 1e-9 * total);
                    shared.for_each(|(of, weight)| of.add(row, weight / total));
                }
                part
            })
            .collect();
        statistics = vec![Statistics::empty(dims); k];
        for part in parts {
            statistics.iter_mut().zip(&part).for_each(|(all, part)| all.absorb(part));
        }
        statistics.retain(|of| of.n >= 1.0);
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

impl Points {
    fn len(&self) -> usize {
        self.values.len() / self.dims
    }

    fn row(&self, index: usize) -> &[f64] {
        &self.values[index * self.dims..(index + 1) * self.dims]
    }

    fn rows(&self) -> impl ExactSizeIterator<Item = &[f64]> {
        self.values.chunks_exact(self.dims)
    }

    fn statistics(&self, rows: &[usize]) -> Statistics {
        Statistics::of(rows.iter().map(|&row| self.row(row)), self.dims)
    }

    fn select(&self, rows: &[usize]) -> Self {
        Self { values: rows.iter().flat_map(|&row| self.row(row)).copied().collect(), dims: self.dims }
    }

    /// On which side of the mean a sample lies, along the principal axis (by power iteration).
    fn halves(&self) -> Vec<bool> {
        let of = Statistics::of(self.rows(), self.dims);
        let mean = of.mean();
        let project =
            |row: &[f64], axis: &[f64]| -> f64 { row.iter().zip(&mean).zip(axis).map(|((z, m), a)| (z - m) * a).sum() };
        let flat = NormalInverseWishart { kappa: 0.0, extra: 2.0, psi: 0.0 };
        let covariance = flat.posterior(&of).1;
        let widest =
            (0..self.dims).max_by(|&a, &b| covariance[a * (self.dims + 1)].total_cmp(&covariance[b * (self.dims + 1)]));
        let mut axis: Vec<f64> =
            widest.map_or_else(Vec::new, |d| covariance[d * self.dims..(d + 1) * self.dims].to_vec());
        for _ in 0..50 {
            let next: Vec<f64> =
                covariance.chunks_exact(self.dims).map(|row| row.iter().zip(&axis).map(|(c, a)| c * a).sum()).collect();
            let norm = next.iter().map(|x| x * x).sum::<f64>().sqrt().max(f64::MIN_POSITIVE);
            axis = next.into_iter().map(|x| x / norm).collect();
        }
        self.rows().map(|row| project(row, &axis) > 0.0).collect()
    }

    /// Lloyd's algorithm for two centres, seeded by k-means++.
    fn two_means(&self, rng: &mut impl Rng) -> Vec<bool> {
        let square = |a: &[f64], b: &[f64]| a.iter().zip(b).map(|(a, b)| (a - b).powi(2)).sum::<f64>();
        let first = self.row(rng.random_range(0..self.len())).to_vec();
        let distances: Vec<f64> = self.rows().map(|row| square(row, &first)).collect();
        let mut rest = rng.random::<f64>() * distances.iter().sum::<f64>();
        let second = distances.iter().position(|d| {
            rest -= d;
            rest < 0.0
        });
        let mut centers = [first, self.row(second.unwrap_or(0)).to_vec()];
        let mut sides = vec![];
        for _ in 0..2 * REFINE {
            let moved: Vec<bool> = self.rows().map(|row| square(row, &centers[1]) < square(row, &centers[0])).collect();
            if moved == sides {
                break;
            }
            sides = moved;
            for (side, center) in [false, true].into_iter().zip(&mut centers) {
                let of =
                    Statistics::of(self.rows().zip(&sides).filter(|(_, s)| **s == side).map(|(row, _)| row), self.dims);
                if of.n > 0.0 {
                    *center = of.mean();
                }
            }
        }
        sides
    }
}

impl Scorer {
    /// By posterior means and covariances, weighted by the samples' share; `None` if one is not positive definite.
    fn new(statistics: &[Statistics], prior: &NormalInverseWishart) -> Option<Self> {
        let mut scorer = Self { dims: 0, constants: vec![], means: vec![], whitening: vec![] };
        for of in statistics {
            let (mean, covariance) = prior.posterior(of);
            scorer.dims = mean.len();
            let (whitening, log_det) = cholesky::whitening(&covariance, mean.len())?;
            scorer.constants.push(of.n.ln() + log_det);
            scorer.means.extend(mean);
            scorer.whitening.extend(whitening);
        }
        Some(scorer)
    }

    fn score(&self, k: usize, z: &[f64]) -> f64 {
        let dims = self.dims;
        let mean = &self.means[k * dims..(k + 1) * dims];
        let rows = self.whitening[k * dims * dims..(k + 1) * dims * dims].chunks_exact(dims);
        let square = |(r, row): (usize, &[f64])| {
            let sum: f64 = row[..=r].iter().zip(z).zip(mean).map(|((w, z), m)| w * (z - m)).sum();
            sum * sum
        };
        self.constants[k] - 0.5 * rows.enumerate().map(square).sum::<f64>()
    }

    fn scores(&self, z: &[f64]) -> Vec<f64> {
        (0..self.constants.len()).map(|k| self.score(k, z)).collect()
    }

    fn best(&self, z: &[f64]) -> usize {
        let scores = (0..self.constants.len()).map(|k| (k, self.score(k, z)));
        scores.reduce(|best, next| if next.1 > best.1 { next } else { best }).map_or(0, |(k, _)| k)
    }
}
