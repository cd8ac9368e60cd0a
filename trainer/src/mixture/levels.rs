//! Several right numbers of clusters: the joins of a mixture's components, and which of the numbers of clusters on the way are
//! steady.

use std::cmp::Reverse;

use serde::{Deserialize, Serialize};

use super::dendrogram::Dendrogram;
use super::gaussian_mixture::Mixture;

/// How well halves agree on a number of clusters.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct NumberTrial {
    /// The number of clusters.
    pub clusters: usize,
    /// The adjusted Rand index of two halves, averaged over pairs.
    pub agreement: f64,
}

/// A number of clusters that is listed.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct Level {
    /// The number of clusters.
    pub clusters: usize,
    /// The adjusted Rand index of random halves of the samples that are cut into so many clusters, averaged over pairs; `None`
    /// if there are no halves.
    pub agreement: Option<f64>,
    /// How many times farther apart the next two clusters to be joined are than the last two that were; `None` where nothing was
    /// joined, or where everything is next.
    pub lifetime: Option<f64>,
    /// Whether the number is steady. The model's own number is listed even if it is not.
    pub is_steady: bool,
}

/// The joins of a mixture's components and the levels that are listed.
///
/// ```
/// use edgemix::mixture::levels::Hierarchy;
/// use edgemix::mixture::{Covariance, Mixture};
/// use ndarray::array;
///
/// // Two pairs on a line, far from each other.
/// let mixture = Mixture {
///     log_weights: vec![0.25f64.ln(); 4],
///     means: array![[0.0], [5.0], [60.0], [65.0]],
///     covariance: Covariance::Spherical(vec![1.0; 4]),
///     clusters: vec![0, 1, 2, 3],
/// };
/// let hierarchy = Hierarchy::new(&mixture, &[], false);
/// assert_eq!(hierarchy.numbers(), [2, 4]);
/// assert_eq!(hierarchy.clusters(&mixture, 2), Some(vec![0, 0, 1, 1]));
/// assert_eq!(hierarchy.clusters(&mixture, 3), None);
/// ```
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Hierarchy {
    /// The joins.
    pub tree: Dendrogram,
    /// The levels, from few to many clusters.
    pub levels: Vec<Level>,
}

/// The adjusted Rand index from which halves find the same clusters.
const AGREED: f64 = 0.7;
/// Adjusted Rand indices that differ by no more than this count as equal.
const EQUAL: f64 = 0.01;
/// A number of clusters lasts if the next join is so many times as far as the last one.
const LASTING: f64 = 1.5;
/// The most levels that are listed beside the model's own: as many as a model file may have.
const MOST: usize = 8;

impl Hierarchy {
    /// The joins of a mixture, and the steady numbers of clusters from 2 on.
    ///
    /// With halves of the samples, a number is steady if they agree on it by at least 0.7, not less than on a steady number
    /// above it, and if it is a peak or lasts. It is a peak if halves agree on it better than on one cluster more and on one
    /// fewer. It lasts if the next two clusters to be joined are at least one and a half times as far apart as the last two
    /// that were. Without halves, a number is steady if it lasts. The mixture's own number was chosen by its search, and need
    /// neither be a peak nor last.
    ///
    /// `agreement` is how well halves agree on numbers of clusters. Numbers above that of the mixture's clusters are listed only
    /// if `is_finer_listed` is set and halves agree on them: where an encoder has learned the clusters, it has made the samples
    /// of each of them alike.
    pub fn new(mixture: &Mixture, agreement: &[NumberTrial], is_finer_listed: bool) -> Self {
        let tree = Dendrogram::of(mixture);
        let own = mixture.n_clusters();
        let finest = if is_finer_listed && !agreement.is_empty() { mixture.n_components() } else { own };
        let level = |n: usize| {
            let agreed = agreement_on(agreement, n);
            // The joins within the clusters and those among them are compared with their own kind.
            let last = if n == own { None } else { tree.distance_below(n + 1) };
            let lifetime = last.zip(tree.distance_below(n)).map(|(last, next)| next / last.max(f64::MIN_POSITIVE));
            let lifetime = lifetime.filter(|lifetime| lifetime.is_finite());
            let is_lasting = lifetime.is_some_and(|lifetime| lifetime >= LASTING);
            let is_steady = match agreed {
                Some(agreed) => agreed >= AGREED && (n == own || is_lasting || is_peak(agreement, n)),
                None => agreement.is_empty() && (n == own || is_lasting),
            };
            Level { clusters: n, agreement: agreed, lifetime: lifetime.map(rounded), is_steady }
        };
        let others = (2..=finest).map(level).filter(|level| level.is_steady && level.clusters != own);
        let mut levels: Vec<Level> = others.chain([level(own)]).collect();
        levels.sort_by_key(|level| Reverse(level.clusters));
        retain_reproduced(&mut levels, own);
        let quality = |level: &Level| level.agreement.or(level.lifetime).unwrap_or(0.0);
        levels.sort_by(|a, b| (b.clusters == own).cmp(&(a.clusters == own)).then(quality(b).total_cmp(&quality(a))));
        levels.truncate(1 + MOST);
        levels.sort_by_key(|level| level.clusters);
        Self { tree, levels }
    }

    /// The numbers of clusters that are listed, ascending.
    pub fn numbers(&self) -> Vec<usize> {
        self.levels.iter().map(|level| level.clusters).collect()
    }

    /// The cluster of each component at a level that is listed, given the mixture with the clusters of some level; `None` if the
    /// level is not listed. Clusters are numbered in the order of the given ones, and within one of those by their least
    /// components.
    pub fn clusters(&self, mixture: &Mixture, n_clusters: usize) -> Option<Vec<u16>> {
        if n_clusters == mixture.n_clusters() {
            return Some(mixture.clusters.clone());
        }
        self.levels.iter().find(|level| level.clusters == n_clusters)?;
        let groups = self.tree.cut(n_clusters);
        let mut names: Vec<(u16, u16)> = vec![(u16::MAX, u16::MAX); n_clusters];
        for (&group, place) in groups.iter().zip(mixture.clusters.iter().copied().zip(0..)) {
            let name = &mut names[usize::from(group)];
            *name = (*name).min(place);
        }
        let mut order = names.clone();
        order.sort_unstable();
        let number = |group: &u16| order.partition_point(|other| *other < names[usize::from(*group)]) as u16;
        Some(groups.iter().map(number).collect())
    }
}

/// Removes levels on which halves agree less than on one with more clusters: they join what halves find again, each half in a way of
/// its own. The levels are from many clusters to few.
fn retain_reproduced(levels: &mut Vec<Level>, own: usize) {
    let mut best = f64::NEG_INFINITY;
    levels.retain(|level| {
        let agreement = level.agreement.unwrap_or(f64::INFINITY);
        let is_reproduced = level.clusters == own || agreement + EQUAL >= best;
        if is_reproduced && agreement.is_finite() {
            best = best.max(agreement);
        }
        is_reproduced
    });
}

/// To four decimals, which say enough, and which a file of the trained model keeps exactly.
pub(super) fn rounded(x: f64) -> f64 {
    (x.min(1e6) * 1e4).round() / 1e4
}

fn agreement_on(agreement: &[NumberTrial], n: usize) -> Option<f64> {
    agreement.iter().find(|trial| trial.clusters == n).map(|trial| trial.agreement)
}

/// Whether halves agree on `n` clusters better than on one more and on one less. All samples as one cluster say nothing.
fn is_peak(agreement: &[NumberTrial], n: usize) -> bool {
    let on = |n: usize| agreement_on(agreement, n);
    on(n).is_some_and(|own| [n - 1, n + 1].into_iter().filter_map(on).all(|other| own > other + EQUAL))
}

#[cfg(test)]
mod tests {
    use ndarray::Array2;

    use super::*;
    use crate::base::arrays::from_rows;
    use crate::base::random::{normal, stream};
    use crate::mixture::consensus::Grouping;
    use crate::mixture::split_merge::SplitMerge;

    /// Three groups of three blobs in the plane, whose deviations are one: groups 40 apart, blobs 8.
    fn nine() -> Array2<f64> {
        let noise = normal(2700, &mut stream(7, "nine", 0));
        let corner = |i: usize, radius: f64, d: usize| {
            let angle = i as f64 * std::f64::consts::TAU / 3.0;
            radius * if d == 0 { angle.cos() } else { angle.sin() }
        };
        let at = |(i, x): (usize, f32)| {
            let (blob, d) = (i / 2 % 9, i % 2);
            corner(blob / 3, 24.0, d) + corner(blob % 3, 5.0, d) + f64::from(x)
        };
        from_rows(noise.into_iter().enumerate().map(at).collect(), 2)
    }

    #[test]
    fn three_groups_of_three_have_two_levels() {
        let z = nine();
        let find =
            |grouping: Grouping| grouping.find(&SplitMerge::default(), z.view(), &mut stream(0, "nine", 1)).unwrap();
        let (mixture, report) = find(Grouping { halves: 6, ..Grouping::default() });
        let hierarchy = Hierarchy::new(&mixture, &report.by_number, true);
        assert_eq!(hierarchy.numbers(), [3, 9], "{:?} {:?}", report.by_number, hierarchy.tree);
        assert!(hierarchy.levels.iter().all(|level| level.is_steady && level.agreement.unwrap() > 0.95));
        let (fine, coarse) = (&mixture.clusters, hierarchy.clusters(&mixture, 3).unwrap());
        let found = mixture.components(z.view()).unwrap();
        for row in 0..z.nrows() {
            let first = (row % 9) / 3 * 3;
            assert_eq!(coarse[found[row]], coarse[found[first]], "{row}");
            assert_eq!(fine[found[row]], fine[found[row % 9]]);
        }
        // The same without halves, by the distances alone.
        let (mixture, report) = find(Grouping { halves: 0, ..Grouping::default() });
        assert!(report.by_number.is_empty());
        assert_eq!(Hierarchy::new(&mixture, &[], true).numbers(), [3, 9]);
        // Where the model has the three, the nine are a finer level, unless an encoder has learned the three.
        let three = Mixture { clusters: coarse, ..mixture };
        let (_, report) = find(Grouping { halves: 6, ..Grouping::default() });
        assert_eq!(Hierarchy::new(&three, &report.by_number, true).numbers(), [3, 9]);
        assert_eq!(Hierarchy::new(&three, &report.by_number, false).numbers(), [3]);
    }

    /// Seven is a peak, but halves agree better on nine, and on three as well.
    #[test]
    fn halves_agree_on_a_level_at_least_as_well_as_on_those_below_it() {
        let level =
            |clusters, agreement| Level { clusters, agreement: Some(agreement), lifetime: None, is_steady: true };
        let mut levels = vec![level(12, 0.75), level(9, 1.0), level(7, 0.91), level(3, 0.995)];
        retain_reproduced(&mut levels, 9);
        assert_eq!(levels.iter().map(|level| level.clusters).collect::<Vec<_>>(), [12, 9, 3]);
    }

    #[test]
    fn a_number_is_a_peak_if_both_of_its_neighbours_agree_less() {
        let curve = [0.9, 0.95, 0.945, 0.7, 0.8];
        let curve: Vec<NumberTrial> =
            (2..).zip(curve).map(|(clusters, agreement)| NumberTrial { clusters, agreement }).collect();
        let peaks: Vec<usize> = (2..8).filter(|&n| is_peak(&curve, n)).collect();
        assert_eq!(peaks, [6]);
    }

    #[test]
    fn a_single_cluster_has_one_level() {
        let mixture = Mixture {
            log_weights: vec![-1.0; 2],
            means: Array2::from_shape_fn((2, 1), |(k, _)| k as f64),
            covariance: crate::mixture::Covariance::Spherical(vec![1.0; 2]),
            clusters: vec![0, 0],
        };
        assert_eq!(Hierarchy::new(&mixture, &[], true).numbers(), [1]);
    }
}
