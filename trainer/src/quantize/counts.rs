//! Raw counts: which int16 a sensor's value is.

use edgemix_format::description::SampleRecord;
use edgemix_format::write::Blob;

use crate::data::{Layout, Samples, Scaling, ValueRange};

/// Raw counts of a column: `value = origin + raw * count`, where `raw` is an int16.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct Counts {
    pub(super) origin: f32,
    pub(super) count: f32,
}

/// Values that are not integers use this share of the range of int16 at most, since new samples may lie outside of the
/// range of the calibration samples.
const USED: f64 = 0.5;
/// Zero is the origin where the values are no farther from it than this many times the range that they span. They have at
/// least `2^15 * USED / ZERO` counts to the range then.
const ZERO: f64 = 2.0;

/// The counts of each column of samples, or one entry where they are all the same: images have one in any case. Values that
/// saturate once they are scaled need no counts of their own.
pub(super) fn of_samples(samples: &Samples, scaling: &Scaling) -> Vec<Counts> {
    let told_apart = |(column, range): (usize, ValueRange)| match scaling.saturates_at(column) {
        Some([low, high]) => {
            ValueRange { least: range.least.clamp(low, high), greatest: range.greatest.clamp(low, high), ..range }
        }
        None => range,
    };
    let columns: Vec<ValueRange> = samples.column_ranges().into_iter().enumerate().map(told_apart).collect();
    let unit = samples.count();
    if matches!(samples.layout(), Layout::Images(_)) {
        return vec![Counts::of_range(columns.into_iter().fold(ValueRange::EMPTY, ValueRange::union), unit)];
    }
    let columns: Vec<Counts> = columns.into_iter().map(|range| Counts::of_range(range, unit)).collect();
    match columns[..] {
        [first, ..] if columns.iter().all(|&column| column == first) => vec![first],
        _ => columns,
    }
}

/// Describes samples of `len` values with such counts.
pub(super) fn describe(len: usize, counts: &[Counts], blob: &mut Blob) -> SampleRecord {
    SampleRecord {
        len: len as u32,
        channels: counts.len() as u32,
        origin: blob.push(&counts.iter().map(|counts| counts.origin).collect::<Vec<f32>>()),
        count: blob.push(&counts.iter().map(|counts| counts.count).collect::<Vec<f32>>()),
    }
}

impl Counts {
    /// Counts of this size from 0 on.
    pub(super) fn of(count: f32) -> Self {
        Self { origin: 0.0, count }
    }

    /// Counts of these sizes from 0 on, one for each channel, or one entry where they are all the same.
    pub(super) fn of_each(counts: &[f32]) -> Vec<Self> {
        let is_one = counts.iter().all(|count| Some(count) == counts.first());
        counts.iter().take(if is_one { 1 } else { counts.len() }).copied().map(Self::of).collect()
    }

    /// The counts of values in a range. They are integers times `unit`, if there is one, or integers if the range says so.
    ///
    /// - Integers that fit int16 are their own counts, and those that fit uint16 less 32768.
    /// - Integers that span less than half of int16 are their own counts less the middle of the range.
    /// - Other values have the least power of two (times the unit of integers) with which half of int16 spans them: around
    ///   0, or around the middle of the range if that is far from 0.
    fn of_range(range: ValueRange, unit: Option<f32>) -> Self {
        let unit = unit.or(range.are_integers.then_some(1.0));
        let (least, greatest) = (f64::from(range.least), f64::from(range.greatest));
        if let Some(unit) = unit {
            let (first, last) = (least / f64::from(unit), greatest / f64::from(unit));
            if first >= i16::MIN.into() && last <= i16::MAX.into() {
                return Self { origin: 0.0, count: unit };
            }
            if first >= 0.0 && last <= u16::MAX.into() {
                return Self { origin: 32768.0 * unit, count: unit };
            }
        }
        let magnitude = f64::from(range.magnitude());
        let is_at_zero = range.is_constant() || magnitude <= ZERO * range.span();
        let middle = if is_at_zero { 0.0 } else { f64::midpoint(least, greatest) };
        let used = (greatest - middle).max(middle - least);
        let unit = f64::from(unit.unwrap_or(0.0));
        let count = match used / (USED * f64::from(i16::MAX)) {
            0.0 => 1.0,
            needed if needed <= unit => unit,
            needed if unit > 0.0 => unit * (needed / unit).log2().ceil().exp2(),
            needed => needed.log2().ceil().exp2(),
        };
        let count = count.max(f32::MIN_POSITIVE.into());
        Self { origin: ((middle / count).round() * count) as f32, count: count as f32 }
    }

    /// The count, not rounded, of a value in the unit of the data.
    pub(super) fn of_value(self, value: f64) -> f64 {
        (value - f64::from(self.origin)) / f64::from(self.count)
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const PLAIN: Scaling = Scaling { gain: vec![], offset: vec![], limits: None };

    fn of(values: &[f32]) -> Counts {
        of_samples(&Samples::new("column", values.to_vec(), 1), &PLAIN)[0]
    }

    #[test]
    fn values_that_saturate_need_no_counts() {
        let scaling = Scaling { gain: vec![0.5], offset: vec![-1.0], limits: Some([-2.0, 2.0]) };
        // From -2 to 6 in the unit of the data.
        let counts = of_samples(&Samples::new("column", vec![0.25, -1e6, 3.0, 1e9], 1), &scaling);
        assert_eq!(counts, of_samples(&Samples::new("column", vec![0.25, -2.0, 3.0, 6.0], 1), &PLAIN));
    }

    #[test]
    fn integers_are_their_own_counts_where_they_fit() {
        for values in [[-32768.0, 32767.0], [0.0, 255.0], [0.0, 0.0], [7.0, 7.0]] {
            assert_eq!(of(&values), Counts { origin: 0.0, count: 1.0 }, "{values:?}");
        }
        assert_eq!(of(&[0.0, 65535.0]), Counts { origin: 32768.0, count: 1.0 });
        assert_eq!(of(&[100_900.0, 101_600.0]), Counts { origin: 101_250.0, count: 1.0 });
        // Too wide: the least power of two.
        assert_eq!(of(&[0.0, 1e6]), Counts { origin: 0.0, count: 64.0 });
        assert_eq!(of(&[-40_000.0, 40_000.0]), Counts { origin: 0.0, count: 4.0 });
    }

    #[test]
    fn other_values_have_a_power_of_two() {
        assert_eq!(of(&[-1.5, 0.25]), Counts { origin: 0.0, count: 1.0 / 8192.0 });
        assert_eq!(of(&[101_025.5, 101_625.5]), Counts { origin: 101_325.5, count: 1.0 / 32.0 });
    }

    #[test]
    fn columns_have_counts_of_their_own_and_images_share_theirs() {
        let values = vec![-1.5, 101_025.5, 0.25, 101_625.5];
        assert_eq!(of_samples(&Samples::new("table", values.clone(), 2), &PLAIN).len(), 2);
        assert_eq!(of_samples(&Samples::new("same", vec![1.0, 2.0, 3.0, 4.0], 2), &PLAIN).len(), 1);
        let windows = Samples::new("w", [&values[..], &values[..]].concat(), 4);
        assert_eq!(of_samples(&windows.clone().with_layout(Layout::Windows { channels: 2 }), &PLAIN).len(), 2);
        let shape = crate::data::ImageShape { channels: 1, height: 2, width: 2 };
        assert_eq!(of_samples(&windows.with_layout(Layout::Images(shape)), &PLAIN).len(), 1);
    }

    proptest! {
        /// Values within the range fit int16, and a count is fine enough.
        #[test]
        fn the_range_fits(a in any::<f32>(), b in any::<f32>(), at in 0.0..1.0f64) {
            prop_assume!(a.is_finite() && b.is_finite());
            let (least, greatest) = (f64::from(a.min(b)), f64::from(a.max(b)));
            let counts = of(&[a, b]);
            prop_assert!(counts.origin.is_finite() && counts.count.is_finite() && counts.count > 0.0);
            let raw = counts.of_value(least + at * (greatest - least));
            prop_assert!((-32768.5..=32767.5).contains(&raw), "{raw} with {counts:?}");
            let is_exact = counts.count == 1.0 && a == a.trunc() && b == b.trunc();
            let is_least = counts.count == f32::MIN_POSITIVE;
            let is_constant = greatest - least <= 1e-6 * greatest.max(-least);
            prop_assert!(is_exact || is_least || is_constant || (greatest - least) / f64::from(counts.count) >= 4000.0, "{counts:?}");
        }
    }
}
