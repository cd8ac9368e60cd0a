//! Whether what is seen is still what was trained on: a sequential test on p-values, and running shares.
//!
//! **The bins.** Novelties fall into eight bins. A table of `n` held-out samples cuts the scores into `n + 1` spacings, some
//! of them to each bin, and a sample that is exchangeable with the held-out ones falls into each spacing with the same
//! probability. Given the bins of `t` samples, the next one falls into a bin with probability `(spacings + samples there) /
//! (n + 1 + t)`: Polya's urn, exactly, though nobody knows the scores' distribution. The urn takes into account that a
//! table of few samples is itself off by chance, which p-values that are taken for independent would not.
//!
//! **The bets.** Against that, three weightings of the bins bet that novelty is more common, sometimes or often, or that
//! what is seen is all too usual: the wealth of each is multiplied by the weight of the bin over the weight that the urn
//! expects, a factor of mean 1. Each bet is made anew from every sample on, with a share of `1 / (3 t (t + 1))` of the
//! capital from the `t`-th on: these add up to less than one. The wealth of all is therefore a non-negative martingale,
//! and exceeds `m` ever with a probability of at most `1 / m` (Ville, 1939). Such martingales of p-values are those of Vovk,
//! Nouretdinov and Gammerman, "Testing exchangeability on-line", 2003; that p-values of one table depend on each other is
//! the matter of Bates, Candes, Lei, Romano and Sesia, "Testing for outliers with conformal p-values", 2023.
//!
//! What is kept is the best bet's wealth from its best sample on, which is less than that of all, as a logarithm of base 2
//! in units of 2^-16. Logarithms are rounded so that no factor becomes greater: the promise holds with the rounding.

use edgemix_format::view::{Calibration, HeldOut};

use crate::{DriftError, Model, Novelty};

/// Weightings of the bins.
const BETS: usize = 3;
/// The greatest novelty of each bin but the last: p-values of 1/256, 1/64, 1/16, 1/8, 1/4, 1/2, 3/4.
const EDGES: [u16; 7] = [255, 1023, 4095, 8191, 16383, 32767, 49151];
/// What each bet puts on each bin: on few very novel samples, on many novel ones, on none.
const WEIGHTS: [[u8; EDGES.len() + 1]; BETS] =
    [[16, 8, 2, 1, 1, 1, 1, 1], [8, 6, 5, 4, 3, 2, 2, 1], [1, 1, 1, 1, 1, 2, 3, 4]];
/// An urn takes so many samples, then rests: the greatest weight times this fits 32 bits.
const FULL: u32 = 1 << 28;
/// Samples that running shares remember by default, as a logarithm of base 2.
const WINDOW: u32 = 10;
/// What counts as novel by default: 1 %.
const NOVEL: Novelty = Novelty(655);

/// Watches what a model says of sample after sample. `CLUSTERS` is [`n_clusters`](crate::n_clusters) of the model, or more.
///
/// ```
/// # use edgemix_format::testing::Spec;
/// # let bytes = Spec { held_out: 1, ..Spec::default() }.build().unwrap();
/// use edgemix_runtime::{Drift, Model, Workspace};
///
/// let model = Model::from_bytes(&bytes).unwrap();
/// let mut workspace = Workspace::<64>::new();
/// // A false alarm, ever, with a probability of at most 1 in 1000.
/// let mut drift = Drift::<3>::new(&model, 1000).unwrap();
/// let found = model.assign_raw(&[40u8; 6], &mut workspace).unwrap();
/// drift.observe(found.cluster, found.novelty);
/// assert!(!drift.has_drifted());
/// ```
///
/// The promise is for samples that are exchangeable with the held-out ones and with each other. Overlapping windows of a
/// recording are not, and raise alarms: give it samples that lie apart.
#[derive(Clone, Debug)]
pub struct Drift<'m, const CLUSTERS: usize> {
    /// The table of each cluster, which is the urn's index.
    tables: &'m [u16],
    urns: [Urn; CLUSTERS],
    /// Each bet's wealth, log2 in units of 2^-16.
    wealth: [i32; BETS],
    alarm: i32,
    has_drifted: bool,
    seen: u64,
    /// Running shares in units of 2^-32.
    shares: [u32; CLUSTERS],
    novel: u32,
    counts_as_novel: Novelty,
    window: u32,
}

/// Spacings of a table and samples that fell into them, and the same weighted by each bet.
#[derive(Clone, Copy, Debug, Default)]
struct Urn {
    total: u32,
    weighted: [u32; BETS],
}

impl<'m, const CLUSTERS: usize> Drift<'m, CLUSTERS> {
    /// A monitor that has seen nothing. It alarms though nothing drifted, ever, with a probability of at most 1 in `one_in`.
    /// See [`Drift`] for an example.
    ///
    /// # Errors
    /// See [`DriftError`].
    pub fn new(model: &Model<'m>, one_in: u32) -> Result<Self, DriftError> {
        let Calibration::HeldOut(held_out) = model.file().calibration else { return Err(DriftError::NotHeldOut) };
        if model.n_clusters() > CLUSTERS {
            return Err(DriftError::Clusters { needed: model.n_clusters(), given: CLUSTERS });
        }
        let mut urns = [Urn::default(); CLUSTERS];
        // No more tables have a cluster than there are clusters; urns of others are never drawn from.
        for (table, urn) in (0..).zip(&mut urns) {
            *urn = Urn::of(&held_out, table);
        }
        Ok(Self {
            tables: held_out.tables,
            urns,
            wealth: [0; BETS],
            alarm: log2_up(one_in.saturating_mul(BETS as u32)),
            has_drifted: false,
            seen: 0,
            shares: [0; CLUSTERS],
            novel: 0,
            counts_as_novel: NOVEL,
            window: WINDOW,
        })
    }

    /// Counts samples as novel whose p-value is at most `rate` (1 % if nothing is said), in running shares that remember
    /// some `2^window` samples (1024), at most 2^31. The test does not depend on either.
    ///
    /// ```
    /// # let bytes = edgemix_format::testing::Spec { held_out: 1, ..Default::default() }.build().unwrap();
    /// use edgemix_runtime::{Drift, Model, Novelty};
    ///
    /// let model = Model::from_bytes(&bytes).unwrap();
    /// let mut drift = Drift::<3>::new(&model, 1000).unwrap().counting(0.05, 8);
    /// // A p-value of 3 %.
    /// drift.observe(1, Novelty(1966));
    /// assert_eq!((drift.seen(), drift.novel_share(), drift.cluster_share(1)), (1, 1.0, 1.0));
    /// ```
    #[must_use]
    pub fn counting(mut self, rate: f32, window: u32) -> Self {
        // Saturates, and NaN becomes 0.
        self.counts_as_novel = Novelty((rate * 65535.0) as u16);
        self.window = window.min(31);
        self
    }

    /// Takes in what the model said of a sample. What no cluster of the model is, is passed over.
    /// See [`Drift`] for an example.
    pub fn observe(&mut self, cluster: u16, novelty: Novelty) {
        let Some(&table) = self.tables.get(usize::from(cluster)) else { return };
        self.seen = self.seen.saturating_add(1);
        let age = self.seen.checked_ilog2().unwrap_or(0);
        let shift = age.min(self.window);
        move_to(&mut self.novel, novelty <= self.counts_as_novel, shift);
        for (share, k) in self.shares.iter_mut().zip(0u16..) {
            move_to(share, k == cluster, shift);
        }
        if let Some(urn) = self.urns.get_mut(usize::from(table))
            && urn.total < FULL
        {
            bet(urn, &mut self.wealth, age, novelty);
            self.has_drifted |= self.wealth.iter().any(|&wealth| wealth >= self.alarm);
        }
    }

    /// Whether the test has ever said that what is seen is not what was trained on. It stays so: begin anew with
    /// [`new`](Self::new). See [`Drift`] for an example.
    pub fn has_drifted(&self) -> bool {
        self.has_drifted
    }

    /// The evidence of drift now, and how much of it is an alarm: bits, in units of 2^-16. It may be negative.
    ///
    /// ```
    /// # let bytes = edgemix_format::testing::Spec { held_out: 1, ..Default::default() }.build().unwrap();
    /// # let model = edgemix_runtime::Model::from_bytes(&bytes).unwrap();
    /// let drift = edgemix_runtime::Drift::<3>::new(&model, 1000).unwrap();
    /// let (evidence, alarm) = drift.evidence();
    /// // Three bets, a thousand to one each: log2 3000 is between 11 and 12 bits.
    /// assert!(evidence == 0 && (11 << 16..12 << 16).contains(&alarm));
    /// ```
    pub fn evidence(&self) -> (i32, i32) {
        (self.wealth.iter().fold(i32::MIN, |most, &wealth| most.max(wealth)), self.alarm)
    }

    /// Number of samples that were taken in. See [`Self::counting`] for an example.
    pub fn seen(&self) -> u64 {
        self.seen
    }

    /// The running share of novel samples. See [`Self::counting`] for an example.
    pub fn novel_share(&self) -> f32 {
        share(self.novel)
    }

    /// The running share of a cluster. 0 for a cluster that does not exist. See [`Self::counting`] for an example.
    pub fn cluster_share(&self, cluster: u16) -> f32 {
        self.shares.get(usize::from(cluster)).map_or(0.0, |&of_cluster| share(of_cluster))
    }
}

impl Urn {
    /// A table's spacings. Levels are ranks over `n + 1`, rounded up, so that the ranks come back exactly up to 65,534
    /// samples.
    fn of(held_out: &HeldOut, table: u16) -> Self {
        let samples = held_out.samples.get(usize::from(table)).copied().unwrap_or(0);
        let total = samples.saturating_add(1).min(FULL);
        let mut urn = Self { total, weighted: [0; BETS] };
        let (_, levels) = held_out.table(table);
        let mut below = 0;
        // Above the last threshold the novelty is the greatest.
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

/// Multiplies each bet's wealth by what it put on the sample's bin over what was to be expected, then adds the sample to
/// the urn. A bet that lost more than a new one would have from here on is made anew: of the `t`-th sample's share, which
/// is at least `2^(-2 (log2 t + 1))`.
fn bet(urn: &mut Urn, wealth: &mut [i32; BETS], age: u32, novelty: Novelty) {
    let anew = -((age as i32 + 1) << 17);
    for ((wealth, weighted), weight) in wealth.iter_mut().zip(&mut urn.weighted).zip(weights(novelty)) {
        let factor = log2(weight.saturating_mul(urn.total)).saturating_sub(log2_up(*weighted));
        *wealth = (*wealth).max(anew).saturating_add(factor);
        *weighted = weighted.saturating_add(weight);
    }
    urn.total = urn.total.saturating_add(1);
}

/// What each bet puts on the bin of a novelty.
fn weights(novelty: Novelty) -> impl Iterator<Item = u32> {
    let bin = EDGES.iter().filter(|&&edge| novelty.0 > edge).count();
    WEIGHTS.iter().map(move |weights| weights.get(bin).copied().unwrap_or(1).into())
}

/// The logarithm of base 2 in units of 2^-16, rounded down; 0 of 0. Bit by bit: a square has twice the logarithm.
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

/// At least the logarithm: what was cut off the squares is far less than a unit, and the last bit is less than one.
fn log2_up(x: u32) -> i32 {
    log2(x) + 2
}

/// Moves a share by `2^-shift` of the way to one or to zero.
fn move_to(share: &mut u32, is_one: bool, shift: u32) {
    if is_one {
        *share = share.saturating_add((u32::MAX - *share) >> shift.min(31));
    } else {
        *share = share.saturating_sub(*share >> shift.min(31));
    }
}

fn share(of: u32) -> f32 {
    of as f32 / 4_294_967_296.0
}

#[cfg(feature = "defmt")]
impl<const CLUSTERS: usize> defmt::Format for Drift<'_, CLUSTERS> {
    fn format(&self, f: defmt::Formatter) {
        let (evidence, alarm) = self.evidence();
        defmt::write!(
            f,
            "{=u64} samples, {=f32} of the last novel, evidence {=f32} of {=f32} bits, drifted {=bool}",
            self.seen,
            self.novel_share(),
            evidence as f32 / 65536.0,
            alarm as f32 / 65536.0,
            self.has_drifted
        );
    }
}

#[cfg(test)]
mod tests {
    use super::*;

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
