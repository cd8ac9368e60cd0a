//! Which components are one cluster, by the agreement of random halves of the samples.
//!
//! On each half, components are grown and merged anew by how often they are confused ([`confusion`]). The merged groups
//! say for all samples which belong together. Two components of all samples are as close as the halves put their samples
//! together (evidence accumulation: Fred and Jain, "Combining multiple clusterings using evidence accumulation", 2005), and
//! are merged by average linkage as long as a majority of the halves agrees.
//!
//! The confusion threshold is the one at which the halves agree best (stability: Ben-Hur, Elisseeff and Guyon, "A stability
//! based method for discovering structure in clustered data", 2002). If their agreement merely grows as clusters get fewer,
//! it is the usual one. No labels are needed, and no scale.

use std::collections::BTreeSet;
use std::time::Instant;

use ndarray::ArrayView2;
use rand::{Rng, RngExt};
use rayon::prelude::*;
use serde::{Deserialize, Serialize};

use super::cluster_count::{ClusterCountReport, ThresholdTrial};
use super::covariance::NotPositiveDefinite;
use super::demp::CUSTOMARY;
use super::gaussian_mixture::Mixture;
use super::halves::{self, Half, agreement_curve, assigned, labelings};
use super::levels::NumberTrial;
use super::linkage::linkage;
use super::merging::{ClusterBounds, MergePath};
use super::split_merge::SplitMerge;
use super::{confusion, dip, level_agreement, prune, threshold};
use crate::base::arrays::select_rows;
use crate::base::stop::StopFlag;

/// Settings of the grouping of components.
///
/// ```
/// use edgemix::mixture::{consensus::{Criterion, Grouping}, merging::ClusterBounds};
///
/// let grouping: Grouping = toml::from_str("min-clusters = 8\ncriterion = \"dip\"")?;
/// assert_eq!(grouping.criterion, Criterion::Dip);
/// // No upper bound.
/// assert_eq!(grouping.bounds(), ClusterBounds { least: 8, most: usize::MAX });
/// # Ok::<(), toml::de::Error>(())
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields, rename_all = "kebab-case")]
pub struct Grouping {
    /// What decides that components are one cluster.
    pub criterion: Criterion,
    /// Components of a half that are confused more often than this are one cluster. 0 stands for the threshold at which the
    /// halves agree best, or for the criterion's customary one if there are no halves.
    pub threshold: f64,
    /// The number of halves; with 0 the confusion of the components themselves decides.
    pub halves: usize,
    /// The most samples of a half.
    pub half: usize,
    /// Components are one cluster if more than this share of the halves put their samples together.
    pub majority: f64,
    /// Clusters with a smaller share of the samples are dropped.
    pub min_share: f64,
    /// The least number of clusters.
    pub min_clusters: usize,
    /// The greatest number of clusters; 0 for no limit.
    pub max_clusters: usize,
}

/// What decides that components are one cluster.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Criterion {
    /// They are confused with each other, as random halves of the samples see it.
    Confusion,
    /// There is no gap between them, by the [dip test](dip), which needs many samples. There are no halves, and the
    /// threshold is a p-value.
    Dip,
}

impl Default for Grouping {
    fn default() -> Self {
        Self {
            criterion: Criterion::Confusion,
            threshold: 0.0,
            halves: 20,
            half: 10_000,
            majority: 0.5,
            min_share: 0.005,
            min_clusters: 1,
            max_clusters: 0,
        }
    }
}

/// The most samples, evenly spread, on which halves are compared.
const COMPARED: usize = 20_000;

/// The least number of groups of which halves are taken.
pub const FEWEST_GROUPS: usize = 6;
/// The fewest samples that a component needs to be found again.
const CARRIED: usize = 12;

/// The merges of components, and how many of them to apply.
struct Merges {
    path: MergePath,
    /// Merges at least this strong are applied, as far as the bounds allow.
    strength: f64,
    /// The threshold that was chosen, and what it was chosen from.
    threshold: f64,
    curve: Vec<ThresholdTrial>,
    by_number: Vec<NumberTrial>,
}

impl Grouping {
    /// The bounds on the number of clusters.
    pub fn bounds(&self) -> ClusterBounds {
        let most = if self.max_clusters == 0 { usize::MAX } else { self.max_clusters };
        ClusterBounds { least: self.min_clusters, most }
    }

    /// Finds the components of `N x D` latents and groups them into clusters. Small clusters are dropped. Also reports how
    /// the number of clusters was found.
    ///
    /// ```
    /// use edgemix::mixture::{consensus::Grouping, split_merge::SplitMerge};
    /// use edgemix::random::{normal, stream};
    /// use ndarray::Array2;
    ///
    /// // A hundred samples about 0, as many about 20.
    /// let noise = normal(200, &mut stream(0, "example", 0));
    /// let z = Array2::from_shape_fn((200, 1), |(i, _)| f64::from(noise[i]) + if i % 2 == 0 { 0.0 } else { 20.0 });
    /// let grouping = Grouping { halves: 4, ..Grouping::default() };
    /// let (mixture, report) = grouping.find(&SplitMerge::default(), z.view(), &mut stream(0, "example", 1))?;
    /// assert_eq!((mixture.n_clusters(), report.clusters), (2, 2));
    /// let chosen = report.curve.iter().find(|trial| trial.threshold == report.threshold).unwrap();
    /// assert!(chosen.agreement > 0.9);
    /// # Ok::<(), edgemix::mixture::NotPositiveDefinite>(())
    /// ```
    ///
    /// # Errors
    /// [`NotPositiveDefinite`] if a covariance is not positive definite, which the prior prevents for finite latents.
    pub fn find(
        &self,
        components: &SplitMerge,
        z: ArrayView2<f64>,
        rng: &mut impl Rng,
    ) -> Result<(Mixture, ClusterCountReport), NotPositiveDefinite> {
        self.find_across(components, z, None, rng)
    }

    /// Like [`find`](Self::find) for latents of groups, such as people or machines: `groups` has the group of each of the
    /// N latents. If there are at least [`FEWEST_GROUPS`], halves are made of whole groups, so that a cluster which only
    /// one of them shows is not found again by a majority.
    ///
    /// ```
    /// use edgemix::mixture::{consensus::Grouping, split_merge::SplitMerge};
    /// use edgemix::random::{normal, stream};
    /// use ndarray::Array2;
    ///
    /// // Ten people show two clusters, at 0 and 40; the first of them shows one at 10 instead of the one at 0.
    /// let noise = normal(2000, &mut stream(0, "example", 0));
    /// let person = |i: usize| (i / 2 % 10) as u32;
    /// let center = |i: usize| if i % 2 == 1 { 40.0 } else if person(i) == 0 { 10.0 } else { 0.0 };
    /// let z = Array2::from_shape_fn((2000, 1), |(i, _)| f64::from(noise[i]) + center(i));
    /// let people: Vec<u32> = (0..2000).map(person).collect();
    /// let find = |groups| {
    ///     let rng = &mut stream(0, "example", 1);
    ///     Grouping::default().find_across(&SplitMerge::default(), z.view(), groups, rng).map(|found| found.1.clusters)
    /// };
    /// assert_eq!((find(None)?, find(Some(&people))?), (3, 2));
    /// # Ok::<(), edgemix::mixture::NotPositiveDefinite>(())
    /// ```
    ///
    /// # Errors
    /// As for [`find`](Self::find).
    pub fn find_across(
        &self,
        components: &SplitMerge,
        z: ArrayView2<f64>,
        groups: Option<&[u32]>,
        rng: &mut impl Rng,
    ) -> Result<(Mixture, ClusterCountReport), NotPositiveDefinite> {
        self.find_until(&StopFlag::default(), components, z, groups, rng)
    }

    /// Like [`find_across`](Self::find_across). Once the flag is raised, the search ends soon, and what it has found is of no use.
    ///
    /// # Errors
    /// As for [`find`](Self::find).
    pub fn find_until(
        &self,
        stop: &StopFlag,
        components: &SplitMerge,
        z: ArrayView2<f64>,
        groups: Option<&[u32]>,
        rng: &mut impl Rng,
    ) -> Result<(Mixture, ClusterCountReport), NotPositiveDefinite> {
        let groups = groups.filter(|groups| groups.iter().collect::<BTreeSet<_>>().len() >= FEWEST_GROUPS);
        let begin = Instant::now();
        let z = z.as_standard_layout();
        let step = z.nrows().div_ceil(COMPARED).max(1);
        let compared = select_rows(z.view(), (0..z.nrows()).step_by(step));
        let seed: u64 = rng.random();
        let components = &components.with_covariances_for(z.view());
        let mixture = SplitMerge { min_components: self.min_clusters, ..*components }.fit_until(stop, z.view(), rng)?;
        let own = mixture.responsibilities(compared.view())?;
        let Merges { path, strength, threshold, curve, by_number } = match self.criterion {
            Criterion::Dip => self.by_dip(z.view(), &mixture)?,
            Criterion::Confusion if self.halves == 0 => self.by_confusion(own.view()),
            Criterion::Confusion => {
                self.by_halves((components, stop), (z.view(), groups), compared.view(), own.view(), seed)?
            }
        };
        let merges = path.merges_within(path.merges_above(strength), self.bounds(), self.min_share);
        let n_components = mixture.n_components();
        let mixture = self.without_small(Mixture { clusters: path.clusters(merges), ..mixture }, own.view());
        let report = ClusterCountReport {
            clusters: mixture.n_clusters(),
            components: n_components,
            threshold,
            curve,
            by_number,
            levels: vec![],
            merges: (0..n_components).rev().zip(path.strengths()).collect(),
            latents: z.dim(),
            halves_of_groups: groups.is_some() && self.criterion == Criterion::Confusion && self.halves > 0,
            seconds: begin.elapsed().as_secs_f64(),
        };
        Ok((mixture, report))
    }

    fn threshold_or(&self, usual: f64) -> f64 {
        if self.threshold > 0.0 { self.threshold } else { usual }
    }

    fn by_dip(&self, z: ArrayView2<f64>, mixture: &Mixture) -> Result<Merges, NotPositiveDefinite> {
        let path = dip::path(z, &mixture.components(z)?, mixture.n_components());
        Ok(Merges::at(path, self.threshold_or(dip::CUSTOMARY)))
    }

    fn by_confusion(&self, own: ArrayView2<f32>) -> Merges {
        let singles = (0..own.ncols()).map(|k| vec![k]).collect();
        Merges::at(confusion::path(own, singles), self.threshold_or(CUSTOMARY))
    }

    fn by_halves(
        &self,
        (components, stop): (&SplitMerge, &StopFlag),
        (z, groups): (ArrayView2<f64>, Option<&[u32]>),
        compared: ArrayView2<f64>,
        own: ArrayView2<f32>,
        seed: u64,
    ) -> Result<Merges, NotPositiveDefinite> {
        let rows: Vec<Option<Vec<usize>>> = match groups {
            Some(groups) => halves::of_groups(groups, self.halves, seed).into_iter().map(Some).collect(),
            None => vec![None; self.halves],
        };
        let size = if groups.is_some() { self.half } else { part_size(z.nrows(), own.ncols()).min(self.half) };
        let halves = rows
            .into_par_iter()
            .enumerate()
            .map(|(index, rows)| Half::fit(components, (z, rows), size, compared, (seed, index as u64), stop));
        let halves: Vec<Half> = halves.collect::<Result<_, _>>()?;
        let curve = agreement_curve(&halves);
        let threshold = self.threshold_or(threshold::most_stable(&curve).unwrap_or(threshold::USUAL));
        let k = own.ncols();
        let components = assigned(own, &(0..k as u16).collect::<Vec<_>>());
        let path = linkage(&components, k, &labelings(&halves, threshold));
        let by_number = level_agreement::by_number(&halves, threshold);
        Ok(Merges { path, strength: self.majority, threshold, curve, by_number })
    }

    fn without_small(&self, mixture: Mixture, responsibilities: ArrayView2<f32>) -> Mixture {
        let mut counts = vec![0.0; mixture.n_clusters()];
        let found = assigned(responsibilities, &mixture.clusters);
        found.into_iter().for_each(|cluster| counts[usize::from(cluster)] += 1.0);
        let kept = prune::survivors(&counts, self.min_share);
        let components: Vec<usize> =
            (0..mixture.n_components()).filter(|&k| kept.contains(&mixture.clusters[k].into())).collect();
        prune::keep(&mixture, &components)
    }
}

/// The number of samples in a random part of the samples: half of them, or four fifths where half would leave each component
/// fewer than [`CARRIED`].
fn part_size(n: usize, components: usize) -> usize {
    if n < 2 * CARRIED * components { n * 4 / 5 } else { n / 2 }
}

impl Merges {
    /// Merges down to a given threshold of their strength.
    fn at(path: MergePath, threshold: f64) -> Self {
        Self { path, strength: threshold, threshold, curve: vec![], by_number: vec![] }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::base::arrays::from_rows;
    use crate::base::random::{normal, stream};

    #[test]
    fn without_halves_the_confusion_of_the_components_themselves_decides() {
        let noise = normal(400, &mut stream(0, "halves", 0));
        let z = (0..400).map(|i| f64::from(noise[i]) + if i % 2 == 0 { 0.0 } else { 20.0 });
        let z = from_rows(z.collect(), 1);
        let none = Grouping { halves: 0, ..Grouping::default() };
        let (_, report) = none.find(&SplitMerge::default(), z.view(), &mut stream(0, "halves", 1)).unwrap();
        assert_eq!((report.threshold, report.clusters, report.curve.len()), (CUSTOMARY, 2, 0));
    }
}
