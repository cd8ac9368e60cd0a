//! The ranges of tensors, and the integer schemes that suit them.

use super::fixed::Affine;

/// Number of clipped ranges that are tried, each shorter by 2 % of the whole range than the one before.
const CLIPS: usize = 20;
/// About this many values are kept to judge clipped ranges by.
const JUDGED: usize = 50_000;
/// The range of the int16 latent, divided by that of the calibration samples, since new samples may lie outside of theirs.
const LATENT_HEADROOM: f64 = 2.0;

/// The range of a tensor's values over the calibration samples.
#[derive(Clone, Debug)]
pub(super) struct Range {
    low: f64,
    high: f64,
    /// Every n-th value, to judge clipped ranges by.
    judged: Vec<f32>,
}

/// The ranges of a layer's values.
#[derive(Clone, Debug)]
pub(super) struct LayerRanges {
    /// Before the activation.
    pub(super) preactivation: Range,
    /// After it.
    pub(super) output: Range,
}

impl Range {
    /// The range of all values of a tensor, whose rows have `width` values.
    pub(super) fn new(values: &[f32], width: usize) -> Self {
        Self::of_part(values, 0, values.len(), width)
    }

    /// The range of some of a tensor's `total` values, beginning with the one at `first`. Its rows have `width` values.
    pub(super) fn of_part(values: &[f32], first: usize, total: usize, width: usize) -> Self {
        let (low, high) = values.iter().fold((f32::MAX, f32::MIN), |(low, high), &x| (low.min(x), high.max(x)));
        let step = coprime(total / JUDGED + 1, width);
        let judged = values.iter().copied().skip(first.next_multiple_of(step) - first).step_by(step).collect();
        Self { low: low.into(), high: high.into(), judged }
    }

    /// Extends the range by that of the values that follow.
    fn join(&mut self, next: Self) {
        self.low = self.low.min(next.low);
        self.high = self.high.max(next.high);
        self.judged.extend(next.judged);
    }

    /// Widens the range to include a value.
    pub(super) fn include(&mut self, value: f64) {
        self.low = self.low.min(value);
        self.high = self.high.max(value);
    }

    /// The int8 scheme that spans every value.
    pub(super) fn spanning(&self) -> Affine {
        Affine::spanning(self.low, self.high)
    }

    /// The int8 scheme with the least squared error, which may clip outliers.
    pub(super) fn clipped(&self) -> Affine {
        let error = |affine: Affine| -> f64 {
            let errors = self.judged.iter().map(|&x| f64::from(x) - affine.dequantize(affine.quantize(x.into())));
            errors.map(|e| e * e).sum()
        };
        let clips = (0..CLIPS).map(|step| {
            let keep = 1.0 - 0.02 * step as f64;
            Affine::spanning(self.low * keep, self.high * keep)
        });
        let least = clips.map(|affine| (error(affine), affine)).min_by(|a, b| a.0.total_cmp(&b.0));
        least.map_or_else(|| self.spanning(), |(_, affine)| affine)
    }

    /// The int16 scheme of a latent or of the argument of a curve, with room beyond the range of the values.
    pub(super) fn int16(&self) -> Affine {
        let greatest = self.high.max(-self.low).max(f64::MIN_POSITIVE);
        Affine { scale: greatest * LATENT_HEADROOM / f64::from(i16::MAX), zero_point: 0 }
    }
}

impl Range {
    /// The int16 scheme of values within limits, at which it saturates.
    pub(super) fn int16_within(&self, [low, high]: [f32; 2]) -> Affine {
        let greatest = f64::from(high.max(-low)).max(self.high).max(-self.low).max(f64::MIN_POSITIVE);
        Affine { scale: greatest / f64::from(i16::MAX), zero_point: 0 }
    }
}

/// The least number from `step` on that has no factor in common with `width`: steps of it come to every column of a row,
/// and so to every channel of an image.
fn coprime(step: usize, width: usize) -> usize {
    let gcd = |mut a: usize, mut b: usize| {
        while b > 0 {
            (a, b) = (b, a % b);
        }
        a
    };
    (step..).find(|&step| gcd(step, width.max(1)) == 1).unwrap_or(1)
}

impl LayerRanges {
    /// Joins the ranges of several runs through the same layers, or through layers of the same sizes.
    pub(super) fn join(runs: Vec<Vec<Self>>) -> Vec<Self> {
        let add = |mut sum: Vec<Self>, run: Vec<Self>| {
            for (sum, next) in sum.iter_mut().zip(run) {
                sum.preactivation.join(next.preactivation);
                sum.output.join(next.output);
            }
            sum
        };
        runs.into_iter().reduce(add).unwrap_or_default()
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        /// As many values of each column are judged as of any other but one, however they are cut.
        #[test]
        fn every_channel_is_judged(channels in 1usize..33, places in 1usize..65, factor in 1usize..9, rest in 0usize..5) {
            let width = channels * places;
            let rows = (JUDGED * factor + rest) / width + 1;
            let values: Vec<f32> = (0..rows * width).map(|i| (i % channels) as f32).collect();
            let cut = rows / 3 * width;
            let mut range = Range::of_part(&values[..cut], 0, values.len(), width);
            range.join(Range::of_part(&values[cut..], cut, values.len(), width));
            let mut seen = vec![0usize; channels];
            range.judged.iter().for_each(|&channel| seen[channel as usize] += 1);
            let (least, most) = (seen.iter().min().unwrap(), seen.iter().max().unwrap());
            prop_assert!(*least > 0 && most - least <= places, "{seen:?}");
            prop_assert_eq!(range.judged, Range::new(&values, width).judged);
        }
    }
}
