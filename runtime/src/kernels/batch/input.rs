//! Samples in the unit of the data become rows, sixteen elements at a time.

use alloc::vec::Vec;

use edgemix_format::view::{Input, Sample};

use super::super::Width;
use super::instructions::{GROUP, Instructions};
use super::lanes::{Lanes, Vectorised, compute};

/// How the elements of a sample become integers, whatever channel each is of.
#[derive(Clone, Debug)]
pub(crate) struct BatchInput {
    groups: Vec<Channels>,
    zero_point: i8,
    width: Width,
    /// Whether no layer follows, so that the values are the latent, int16 whatever their width.
    is_latent: bool,
}

/// The channels of sixteen elements.
#[derive(Clone, Copy, Debug)]
#[repr(align(64))]
struct Channels {
    origin: [f32; GROUP],
    count: [f32; GROUP],
    center: [i32; GROUP],
    multiplier: [i32; GROUP],
    rounding: [i32; GROUP],
    shift: [i32; GROUP],
}

impl BatchInput {
    /// `None` if a shift is below 33, as those of multipliers near or above 1 are, which are rare.
    pub(crate) fn new(sample: &Sample, input: &Input, width: Width, is_latent: bool) -> Option<Self> {
        if input.shift.iter().any(|&shift| shift < 33) {
            return None;
        }
        let channel = |element: usize| {
            let at = |n: usize| element.checked_rem(n);
            let n = u32::from(*input.shift.get(at(input.shift.len())?)?).clamp(33, 62) - 33;
            let (origin, count) = (at(sample.origin.len())?, at(sample.count.len())?);
            let (center, multiplier) = (at(input.center.len())?, at(input.multiplier.len())?);
            let scale = (*input.center.get(center)?, *input.multiplier.get(multiplier)?, n);
            Some((*sample.origin.get(origin)?, *sample.count.get(count)?, scale))
        };
        let mut groups = Vec::new();
        for first in (0..input.len).step_by(GROUP) {
            let mut group = Channels {
                origin: [0.0; GROUP],
                count: [1.0; GROUP],
                center: [0; GROUP],
                multiplier: [0; GROUP],
                rounding: [1; GROUP],
                shift: [1; GROUP],
            };
            for lane in 0..GROUP {
                let (origin, count, (center, multiplier, n)) = channel(first + lane)?;
                *group.origin.get_mut(lane)? = origin;
                *group.count.get_mut(lane)? = count;
                *group.center.get_mut(lane)? = center;
                *group.multiplier.get_mut(lane)? = multiplier;
                *group.rounding.get_mut(lane)? = 1 << n;
                *group.shift.get_mut(lane)? = n as i32 + 1;
            }
            groups.push(group);
        }
        Some(Self { groups, zero_point: input.zero_point, width, is_latent })
    }

    /// Quantises a sample by way of raw counts and writes its values as a row, or as a latent. Returns false if a value
    /// is NaN or infinite, or the row is too short.
    pub(crate) fn quantize(&self, instructions: Instructions, values: &[f32], row: &mut [u8]) -> bool {
        let is_bytes = !self.is_latent && instructions.element() == 1;
        if is_bytes {
            compute(instructions, Quantize { by: self, values, row, to: |q: i32| [q as u8 ^ 0x80] })
        } else {
            compute(instructions, Quantize { by: self, values, row, to: |q: i32| (q as i16).to_ne_bytes() })
        }
    }
}

struct Quantize<'a, F> {
    by: &'a BatchInput,
    values: &'a [f32],
    row: &'a mut [u8],
    to: F,
}

impl<const N: usize, F: Fn(i32) -> [u8; N]> Vectorised for Quantize<'_, F> {
    type Output = bool;

    #[inline(always)]
    fn run<L: Lanes>(self) -> bool {
        let Self { by, values, row, to } = self;
        let (low, high) = by.width.range();
        let (low, high, zero) = (low as i32, high as i32, i32::from(by.zero_point));
        let (elements, _) = row.as_chunks_mut::<N>();
        if elements.len() < values.len() {
            return false;
        }
        let mut is_finite = true;
        let (whole, rest) = values.as_chunks::<GROUP>();
        let (places, last) = elements.split_at_mut(whole.len() * GROUP);
        let (places, _) = places.as_chunks_mut::<GROUP>();
        for ((values, channels), places) in whole.iter().zip(&by.groups).zip(places) {
            is_finite &= values.iter().all(|x| x.is_finite());
            let steps = channels.quantize(values);
            for (place, q) in places.iter_mut().zip(steps) {
                *place = to((zero + q).clamp(low, high));
            }
        }
        if let (false, Some(channels)) = (rest.is_empty(), by.groups.last()) {
            let mut values = [0.0; GROUP];
            values.iter_mut().zip(rest).for_each(|(place, &x)| *place = x);
            is_finite &= rest.iter().all(|x| x.is_finite());
            let steps = channels.quantize(&values);
            for (place, q) in last.iter_mut().zip(steps) {
                *place = to((zero + q).clamp(low, high));
            }
        }
        is_finite
    }
}

impl Channels {
    /// Steps of the first layer's input, without its zero point and not yet saturated.
    #[inline(always)]
    fn quantize(&self, values: &[f32; GROUP]) -> [i32; GROUP] {
        let mut steps = [0; GROUP];
        for lane in 0..GROUP {
            // The raw count, as for one sample: `floor((x - origin) / count + 1/2)`, saturating.
            let count = ((values[lane] - self.origin[lane]) / self.count[lane] + 0.5).clamp(-32768.0, 32767.0);
            let raw = floor(count);
            let product = i64::from((raw << 15) - self.center[lane]) * i64::from(self.multiplier[lane]);
            steps[lane] = ((product >> 32) as i32 + self.rounding[lane]) >> self.shift[lane];
        }
        steps
    }
}

/// The largest integer that is not above `x`, which is within int16. Compilers convert several numbers at once by no cast, but by
/// this addition, which leaves the nearest integer in the lowest bits.
#[inline(always)]
pub(super) fn floor(x: f32) -> i32 {
    const INTEGERS: f32 = 12_582_912.0; // 1.5 * 2^23
    let shifted = x + INTEGERS;
    let nearest = shifted.to_bits().wrapping_sub(INTEGERS.to_bits()) as i32;
    nearest - i32::from(shifted - INTEGERS > x)
}

#[cfg(test)]
mod tests {
    use super::floor;

    #[test]
    fn integers_halves_and_their_neighbours_are_rounded_down() {
        for n in i16::MIN..=i16::MAX {
            let n = f32::from(n);
            for x in [n, n + 0.5, n.next_up(), n.next_down(), (n + 0.5).next_up(), (n + 0.5).next_down()] {
                if (-32768.0..=32767.0).contains(&x) {
                    assert_eq!(floor(x), f64::from(x).floor() as i32, "{x}");
                }
            }
        }
        assert_eq!([floor(-0.0), floor(f32::MIN_POSITIVE), floor(-f32::MIN_POSITIVE)], [0, 0, -1]);
    }
}
