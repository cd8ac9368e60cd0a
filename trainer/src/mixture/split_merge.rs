//! How many Gaussians describe latents: deterministic split and merge moves under a normal-inverse-Wishart prior.
//!
//! The Hastings ratios of a Dirichlet process (Chang and Fisher, "Parallel sampling of DP mixture models using sub-cluster
//! splits", 2013, equation 16) serve as a criterion: a component is split if that makes its samples more probable, two
//! components are merged if their samples are more probable as one, and in between all samples move to their best
//! component. A component that covers many clusters hardly gains by being cut in two. If no such cut gains anything, the
//! component is cut into many parts, these are merged again, and the result is judged as a whole.
//!
//! The prior scatter is the one that makes the samples most probable given their components (type II maximum likelihood).
//! It is computed anew whenever the components have changed, so that no scale has to be chosen.
//!
//! All of this is host work in f64. A split compares a sample only with the parts of its own component, so that a round
//! costs little more than one pass over the latents.

use ndarray::ArrayView2;
use rand::{Rng, RngExt};
use rayon::prelude::*;
use serde::{Deserialize, Serialize};
use statrs::function::gamma::ln_gamma;

use super::covariance::NotPositiveDefinite;
use super::gaussian_mixture::Mixture;
use super::labels::{Partition, compact, members, soften, statistics};
use super::niw::Statistics;
use super::points::{Points, center};
use super::prior::{Covariances, Prior};
use super::singles::dissolve_singles;
use super::subspace::{FULL, Subspace};
use crate::base::arrays::row_slices;
use crate::base::random::stream;
use crate::base::stop::StopFlag;

/// Settings of the split and merge moves.
///
/// ```
/// use edgemix::mixture::split_merge::SplitMerge;
/// use edgemix::random::{normal, stream};
/// use ndarray::Array2;
///
/// // Two hundred samples about each corner of a triangle. The number of corners is not given.
/// let noise = normal(1200, &mut stream(0, "example", 0));
/// let corners = [[0.0, 0.0], [4.0, 0.0], [0.0, 4.0]];
/// let z = Array2::from_shape_fn((600, 2), |(i, d)| corners[i % 3][d] + 0.2 * f64::from(noise[2 * i + d]));
/// let mixture = SplitMerge::default().fit(z.view(), &mut stream(0, "example", 1))?;
/// assert_eq!(mixture.n_components(), 3);
/// # Ok::<(), edgemix::mixture::NotPositiveDefinite>(())
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields, rename_all = "kebab-case")]
pub struct SplitMerge {
    /// The least number of components. If the samples support fewer, those components are split that lose least by it.
    pub min_components: usize,
    /// The greatest number of components.
    pub max_components: usize,
    /// The prior scatter of a component, in units of the latents' variance; 0 for the most probable one.
    pub prior_scale: f64,
    /// The number of samples that the prior mean of a component is worth.
    pub mean_strength: f64,
    /// How much the components' covariances have in common.
    pub covariances: Covariances,
    /// The concentration of the Dirichlet process.
    pub concentration: f64,
    /// The most samples, evenly spread, that components are grown on.
    pub subsample: usize,
    /// The most rounds of splits and merges.
    pub max_rounds: usize,
}

impl Default for SplitMerge {
    fn default() -> Self {
        Self {
            min_components: 1,
            max_components: 100,
            prior_scale: 0.0,
            mean_strength: 1e-4,
            covariances: Covariances::Auto,
            concentration: 1.0,
            subsample: 100_000,
            max_rounds: 60,
        }
    }
}

/// The most reassignments of samples after the splits of a round.
const SETTLE: usize = 5;
/// The most reassignments of samples in a proposed split.
const REFINE: usize = 10;
/// Iterations of expectation maximisation at the end.
const SOFTEN: usize = 10;
/// The number of nearest components that a merge is tried with.
const NEIGHBOURS: usize = 3;
/// The most parts that a component is cut into.
const PARTS: usize = 32;
/// The fewest samples of such a part, for each dimension.
const PART: usize = 4;
/// The number of rounds without more probable components after which the moves end.
const PATIENCE: usize = 2;

/// A component that parts are merged into.
struct Component {
    statistics: Statistics,
    parts: Vec<usize>,
    log_marginal: f64,
}

/// Components that were grown.
pub(super) struct Grown {
    pub(super) log_joint: f64,
    labels: Vec<u32>,
    prior: Prior,
}

impl SplitMerge {
    /// Grows components on `N x D` latents. The mixture has full covariances, and each component is a cluster. Beyond
    /// [`FULL`] dimensions covariances are full along the leading axes only.
    ///
    /// # Errors
    /// [`NotPositiveDefinite`] if rounding makes a covariance indefinite, which the prior prevents unless samples differ in
    /// scale by many orders of magnitude.
    pub fn fit(&self, z: ArrayView2<f64>, rng: &mut impl Rng) -> Result<Mixture, NotPositiveDefinite> {
        self.fit_until(&StopFlag::default(), z, rng)
    }

    /// Like [`fit`](Self::fit). Once the flag is raised, no further round begins, and what has been found is of no use.
    ///
    /// # Errors
    /// As for [`fit`](Self::fit).
    pub fn fit_until(
        &self,
        stop: &StopFlag,
        z: ArrayView2<f64>,
        rng: &mut impl Rng,
    ) -> Result<Mixture, NotPositiveDefinite> {
        let z = z.as_standard_layout();
        let moves = self.with_covariances_for(z.view());
        if z.ncols() <= FULL {
            return Ok(moves.fit_full(stop, z.view(), rng));
        }
        let subspace = Subspace::fit(row_slices(z.view()).step_by(self.step(z.nrows())), z.ncols());
        let projected = subspace.project(z.view());
        let mixture = moves.fit_full(stop, projected.view(), rng);
        let components = mixture.components(projected.view())?;
        Ok(subspace.lift(mixture, z.view(), &components))
    }

    /// Every so many samples, components are grown on one of them.
    fn step(&self, n: usize) -> usize {
        n.div_ceil(self.subsample.max(1)).max(1)
    }

    /// Expectation maximisation from the labels of `N x D` latents in standard layout, under the prior that makes them most
    /// probable. No label may be without samples.
    pub(super) fn soften(&self, z: ArrayView2<f64>, labels: &[u32], rounds: usize) -> Mixture {
        let center = center(row_slices(z), z.ncols());
        let points = Points::about(&center, row_slices(z));
        soften(&points, labels, &self.prior(&statistics(&points, labels)), &center, rounds)
    }

    /// Grows components with full covariances on `N x D` latents in standard layout.
    pub(super) fn fit_full(&self, stop: &StopFlag, z: ArrayView2<f64>, rng: &mut impl Rng) -> Mixture {
        let rows = || row_slices(z).step_by(self.step(z.nrows()));
        let center = center(rows(), z.ncols());
        let points = Points::about(&center, rows());
        let Grown { mut labels, prior, .. } = self.grow(stop, &points, rng.random());
        self.split_further(&points, &prior, &mut labels);
        soften(&points, &labels, &prior, &center, SOFTEN)
    }

    /// Rounds of splits and merges, from one component until nothing changes or gains; returns the most probable labels.
    pub(super) fn grow(&self, stop: &StopFlag, points: &Points, seed: u64) -> Grown {
        let mut parts = Partition::of(points, vec![0; points.len()]);
        let mut prior = self.prior(&parts.statistics);
        let log_joint = self.log_joint(&parts.statistics, &prior);
        let mut best = Grown { log_joint, labels: parts.labels.clone(), prior: prior.clone() };
        let mut stalled = 0;
        for round in 0..self.max_rounds {
            if stop.is_raised() {
                break;
            }
            let has_split = self.split(points, &prior, &mut parts, seed, round as u64);
            for _ in 0..SETTLE {
                let has_moved = parts.move_to_best(points, &prior);
                if has_moved.is_some() {
                    prior = self.prior(&parts.statistics);
                }
                if has_moved != Some(true) {
                    break;
                }
            }
            let has_merged = self.merge(points, &prior, &mut parts);
            prior = self.prior(&parts.statistics);
            let log_joint = self.log_joint(&parts.statistics, &prior);
            stalled = if log_joint > best.log_joint + 1e-6 * log_joint.abs() { 0 } else { stalled + 1 };
            if log_joint > best.log_joint {
                best = Grown { log_joint, labels: parts.labels.clone(), prior: prior.clone() };
            }
            if stalled == PATIENCE || !(has_split || has_merged) {
                break;
            }
        }
        best
    }

    /// The prior under which these components are most probable, or the one with [`Self::prior_scale`].
    fn prior(&self, statistics: &[Statistics]) -> Prior {
        self.covariances.most_probable(statistics, self.mean_strength, self.prior_scale)
    }

    /// `ln p(samples, labels)`, except for terms that depend on the number of samples alone.
    fn log_joint(&self, statistics: &[Statistics], prior: &Prior) -> f64 {
        let term = |own: &Statistics| self.concentration.ln() + ln_gamma(own.n) + prior.log_marginal(own);
        statistics.iter().map(term).sum()
    }

    /// Splits every component whose samples are more probable in several parts.
    fn split(&self, points: &Points, prior: &Prior, parts: &mut Partition, seed: u64, round: u64) -> bool {
        let members = members(&parts.labels);
        let proposals: Vec<Option<Vec<u32>>> = members
            .par_iter()
            .enumerate()
            .map(|(k, rows)| {
                self.proposal(&points.select(rows), prior, &mut stream(seed, "split", round << 32 | k as u64))
            })
            .collect();
        let before = members.len() as u32;
        let mut next = before;
        for (rows, proposal) in members.iter().zip(proposals) {
            let Some(proposal) = proposal else { continue };
            let further = proposal.iter().copied().max().unwrap_or(0);
            if (next + further) as usize > self.max_components {
                continue;
            }
            for (&row, part) in rows.iter().zip(proposal).filter(|(_, part)| *part > 0) {
                parts.labels[row] = next + part - 1;
            }
            next += further;
        }
        if next > before {
            *parts = Partition::of(points, std::mem::take(&mut parts.labels));
        }
        next > before
    }

    /// Cuts components in two along their principal axis until there are at least [`Self::min_components`]: each time the
    /// one that loses least by it per sample, so that no small groups of samples are cut off at a border.
    fn split_further(&self, points: &Points, prior: &Prior, labels: &mut [u32]) {
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

    /// The parts of a component that make its samples more probable than as one component, if there are any: the best of
    /// three cuts in two, or else a cut into many.
    fn proposal(&self, own: &Points, prior: &Prior, rng: &mut impl Rng) -> Option<Vec<u32>> {
        let all = [own.all()];
        let one = self.log_joint(&all, prior);
        let starts = [own.halves(), own.k_means(2, rng), own.k_means(2, rng)];
        let tried = starts.into_iter().filter_map(|start| self.refined(own, prior, start));
        let two = tried.filter(|(joint, _)| *joint > one).max_by(|a, b| a.0.total_cmp(&b.0));
        if let Some((_, parts)) = two {
            return Some(parts);
        }
        let part = if self.covariances.are_own() { PART * own.dims() } else { PART };
        let many = (own.len() / part).min(PARTS);
        if many <= 2 {
            return None;
        }
        let mut parts = Partition::of(own, own.k_means(many, rng));
        let moved = parts.move_to_best(own, prior).map(|_| self.prior(&parts.statistics));
        let prior = moved.as_ref().unwrap_or(prior);
        self.merge(own, prior, &mut parts);
        if !self.covariances.are_own() {
            dissolve_singles(own, prior, &mut parts.labels);
        }
        let (joint, parts) = self.refined(own, prior, parts.labels)?;
        (joint > self.log_joint(&all, prior)).then_some(parts)
    }

    /// Parts whose samples all score best in their own part, and their log joint; `None` if only one part is left.
    fn refined(&self, own: &Points, prior: &Prior, start: Vec<u32>) -> Option<(f64, Vec<u32>)> {
        // Of equal samples, a cut may leave a part empty.
        let mut parts = Partition::of(own, start);
        for _ in 0..REFINE {
            if !parts.move_to_best(own, prior)? {
                break;
            }
        }
        let Partition { labels, statistics } = parts;
        let is_whole = statistics.len() < 2 || statistics.iter().any(|own| own.n < 2.0);
        (!is_whole).then(|| (self.log_joint(&statistics, prior), labels))
    }

    /// `ln p(two components) - ln p(the two as one)`.
    fn ratio(&self, a: &Component, b: &Component, prior: &Prior) -> f64 {
        self.concentration.ln() + ln_gamma(a.statistics.n) + ln_gamma(b.statistics.n)
            - ln_gamma(a.statistics.n + b.statistics.n)
            + a.log_marginal
            + b.log_marginal
            - prior.log_marginal(&a.statistics.with(&b.statistics))
    }

    /// Merges neighbouring components, each time the pair that gains most, until no merge gains anything.
    fn merge(&self, points: &Points, prior: &Prior, parts: &mut Partition) -> bool {
        let component = |(part, statistics): (usize, &Statistics)| Component {
            log_marginal: prior.log_marginal(statistics),
            statistics: statistics.clone(),
            parts: vec![part],
        };
        let mut components: Vec<Component> = parts.statistics.iter().enumerate().map(component).collect();
        let before = components.len();
        loop {
            let means: Vec<Vec<f64>> = components.iter().map(|c| c.statistics.mean()).collect();
            let pairs: Vec<(usize, usize)> = (0..components.len())
                .flat_map(|i| nearest(&means, i).into_iter().map(move |j| (i.min(j), i.max(j))))
                .collect();
            let ratios = pairs.par_iter().map(|&(i, j)| (self.ratio(&components[i], &components[j], prior), i, j));
            // Scatters that rounding has made indefinite have a ratio that is no number, and is no reason to merge.
            let ratios: Vec<(f64, usize, usize)> = ratios.filter(|(ratio, ..)| !ratio.is_nan()).collect();
            let worst = ratios.into_iter().min_by(|a, b| a.0.total_cmp(&b.0));
            let Some((ratio, i, j)) = worst else { break };
            if ratio >= 0.0 {
                break;
            }
            let other = components.remove(j);
            let into = &mut components[i];
            into.statistics.absorb(&other.statistics);
            into.log_marginal = prior.log_marginal(&into.statistics);
            into.parts.extend(other.parts);
        }
        if components.len() < before {
            let mut merged = vec![0; before];
            for (k, component) in (0..).zip(&components) {
                component.parts.iter().for_each(|&part| merged[part] = k);
            }
            let labels = parts.labels.iter().map(|&part| merged[part as usize]).collect();
            *parts = Partition::of(points, labels);
        }
        components.len() < before
    }
}

/// The other components whose means are nearest.
fn nearest(means: &[Vec<f64>], i: usize) -> Vec<usize> {
    let distance = |j: usize| means[i].iter().zip(&means[j]).map(|(a, b)| (a - b).powi(2)).sum::<f64>();
    let mut others: Vec<(f64, usize)> = (0..means.len()).filter(|&j| j != i).map(|j| (distance(j), j)).collect();
    others.sort_by(|a, b| a.0.total_cmp(&b.0));
    others.into_iter().take(NEIGHBOURS).map(|(_, j)| j).collect()
}
