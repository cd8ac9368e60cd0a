//! Novelty tables: the p-value of a sample's typicality among those that the finished integer model computes for other
//! samples.
//!
//! Split-conformal prediction (Vovk, Gammerman and Shafer, "Algorithmic Learning in a Random World", 2005, sections 4.1 and
//! 4.5; a table per cluster is a Mondrian predictor): with `n` held-out samples, of which `m` are at most as typical as the
//! sample, its p-value is `(1 + m) / (1 + n)`.

use edgemix_format::description::{CalibrationRecord, HeldOutRecord, QuantileTableRecord};
use edgemix_format::write::Blob;

use crate::trained::Head;

/// Number of entries of a table of training samples, evenly spaced in the logarithm of the p-value, since alarms depend on
/// small p-values.
const ENTRIES: usize = 64;
/// Up to a p-value of `1 / TAIL`, each rank of a table exceeds the one before it by `1 / FINE` of the latter, but at least by
/// 1. Above that p-value, ranks are `1 / COARSE` of all samples apart.
const TAIL: usize = 4;
const FINE: usize = 32;
const COARSE: usize = 16;

/// The weight, in quarters, of the margin to the next cluster relative to the log-density. New kinds of samples have a low
/// density or lie between clusters. A logit is not a density and says little by itself, so a softmax gives the margin more
/// weight.
pub(super) fn margin_weight(head: &Head) -> u8 {
    match head {
        Head::Mixture(_) | Head::Autoencoders(_) => 1,
        Head::Softmax(_) => 8,
    }
}

/// The table of the training samples' own log-densities, for use if no samples were held out. Its p-values are too small for
/// new samples.
pub(super) fn training_table(log_densities: impl Iterator<Item = i32>, blob: &mut Blob) -> CalibrationRecord {
    let mut sorted: Vec<i32> = log_densities.collect();
    sorted.sort_unstable();
    let n = sorted.len();
    if n == 0 {
        return CalibrationRecord::None;
    }
    let ranks = (0..ENTRIES).map(|i| (n as f64).powf(i as f64 / (ENTRIES - 1) as f64).round() as usize);
    let mut entries: Vec<(i32, u16)> = ranks
        .map(|rank| {
            let threshold = sorted[rank.clamp(1, n) - 1];
            let at_most = sorted.partition_point(|&x| x <= threshold);
            let level = (at_most + 1) as f64 / (n + 1) as f64;
            (threshold, (level * f64::from(u16::MAX)).ceil() as u16)
        })
        .collect();
    entries.dedup();
    CalibrationRecord::Marginal(QuantileTableRecord {
        len: entries.len() as u16,
        log_densities: blob.push(&entries.iter().map(|e| e.0).collect::<Vec<i32>>()),
        levels: blob.push(&entries.iter().map(|e| e.1).collect::<Vec<u16>>()),
    })
}

/// A held-out sample: its cluster, and its typicality, which the runtime compares with the table.
pub(super) type HeldOutSample = (u16, i64);

/// Tables of held-out samples for `n_clusters` clusters; `training` are the clusters of the training samples.
pub(super) fn held_out_tables(
    training: &[u16],
    held_out: &[HeldOutSample],
    n_clusters: usize,
    finest_rate: f64,
    (margin_weight, inverse_temperature): (u8, f32),
    blob: &mut Blob,
) -> CalibrationRecord {
    let mut expected = vec![0.0; n_clusters];
    let share = held_out.len() as f64 / training.len().max(1) as f64;
    training.iter().for_each(|&cluster| expected[usize::from(cluster)] += share);
    let mut by_cluster = table_of_each_cluster(&expected, expected_for(1.0 / finest_rate - 1.0));
    let mut tables = build_tables(held_out, &by_cluster);
    if tables.iter().map(|table| table.entries.len()).sum::<usize>() > usize::from(u16::MAX) {
        by_cluster.fill(0);
        tables = build_tables(held_out, &by_cluster);
    }
    let ends = tables.iter().scan(0, |end, table| {
        *end += table.entries.len() as u16;
        Some(*end)
    });
    let ends: Vec<u16> = ends.collect();
    let entries = || tables.iter().flat_map(|table| &table.entries);
    CalibrationRecord::HeldOut(HeldOutRecord {
        n_tables: ends.len() as u16,
        len: entries().count() as u16,
        tables: blob.push(&by_cluster),
        ends: blob.push(&ends),
        samples: blob.push(&tables.iter().map(|table| table.n as u32).collect::<Vec<u32>>()),
        thresholds: blob.push(&entries().map(|e| e.0).collect::<Vec<i32>>()),
        levels: blob.push(&entries().map(|e| e.1).collect::<Vec<u16>>()),
        margin_weight,
        inverse_temperature,
    })
}

/// How many standard deviations the number of samples in a table may be below what is expected, and still suffice. The chance
/// of fewer is about 1 in 1000.
const RESERVE: f64 = 3.0;

/// The number of samples that must be expected in a table for `needed` samples to be there. The number is nearly of a Poisson
/// distribution, whose variance is its mean: `expected - RESERVE * sqrt(expected) = needed`.
fn expected_for(needed: f64) -> f64 {
    (0.5 * (RESERVE + (RESERVE * RESERVE + 4.0 * needed).sqrt())).powi(2)
}

/// The index of each cluster's table. A cluster has a table of its own if at least `enough` samples are expected in it. The
/// others share one table, to which the smallest of the former are added if the others have too few samples together.
///
/// The expected numbers come from the training samples. If the held-out samples decided, a new sample would no longer be
/// exchangeable with them.
fn table_of_each_cluster(expected: &[f64], enough: f64) -> Vec<u16> {
    let mut order: Vec<usize> = (0..expected.len()).collect();
    order.sort_by(|&a, &b| expected[a].total_cmp(&expected[b]));
    let (mut pool, mut pooled) = (vec![], 0.0);
    for cluster in order {
        if expected[cluster] < enough || (pooled > 0.0 && pooled < enough) {
            pool.push(cluster);
            pooled += expected[cluster];
        }
    }
    let mut next = 0;
    let mut number = || {
        next += 1;
        next - 1
    };
    let mut pool_table = None;
    let table = |cluster| {
        if pool.contains(&cluster) { *pool_table.get_or_insert_with(&mut number) } else { number() }
    };
    (0..expected.len()).map(table).collect()
}

/// The number of samples, and thresholds with their p-values.
struct Table {
    n: usize,
    entries: Vec<(i32, u16)>,
}

fn build_tables(held_out: &[HeldOutSample], by_cluster: &[u16]) -> Vec<Table> {
    let n_tables = by_cluster.iter().max().map_or(0, |&last| last + 1);
    let scores = |table| {
        let own = held_out.iter().filter(move |sample| by_cluster[usize::from(sample.0)] == table);
        own.map(|sample| sample.1).collect::<Vec<i64>>()
    };
    (0..n_tables).map(|table| Table::new(scores(table))).collect()
}

impl Table {
    /// A score below that of rank `r` has a p-value of at most `r / (n + 1)`: fewer than `r` samples are at most as typical.
    /// This also holds if scores are equal. p-values are rounded up, to a rank of the table and to its unit; a rank whose
    /// threshold exceeds 32 bits is covered by the next one.
    fn new(mut scores: Vec<i64>) -> Self {
        scores.sort_unstable();
        let n = scores.len();
        let level = |rank: usize| (rank as u64 * u64::from(u16::MAX)).div_ceil(n as u64 + 1) as u16;
        let threshold = |rank: usize| i32::try_from((scores[rank - 1] - 1).min(i32::MAX.into())).ok();
        let entry = |rank: usize| threshold(rank).map(|threshold| (threshold, level(rank)));
        let mut entries: Vec<(i32, u16)> = ranks(n).into_iter().filter_map(entry).collect();
        entries.dedup_by_key(|&mut (threshold, _)| threshold);
        if entries.is_empty() {
            entries.push((i32::MAX, u16::MAX));
        }
        Self { n, entries }
    }
}

/// The ranks from 1 to `n` that a table has: all of the lowest ones, and some of the higher ones.
fn ranks(n: usize) -> Vec<usize> {
    let after = |&rank: &usize| {
        let apart = if rank * TAIL <= n + 1 { rank / FINE } else { n / COARSE };
        (rank < n).then(|| (rank + apart.max(1)).min(n))
    };
    std::iter::successors((n > 0).then_some(1), after).collect()
}

#[cfg(test)]
mod tests {
    use edgemix_runtime::Novelty;
    use proptest::prelude::*;
    use rand::RngExt;

    use super::*;
    use crate::base::random::stream;

    /// The runtime's lookup.
    fn novelty(table: &Table, score: i64) -> u16 {
        let found = table.entries.iter().find(|&&(threshold, _)| score <= i64::from(threshold));
        found.map_or(u16::MAX, |&(_, level)| level)
    }

    fn exact(scores: &[i64], score: i64) -> f64 {
        (1 + scores.iter().filter(|&&x| x <= score).count()) as f64 / (scores.len() + 1) as f64
    }

    proptest! {
        #[test]
        fn a_p_value_is_never_too_small(
            scores in prop::collection::vec(prop_oneof![-50..50i64, any::<i32>().prop_map(i64::from), -1i64 << 33..1 << 33], 0..900),
            score in -1i64 << 33..1 << 33,
        ) {
            let table = Table::new(scores.clone());
            for score in scores.iter().copied().chain([score, score / 64, i64::from(i32::MIN), i64::from(i32::MAX), i64::MIN / 2, i64::MAX / 2]) {
                let found = f64::from(novelty(&table, score)) / 65535.0;
                prop_assert!(found >= exact(&scores, score) - 1e-12, "{found}");
            }
            prop_assert!(table.entries.is_sorted() && table.entries.iter().map(|e| e.1).is_sorted());
        }

        #[test]
        fn where_it_matters_a_p_value_is_hardly_too_great(
            scores in prop::collection::btree_set(-1_000_000..1_000_000i64, 1..900),
        ) {
            let scores: Vec<i64> = scores.into_iter().collect();
            let table = Table::new(scores.clone());
            for score in scores.iter().flat_map(|&x| [x - 1, x]) {
                let (found, exact) = (f64::from(novelty(&table, score)) / 65535.0, exact(&scores, score));
                prop_assert!(exact > 0.2 || found <= exact * (1.0 + 1.0 / FINE as f64) + 2e-5, "{found} {exact}");
            }
        }
    }

    /// The guarantee over tables and new samples: alarms are within four standard deviations of the requested rate, where
    /// the table can represent it.
    #[test]
    fn alarms_are_as_frequent_as_asked_for_and_not_more() {
        let mut rng = stream(0, "novelty", 0);
        for n in [199, 1200] {
            let trials = 40_000;
            let mut alarms = [0; 4];
            let rates = [0.001, 0.01, 0.05, 0.2];
            let per_table = 100;
            for _ in 0..trials / per_table {
                let table = Table::new((0..n).map(|_| rng.random::<i32>().into()).collect());
                for _ in 0..per_table {
                    let novelty = Novelty(novelty(&table, rng.random::<i32>().into()));
                    alarms
                        .iter_mut()
                        .zip(rates)
                        .for_each(|(count, rate)| *count += i32::from(novelty.is_novel(rate as f32)));
                }
            }
            for (count, rate) in alarms.into_iter().zip(rates) {
                let found = f64::from(count) / f64::from(trials);
                // Samples share a table, whose own deviation is added.
                let deviation = (rate
                    * (1.0 - rate)
                    * (1.0 / f64::from(trials) + f64::from(per_table) / (f64::from(trials) * f64::from(n))))
                .sqrt();
                assert!(found <= rate + 4.0 * deviation, "{n}: {found} for {rate}");
                // A rank is 1 / (n + 1), and ranks are 3 % apart.
                let least = if rate < 1.0 / f64::from(n) {
                    0.0
                } else {
                    rate * (1.0 - 1.0 / FINE as f64) - 1.0 / f64::from(n + 1)
                };
                assert!(found >= least - 4.0 * deviation, "{n}: {found} for {rate}");
            }
        }
    }

    #[test]
    fn clusters_that_are_large_enough_have_a_table_of_their_own() {
        assert_eq!(table_of_each_cluster(&[500.0, 99.0, 100.0, 20.0], 99.0), [0, 1, 2, 1]);
        // The small clusters have too few samples without the smallest of the large ones.
        assert_eq!(table_of_each_cluster(&[500.0, 30.0, 100.0, 20.0], 99.0), [0, 1, 1, 1]);
        assert_eq!(table_of_each_cluster(&[40.0, 30.0, 10.0], 99.0), [0, 0, 0]);
        assert_eq!(table_of_each_cluster(&[150.0, 100.0], 99.0), [0, 1]);
    }

    /// Nearly every table has the samples that its rate needs, although fewer fall into it than are expected half of the time.
    #[test]
    fn a_table_has_the_samples_that_its_rate_needs() {
        let mut random = stream(3, "reserve", 0);
        for rate in [0.1, 0.01, 0.005] {
            let needed = 1.0 / rate - 1.0;
            let expected = expected_for(needed);
            assert!((expected - RESERVE * expected.sqrt() - needed).abs() < 1e-6 * needed);
            let draws = 2 * expected.ceil() as usize;
            let short = (0..2000).filter(|_| {
                let held_out = (0..draws).filter(|_| random.random::<f64>() < 0.5).count();
                Table::new((0..held_out as i64).collect()).entries[0].1 > (rate * f64::from(u16::MAX)) as u16 + 1
            });
            assert!(short.count() <= 10, "{rate}");
        }
    }

    #[test]
    fn each_cluster_is_held_against_its_own() {
        // Two clusters of 300 samples; the second one's scores are all lower than the first one's.
        let all: Vec<HeldOutSample> =
            (0..600).map(|i| if i % 2 == 0 { (0, 1000 + i) } else { (1, -1000 + i) }).collect();
        let tables = build_tables(&all, &table_of_each_cluster(&[300.0, 300.0], 99.0));
        assert_eq!(tables.iter().map(|table| table.n).collect::<Vec<_>>(), [300, 300]);
        assert!(novelty(&tables[0], 500) < 300 && novelty(&tables[1], -300) == u16::MAX);
        let together = build_tables(&all, &[0, 0]);
        assert!(novelty(&together[0], 500) > 30_000);
    }
}
