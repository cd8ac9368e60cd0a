//! Quantises a sample: from the sensor's values to the integers that the first layer takes.

use edgemix_format::view::{Input, Sample};

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

/// The raw count of each value of a sample. Origin and count are those of the element's channel.
pub(crate) fn to_counts<'s>(
    sample: &'s Sample,
    values: &'s [f32],
) -> impl Iterator<Item = Result<i16, AssignError>> + 's {
    let channels = sample.origin.iter().zip(sample.count).cycle();
    values.iter().zip(channels).enumerate().map(|(index, (&x, (origin, count)))| {
        if !x.is_finite() {
            return Err(AssignError::NotFinite { index });
        }
        Ok(to_count(x, *origin, *count))
    })
}

/// `floor((x - origin) / count + 1/2)`, saturating; `x` is finite.
pub(crate) fn to_count(x: f32, origin: f32, count: f32) -> i16 {
    floor((x - origin) / count + 0.5).clamp(i16::MIN.into(), i16::MAX.into()) as i16
}

/// The largest integer that is not above `x`, saturating. Stable `core` has no `f32::floor`.
fn floor(x: f32) -> i32 {
    // `as` truncates towards zero and saturates.
    let truncated = x as i32;
    if (truncated as f32) > x { truncated.saturating_sub(1) } else { truncated }
}

/// Quantises raw counts: `q = zero_point + floor(((raw << 15) - center) * multiplier / 2^shift + 1/2)`, saturating.
pub(crate) fn quantize<C: RawCount>(input: &Input, width: Width, counts: &[C], out: &mut [i16]) {
    // Where code is to be small, one loop does for all.
    if let (&[center], &[multiplier], &[shift], false) =
        (input.center, input.multiplier, input.shift, cfg!(edgemix_small))
    {
        let channel = Channel { center, multiplier, shift };
        for (&raw, q) in counts.iter().zip(out) {
            *q = channel.quantize(raw.into(), input.zero_point, width);
        }
    } else {
        for ((&raw, q), channel) in counts.iter().zip(out).zip(channels(input)) {
            *q = channel.quantize(raw.into(), input.zero_point, width);
        }
    }
}

/// Quantises a sample in the unit of the data, by way of raw counts: what a sensor's counts become is what their values
/// become.
pub(crate) fn quantize_values(
    sample: &Sample,
    input: &Input,
    width: Width,
    values: &[f32],
    out: &mut [i16],
) -> Result<(), AssignError> {
    for ((raw, q), channel) in to_counts(sample, values).zip(out).zip(channels(input)) {
        *q = channel.quantize(raw?.into(), input.zero_point, width);
    }
    Ok(())
}

/// Quantises features in place, as [`quantize`] does raw counts.
pub(crate) fn quantize_features(input: &Input, width: Width, features: &mut [i16]) {
    for (q, channel) in features.iter_mut().zip(channels(input)) {
        *q = channel.quantize((*q).into(), input.zero_point, width);
    }
}

/// How the elements of a channel become integers.
#[derive(Clone, Copy)]
struct Channel {
    center: i32,
    multiplier: i32,
    shift: u8,
}

/// The channel of each element.
fn channels<'i>(input: &'i Input) -> impl Iterator<Item = Channel> + 'i {
    let channels = input.center.iter().zip(input.multiplier).zip(input.shift).cycle();
    channels.map(|((&center, &multiplier), &shift)| Channel { center, multiplier, shift })
}

impl Channel {
    #[inline(always)]
    fn quantize(self, raw: i32, zero_point: i8, width: Width) -> i16 {
        let (low, high) = width.range();
        // The raw count is an int16 and the format bounds the center by 2^30, so the difference is from -2^31 to
        // 2^31 - 2^15. A requantised value is at most 2^30 in absolute value.
        let steps = requantize((raw << 15) - self.center, self.multiplier, self.shift);
        (i32::from(zero_point) + steps).clamp(low as i32, high as i32) as i16
    }
}
