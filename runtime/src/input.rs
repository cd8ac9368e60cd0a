//! Quantises a sample: from the sensor's values to the integers that the first layer takes.

use edgemix_format::view::Input;

use crate::AssignError;
use crate::kernels::Width;
use crate::kernels::wide::requantize;

/// An element of a sample in the integer type of the sensor or the file: `u8`, `i8` or `i16`.
///
/// The trait is sealed: `i32` and wider types would overflow the arithmetic.
///
/// ```
/// fn widen<C: edgemix_runtime::RawCount>(counts: &[C]) -> Vec<i32> {
///     counts.iter().map(|&count| count.into()).collect()
/// }
/// assert_eq!((widen(&[200u8]), widen(&[-7i16])), (vec![200], vec![-7]));
/// ```
pub trait RawCount: Copy + Into<i32> + sealed::Sealed {}

impl RawCount for u8 {}
impl RawCount for i8 {}
impl RawCount for i16 {}

mod sealed {
    pub trait Sealed {}
    impl Sealed for u8 {}
    impl Sealed for i8 {}
    impl Sealed for i16 {}
}

/// Quantises an f32 sample: `q = floor(x * gain + offset + 1/2)`, saturating. Gain and offset are those of the
/// element's channel.
pub(crate) fn quantize(input: &Input, width: Width, sample: &[f32], out: &mut [i16]) -> Result<(), AssignError> {
    let (low, high) = width.range();
    let channels = input.gain.iter().zip(input.offset).cycle();
    for (index, ((x, q), (gain, offset))) in sample.iter().zip(out).zip(channels).enumerate() {
        if !x.is_finite() {
            return Err(AssignError::NotFinite { index });
        }
        *q = floor(x * gain + offset + 0.5, low as i32, high as i32) as i16;
    }
    Ok(())
}

/// The largest integer that is not above `x`, clamped to `low..=high`. Stable `core` has no `f32::floor`.
pub(crate) fn floor(x: f32, low: i32, high: i32) -> i32 {
    // `as` truncates towards zero and saturates.
    let truncated = x as i32;
    let floor = if (truncated as f32) > x { truncated.saturating_sub(1) } else { truncated };
    floor.clamp(low, high)
}

/// Quantises features in place, as [`quantize_raw`] does raw counts.
pub(crate) fn quantize_features(input: &Input, width: Width, features: &mut [i16]) {
    let channels = input.center.iter().zip(input.multiplier).zip(input.shift).cycle();
    for (q, ((&center, &multiplier), &shift)) in features.iter_mut().zip(channels) {
        *q = quantize_count((*q).into(), center, multiplier, shift, width);
    }
}

/// |raw| <= 2^15, and the format bounds the center by 2^26, so the difference fits 32 bits.
#[inline(always)]
fn quantize_count(raw: i32, center: i32, multiplier: i32, shift: u8, width: Width) -> i16 {
    let (low, high) = width.range();
    requantize((raw << 8) - center, multiplier, shift).clamp(low as i32, high as i32) as i16
}

/// Quantises a sample of raw counts: `q = floor(((raw << 8) - center) * multiplier / 2^shift + 1/2)`, saturating.
pub(crate) fn quantize_raw<C: RawCount>(input: &Input, width: Width, sample: &[C], out: &mut [i16]) {
    let one = |raw: C, center, multiplier, shift| quantize_count(raw.into(), center, multiplier, shift, width);
    if let (&[center], &[multiplier], &[shift]) = (input.center, input.multiplier, input.shift) {
        for (&raw, q) in sample.iter().zip(out) {
            *q = one(raw, center, multiplier, shift);
        }
    } else {
        let channels = input.center.iter().zip(input.multiplier).zip(input.shift).cycle();
        for ((&raw, q), ((&center, &multiplier), &shift)) in sample.iter().zip(out).zip(channels) {
            *q = one(raw, center, multiplier, shift);
        }
    }
}
