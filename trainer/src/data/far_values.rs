//! Values that are far from all others of their column: readings of a broken sensor, or codes for missing values.
//!
//! The range of a column is judged by what lies between its 1st and 99th percentile, which a handful of values can't move
//! (as scikit-learn's `RobustScaler` does with quartiles). The usual remedy for integers, a range that clips (percentile
//! calibration: Wu et al., "Integer quantization for deep learning inference", 2020), needs no decision where nothing is far
//! out; here it is taken only where something is, so that other samples are scaled by all of their values.

use super::error::DataError;
use super::samples::{Layout, Samples};
use super::survey::ValueRange;

/// A value of a table is far if it is beyond the middle values by this many times their span.
const FAR: f64 = 3.0;
/// The same for instants of recordings and pixels of images, where bursts and bright points may be what matters.
const FAR_WITHIN_SAMPLES: f64 = 20.0;
/// The share of the values beyond the middle, at either end.
const TRIMMED: usize = 100;
/// This many values may be far at either end of a small table, which has at least [`FEWEST`] for each.
const HANDFUL: usize = 3;
/// Fewer values say nothing of their range.
const FEWEST: usize = 20;
/// A code for missing values is at most this part of a column.
const MOST_CODES: usize = 5;
/// About this many values are judged.
const JUDGED: usize = 1 << 20;

/// What programs and devices write where a value is missing: the ends of integer types, and rows of nines.
const CODES: [f32; 16] = [
    -99.0,
    99.0,
    -999.0,
    999.0,
    -9999.0,
    9999.0,
    -99_999.0,
    99_999.0,
    -999_999.0,
    999_999.0,
    32_767.0,
    -32_768.0,
    65_535.0,
    2_147_483_647.0,
    -2_147_483_648.0,
    4_294_967_295.0,
];

/// Whether a value that is far from all others is probably a code for a missing value.
pub(super) fn is_code(value: f32) -> bool {
    CODES.contains(&value)
}

/// The range of each column without the values that are far from all others; the whole range where there are none. Images
/// have the same range for all pixels.
pub(super) fn near_ranges(samples: &Samples) -> Result<Vec<ValueRange>, DataError> {
    let (columns, factor) = match samples.layout() {
        Layout::Table | Layout::Features => (samples.n_features(), FAR),
        Layout::Windows { channels } => (channels, FAR_WITHIN_SAMPLES),
        Layout::Images(_) => (1, FAR_WITHIN_SAMPLES),
    };
    near(samples, columns, factor)
}

/// The same of all values of a table together.
pub(super) fn near_range_of_all(samples: &Samples) -> Result<ValueRange, DataError> {
    Ok(near(samples, 1, FAR)?.into_iter().fold(ValueRange::EMPTY, ValueRange::union))
}

/// The same, where value `i` of a sample is of column `i` modulo their number.
fn near(samples: &Samples, columns: usize, factor: f64) -> Result<Vec<ValueRange>, DataError> {
    let mut ranges = vec![ValueRange::EMPTY; columns];
    for (feature, range) in samples.survey().ranges.iter().enumerate() {
        let column = feature % columns.max(1);
        ranges[column] = ranges[column].union(*range);
    }
    let some = samples.thinned((JUDGED / samples.n_features().max(1)).max(1000));
    let values = some.all()?;
    let bounds: Vec<(f64, f64)> = (0..columns)
        .map(|column| {
            let mut own: Vec<f32> = values.iter().copied().skip(column).step_by(columns).collect();
            own.sort_unstable_by(f32::total_cmp);
            bounds(&own, factor).unwrap_or((f64::NEG_INFINITY, f64::INFINITY))
        })
        .collect();
    let is_near = |x: f32, (low, high): (f64, f64)| (low..=high).contains(&f64::from(x));
    let ends = ranges.iter().zip(&bounds);
    let has_far: Vec<bool> = ends.map(|(r, &b)| !is_near(r.least, b) || !is_near(r.greatest, b)).collect();
    if !has_far.contains(&true) {
        return Ok(ranges);
    }
    ranges.iter_mut().zip(&has_far).filter(|(_, far)| **far).for_each(|(range, _)| *range = ValueRange::EMPTY);
    for block in samples.blocks() {
        for row in block?.chunks_exact(columns) {
            for (column, &x) in row.iter().enumerate().filter(|(column, _)| has_far[*column]) {
                if is_near(x, bounds[column]) {
                    ranges[column] = ranges[column].union(ValueRange::of(x));
                }
            }
        }
    }
    Ok(ranges)
}

/// Bounds beyond which values are far from sorted ones, with or without codes at their ends. None of values most of which
/// are the same: nothing is known of the range of the rest.
fn bounds(sorted: &[f32], factor: f64) -> Option<(f64, f64)> {
    let (first, last) = (*sorted.first()?, *sorted.last()?);
    let codes = |end: f32, n: usize| if is_code(end) && n <= sorted.len() / MOST_CODES { n } else { 0 };
    let low = codes(first, sorted.partition_point(|&x| x <= first));
    let high = codes(last, sorted.len() - sorted.partition_point(|&x| x < last));
    [(low, high), (low, 0), (0, high), (0, 0)].into_iter().find_map(|(low, high)| {
        let bounds = bounds_of_middle(sorted.get(low..sorted.len() - high)?, factor)?;
        let are_far = (low == 0 || f64::from(first) < bounds.0) && (high == 0 || f64::from(last) > bounds.1);
        are_far.then_some(bounds)
    })
}

fn bounds_of_middle(sorted: &[f32], factor: f64) -> Option<(f64, f64)> {
    let n = sorted.len();
    let trimmed = (n / TRIMMED).max((n / FEWEST).min(HANDFUL));
    let middle = sorted.get(trimmed..n - trimmed).filter(|_| n >= FEWEST)?;
    let (low, high) = (f64::from(*middle.first()?), f64::from(*middle.last()?));
    let far = factor * (high - low);
    (far > 0.0).then_some((low - far, high + far))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::base::random::{normal, stream};

    fn noise(n: usize) -> Vec<f32> {
        normal(n, &mut stream(0, "far values", 0))
    }

    fn range(values: Vec<f32>) -> (f32, f32) {
        let range = near_ranges(&Samples::new("column", values, 1)).unwrap()[0];
        (range.least, range.greatest)
    }

    #[test]
    fn a_handful_of_far_values_is_not_part_of_the_range() {
        for n in [20, 60, 1000, 30_000] {
            let own = range(noise(n));
            for far in [-9999.0, 1e6, 1e30, 40.0] {
                let mut values = noise(n);
                for row in 0..(n / 200).max(1) {
                    values[row * 7] = far;
                }
                let (least, greatest) = range(values);
                assert!(least >= own.0 && greatest <= own.1 && greatest - least > 1.0, "{n}, {far}");
            }
        }
    }

    #[test]
    fn values_of_one_kind_and_rare_flags_are_near() {
        let whole = |values: Vec<f32>| {
            let all = values.iter().fold(ValueRange::EMPTY, |all, &x| all.union(ValueRange::of(x)));
            assert_eq!(range(values), (all.least, all.greatest));
        };
        whole(noise(5000));
        whole(noise(5000).into_iter().map(f32::exp).collect());
        // Two clusters far apart, the smaller of 2 %; a flag that is hardly ever set; few values.
        whole(noise(1000).into_iter().enumerate().map(|(i, x)| if i % 50 == 0 { x + 1e4 } else { x }).collect());
        whole((0..1000).map(|i| if i % 400 == 0 { -9999.0 } else { 0.0 }).collect());
        whole(vec![0.0, 1.0, 2.0, 1e6]);
    }

    #[test]
    fn a_code_may_be_as_frequent_as_missing_values_are() {
        let with = |code: f32| {
            range(noise(1000).into_iter().enumerate().map(|(i, x)| if i % 10 == 0 { code } else { x }).collect())
        };
        assert!(with(-9999.0).0 > -10.0 && with(65_535.0).1 < 10.0);
        // A tenth of the samples at a place that is no code is a cluster.
        assert_eq!(with(-5000.0).0, -5000.0);
        // 99 among values to 100 is no code.
        let percent = (0..1000).map(|i| (i % 100) as f32).collect();
        assert_eq!(range(percent), (0.0, 99.0));
    }

    #[test]
    fn bursts_of_a_recording_are_near_and_faults_are_not() {
        let windows = |peak: f32| {
            let mut values = noise(4000);
            values[123] = peak;
            let windows = Samples::new("windows", values, 40).with_layout(Layout::Windows { channels: 2 });
            near_ranges(&windows).unwrap().into_iter().map(|range| range.greatest).fold(0.0, f32::max)
        };
        assert_eq!(windows(60.0), 60.0);
        assert!(windows(1e6) < 10.0);
    }
}
