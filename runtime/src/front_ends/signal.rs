//! Signals of a window: a channel, or the magnitude of several, and the sums over its instants.

use core::num::NonZeroU32;

use edgemix_format::FILTER;
use edgemix_format::view::Sample;

use crate::input::to_count;
use crate::{RawCount, Window};

/// Where the counts of a window come from.
pub(crate) trait Source {
    /// Writes the signal of the channels in `mask` to `out`, an element for each instant. An instant has `channels`
    /// counts.
    fn signal(&mut self, channels: usize, mask: u32, out: &mut [i16]);
}

/// A window as it was recorded, which a filter reads. Guards keep the code out of programs without filters, which a table of
/// functions would hold.
pub(crate) trait RawWindow: Source {
    /// Writes the counts of a channel to `out`, from instant `start` on. An instant has `channels` counts.
    fn read(&mut self, channels: usize, channel: usize, start: usize, out: &mut [i32]);
}

/// A window of raw counts.
pub(crate) struct Counts<'s, S>(pub(crate) &'s [S]);

impl<S: RawCount> Source for Counts<'_, S> {
    fn signal(&mut self, channels: usize, mask: u32, out: &mut [i16]) {
        signal(self.0, channels, mask, out, |_, &count| count.into());
    }
}

impl<S: RawCount> RawWindow for Counts<'_, S> {
    fn read(&mut self, channels: usize, channel: usize, start: usize, out: &mut [i32]) {
        if FILTER {
            read(self.0, channels, channel, start, out, |_, &count| count.into());
        }
    }
}

/// A window of raw counts in two parts.
pub(crate) struct Parts<'w, 's, S>(pub(crate) &'w Window<'s, S>);

impl<S: RawCount> Source for Parts<'_, '_, S> {
    fn signal(&mut self, channels: usize, mask: u32, out: &mut [i16]) {
        let instants = self.0.older.len().checked_div(channels).unwrap_or(0);
        if let Some((older, newer)) = out.split_at_mut_checked(instants) {
            Counts(self.0.older).signal(channels, mask, older);
            Counts(self.0.newer).signal(channels, mask, newer);
        }
    }
}

impl<S: RawCount> RawWindow for Parts<'_, '_, S> {
    fn read(&mut self, channels: usize, channel: usize, start: usize, out: &mut [i32]) {
        if FILTER {
            let instants = self.0.older.len().checked_div(channels).unwrap_or(0);
            let (older, newer) = out.split_at_mut(instants.saturating_sub(start).min(out.len()));
            Counts(self.0.older).read(channels, channel, start, older);
            Counts(self.0.newer).read(channels, channel, start.saturating_sub(instants), newer);
        }
    }
}

/// A window in the unit of the data. Values are finite.
pub(crate) struct Values<'s> {
    pub(crate) values: &'s [f32],
    /// What a count is in the unit of the data.
    pub(crate) sample: &'s Sample<'s>,
}

impl Values<'_> {
    /// The count of the element `index`, whose value is `x`.
    fn count(&self, index: usize, x: f32) -> i32 {
        let of_channel = |all: &[f32]| all.get(index % all.len().max(1)).copied().unwrap_or(1.0);
        to_count(x, of_channel(self.sample.origin), of_channel(self.sample.count)).into()
    }
}

impl Source for Values<'_> {
    fn signal(&mut self, channels: usize, mask: u32, out: &mut [i16]) {
        signal(self.values, channels, mask, out, |index, &x| self.count(index, x));
    }
}

impl RawWindow for Values<'_> {
    fn read(&mut self, channels: usize, channel: usize, start: usize, out: &mut [i32]) {
        if FILTER {
            read(self.values, channels, channel, start, out, |index, &x| self.count(index, x));
        }
    }
}

/// The counts of a channel from instant `start` on. `count` gives the count of an element from its index and its value.
#[inline(always)]
fn read<S>(
    window: &[S],
    channels: usize,
    channel: usize,
    start: usize,
    out: &mut [i32],
    count: impl Fn(usize, &S) -> i32,
) {
    let first = start.saturating_mul(channels).saturating_add(channel);
    let elements = window.get(first..).unwrap_or_default().iter().step_by(channels.max(1));
    for ((place, x), index) in out.iter_mut().zip(elements).zip((first..).step_by(channels.max(1))) {
        *place = count(index, x);
    }
}

/// `count` gives the count of an element from its index and its value.
fn signal<S>(window: &[S], channels: usize, mask: u32, out: &mut [i16], count: impl Fn(usize, &S) -> i32) {
    let channels = channels.max(1);
    let instants = out.iter_mut().zip(window.chunks_exact(channels)).enumerate();
    if mask.is_power_of_two() {
        let channel = mask.trailing_zeros() as usize;
        for (t, (x, instant)) in instants {
            if let Some(value) = instant.get(channel) {
                *x = count(t * channels + channel, value) as i16;
            }
        }
    } else {
        for (t, (x, instant)) in instants {
            let mut squares = 0u32;
            for (channel, value) in instant.iter().enumerate() {
                if mask >> (channel & 31) & 1 == 1 {
                    let count = count(t * channels + channel, value);
                    squares = squares.saturating_add((count * count) as u32);
                }
            }
            *x = magnitude(squares);
        }
    }
}

/// `floor(sqrt(squares))`, at most 32767, bit by bit.
pub(super) fn magnitude(squares: u32) -> i16 {
    let mut rest = squares.min((1 << 30) - 1);
    let mut root = 0;
    let mut bit = 1 << 28;
    while bit > 0 {
        let trial = root + bit;
        root >>= 1;
        if rest >= trial {
            rest -= trial;
            root += bit;
        }
        bit >>= 2;
    }
    root as i16
}

/// Sums over a signal, of its differences from the first instant.
#[derive(Clone, Copy, Debug)]
pub(super) struct Sums {
    /// The first instant.
    first: i32,
    /// Number of instants, at most 2^15.
    pub(super) n: NonZeroU32,
    /// The sum of the differences, and 2^16 for each instant: not negative.
    sum: u32,
    /// The sum of the squares of the differences.
    squares: u64,
    /// The least number of bits `b` such that all differences are from -2^b to 2^b - 1.
    pub(super) bits: u32,
}

/// The mean of a signal.
#[derive(Clone, Copy, Debug)]
pub(super) struct Mean {
    /// Whole counts, rounded down.
    pub(super) whole: i32,
    /// The rest in units of 2^-16, rounded: 0 to 2^16.
    pub(super) fraction: u32,
}

impl Mean {
    /// With at most 8 fraction bits, rounded.
    pub(super) fn rounded(&self, bits: u8) -> i32 {
        let bits = u32::from(bits.min(8));
        (self.whole << bits) + ((self.fraction + (1 << (15 - bits))) >> (16 - bits)) as i32
    }
}

impl Sums {
    /// `None` for an empty signal. There are at most 2^15 instants, so that no sum overflows.
    #[inline(never)]
    pub(super) fn of(signal: &[i16]) -> Option<Self> {
        let n = NonZeroU32::new(signal.len() as u32)?;
        let first = i32::from(*signal.first()?);
        let (mut sum, mut squares, mut bits) = (0i32, 0u64, 0);
        for &x in signal {
            let difference = i32::from(x) - first;
            sum = sum.wrapping_add(difference);
            squares += square(difference);
            bits |= difference ^ (difference >> 31);
        }
        let sum = (sum as u32).wrapping_add(n.get() << 16);
        Some(Self { first, n, sum, squares, bits: 32 - bits.leading_zeros() })
    }

    pub(super) fn mean(&self) -> Mean {
        let (quotient, rest) = (self.sum / self.n, self.sum % self.n);
        let whole = self.first + quotient as i32 - (1 << 16);
        Mean { whole, fraction: ((rest << 16) + self.n.get() / 2) / self.n }
    }

    /// The variance times the square of the number of instants, exactly.
    pub(super) fn scaled_variance(&self) -> u64 {
        let sum = i64::from(self.sum) - (i64::from(self.n.get()) << 16);
        // Both are below 2^62.
        u64::from(self.n.get()) * self.squares - sum.unsigned_abs() * sum.unsigned_abs()
    }
}

/// The square of a number below 2^16, in one instruction where there is one that adds a product of 64 bits.
#[cfg(edgemix_has = "armv7m")]
#[inline(always)]
fn square(x: i32) -> u64 {
    (i64::from(x) * i64::from(x)) as u64
}

#[cfg(not(edgemix_has = "armv7m"))]
#[inline(always)]
fn square(x: i32) -> u64 {
    u64::from((x as u32).wrapping_mul(x as u32))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn magnitudes_are_rounded_down_and_saturate() {
        for root in (0..=32767u32).chain([46340, 65535]) {
            let square = root * root;
            assert_eq!(magnitude(square), root.min(32767) as i16);
            assert_eq!(magnitude(square + 2 * root), root.min(32767) as i16);
        }
        assert_eq!(magnitude(u32::MAX), 32767);
    }

    #[test]
    fn sums_at_the_limits() {
        for (a, b) in [(i16::MIN, i16::MAX), (i16::MAX, i16::MIN), (0, 0), (-1, 0)] {
            let mut signal = [b; 1 << 15];
            signal[0] = a;
            let sums = Sums::of(&signal).unwrap();
            let n = 32768i128;
            let total = i128::from(a) + (n - 1) * i128::from(b);
            let squares = i128::from(a).pow(2) + (n - 1) * i128::from(b).pow(2);
            assert_eq!(i128::from(sums.scaled_variance()), n * squares - total * total);
            let mean = sums.mean();
            let exact = total as f64 / n as f64;
            assert!((f64::from(mean.whole) + f64::from(mean.fraction) / 65536.0 - exact).abs() <= 1.0 / 131072.0);
            assert!((0..=65536).contains(&mean.fraction));
        }
    }
}
