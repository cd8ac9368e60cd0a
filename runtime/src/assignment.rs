//! The result of an inference: cluster, log-density, posterior and novelty.

use core::cmp::Ordering;

use edgemix_format::view::{Calibration, Hierarchy};
use micromath::F32Ext;

/// A log-density as an integer in units of 2^-16 nat, the same on every chip.
///
/// ```
/// use edgemix_runtime::LogDensity;
///
/// assert_eq!(LogDensity(-3 << 16).nats(), -3.0);
/// assert!(LogDensity(-1) < LogDensity(0));
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
pub struct LogDensity(pub i32);

impl LogDensity {
    /// The log-density in nats.
    pub fn nats(self) -> f32 {
        self.0 as f32 / 65536.0
    }
}

/// The p-value of a sample, in units of 1/65535: the share of known samples that are at least as unusual. Small values
/// mean novel.
///
/// If the model's table was built from held-out samples, the p-value of a sample that is exchangeable with them is at
/// most `rate` with a probability of at most `rate`, on average over tables. A table of `n` samples gives no p-value
/// below `1 / (n + 1)`. The p-value is that of split-conformal prediction (Vovk, Gammerman and Shafer, *Algorithmic
/// Learning in a Random World*, 2005).
///
/// ```
/// use edgemix_runtime::Novelty;
///
/// // Half a per cent of the known samples are at least as unusual.
/// let unusual = Novelty(328);
/// assert!(unusual.is_novel(0.01) && !unusual.is_novel(0.001));
/// assert!((unusual.p_value() - 0.005).abs() < 1e-4);
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
pub struct Novelty(pub u16);

impl Novelty {
    /// The p-value, from 0 to 1.
    pub fn p_value(self) -> f32 {
        f32::from(self.0) / 65535.0
    }

    /// Whether the p-value is at most `rate`, the rate of false alarms, from 0 to 1.
    pub fn is_novel(self, rate: f32) -> bool {
        self.p_value() <= rate
    }

    /// Looks a typicality up in the table of its cluster. The p-value is 1 if the model has no table.
    pub(crate) fn look_up(typicality: i64, cluster: u16, calibration: &Calibration) -> Self {
        let (thresholds, levels) = calibration.table(cluster);
        let at = thresholds.partition_point(|&threshold| i64::from(threshold) < typicality);
        Self(levels.get(at).copied().unwrap_or(u16::MAX))
    }
}

/// The result of assigning a sample. It borrows the workspace, because posteriors are computed on demand.
///
/// ```
/// # use edgemix_runtime::{Model, Workspace, arena_len};
/// # static MODEL: &[u8] = edgemix_runtime::include_model!(concat!(env!("CARGO_MANIFEST_DIR"), "/../firmware-example/assets/digits.emx"));
/// # let model = Model::from_bytes(MODEL).unwrap();
/// # let mut workspace = Workspace::<{ arena_len(MODEL) }>::new();
/// let found = model.assign_raw(&[8u8; 64], &mut workspace).unwrap();
/// let posteriors: Vec<f32> = (0..model.n_clusters() as u16).map(|cluster| found.posterior(cluster)).collect();
/// assert!((posteriors.iter().sum::<f32>() - 1.0).abs() < 1e-3);
/// assert_eq!(found.scores().len(), model.n_components());
/// ```
#[derive(Clone, Copy, Debug)]
pub struct Assignment<'w> {
    /// The cluster of the best component.
    pub cluster: u16,
    /// The component with the highest score, the first of several equal ones.
    pub component: u16,
    /// The best component's log weight plus log-density or, for a softmax head, its logit.
    pub log_density: LogDensity,
    /// How unusual the sample is among known samples.
    pub novelty: Novelty,
    scores: &'w [i32],
    clusters: &'w [u16],
    inverse_temperature: f32,
    hierarchy: &'w Hierarchy<'w>,
}

/// A sample's cluster at a level of the hierarchy: a union of the model's clusters.
///
/// See [`Assignment::at_level`].
#[derive(Clone, Copy, Debug)]
pub struct LevelAssignment<'a> {
    /// The cluster of the level, less than `n_clusters`.
    pub cluster: u16,
    /// Number of clusters of the level.
    pub n_clusters: u16,
    found: &'a Assignment<'a>,
}

impl LevelAssignment<'_> {
    /// The posterior probability of a cluster of the level, from 0 to 1: the sum of those of the model's clusters that it
    /// consists of. It is 0 for a cluster that does not exist.
    pub fn posterior(&self, cluster: u16) -> f32 {
        self.found.share(|component| {
            let own = self.found.cluster_of(component);
            self.found.ancestor(own, self.n_clusters) == Some(cluster)
        })
    }
}

/// The largest margin that counts, in units of 2^-16 nat: far from all clusters, margins are large as well.
pub(crate) const MAX_MARGIN: i64 = 16 << 16;

impl<'w> Assignment<'w> {
    /// Finds the best of `scores`. If `clusters` is empty, component `k` is cluster `k`.
    pub(crate) fn from_scores(
        scores: &'w [i32],
        clusters: &'w [u16],
        calibration: &Calibration,
        hierarchy: &'w Hierarchy<'w>,
    ) -> Self {
        let mut best = (0u16, i32::MIN);
        // The scores come first in the zip: they are at most 65535 and end the loop before the counter could overflow.
        for (&score, k) in scores.iter().zip(0u16..) {
            if score.cmp(&best.1) == Ordering::Greater {
                best = (k, score);
            }
        }
        let (component, score) = best;
        let log_density = LogDensity(score);
        let cluster = clusters.get(usize::from(component)).copied().unwrap_or(component);
        let novelty = Novelty(u16::MAX);
        let inverse_temperature = calibration.inverse_temperature();
        let mut found =
            Self { cluster, component, log_density, novelty, scores, clusters, inverse_temperature, hierarchy };
        found.novelty = Novelty::look_up(found.typicality(calibration.margin_weight()), cluster, calibration);
        found
    }

    /// The value that novelty tables rank, in units of 2^-16 nat: the log-density plus `margin_weight` quarters of its
    /// margin over the best component of another cluster. At most 16 nats of the margin count.
    ///
    /// ```
    /// # use edgemix_runtime::{Model, Workspace};
    /// # let bytes = edgemix_format::testing::Spec::default().build().unwrap();
    /// # let model = Model::from_bytes(&bytes).unwrap();
    /// # let mut workspace = Workspace::<64>::new();
    /// let found = model.assign_raw(&[40u8; 6], &mut workspace).unwrap();
    /// assert_eq!(found.typicality(0), i64::from(found.log_density.0));
    /// // A weight of 1 is a quarter of the margin, a weight of 4 all of it.
    /// let quarter = found.typicality(1) - found.typicality(0);
    /// assert!((0..4).contains(&(found.typicality(4) - found.typicality(0) - 4 * quarter)));
    /// ```
    pub fn typicality(&self, margin_weight: u8) -> i64 {
        let best = i64::from(self.log_density.0);
        if margin_weight == 0 {
            return best;
        }
        let others = self.scores.iter().zip(0u16..).filter(|&(_, k)| self.cluster_of(k) != self.cluster);
        let next = others.map(|(&score, _)| i64::from(score)).fold(i64::MIN, i64::max);
        // A single cluster has no margin.
        let margin = if next == i64::MIN { 0 } else { (best - next).min(MAX_MARGIN) };
        best + ((margin * i64::from(margin_weight)) >> 2)
    }

    pub(crate) fn cluster_of(&self, component: u16) -> u16 {
        self.clusters.get(usize::from(component)).copied().unwrap_or(component)
    }

    /// The score of each component, in units of 2^-16 nat.
    pub fn scores(&self) -> &[i32] {
        self.scores
    }

    /// The posterior probability of a cluster, from 0 to 1: the share of the cluster's components in the sum of
    /// `exp(score / temperature)`, with the model's temperature. It is 0 for a cluster that does not exist.
    pub fn posterior(&self, cluster: u16) -> f32 {
        self.share(|component| self.cluster_of(component) == cluster)
    }

    /// The answer at a coarser level, which is named by its number of clusters: the union of clusters that
    /// [`cluster`](Self::cluster) is part of. Where the model can't decide between clusters that are alike, it is often sure
    /// of their union. The model's own number of clusters gives its own clusters. `None` if the model has no such level;
    /// [`Model::levels`](crate::Model::levels) lists them.
    ///
    /// ```
    /// # use edgemix_runtime::{Model, Workspace};
    /// # use edgemix_format::testing::Spec;
    /// # let bytes = Spec { components: 9, clusters: 9, levels: vec![3], ..Spec::default() }.build().unwrap();
    /// # let model = Model::from_bytes(&bytes).unwrap();
    /// # let mut workspace = Workspace::<128>::new();
    /// # let (act_on_cluster, act_on_group) = (|_: u16| {}, |_: u16| {});
    /// let found = model.assign_raw(&[40u8; 6], &mut workspace).unwrap();
    /// let coarse = found.at_level(3).unwrap();
    /// if found.posterior(found.cluster) > 0.9 {
    ///     act_on_cluster(found.cluster);
    /// } else if coarse.posterior(coarse.cluster) > 0.9 {
    ///     act_on_group(coarse.cluster);
    /// }
    /// assert!(coarse.posterior(coarse.cluster) >= found.posterior(found.cluster));
    /// assert!(found.at_level(4).is_none());
    /// ```
    pub fn at_level(&self, n_clusters: u16) -> Option<LevelAssignment<'_>> {
        Some(LevelAssignment { cluster: self.ancestor(self.cluster, n_clusters)?, n_clusters, found: self })
    }

    /// The cluster of a level that one of the model's clusters is part of.
    fn ancestor(&self, cluster: u16, level: u16) -> Option<u16> {
        self.hierarchy.ancestor(cluster, level)
    }

    /// The share of some components in the sum of `exp(score / temperature)` over all.
    fn share(&self, is_counted: impl Fn(u16) -> bool) -> f32 {
        let (mut counted, mut all) = (0.0, 0.0);
        for (&score, k) in self.scores.iter().zip(0u16..) {
            let density = relative_density(score, self.log_density.0, self.inverse_temperature);
            all += density;
            if is_counted(k) {
                counted += density;
            }
        }
        if all > 0.0 { counted / all } else { 0.0 }
    }
}

/// `exp((score - best) / temperature)` of a score that is not above `best`, or 0 below -16 nats: such a term is about 1e-7
/// of the sum at most, and micromath's `exp` is out of range there.
fn relative_density(score: i32, best: i32, inverse_temperature: f32) -> f32 {
    // An unsigned difference, because cores convert 32 bits to a float at once, and 64 bits in a function of 124 bytes.
    let nats = -(best.abs_diff(score) as f32) / 65536.0 * inverse_temperature;
    if nats < -16.0 { 0.0 } else { F32Ext::exp(nats) }
}

#[cfg(feature = "defmt")]
impl defmt::Format for Assignment<'_> {
    fn format(&self, f: defmt::Formatter) {
        defmt::write!(
            f,
            "cluster {=u16}, posterior {=f32}, log-density {=f32}, p-value {=f32}",
            self.cluster,
            self.posterior(self.cluster),
            self.log_density.nats(),
            self.novelty.p_value()
        );
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A sample moves away from a wide and a narrow component.
    #[test]
    fn typicality_falls_far_from_all_clusters_however_large_the_margin() {
        let typicality = |nats: i32| {
            let scores = [-nats, -30 * nats].map(|score| score << 16);
            Assignment::from_scores(&scores, &[], &Calibration::None, &Hierarchy::default()).typicality(1)
        };
        assert!([1, 10, 100, 1000].windows(2).all(|pair| typicality(pair[0]) > typicality(pair[1])));
    }
}
