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
    /// The range of all values of a tensor.
    pub(super) fn new(values: &[f32]) -> Self {
        Self::of_part(values, 0, values.len())
    }

    /// The range of some of a tensor's `total` values, beginning with the one at `first`.
    pub(super) fn of_part(values: &[f32], first: usize, total: usize) -> Self {
        let (low, high) = values.iter().fold((f32::MAX, f32::MIN), |(low, high), &x| (low.min(x), high.max(x)));
        let step = total / JUDGED + 1;
        let judged = values.iter().copied().skip(first.wrapping_neg() % step).step_by(step).collect();
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
