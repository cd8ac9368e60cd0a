//! Components of a random half of the samples, and the clusters that they give all samples.
//!
//! Samples of one person, machine or recording are alike. Where that is known, a half holds all samples of some of these
//! groups: two fifths of them, so that what a single group shows is missing from a majority of the halves.

use ndarray::{Array2, ArrayView2};
use rand::seq::SliceRandom;
use rayon::prelude::*;

use super::cluster_count::ThresholdTrial;
use super::confusion;
use super::covariance::NotPositiveDefinite;
use super::gaussian_mixture::Mixture;
use super::merging::MergePath;
use super::split_merge::SplitMerge;
use super::threshold::THRESHOLDS;
use crate::base::arrays::{argmax, row_slices, select_rows};
use crate::base::metrics::{adjusted_rand, clusters_found};
use crate::base::random::stream;
use crate::base::stop::StopFlag;

/// The merges of a half's components, and their responsibilities for the samples on which halves are compared.
pub(super) struct Half {
    pub(super) path: MergePath,
    pub(super) responsibilities: Array2<f32>,
    pub(super) mixture: Mixture,
}

impl Half {
    /// Grows components on a random part of `N x D` latents in standard layout, of `size` samples. If `rows` are given, they
    /// are the part, but for more than `size`.
    pub(super) fn fit(
        components: &SplitMerge,
        (z, rows): (ArrayView2<f64>, Option<Vec<usize>>),
        size: usize,
        compared: ArrayView2<f64>,
        (seed, index): (u64, u64),
        stop: &StopFlag,
    ) -> Result<Self, NotPositiveDefinite> {
        let rng = &mut stream(seed, "half", index);
        let size = size.min(rows.as_ref().map_or(z.nrows(), Vec::len)).max(1);
        let mut rows = rows.unwrap_or_else(|| (0..z.nrows()).collect());
        let (half, _) = rows.partial_shuffle(rng, size);
        half.sort_unstable();
        let mixture = components.fit_until(stop, select_rows(z, half.iter().copied()).view(), rng)?;
        let responsibilities = mixture.responsibilities(compared)?;
        let singles = (0..mixture.n_components()).map(|k| vec![k]).collect();
        Ok(Self { path: confusion::path(responsibilities.view(), singles), responsibilities, mixture })
    }

    /// The cluster of each sample if components are merged above a confusion threshold.
    fn labels(&self, threshold: f64) -> Vec<u16> {
        let clusters = self.path.clusters(self.path.merges_above(threshold));
        assigned(self.responsibilities.view(), &clusters)
    }
}

/// The rows of `n` halves of grouped samples. Groups are dealt in random order, again and again, so that each is in nearly
/// the same number of halves.
pub(super) fn of_groups(groups: &[u32], n: usize, seed: u64) -> Vec<Vec<usize>> {
    let mut names: Vec<u32> = groups.to_vec();
    names.sort_unstable();
    names.dedup();
    let each = (2 * names.len() / 5).max(1);
    let rng = &mut stream(seed, "groups of halves", 0);
    let mut deal: Vec<u32> = vec![];
    while deal.len() < n * each {
        names.shuffle(rng);
        deal.extend(&names);
    }
    let rows = |chosen: &[u32]| (0..groups.len()).filter(|&row| chosen.contains(&groups[row])).collect();
    deal.chunks(each).take(n).map(rows).collect()
}

/// The cluster of each sample: the one whose components have the greatest sum of responsibilities, given `N x K`
/// responsibilities and the clusters of the K components.
pub(super) fn assigned(responsibilities: ArrayView2<f32>, clusters: &[u16]) -> Vec<u16> {
    let n = clusters.iter().max().map_or(0, |&most| usize::from(most) + 1);
    let best = |row: &[f32]| {
        let mut sums = vec![0f32; n];
        row.iter().zip(clusters).for_each(|(r, &cluster)| sums[usize::from(cluster)] += r);
        argmax(sums) as u16
    };
    row_slices(responsibilities).collect::<Vec<_>>().into_par_iter().map(best).collect()
}

/// Each half's clusters at a threshold.
pub(super) fn labelings(halves: &[Half], threshold: f64) -> Vec<Vec<u16>> {
    halves.par_iter().map(|half| half.labels(threshold)).collect()
}

/// How well halves agree at each threshold.
pub(super) fn agreement_curve(halves: &[Half]) -> Vec<ThresholdTrial> {
    let trial = |threshold: f64| {
        let labels = labelings(halves, threshold);
        let pairs: Vec<(usize, usize)> = (0..labels.len()).flat_map(|i| (0..i).map(move |j| (i, j))).collect();
        let indices: Vec<f64> = pairs.par_iter().map(|&(i, j)| adjusted_rand(&labels[i], &labels[j])).collect();
        let found: Vec<usize> = labels.iter().map(|own| clusters_found(own, 0.01)).collect();
        let mean = found.iter().sum::<usize>() as f64 / found.len().max(1) as f64;
        let (fewest, most) = (found.iter().min().copied(), found.iter().max().copied());
        ThresholdTrial {
            threshold,
            agreement: indices.iter().sum::<f64>() / pairs.len().max(1) as f64,
            clusters: (fewest.unwrap_or(0), mean, most.unwrap_or(0)),
        }
    };
    THRESHOLDS.into_iter().map(trial).collect()
}
