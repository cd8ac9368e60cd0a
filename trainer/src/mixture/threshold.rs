//! The confusion threshold at which random halves of the samples agree best.
//!
//! Ben-Hur, Elisseeff and Guyon, "A stability based method for discovering structure in clustered data", 2002, with the
//! adjusted Rand index, which chance does not raise.

use super::cluster_count::ThresholdTrial;
use crate::base::arrays::argmax;

/// The thresholds that are tried.
pub(super) const THRESHOLDS: [f64; 9] = [0.01, 0.015, 0.025, 0.04, 0.06, 0.1, 0.15, 0.25, 0.4];
/// The mean number of clusters from which halves find several clusters.
const SEVERAL: f64 = 1.5;
/// The adjusted Rand index from which halves agree on something.
const AGREED: f64 = 0.5;
/// Adjusted Rand indices that differ by no more than this count as equal.
const LEVEL: f64 = 0.01;
/// The threshold if the curve decides nothing: halves of MNIST agree best at it, and those of the digits nearly so.
pub(super) const USUAL: f64 = 0.04;

/// The threshold at which halves agree best, or none if the curve decides nothing.
///
/// Halves that find a single cluster agree whatever the samples are, which counts only if they agree on nothing else. If
/// agreement merely grows as clusters get fewer, it says nothing either, since parts of clusters are always less stable
/// than their unions: then nothing is decided.
///
/// Where halves agree equally well on several numbers, as they do on clusters of clusters that are well apart, the most
/// clusters are chosen: halves find every one of them again, and the coarser numbers remain as levels.
pub(super) fn most_stable(curve: &[ThresholdTrial]) -> Option<f64> {
    let best = |trials: &[ThresholdTrial]| argmax(trials.iter().map(|trial| trial.agreement));
    let several = &curve[curve.partition_point(|trial| trial.clusters.1 < SEVERAL)..];
    let at = best(several);
    let Some(chosen) = several.get(at).filter(|trial| trial.agreement >= AGREED) else {
        return curve.get(best(curve)).map(|trial| trial.threshold);
    };
    let is_better = |than: &ThresholdTrial| chosen.agreement - than.agreement > LEVEL;
    let falls = several.get(at + 1).is_some_and(is_better);
    if falls && !several[..at].iter().any(is_better) {
        return None;
    }
    let equal = || several.iter().filter(|trial| trial.agreement == chosen.agreement);
    let most = equal().map(|trial| trial.clusters.1).fold(0.0, f64::max);
    Some(equal().find(|trial| trial.clusters.1 == most).unwrap_or(chosen).threshold)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A curve with these agreements and mean numbers of clusters.
    fn curve(seen: [(f64, f64); 9]) -> Vec<ThresholdTrial> {
        let choice = |(threshold, (agreement, mean))| ThresholdTrial { threshold, agreement, clusters: (1, mean, 40) };
        THRESHOLDS.into_iter().zip(seen).map(choice).collect()
    }

    #[test]
    fn the_threshold_with_the_best_agreement_is_chosen_unless_it_only_sees_fewer_clusters() {
        let mnist = [0.8905, 0.8150, 0.8741, 0.8982, 0.8766, 0.8572, 0.8399, 0.8303, 0.8303];
        let counts = [7.6, 8.3, 9.9, 10.45, 12.05, 16.05, 18.65, 19.15, 19.15];
        let mut seen = std::array::from_fn(|i| (mnist[i], counts[i]));
        assert_eq!(most_stable(&curve(seen)), Some(0.04));
        // If fewer clusters agree a little better still, nothing is decided.
        seen[0].0 = 0.92;
        assert_eq!(most_stable(&curve(seen)), None);
        // No components are confused where the curve is level: the least threshold is as good as all that follow.
        let digits = [0.677, 0.676, 0.711, 0.753, 0.754, 0.754, 0.754, 0.754, 0.754];
        assert_eq!(most_stable(&curve(digits.map(|agreement| (agreement, 10.0)))), Some(0.06));
        let apart = [1.0, 1.0, 1.0, 1.0, 1.0, 1.0, 0.9999, 0.9999, 0.9999];
        assert_eq!(most_stable(&curve(apart.map(|agreement| (agreement, 3.0)))), Some(0.01));
    }

    #[test]
    fn of_numbers_on_which_halves_agree_equally_the_greatest_is_chosen() {
        // Three clusters of three: the halves find both again.
        let nested = [1.0, 1.0, 1.0, 1.0, 1.0, 1.0, 0.9, 0.9, 0.9];
        let counts = [3.0, 3.0, 3.0, 9.0, 9.0, 9.0, 12.0, 12.0, 12.0];
        assert_eq!(most_stable(&curve(std::array::from_fn(|i| (nested[i], counts[i])))), Some(0.04));
        // Nine that are found again a little less well do not count.
        let better = [1.0, 1.0, 1.0, 0.999, 0.999, 0.999, 0.9, 0.9, 0.9];
        assert_eq!(most_stable(&curve(std::array::from_fn(|i| (better[i], counts[i])))), Some(0.01));
    }

    #[test]
    fn nothing_is_decided_if_agreement_only_grows_as_clusters_get_fewer() {
        let fashion = [0.9222, 0.8908, 0.7473, 0.7242, 0.6496, 0.6855, 0.6867, 0.6867, 0.6867];
        assert_eq!(most_stable(&curve(fashion.map(|agreement| (agreement, 9.0)))), None);
        // The second threshold is level with the first.
        let mut seen = fashion.map(|agreement| (agreement, 9.0));
        seen[1].0 = 0.925;
        assert_eq!(most_stable(&curve(seen)), None);
        // Halves that see a single cluster do not count.
        seen[0] = (1.0, 1.0);
        assert_eq!(most_stable(&curve(seen)), None);
        // Three clusters that the next threshold finds as well do count.
        seen[2].0 = 0.92;
        assert_eq!(most_stable(&curve(seen)), Some(0.015));
        // Halves that agree on nothing but a single cluster.
        let mut seen = [0.3; 9].map(|agreement| (agreement, 4.0));
        seen[0] = (1.0, 1.0);
        assert_eq!(most_stable(&curve(seen)), Some(0.01));
    }
}
