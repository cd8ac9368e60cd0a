//! Tests whether samples still resemble those that the model was trained on: a sequential test on p-values, and running
//! shares.
//!
//! **The bins.** Novelties fall into eight bins. A table of `n` held-out samples cuts the scores into `n + 1` spacings, of
//! which each bin has some. A sample that is exchangeable with the held-out ones falls into each spacing with the same
//! probability. After `t` samples, the next one therefore falls into a bin that has `k` spacings and `m` of the samples
//! with probability `(k + m) / (n + 1 + t)`. This is Polya's urn, exact whatever the distribution of the scores. A small
//! table is itself off by chance. The urn allows for that; a test that treats p-values as independent does not.
//!
//! **The bets.** Three weightings of the bins bet against the urn: that a few samples are very novel, that many are
//! rather novel, and that none is novel. At each sample, the wealth of a bet is multiplied by the weight of the
//! sample's bin over the weight that the urn expects, a factor of mean 1. Each bet is restarted at every sample; the
//! restart at the `t`-th sample has a share of `1 / (3 t (t + 1))` of the capital, and these shares add up to at most
//! one. The total wealth is therefore a non-negative martingale, and the probability that it ever exceeds `m` is at
//! most `1 / m` (J. Ville, *Étude critique de la notion de collectif*, 1939). Martingales of p-values are due to Vovk,
//! Nouretdinov and Gammerman, "Testing exchangeability on-line", 2003. Bates, Candes, Lei, Romano and Sesia, "Testing
//! for outliers with conformal p-values", 2023, treat the dependence between p-values of one table.
//!
//! **The arithmetic.** For each bet the monitor stores the wealth since its best restart, which is at most the total
//! wealth, as a base-2 logarithm in units of 2^-16. Logarithms are rounded so that no factor grows, and the bound holds
//! with rounding.

use edgemix_format::view::{Calibration, HeldOut};

use crate::{DriftError, Model, Novelty};

/// Number of weightings of the bins.
const BETS: usize = 3;
/// The largest novelty of each bin but the last: p-values of 1/256, 1/64, 1/16, 1/8, 1/4, 1/2 and 3/4.
const BIN_EDGES: [u16; 7] = [255, 1023, 4095, 8191, 16383, 32767, 49151];
/// The weight that each bet gives each bin: for a few very novel samples, for many rather novel ones, for none.
const WEIGHTS: [[u8; BIN_EDGES.len() + 1]; BETS] =
    [[16, 8, 2, 1, 1, 1, 1, 1], [8, 6, 5, 4, 3, 2, 2, 1], [1, 1, 1, 1, 1, 2, 3, 4]];
/// An urn that holds this many samples takes no more: the largest weight times this number fits 32 bits.
const URN_CAPACITY: u32 = 1 << 28;
/// Base-2 logarithm of the number of samples that running shares remember by default.
const LOG2_WINDOW: u32 = 10;
/// The largest p-value that counts as novel by default: 1 %.
const NOVEL: Novelty = Novelty(655);

/// The part of a [`DriftMonitor`](crate::DriftMonitor) whose size does not depend on the number of clusters, for programs
/// that know this number only when they run. What it keeps of each cluster is in memory of the caller, and every call takes
/// the same memory.
///
/// ```
/// # let bytes = edgemix_format::testing::Spec { held_out: 1, ..Default::default() }.build().unwrap();
/// use edgemix_runtime::{ClusterDrift, DriftTest, Model, Novelty};
///
/// let model = Model::from_bytes(&bytes).unwrap();
/// let mut memory = vec![ClusterDrift::default(); model.n_clusters()];
/// let mut drift = DriftTest::new(&model, 1000, &mut memory).unwrap();
/// drift.observe(1, Novelty(1966), &mut memory);
/// assert_eq!((drift.seen(), memory[1].share()), (1, 1.0));
/// ```
#[derive(Clone, Debug)]
pub struct DriftTest<'m> {
    /// The index of each cluster's novelty table, which is also the index of its urn.
    tables: &'m [u16],
    /// The log2 of each bet's wealth, in units of 2^-16.
    wealth: [i32; BETS],
    alarm_threshold: i32,
    has_drifted: bool,
    seen: u64,
    /// The running share of novel samples in units of 2^-32.
    novel: u32,
    counts_as_novel: Novelty,
    log2_window: u32,
}

/// What a [`DriftTest`] keeps of a cluster.
#[derive(Clone, Copy, Debug, Default)]
#[repr(C)]
pub struct ClusterDrift {
    urn: Urn,
    /// The running share in units of 2^-32.
    share: u32,
}

impl ClusterDrift {
    /// The running share of the cluster, from 0 to 1.
    pub fn share(&self) -> f32 {
        share(self.share)
    }
}

/// Polya's urn of one novelty table: the number of its spacings and of the samples seen, and the same number weighted
/// by each bet's weight of their bins.
#[derive(Clone, Copy, Debug, Default)]
#[repr(C)]
struct Urn {
    total: u32,
    weighted: [u32; BETS],
}

impl<'m> DriftTest<'m> {
    /// Begins a test that has seen no samples, and fills the memory of the clusters. Without drift, the probability that it
    /// ever raises an alarm is at most `1 / one_in`.
    ///
    /// # Errors
    /// [`DriftError::NoHeldOutSamples`] if the model has no novelty table of held-out samples, and
    /// [`DriftError::TooManyClusters`] if it has more clusters than `clusters` elements.
    pub fn new(model: &Model<'m>, one_in: u32, clusters: &mut [ClusterDrift]) -> Result<Self, DriftError> {
        let Calibration::HeldOut(held_out) = model.file().calibration else { return Err(DriftError::NoHeldOutSamples) };
        let too_many = DriftError::TooManyClusters { needed: model.n_clusters(), given: clusters.len() };
        let clusters = clusters.get_mut(..model.n_clusters()).ok_or(too_many)?;
        // There are at most as many tables in use as clusters, and fewer clusters than a u16 can count.
        for (cluster, table) in clusters.iter_mut().zip(0..) {
            *cluster = ClusterDrift { urn: Urn::of_table(&held_out, table), share: 0 };
        }
        Ok(Self {
            tables: held_out.tables,
            wealth: [0; BETS],
            alarm_threshold: log2_up(one_in.saturating_mul(BETS as u32)),
            has_drifted: false,
            seen: 0,
            novel: 0,
            counts_as_novel: NOVEL,
            log2_window: LOG2_WINDOW,
        })
    }

    /// As [`DriftMonitor::with_running_shares`](crate::DriftMonitor::with_running_shares).
    #[must_use]
    pub fn with_running_shares(mut self, rate: f32, log2_window: u32) -> Self {
        // `as` saturates, and NaN becomes 0.
        self.counts_as_novel = Novelty((rate * 65535.0) as u16);
        self.log2_window = log2_window.min(31);
        self
    }

    /// Observes the assignment of one sample. Unknown clusters are ignored.
    pub fn observe(&mut self, cluster: u16, novelty: Novelty, clusters: &mut [ClusterDrift]) {
        let Some(&table) = self.tables.get(usize::from(cluster)) else { return };
        self.seen = self.seen.saturating_add(1);
        let age = self.seen.checked_ilog2().unwrap_or(0);
        let shift = age.min(self.log2_window);
        move_to(&mut self.novel, novelty <= self.counts_as_novel, shift);
        for (each, k) in clusters.iter_mut().take(self.tables.len()).zip(0u16..) {
            move_to(&mut each.share, k == cluster, shift);
        }
        if let Some(ClusterDrift { urn, .. }) = clusters.get_mut(usize::from(table))
            && urn.total < URN_CAPACITY
        {
            bet(urn, &mut self.wealth, age, novelty);
            self.has_drifted |= self.wealth.iter().any(|&wealth| wealth >= self.alarm_threshold);
        }
    }

    /// Whether the test has ever raised an alarm. An alarm stays; to start over, begin a new test.
    pub fn has_drifted(&self) -> bool {
        self.has_drifted
    }

    /// The present evidence of drift and the evidence that raises an alarm, both in units of 2^-16 bit. The former may
    /// be negative.
    pub fn evidence(&self) -> (i32, i32) {
        (self.wealth.iter().fold(i32::MIN, |most, &wealth| most.max(wealth)), self.alarm_threshold)
    }

    /// Number of observed samples, without those of unknown clusters.
    pub fn seen(&self) -> u64 {
        self.seen
    }

    /// The running share of novel samples, from 0 to 1.
    pub fn novel_share(&self) -> f32 {
        share(self.novel)
    }
}

impl Urn {
    /// The urn that holds a table's spacings and no samples yet. Levels are ranks divided by `n + 1` and rounded up,
    /// from which ranks are recovered exactly up to 65,534 samples.
    fn of_table(held_out: &HeldOut, table: u16) -> Self {
        let samples = held_out.samples.get(usize::from(table)).copied().unwrap_or(0);
        let total = samples.saturating_add(1).min(URN_CAPACITY);
        let mut urn = Self { total, weighted: [0; BETS] };
        let (_, levels) = held_out.table(table);
        let mut below = 0;
        // Above the last threshold the p-value is 1.
        for &level in levels.iter().chain(&[u16::MAX]) {
            let rank = (u64::from(level) * u64::from(total) / u64::from(u16::MAX)) as u32;
            let spacings = rank.saturating_sub(below);
            for (weighted, weight) in urn.weighted.iter_mut().zip(weights(Novelty(level))) {
                *weighted = weighted.saturating_add(spacings.saturating_mul(weight));
            }
            below = below.max(rank);
        }
        urn
    }
}

/// Multiplies each bet's wealth by its weight of the sample's bin over the weight that the urn expects, then adds the
/// sample to the urn. A bet with less wealth than a restart would have is restarted.
///
/// At the `t`-th sample, `age` is `floor(log2 t)`, and a restart has at least `2^(-2 (age + 1))` of its bet's third of
/// the capital; the threshold of the alarm accounts for the third.
fn bet(urn: &mut Urn, wealth: &mut [i32; BETS], age: u32, novelty: Novelty) {
    let restart = -((age as i32 + 1) << 17);
    for ((wealth, weighted), weight) in wealth.iter_mut().zip(&mut urn.weighted).zip(weights(novelty)) {
        let factor = log2(weight.saturating_mul(urn.total)).saturating_sub(log2_up(*weighted));
        *wealth = (*wealth).max(restart).saturating_add(factor);
        *weighted = weighted.saturating_add(weight);
    }
    urn.total = urn.total.saturating_add(1);
}

/// The weight that each bet gives the bin of a novelty.
fn weights(novelty: Novelty) -> impl Iterator<Item = u32> {
    let bin = BIN_EDGES.iter().filter(|&&edge| novelty.0 > edge).count();
    WEIGHTS.iter().map(move |weights| weights.get(bin).copied().unwrap_or(1).into())
}

/// The base-2 logarithm in units of 2^-16, rounded down; 0 for 0. It is computed bit by bit: squaring doubles a
/// logarithm.
fn log2(x: u32) -> i32 {
    let whole = x.checked_ilog2().unwrap_or(0);
    let mut mantissa = x << (31 - whole.min(31));
    let mut log = whole as i32;
    for _ in 0..16 {
        let square = (u64::from(mantissa) * u64::from(mantissa)) >> 31;
        let carry = (square >> 32) as u32 & 1;
        mantissa = (square >> carry) as u32;
        log = (log << 1) | carry as i32;
    }
    log
}

/// An upper bound of the logarithm: [`log2`] loses less than one unit by its last bit and far less than one by
/// truncated squares.
fn log2_up(x: u32) -> i32 {
    log2(x) + 2
}

/// Moves a share towards one or zero by `2^-shift` of the distance.
fn move_to(share: &mut u32, is_one: bool, shift: u32) {
    if is_one {
        *share = share.saturating_add((u32::MAX - *share) >> shift.min(31));
    } else {
        *share = share.saturating_sub(*share >> shift.min(31));
    }
}

fn share(fraction: u32) -> f32 {
    fraction as f32 / 4_294_967_296.0
}

#[cfg(test)]
mod tests {
    extern crate std;

    use super::*;

    #[test]
    fn memory_for_more_clusters_than_a_model_can_have_is_fine() {
        let spec = edgemix_format::testing::Spec { held_out: 1, ..Default::default() };
        let bytes = spec.build().unwrap();
        let model = Model::from_bytes(&bytes).unwrap();
        let mut memory = std::vec![ClusterDrift::default(); 70_000];
        let mut drift = DriftTest::new(&model, 1000, &mut memory).unwrap();
        drift.observe(1, Novelty(1966), &mut memory);
        assert_eq!((memory[1].share, memory[69_999].share), (u32::MAX, 0));
    }

    #[test]
    fn logarithms_are_at_most_two_units_off_and_never_above() {
        let all = (1..100_000u32).chain((0..32).flat_map(|shift| {
            let x = 1u32 << shift;
            [x, x.saturating_add(1), x.saturating_mul(2) - 1, x | x >> 1, x | x >> 3]
        }));
        for x in all.chain([u32::MAX, u32::MAX - 1]) {
            let exact = f64::from(x).log2() * 65536.0;
            assert!(f64::from(log2(x)) <= exact + 1e-6 && f64::from(log2_up(x)) >= exact, "{x}");
            assert!(exact - f64::from(log2(x)) < 1.01, "{x}");
        }
        assert_eq!((log2(0), log2(1), log2(1 << 31)), (0, 0, 31 << 16));
    }
}
