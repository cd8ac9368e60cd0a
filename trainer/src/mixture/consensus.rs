//! Which components are one cluster, as random halves of the samples see it.
//!
//! On each half components are grown and grouped anew, by how often they are confused ([`confusion`]); these groups say
//! of all samples which belong together. Two components of the whole are as close as the halves say that samples of
//! theirs are (evidence accumulation: Fred and Jain, "Combining multiple clusterings using evidence accumulation",
//! 2005), and are merged by average linkage while more than half of the halves agree.
//!
//! The threshold of confusion is the one at which the halves' groups agree best with each other (stability: Ben-Hur,
//! Elisseeff and Guyon, "A stability based method for discovering structure in clustered data", 2002), by the adjusted
//! Rand index, which chance does not raise; where they only agree the better the fewer clusters they see, the usual one.
//! No labels, no scale.

use std::time::Instant;

use rand::seq::SliceRandom;
use rand::{Rng, RngExt};
use rayon::prelude::*;
use serde::{Deserialize, Serialize};

use super::demp::CUSTOMARY;
use super::merging::{ClusterBounds, Merge, MergePath};
use super::split_merge::SplitMerge;
use super::{Mixture, NotPositiveDefinite, confusion, dip, prune};
use crate::base::arrays::argmax;
use crate::base::metrics::{adjusted_rand, clusters_found};
use crate::base::random::stream;

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
    /// What says that components are one cluster.
    pub criterion: Criterion,
    /// On a half, components more often confused than this are one cluster; 0: the one at which halves agree best, or
    /// the criterion's customary one where there are no halves.
    pub threshold: f64,
    /// Halves; 0: the components' own confusion decides.
    pub halves: usize,
    /// Samples of a half at most.
    pub half: usize,
    /// Components are one cluster where more than this share of the halves say so.
    pub majority: f64,
    /// Clusters with a smaller share of the samples are dropped.
    pub min_share: f64,
    /// Clusters at least.
    pub min_clusters: usize,
    /// Clusters at most; 0: as many as there are.
    pub max_clusters: usize,
}

/// What says that components are one cluster. See [`Grouping`] for an example.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Criterion {
    /// That they are confused with each other, as random halves see it.
    Confusion,
    /// That there is no gap between them: the [dip test](dip), where samples are many. There are no halves, and a threshold
    /// is one of p-values.
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

/// Thresholds that are tried.
const THRESHOLDS: [f64; 9] = [0.01, 0.015, 0.025, 0.04, 0.06, 0.1, 0.15, 0.25, 0.4];
/// Clusters of a half, a mean, from which it sees several.
const SEVERAL: f64 = 1.5;
/// The adjusted Rand index from which halves agree on something.
const AGREED: f64 = 0.5;
/// Adjusted Rand indices that differ by no more are level.
const LEVEL: f64 = 0.01;
/// Where a curve chooses nothing: the threshold at which the halves of MNIST agree best, and those of the digits nearly so.
const USUAL: f64 = 0.04;
/// Samples, evenly spread, that the halves are compared on.
const JUDGED: usize = 20_000;

/// How a number of clusters was found. See [`Grouping::find`] for an example.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct ClusterCountReport {
    /// Clusters.
    pub clusters: usize,
    /// Components of all samples.
    pub components: usize,
    /// The threshold of confusion that was taken.
    pub threshold: f64,
    /// What the halves say at each threshold.
    pub curve: Vec<ThresholdTrial>,
    /// How many groups of components each share of the halves gives: for each merge the number that it leaves, and the
    /// share that it was made at.
    pub merges: Vec<(usize, f64)>,
    /// What all of it took.
    pub seconds: f64,
}

/// What the halves say at a threshold. See [`Grouping::find`] for an example.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct ThresholdTrial {
    /// Of confusion.
    pub threshold: f64,
    /// The adjusted Rand index of two halves, a mean over pairs.
    pub agreement: f64,
    /// Clusters of a percent of the samples and more, on a half: the fewest, the mean and the most.
    pub clusters: (usize, f64, usize),
}

/// A half's merges, and its components' responsibilities for the samples that halves are compared on.
struct Half {
    path: MergePath,
    responsibilities: Vec<f32>,
}

impl Grouping {
    /// How many clusters there are to be. See [`Grouping`] for an example.
    pub fn bounds(&self) -> ClusterBounds {
        ClusterBounds {
            least: self.min_clusters,
            most: if self.max_clusters == 0 { usize::MAX } else { self.max_clusters },
        }
    }

    /// Components of `N x D` latents in their clusters, small ones dropped, and how their number was found.
    ///
    /// ```
    /// use edgemix::mixture::{consensus::Grouping, split_merge::SplitMerge};
    /// use edgemix::random::{normal, stream};
    ///
    /// // A hundred samples about 0, as many about 20.
    /// let noise = normal(200, &mut stream(0, "example", 0));
    /// let z: Vec<f64> = (0..200).map(|i| f64::from(noise[i]) + if i % 2 == 0 { 0.0 } else { 20.0 }).collect();
    /// let grouping = Grouping { halves: 4, ..Grouping::default() };
    /// let (mixture, number) = grouping.find(&SplitMerge::default(), &z, 1, &mut stream(0, "example", 1))?;
    /// assert_eq!((mixture.n_clusters(), number.clusters), (2, 2));
    /// let taken = number.curve.iter().find(|choice| choice.threshold == number.threshold).unwrap();
    /// assert!(taken.agreement > 0.9);
    /// # Ok::<(), edgemix::mixture::NotPositiveDefinite>(())
    /// ```
    ///
    /// # Errors
    /// [`NotPositiveDefinite`] if a covariance is not, which the prior of the components keeps from happening.
    pub fn find(
        &self,
        components: &SplitMerge,
        z: &[f64],
        dims: usize,
        rng: &mut impl Rng,
    ) -> Result<(Mixture, ClusterCountReport), NotPositiveDefinite> {
        let begin = Instant::now();
        let n = z.len() / dims;
        let step = n.div_ceil(JUDGED).max(1);
        let judged: Vec<f64> = z.chunks_exact(dims).step_by(step).flatten().copied().collect();
        let seed: u64 = rng.random();
        let mixture = SplitMerge { min_components: self.min_clusters, ..*components }.fit(z, dims, rng);
        let own = mixture.responsibilities(&judged)?;
        let k = mixture.n_components();
        let given_or = |usual: f64| if self.threshold > 0.0 { self.threshold } else { usual };
        let (path, strength, threshold, curve) = match self.criterion {
            Criterion::Dip => {
                let threshold = given_or(dip::CUSTOMARY);
                (dip::path(z, dims, &mixture.components(z)?, k), threshold, threshold, vec![])
            }
            Criterion::Confusion if self.halves == 0 => {
                let threshold = given_or(CUSTOMARY);
                (confusion::path(&own, k, (0..k).map(|k| vec![k]).collect()), threshold, threshold, vec![])
            }
            Criterion::Confusion => {
                let halves = (0..self.halves as u64).into_par_iter();
                let halves = halves.map(|half| self.half(components, z, dims, &judged, seed, half));
                let halves: Vec<Half> = halves.collect::<Result<_, _>>()?;
                let curve = curve(&halves);
                let threshold = given_or(steadiest(&curve));
                let components = assigned(&own, k, &(0..k as u16).collect::<Vec<_>>());
                (linkage(&components, k, &labelings(&halves, threshold)), self.majority, threshold, curve)
            }
        };
        let merges = path.merges_within(path.merges_above(strength), self.bounds(), self.min_share);
        let mixture = Mixture { clusters: path.clusters(merges), ..mixture };
        let mixture = self.without_small(mixture, &own);
        let left = (0..k).rev();
        let number = ClusterCountReport {
            clusters: mixture.n_clusters(),
            components: k,
            threshold,
            curve,
            merges: left.zip(path.strengths()).collect(),
            seconds: begin.elapsed().as_secs_f64(),
        };
        Ok((mixture, number))
    }

    /// Components and their merges on a random half of the samples.
    fn half(
        &self,
        components: &SplitMerge,
        z: &[f64],
        dims: usize,
        judged: &[f64],
        seed: u64,
        index: u64,
    ) -> Result<Half, NotPositiveDefinite> {
        let n = z.len() / dims;
        let rng = &mut stream(seed, "half", index);
        let mut rows: Vec<usize> = (0..n).collect();
        let (half, _) = rows.partial_shuffle(rng, (n / 2).clamp(1, self.half.max(1)));
        half.sort_unstable();
        let own: Vec<f64> = half.iter().flat_map(|&row| &z[row * dims..(row + 1) * dims]).copied().collect();
        let mixture = components.fit(&own, dims, rng);
        let responsibilities = mixture.responsibilities(judged)?;
        let k = mixture.n_components();
        let path = confusion::path(&responsibilities, k, (0..k).map(|k| vec![k]).collect());
        Ok(Half { path, responsibilities })
    }

    fn without_small(&self, mixture: Mixture, responsibilities: &[f32]) -> Mixture {
        let mut counts = vec![0.0; mixture.n_clusters()];
        let found = assigned(responsibilities, mixture.n_components(), &mixture.clusters);
        found.into_iter().for_each(|cluster| counts[usize::from(cluster)] += 1.0);
        let kept = prune::survivors(&counts, self.min_share);
        let components: Vec<usize> =
            (0..mixture.n_components()).filter(|&k| kept.contains(&mixture.clusters[k].into())).collect();
        prune::keep(&mixture, &components)
    }
}

impl Half {
    fn labels(&self, threshold: f64) -> Vec<u16> {
        let clusters = self.path.clusters(self.path.merges_above(threshold));
        assigned(&self.responsibilities, clusters.len(), &clusters)
    }
}

/// The cluster of each sample: the one whose components' responsibilities add up to the most.
fn assigned(responsibilities: &[f32], k: usize, clusters: &[u16]) -> Vec<u16> {
    let n = clusters.iter().max().map_or(0, |&most| usize::from(most) + 1);
    let best = |row: &[f32]| {
        let mut sums = vec![0f32; n];
        row.iter().zip(clusters).for_each(|(r, &cluster)| sums[usize::from(cluster)] += r);
        argmax(&sums) as u16
    };
    responsibilities.par_chunks_exact(k).map(best).collect()
}

fn labelings(halves: &[Half], threshold: f64) -> Vec<Vec<u16>> {
    halves.par_iter().map(|half| half.labels(threshold)).collect()
}

/// How well halves agree at each threshold.
fn curve(halves: &[Half]) -> Vec<ThresholdTrial> {
    let choice = |threshold: f64| {
        let labels = labelings(halves, threshold);
        let pairs: Vec<(usize, usize)> = (0..labels.len()).flat_map(|i| (0..i).map(move |j| (i, j))).collect();
        let sum: f64 =
            pairs.par_iter().map(|&(i, j)| adjusted_rand(&labels[i], &labels[j])).collect::<Vec<_>>().iter().sum();
        let found: Vec<usize> = labels.iter().map(|own| clusters_found(own, 0.01)).collect();
        let mean = found.iter().sum::<usize>() as f64 / found.len().max(1) as f64;
        let (fewest, most) = (found.iter().min().copied(), found.iter().max().copied());
        ThresholdTrial {
            threshold,
            agreement: sum / pairs.len().max(1) as f64,
            clusters: (fewest.unwrap_or(0), mean, most.unwrap_or(0)),
        }
    };
    THRESHOLDS.into_iter().map(choice).collect()
}

/// The threshold at which halves agree best. Halves that see one cluster agree whatever the samples are: that is believed
/// only where they agree on nothing else. Nor is it where they only agree the better the fewer clusters they see: parts of
/// parts are always steadier. Such a curve chooses nothing, and the threshold is the usual one.
fn steadiest(curve: &[ThresholdTrial]) -> f64 {
    let best = |choices: &[ThresholdTrial]| -> usize {
        (1..choices.len()).fold(0, |best, i| if choices[i].agreement > choices[best].agreement { i } else { best })
    };
    let several = &curve[curve.partition_point(|choice| choice.clusters.1 < SEVERAL)..];
    let at = best(several);
    let Some(chosen) = several.get(at).filter(|choice| choice.agreement >= AGREED) else {
        return curve.get(best(curve)).map_or(USUAL, |choice| choice.threshold);
    };
    let is_better = |than: &ThresholdTrial| chosen.agreement - than.agreement > LEVEL;
    let falls = several.get(at + 1).is_some_and(is_better);
    if falls && !several[..at].iter().any(is_better) { USUAL } else { chosen.threshold }
}

/// Average linkage of components, whose samples are `own`, by how often the halves put samples of two together; relative
/// to how often they put those of one component together.
fn linkage(own: &[u16], k: usize, halves: &[Vec<u16>]) -> MergePath {
    let mut counts = vec![0f64; k];
    own.iter().for_each(|&component| counts[usize::from(component)] += 1.0);
    let mut together = vec![0f64; k * k];
    for labels in halves {
        let clusters = labels.iter().max().map_or(0, |&most| usize::from(most) + 1);
        let mut shares = vec![0f64; k * clusters];
        for (&component, &cluster) in own.iter().zip(labels) {
            let component = usize::from(component);
            shares[component * clusters + usize::from(cluster)] += 1.0 / counts[component];
        }
        let row = |k: usize| &shares[k * clusters..(k + 1) * clusters];
        for i in 0..k {
            for j in 0..k {
                let both: f64 = row(i).iter().zip(row(j)).map(|(a, b)| a * b).sum();
                together[i * k + j] += both;
            }
        }
    }
    let closeness = |i: usize, j: usize| {
        let alone = (together[i * k + i] * together[j * k + j]).sqrt();
        if alone > 0.0 { together[i * k + j] / alone } else { 0.0 }
    };
    let mut groups: Vec<Vec<usize>> = (0..k).map(|k| vec![k]).collect();
    let mut path = MergePath { groups: groups.clone(), merges: vec![], shares: vec![] };
    let share = |group: &Vec<usize>| group.iter().map(|&k| counts[k]).sum::<f64>() / own.len() as f64;
    path.shares.push(groups.iter().map(share).collect());
    while groups.len() > 1 {
        let average = |a: &[usize], b: &[usize]| {
            let pairs = || a.iter().flat_map(|&i| b.iter().map(move |&j| (i, j)));
            let weight: f64 = pairs().map(|(i, j)| counts[i] * counts[j]).sum();
            pairs().map(|(i, j)| counts[i] * counts[j] * closeness(i, j)).sum::<f64>() / weight.max(1e-12)
        };
        let pairs = (0..groups.len()).flat_map(|i| (i + 1..groups.len()).map(move |j| (i, j)));
        let merges = pairs.map(|(into, from)| Merge { into, from, strength: average(&groups[into], &groups[from]) });
        let Some(merge) = merges.max_by(|a, b| a.strength.total_cmp(&b.strength)) else { break };
        let merged = groups.remove(merge.from);
        groups[merge.into].extend(merged);
        path.merges.push(merge);
        path.shares.push(groups.iter().map(share).collect());
    }
    path
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Agreements at each threshold, and mean numbers of clusters, as they were seen.
    fn curve(seen: [(f64, f64); 9]) -> Vec<ThresholdTrial> {
        let choice = |(threshold, (agreement, mean))| ThresholdTrial { threshold, agreement, clusters: (1, mean, 40) };
        THRESHOLDS.into_iter().zip(seen).map(choice).collect()
    }

    #[test]
    fn the_threshold_is_the_steadiest_but_not_because_it_sees_fewer_clusters() {
        let mnist = [0.8905, 0.8150, 0.8741, 0.8982, 0.8766, 0.8572, 0.8399, 0.8303, 0.8303];
        let counts = [7.6, 8.3, 9.9, 10.45, 12.05, 16.05, 18.65, 19.15, 19.15];
        let mut seen = std::array::from_fn(|i| (mnist[i], counts[i]));
        assert_eq!(steadiest(&curve(seen)), 0.04);
        // Were fewer clusters a little steadier still, the same.
        seen[0].0 = 0.92;
        assert_eq!(steadiest(&curve(seen)), 0.04);
        // Confusions end where the curve is level: the least threshold is as good as all that follow.
        let digits = [0.677, 0.676, 0.711, 0.753, 0.754, 0.754, 0.754, 0.754, 0.754];
        assert_eq!(steadiest(&curve(digits.map(|agreement| (agreement, 10.0)))), 0.06);
        let apart = [1.0, 1.0, 1.0, 1.0, 1.0, 1.0, 0.9999, 0.9999, 0.9999];
        assert_eq!(steadiest(&curve(apart.map(|agreement| (agreement, 3.0)))), 0.01);
    }

    #[test]
    fn where_halves_only_agree_the_better_the_fewer_clusters_they_see_the_threshold_is_the_usual_one() {
        let fashion = [0.9222, 0.8908, 0.7473, 0.7242, 0.6496, 0.6855, 0.6867, 0.6867, 0.6867];
        assert_eq!(steadiest(&curve(fashion.map(|agreement| (agreement, 9.0)))), USUAL);
        // The second threshold is level with the first.
        let mut seen = fashion.map(|agreement| (agreement, 9.0));
        seen[1].0 = 0.925;
        assert_eq!(steadiest(&curve(seen)), USUAL);
        // Nor does it count that halves agree when they see one cluster.
        seen[0] = (1.0, 1.0);
        assert_eq!(steadiest(&curve(seen)), USUAL);
        // But three clusters that the next threshold sees as well.
        seen[2].0 = 0.92;
        assert_eq!(steadiest(&curve(seen)), 0.015);
        // Halves that agree on nothing, but on one cluster.
        let mut seen = [0.3; 9].map(|agreement| (agreement, 4.0));
        seen[0] = (1.0, 1.0);
        assert_eq!(steadiest(&curve(seen)), 0.01);
    }
    #[test]
    fn without_halves_the_components_own_confusion_decides() {
        let noise = crate::random::normal(400, &mut stream(0, "halves", 0));
        let z: Vec<f64> = (0..400).map(|i| f64::from(noise[i]) + if i % 2 == 0 { 0.0 } else { 20.0 }).collect();
        let none = Grouping { halves: 0, ..Grouping::default() };
        let (_, number) = none.find(&SplitMerge::default(), &z, 1, &mut stream(0, "halves", 1)).unwrap();
        assert_eq!((number.threshold, number.clusters, number.curve.len()), (CUSTOMARY, 2, 0));
    }
}
