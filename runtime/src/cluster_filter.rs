//! A hidden Markov filter over clusters: what windows show, given what the windows before them showed.

use edgemix_format::view::{Calibration, Transitions};

use crate::{Assignment, Model, SmootherError};

/// Fraction bits of a belief.
const BELIEF: u32 = 30;
/// A likelihood is capped here, so that no product with a belief exceeds 64 bits.
const MOST_LIKELIHOOD: u32 = (1 << 28) - 1;

/// What a filter keeps of a cluster.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
#[repr(C)]
pub struct ClusterBelief {
    /// The probability of the cluster, in units of 2^-30.
    belief: u32,
    /// How likely the window is in the cluster.
    likelihood: u32,
}

impl ClusterBelief {
    /// The probability of the cluster, from 0 to 1.
    pub fn probability(&self) -> f32 {
        self.belief as f32 / (1u32 << BELIEF) as f32
    }

    /// The probability of the cluster, in units of 2^-30.
    pub fn belief(&self) -> u32 {
        self.belief
    }
}

/// The filter of [`Smoother`](crate::Smoother), whose memory for clusters is the caller's: every call takes the same slice.
///
/// ```
/// # let bytes = edgemix_format::testing::Spec { transitions: true, ..Default::default() }.build().unwrap();
/// use edgemix_runtime::{ClusterBelief, ClusterFilter, Model, Workspace};
///
/// let model = Model::from_bytes(&bytes).unwrap();
/// let mut clusters = vec![ClusterBelief::default(); model.n_clusters()];
/// let filter = ClusterFilter::new(&model, &mut clusters).unwrap();
/// let mut workspace = Workspace::<64>::new();
/// let found = model.assign_raw(&[40u8; 6], &mut workspace).unwrap();
/// let cluster = filter.observe(&found, &mut clusters);
/// assert!(clusters[usize::from(cluster)].probability() > 1.0 / 3.0);
/// ```
#[derive(Clone, Debug)]
pub struct ClusterFilter<'m> {
    transitions: Transitions<'m>,
    /// Bits for a nat of a score, with the model's temperature, in units of 2^-16.
    rate: u32,
}

impl<'m> ClusterFilter<'m> {
    /// A filter that has seen no windows. `clusters` has an element for each cluster of the model, or more.
    ///
    /// # Errors
    /// [`SmootherError::NoTransitions`] if the model does not know how its clusters follow each other, and
    /// [`SmootherError::TooManyClusters`] if it has more clusters than `clusters` has elements.
    pub fn new(model: &Model<'m>, clusters: &mut [ClusterBelief]) -> Result<Self, SmootherError> {
        let transitions = model.file().transitions.ok_or(SmootherError::NoTransitions)?;
        let (needed, given) = (model.n_clusters(), clusters.len());
        if needed > given {
            return Err(SmootherError::TooManyClusters { needed, given });
        }
        let filter = Self { transitions, rate: rate(&model.file().calibration) };
        filter.restart(clusters);
        Ok(filter)
    }

    /// Observes the assignment of the next window. Returns the most probable cluster, the first of several.
    pub fn observe(&self, found: &Assignment, clusters: &mut [ClusterBelief]) -> u16 {
        self.miss(clusters);
        clusters.iter_mut().for_each(|cluster| cluster.likelihood = 0);
        for (&score, k) in found.scores().iter().zip(0u16..) {
            let below = i64::from(found.log_density.0).abs_diff(score.into());
            if let Some(cluster) = clusters.get_mut(usize::from(found.cluster_of(k))) {
                let likelihood = exp2((below * u64::from(self.rate)) >> 16);
                cluster.likelihood = cluster.likelihood.saturating_add(likelihood).min(MOST_LIKELIHOOD);
            }
        }
        let shares = || self.transitions.shares.iter();
        let total = clusters.iter().zip(shares()).map(|(cluster, &share)| evidence(cluster, share));
        let total = total.fold(0, u64::saturating_add);
        // The total becomes less than 2^32.
        let shift = 32u32.saturating_sub(total.leading_zeros());
        for (cluster, &share) in clusters.iter_mut().zip(shares()) {
            let belief = ((evidence(cluster, share) >> shift) << BELIEF).checked_div(total >> shift);
            cluster.belief = belief.map_or(0, |belief| belief as u32);
        }
        self.cluster(clusters)
    }

    /// A window that was not observed: lost, or too novel to say anything of the clusters.
    pub fn miss(&self, clusters: &mut [ClusterBelief]) {
        let Transitions { renewals, shares } = self.transitions;
        let terms = clusters.iter().zip(renewals);
        let renewed =
            terms.map(|(cluster, &renewal)| u64::from(cluster.belief) * u64::from(renewal)).sum::<u64>() >> 16;
        for ((cluster, &renewal), &share) in clusters.iter_mut().zip(renewals).zip(shares) {
            let kept = u64::from(cluster.belief) * ((1 << 16) - u64::from(renewal));
            cluster.belief = ((kept + renewed * u64::from(share)) >> 16).clamp(1, 1 << BELIEF) as u32;
        }
    }

    /// Forgets all windows, as after a gap or a restart.
    pub fn restart(&self, clusters: &mut [ClusterBelief]) {
        for (cluster, &share) in clusters.iter_mut().zip(self.transitions.shares) {
            cluster.belief = u32::from(share) << (BELIEF - 16);
        }
    }

    /// The most probable cluster, the first of several.
    pub fn cluster(&self, clusters: &[ClusterBelief]) -> u16 {
        let mut best = (0, 0);
        for ((cluster, number), _) in clusters.iter().zip(0u16..).zip(self.transitions.shares) {
            if cluster.belief > best.0 {
                best = (cluster.belief, number);
            }
        }
        best.1
    }
}

/// The predicted probability of a cluster times the likelihood of the window, which is its posterior over its share.
fn evidence(cluster: &ClusterBelief, share: u16) -> u64 {
    let product = u64::from(cluster.belief) * (u64::from(cluster.likelihood) + 1);
    product.checked_div(share.into()).unwrap_or(0).max(1)
}

/// `floor(2^16 * log2(e) * inverse temperature)`, at most 2^32 - 1. `log2(e)` has 24 bits, so that the product is rounded
/// once, as IEEE 754 says.
fn rate(calibration: &Calibration) -> u32 {
    (calibration.inverse_temperature() * (core::f32::consts::LOG2_E * 65536.0)) as u32
}

/// `round(2^24 * 2^(-i / 32))` for `i` from 0 to 32.
static TABLE: [u32; 33] = table();

/// `2^24 * 2^(-x / 2^16)`, by a table of 32 chords: at most 6 * 10^-5 of it and two units off.
fn exp2(x: u64) -> u32 {
    let whole = x >> 16;
    if whole > 24 {
        return 0;
    }
    let (index, place) = ((x >> 11) as usize & 31, x as u32 & 0x7ff);
    let [before, after] = [index, index + 1].map(|i| TABLE.get(i).copied().unwrap_or(0));
    // The table falls by less than 2^19 from one entry to the next.
    (before - (((before - after) * place) >> 11)) >> whole
}

const fn table() -> [u32; 33] {
    let mut table = [0; 33];
    let mut i = 0;
    while i <= 32 {
        // exp(-x) by its Taylor series up to x^19.
        let x = core::f64::consts::LN_2 * i as f64 / 32.0;
        let mut sum = 1.0;
        let mut term = 19;
        while term > 0 {
            sum = 1.0 - sum * x / term as f64;
            term -= 1;
        }
        table[i] = (16_777_216.0 * sum + 0.5) as u32;
        i += 1;
    }
    table
}

#[cfg(test)]
mod tests {
    extern crate std;

    use super::*;

    #[test]
    fn powers_of_two_are_within_their_bound() {
        for (i, &y) in (0..).zip(&TABLE) {
            assert_eq!(f64::from(y), (16_777_216.0 * (-f64::from(i) / 32.0).exp2()).round());
        }
        for x in (0..28 << 16).step_by(7) {
            let exact = 16_777_216.0 * (-(x as f64) / 65536.0).exp2();
            assert!((f64::from(exp2(x)) - exact).abs() <= 2.0 + 6e-5 * exact, "{x}");
        }
        assert_eq!((exp2(0), exp2(1 << 16), exp2(u64::MAX)), (1 << 24, 1 << 23, 0));
    }
}
