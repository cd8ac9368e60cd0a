//! How many Gaussians describe latents: deterministic split and merge moves under a normal-inverse-Wishart prior.
//!
//! The Dirichlet process's Hastings ratios (Chang and Fisher, "Parallel sampling of DP mixture models using sub-cluster
//! splits", 2013, equation 16) taken as a criterion: a component is split where that makes its samples more probable,
//! two are merged where they are more probable as one, and in between all samples go to their best component. Many
//! clusters seen as one hardly gain by a cut in two: where none does, a component is cut into many, which are merged
//! again, and judged as a whole.
//!
//! The prior scatter is the one that makes the samples most probable, given their components (type II maximum
//! likelihood), and is taken anew whenever these have changed: no scale is left to be chosen.
//!
//! Host work in f64: a sample is compared with the parts of its own component only, so that a round costs little more
//! than one pass over the latents.

use rand::{Rng, RngExt};
use rayon::prelude::*;
use serde::{Deserialize, Serialize};
use statrs::function::gamma::ln_gamma;

use super::Mixture;
use super::niw::{NormalInverseWishart, Statistics};
use super::partition::{CHUNK, compact, members, soften, statistics};
use super::points::Points;
use super::scorer::Scorer;
use super::subspace::{FULL, Subspace};
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
    /// Components at least: beyond what the samples speak for, those are split that lose least by it.
    pub min_components: usize,
    /// Components at most.
    pub max_components: usize,
    /// The prior scatter of a component, in units of the latents' variance; 0: the most probable one.
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
            min_components: 1,
            max_components: 100,
            prior_scale: 0.0,
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
/// Neighbours that a merge is tried with.
const NEIGHBOURS: usize = 3;
/// Parts that a component is cut into at most, and the fewest samples of a part, for each dimension.
const PARTS: usize = 32;
const PART: usize = 4;
/// Rounds without a more probable partition before the moves end.
const PATIENCE: usize = 2;

/// Samples of a component and what a Gaussian needs to know of them.
#[derive(Clone)]
struct Component {
    of: Statistics,
    rows: Vec<usize>,
    log_marginal: f64,
}

impl SplitMerge {
    /// Grows components on `N x D` latents, row-major; a mixture with full covariances, each component its own cluster. Of
    /// more than [`FULL`] dimensions they are full along the leading axes only. See [`SplitMerge`] for an example.
    pub fn fit(&self, z: &[f64], dims: usize, rng: &mut impl Rng) -> Mixture {
        if dims <= FULL {
            return self.fit_full(z, dims, rng);
        }
        let step = (z.len() / dims).div_ceil(self.subsample.max(1)).max(1);
        let subspace = Subspace::of(z.chunks_exact(dims).step_by(step), dims);
        let projected = subspace.project(z);
        let mixture = self.fit_full(&projected, subspace.rank(), rng);
        let components = mixture.components(&projected).expect("the prior keeps covariances positive definite");
        subspace.lift(mixture, z, &components)
    }

    /// Expectation maximisation from given components, the label of each of `N x D` latents, none of them empty; under the
    /// prior that makes them most probable.
    pub(super) fn soften(&self, z: &[f64], dims: usize, labels: &[u32], rounds: usize) -> Mixture {
        let center = Statistics::of(z.chunks_exact(dims), dims).mean();
        let points = Points::about(&center, z.chunks_exact(dims));
        soften(&points, labels, &self.prior(&statistics(&points, labels)), &center, rounds)
    }

    pub(super) fn fit_full(&self, z: &[f64], dims: usize, rng: &mut impl Rng) -> Mixture {
        let n = z.len() / dims;
        let step = n.div_ceil(self.subsample.max(1)).max(1);
        let rows = || z.chunks_exact(dims).step_by(step);
        let all = Statistics::of(rows(), dims);
        let center = all.mean();
        let points = Points::about(&center, rows());
        let (mut labels, prior) = self.grow(&points, rng.random());
        self.split_further(&points, &prior, &mut labels);
        soften(&points, &labels, &prior, &center, SOFTEN)
    }

    /// Rounds of splits and merges, from one component until nothing changes or gains; the most probable partition.
    fn grow(&self, points: &Points, seed: u64) -> (Vec<u32>, NormalInverseWishart) {
        let mut labels = vec![0u32; points.len()];
        let mut prior = self.prior(&[points.all()]);
        let mut best = (f64::NEG_INFINITY, labels.clone(), prior);
        let mut stalled = 0;
        for round in 0..self.max_rounds {
            let has_split = self.split(points, &prior, &mut labels, seed, round as u64);
            for _ in 0..SETTLE {
                let has_moved;
                (prior, has_moved) = self.reassign(points, &prior, &mut labels);
                if !has_moved {
                    break;
                }
            }
            let has_merged = self.merge(points, &prior, &mut labels);
            let statistics = statistics(points, &labels);
            prior = self.prior(&statistics);
            let log_joint = self.log_joint(&statistics, &prior);
            stalled = if log_joint > best.0 + 1e-6 * log_joint.abs() { 0 } else { stalled + 1 };
            if log_joint > best.0 {
                best = (log_joint, labels.clone(), prior);
            }
            if stalled == PATIENCE || !(has_split || has_merged) {
                break;
            }
        }
        (best.1, best.2)
    }

    /// The prior under which these components are most probable, or the one that was asked for.
    fn prior(&self, statistics: &[Statistics]) -> NormalInverseWishart {
        let total = statistics.iter().skip(1).fold(statistics[0].clone(), |all, of| all.with(of));
        let variance = total.variance().max(f64::MIN_POSITIVE);
        let prior = |scale: f64| NormalInverseWishart { kappa: self.mean_strength, extra: 2.0, psi: scale * variance };
        if self.prior_scale > 0.0 {
            return prior(self.prior_scale);
        }
        let evidence = |log_scale: f64| -> f64 {
            let prior = prior(log_scale.exp());
            statistics.iter().map(|of| prior.log_marginal(of)).sum()
        };
        let most = (2.0 * total.mean().len() as f64).ln();
        prior(greatest(evidence, most - 20.0, most).exp())
    }

    /// `ln p(samples, partition)` but for what depends on the number of samples alone.
    fn log_joint(&self, statistics: &[Statistics], prior: &NormalInverseWishart) -> f64 {
        let term = |of: &Statistics| self.concentration.ln() + ln_gamma(of.n) + prior.log_marginal(of);
        statistics.iter().map(term).sum()
    }

    /// Splits every component that is better as several.
    fn split(&self, points: &Points, prior: &NormalInverseWishart, labels: &mut [u32], seed: u64, round: u64) -> bool {
        let members = members(labels);
        let proposals: Vec<Option<Vec<u32>>> = members
            .par_iter()
            .enumerate()
            .map(|(k, rows)| {
                self.proposal(&points.select(rows), prior, &mut stream(seed, "split", round << 32 | k as u64))
            })
            .collect();
        let before = members.len() as u32;
        let mut next = before;
        for (k, (rows, parts)) in (0..).zip(members.iter().zip(proposals)) {
            let parts = parts.unwrap_or_else(|| vec![0; rows.len()]);
            let further = parts.iter().copied().max().unwrap_or(0);
            let fits = (next + further) as usize <= self.max_components;
            for (&row, part) in rows.iter().zip(parts) {
                labels[row] = if part == 0 || !fits { k } else { next + part - 1 };
            }
            next += if fits { further } else { 0 };
        }
        next > before
    }

    /// Cuts components in two along their principal axis until there are as many as asked for: always the one that loses
    /// least by it for each of its samples, so that no few samples at the border are cut off.
    fn split_further(&self, points: &Points, prior: &NormalInverseWishart, labels: &mut [u32]) {
        loop {
            compact(labels);
            let members = members(labels);
            if members.len() >= self.min_components.min(points.len()) {
                break;
            }
            let halved = |rows: &Vec<usize>| {
                let own = points.select(rows);
                let parts = own.halves();
                let joint = self.log_joint(&statistics(&own, &parts), prior);
                ((joint - self.log_joint(&[own.all()], prior)) / rows.len() as f64, parts)
            };
            let halves: Vec<_> = members.par_iter().map(halved).collect();
            let best =
                halves.into_iter().zip(&members).filter(|((_, parts), _)| parts.contains(&1) && parts.contains(&0));
            let Some(((_, parts), rows)) = best.max_by(|a, b| a.0.0.total_cmp(&b.0.0)) else { break };
            let next = members.len() as u32;
            rows.iter().zip(parts).filter(|(_, part)| *part > 0).for_each(|(&row, _)| labels[row] = next);
        }
    }

    /// The parts of a component that make its samples more probable than they are as one, if there are any: the better
    /// of three cuts in two, or else a cut into many.
    fn proposal(&self, own: &Points, prior: &NormalInverseWishart, rng: &mut impl Rng) -> Option<Vec<u32>> {
        let one = self.log_joint(&[own.all()], prior);
        let starts = [own.halves(), own.k_means(2, rng), own.k_means(2, rng)];
        let tried = starts.into_iter().filter_map(|start| self.refined(own, prior, start));
        let two = tried.filter(|(joint, _)| *joint > one).max_by(|a, b| a.0.total_cmp(&b.0));
        if let Some((_, parts)) = two {
            return Some(parts);
        }
        let many = (own.len() / (PART * own.dims)).min(PARTS);
        if many <= 2 {
            return None;
        }
        let mut parts = own.k_means(many, rng);
        let (prior, _) = self.reassign(own, prior, &mut parts);
        self.merge(own, &prior, &mut parts);
        let (joint, parts) = self.refined(own, &prior, parts)?;
        (joint > self.log_joint(&[own.all()], &prior)).then_some(parts)
    }

    /// Parts whose samples all are where they score best, and their log joint; nothing if only one is left.
    fn refined(&self, own: &Points, prior: &NormalInverseWishart, start: Vec<u32>) -> Option<(f64, Vec<u32>)> {
        let mut parts = start;
        for _ in 0..REFINE {
            let before = parts.clone();
            let statistics = statistics(own, &parts);
            let scorer = Scorer::new(&statistics, prior)?;
            own.rows().zip(&mut parts).for_each(|(row, part)| *part = scorer.best(row, *part as usize).0 as u32);
            if parts == before {
                break;
            }
            compact(&mut parts);
        }
        let statistics = statistics(own, &parts);
        let is_whole = statistics.len() < 2 || statistics.iter().any(|of| of.n < 2.0);
        (!is_whole).then(|| (self.log_joint(&statistics, prior), parts))
    }

    /// Every sample goes to the component that scores it best; the prior that then is most probable, and whether any
    /// sample has moved.
    fn reassign(
        &self,
        points: &Points,
        prior: &NormalInverseWishart,
        labels: &mut [u32],
    ) -> (NormalInverseWishart, bool) {
        compact(labels);
        let Some(scorer) = Scorer::new(&statistics(points, labels), prior) else { return (*prior, false) };
        let move_all = |(labels, rows): (&mut [u32], &[f64])| {
            let mut has_moved = false;
            for (label, row) in labels.iter_mut().zip(rows.chunks_exact(points.dims)) {
                let best = scorer.best(row, *label as usize).0 as u32;
                has_moved |= best != *label;
                *label = best;
            }
            has_moved
        };
        let chunks = labels.par_chunks_mut(CHUNK).zip(points.values.par_chunks(CHUNK * points.dims));
        let has_moved = chunks.map(move_all).reduce(|| false, |a, b| a | b);
        compact(labels);
        (self.prior(&statistics(points, labels)), has_moved)
    }

    /// `ln p(two components) - ln p(one)`, and the one.
    fn ratio(&self, a: &Component, b: &Component, prior: &NormalInverseWishart) -> f64 {
        self.concentration.ln() + ln_gamma(a.of.n) + ln_gamma(b.of.n) - ln_gamma(a.of.n + b.of.n)
            + a.log_marginal
            + b.log_marginal
            - prior.log_marginal(&a.of.with(&b.of))
    }

    /// Merges pairs of neighbours, the one that gains most first, until none gains.
    fn merge(&self, points: &Points, prior: &NormalInverseWishart, labels: &mut [u32]) -> bool {
        let component = |rows: Vec<usize>| {
            let of = points.statistics(&rows);
            Component { log_marginal: prior.log_marginal(&of), of, rows }
        };
        let mut components: Vec<Component> = members(labels).into_par_iter().map(component).collect();
        let before = components.len();
        loop {
            let means: Vec<Vec<f64>> = components.iter().map(|c| c.of.mean()).collect();
            let pairs: Vec<(usize, usize)> = (0..components.len())
                .flat_map(|i| nearest(&means, i).into_iter().map(move |j| (i.min(j), i.max(j))))
                .collect();
            let ratios = pairs.par_iter().map(|&(i, j)| (self.ratio(&components[i], &components[j], prior), i, j));
            let worst = ratios.collect::<Vec<_>>().into_iter().min_by(|a, b| a.0.total_cmp(&b.0));
            let Some((ratio, i, j)) = worst else { break };
            if ratio >= 0.0 {
                break;
            }
            let other = components.remove(j);
            let into = &mut components[i];
            into.of.absorb(&other.of);
            into.log_marginal = prior.log_marginal(&into.of);
            into.rows.extend(other.rows);
        }
        for (k, component) in components.iter().enumerate() {
            component.rows.iter().for_each(|&row| labels[row] = k as u32);
        }
        components.len() < before
    }
}

/// Where a function with one maximum has it, by golden section.
fn greatest(f: impl Fn(f64) -> f64, mut low: f64, mut high: f64) -> f64 {
    let golden = 0.5 * (5f64.sqrt() - 1.0);
    let (mut a, mut b) = (high - golden * (high - low), low + golden * (high - low));
    let (mut at_a, mut at_b) = (f(a), f(b));
    while high - low > 0.01 {
        if at_a > at_b {
            (high, b, at_b) = (b, a, at_a);
            a = high - golden * (high - low);
            at_a = f(a);
        } else {
            (low, a, at_a) = (a, b, at_b);
            b = low + golden * (high - low);
            at_b = f(b);
        }
    }
    0.5 * (low + high)
}

/// The nearest other means.
fn nearest(means: &[Vec<f64>], i: usize) -> Vec<usize> {
    let distance = |j: usize| means[i].iter().zip(&means[j]).map(|(a, b)| (a - b).powi(2)).sum::<f64>();
    let mut others: Vec<(f64, usize)> = (0..means.len()).filter(|&j| j != i).map(|j| (distance(j), j)).collect();
    others.sort_by(|a, b| a.0.total_cmp(&b.0));
    others.into_iter().take(NEIGHBOURS).map(|(_, j)| j).collect()
}
