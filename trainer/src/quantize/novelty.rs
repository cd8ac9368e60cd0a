//! The novelty table: which log-density has which p-value among the calibration samples.

use edgemix_format::description::{Calibration, QuantileTable};
use edgemix_format::write::Blob;

/// Entries of the table; evenly spaced in the logarithm of the p-value, where alarms are decided.
const ENTRIES: usize = 64;

/// The table of a set of log-densities in units of 2^-16 nat: conformal p-values, `(1 + #{at most this}) / (1 + n)`,
/// rounded up.
pub(super) fn table(log_densities: impl Iterator<Item = i32>, blob: &mut Blob) -> Calibration {
    let mut sorted: Vec<i32> = log_densities.collect();
    sorted.sort_unstable();
    let n = sorted.len();
    if n == 0 {
        return Calibration::None;
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
    Calibration::Marginal(QuantileTable {
        len: entries.len() as u16,
        log_densities: blob.push(&entries.iter().map(|e| e.0).collect::<Vec<i32>>()),
        levels: blob.push(&entries.iter().map(|e| e.1).collect::<Vec<u16>>()),
    })
}
