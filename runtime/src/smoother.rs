//! A hidden Markov filter over clusters: what windows show, given what the windows before them showed.

use edgemix_format::view::Calibration;

use crate::{Assignment, Model};

/// Fraction bits of a belief.
const BELIEF: u32 = 30;
/// A likelihood is capped here, so that no product with a belief exceeds 64 bits.
const MOST_LIKELIHOOD: u32 = (1 << 28) - 1;

/// How often clusters follow each other from one window to the next.
///
/// ```
/// use edgemix_runtime::Transitions;
///
/// // Counted in a recording: cluster 0 was followed 90 times by itself and 10 times by cluster 1.
/// static HABITS: Transitions<2> = Transitions::from_counts(&[[90, 10], [5, 95]]);
/// assert!((f64::from(HABITS.probability(0, 1)) - 0.1).abs() < 0.01);
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Transitions<const CLUSTERS: usize> {
    /// The probability of a cluster behind another one, in units of 2^-16: a row for each cluster before.
    follows: [[u16; CLUSTERS]; CLUSTERS],
    /// The share of each cluster, in units of 2^-16, at least 1.
    shares: [u16; CLUSTERS],
}

impl<const CLUSTERS: usize> Transitions<CLUSTERS> {
    /// From the counts of pairs of successive windows: `counts[i][j]` windows of cluster `j` followed one of cluster `i`.
    ///
    /// Half a window is added to each count, so that what was never seen stays possible: the mean under Jeffreys' prior of
    /// a multinomial distribution (R. Krichevsky and V. Trofimov, "The performance of universal encoding", 1981).
    pub const fn from_counts(counts: &[[u32; CLUSTERS]; CLUSTERS]) -> Self {
        let mut transitions = Self { follows: [[0; CLUSTERS]; CLUSTERS], shares: [0; CLUSTERS] };
        let mut totals = [0; CLUSTERS];
        let mut i = 0;
        while i < CLUSTERS {
            totals[i] = sum(&counts[i]);
            let mut j = 0;
            while j < CLUSTERS {
                transitions.follows[i][j] = share(counts[i][j] as u64, totals[i], CLUSTERS);
                j += 1;
            }
            i += 1;
        }
        let mut all = 0;
        let mut i = 0;
        while i < CLUSTERS {
            all += totals[i];
            i += 1;
        }
        let mut i = 0;
        while i < CLUSTERS {
            transitions.shares[i] = share(totals[i], all, CLUSTERS);
            i += 1;
        }
        transitions
    }

    /// The probability that a window of cluster `after` follows one of cluster `before`; 0 for clusters that do not exist.
    pub fn probability(&self, before: usize, after: usize) -> f32 {
        let probability = self.follows.get(before).and_then(|row| row.get(after));
        probability.map_or(0.0, |&probability| f32::from(probability) / 65536.0)
    }
}

const fn sum(row: &[u32]) -> u64 {
    let (mut sum, mut j) = (0, 0);
    while j < row.len() {
        sum += row[j] as u64;
        j += 1;
    }
    sum
}

/// `floor(2^16 * (2 n + 1) / (2 total + clusters))`, from 1 to 65535.
const fn share(n: u64, total: u64, clusters: usize) -> u16 {
    // At most 2^32 times 2^16 windows.
    let share = ((2 * n as u128 + 1) << 16) / (2 * total as u128 + clusters as u128);
    match share {
        0 => 1,
        1..=0xffff => share as u16,
        _ => u16::MAX,
    }
}

/// Why there is no smoother.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
pub struct OtherClusters {
    /// Number of clusters of the model.
    pub needed: usize,
    /// Number of clusters of the transitions.
    pub given: usize,
}

impl core::fmt::Display for OtherClusters {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        write!(f, "the model has {} clusters, and the transitions are of {}", self.needed, self.given)
    }
}

impl core::error::Error for OtherClusters {}

/// Corrects the cluster of a window by the windows before it: the forward algorithm of a hidden Markov model whose states
/// are the clusters (L. Rabiner, "A Tutorial on Hidden Markov Models", 1989), in integers.
///
/// The likelihood of a cluster is its posterior over its share. `docs/FORMAT.md` defines each bit.
///
/// ```
/// # use edgemix_format::testing::Spec;
/// # let bytes = Spec::default().build().unwrap();
/// use edgemix_runtime::{Model, Smoother, Transitions, Workspace};
///
/// static HABITS: Transitions<3> = Transitions::from_counts(&[[90, 5, 5], [5, 90, 5], [5, 5, 90]]);
/// let model = Model::from_bytes(&bytes).unwrap();
/// let mut workspace = Workspace::<64>::new();
/// let mut smoother = Smoother::new(&model, &HABITS).unwrap();
/// let found = model.assign_raw(&[40u8; 6], &mut workspace).unwrap();
/// let cluster = smoother.observe(&found);
/// assert!(smoother.probability(cluster) > 1.0 / 3.0);
/// // Some windows were lost: habits tell ever less of what comes next.
/// smoother.miss();
/// ```
#[derive(Clone, Copy, Debug)]
pub struct Smoother<'t, const CLUSTERS: usize> {
    transitions: &'t Transitions<CLUSTERS>,
    /// Bits for a nat of a score, with the model's temperature, in units of 2^-16.
    rate: u32,
    /// The probability of each cluster, in units of 2^-30.
    belief: [u32; CLUSTERS],
}

impl<'t, const CLUSTERS: usize> Smoother<'t, CLUSTERS> {
    /// A smoother that has seen no windows.
    ///
    /// # Errors
    /// If the transitions are of another number of clusters than the model's.
    pub fn new(model: &Model, transitions: &'t Transitions<CLUSTERS>) -> Result<Self, OtherClusters> {
        if model.n_clusters() != CLUSTERS {
            return Err(OtherClusters { needed: model.n_clusters(), given: CLUSTERS });
        }
        let rate = rate(&model.file().calibration);
        Ok(Self { transitions, rate, belief: start(transitions) })
    }

    /// Observes the assignment of the next window. Returns the most probable cluster, the first of several.
    pub fn observe(&mut self, found: &Assignment) -> u16 {
        let mut likelihoods = [0u32; CLUSTERS];
        for (&score, k) in found.scores().iter().zip(0u16..) {
            let below = i64::from(found.log_density.0).abs_diff(score.into());
            if let Some(sum) = likelihoods.get_mut(usize::from(found.cluster_of(k))) {
                *sum = sum.saturating_add(exp2((below * u64::from(self.rate)) >> 16));
            }
        }
        self.miss();
        let mut products = [0u64; CLUSTERS];
        let mut total = 0u64;
        let terms = self.belief.iter().zip(&likelihoods).zip(&self.transitions.shares);
        for (product, ((&belief, &likelihood), &share)) in products.iter_mut().zip(terms) {
            let likelihood = likelihood.min(MOST_LIKELIHOOD) + 1;
            *product = (u64::from(belief) * u64::from(likelihood)).checked_div(share.into()).unwrap_or(0).max(1);
            total = total.saturating_add(*product);
        }
        // The total becomes less than 2^32.
        let shift = 32u32.saturating_sub(total.leading_zeros());
        for (belief, product) in self.belief.iter_mut().zip(products) {
            let share = ((product >> shift) << BELIEF).checked_div(total >> shift);
            *belief = share.map_or(0, |share| share as u32);
        }
        self.cluster()
    }

    /// A window that was not observed: lost, or too novel to say anything of the clusters.
    pub fn miss(&mut self) {
        let before = self.belief;
        for (j, belief) in self.belief.iter_mut().enumerate() {
            let terms = before.iter().zip(&self.transitions.follows);
            let product = |(&belief, row): (&u32, &[u16; CLUSTERS])| {
                u64::from(belief) * u64::from(row.get(j).copied().unwrap_or(0))
            };
            *belief = ((terms.map(product).sum::<u64>() >> 16) as u32).max(1);
        }
    }

    /// Forgets all windows, as behind a restart.
    pub fn restart(&mut self) {
        self.belief = start(self.transitions);
    }

    /// The most probable cluster, the first of several.
    pub fn cluster(&self) -> u16 {
        let mut best = (0, 0);
        for (&belief, cluster) in self.belief.iter().zip(0u16..) {
            if belief > best.0 {
                best = (belief, cluster);
            }
        }
        best.1
    }

    /// The probability of each cluster, in units of 2^-30.
    pub fn beliefs(&self) -> &[u32; CLUSTERS] {
        &self.belief
    }

    /// The probability of a cluster, from 0 to 1; 0 for one that does not exist.
    pub fn probability(&self, cluster: u16) -> f32 {
        self.belief.get(usize::from(cluster)).map_or(0.0, |&belief| belief as f32 / (1u32 << BELIEF) as f32)
    }
}

fn start<const CLUSTERS: usize>(transitions: &Transitions<CLUSTERS>) -> [u32; CLUSTERS] {
    transitions.shares.map(|share| u32::from(share) << (BELIEF - 16))
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

    #[test]
    fn transitions_are_counts_with_half_a_window_added() {
        let transitions = Transitions::from_counts(&[[0, 3], [0, 0]]);
        let expected = [[0.5 / 4.0, 3.5 / 4.0], [0.5, 0.5]].map(|row| row.map(|p: f64| (65536.0 * p) as u16));
        assert_eq!((transitions.follows, transitions.shares), (expected, [57344, 8192]));
        let certain = Transitions::from_counts(&[[u32::MAX; 1]]);
        assert_eq!((certain.follows, certain.shares), ([[65535]], [65535]));
    }
}
