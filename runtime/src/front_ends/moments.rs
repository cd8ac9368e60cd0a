//! Moments of a centred signal beyond its variance, and what they say of its shape.

use core::num::NonZeroU64;

use super::log2::log2;

/// Fraction bits of the second moment and of the floor.
const FRACTION: u32 = 8;
/// A floor above the square of the greatest value drowns the signal, however far above it is.
const MOST_FLOOR: u64 = 1 << (24 + FRACTION);

/// Moments of a signal whose absolute values are at most 2^12, with the noise of a variance added.
#[derive(Clone, Copy, Debug)]
pub(super) struct Moments {
    /// The greatest absolute value.
    peak: u64,
    /// The variance of the noise, with fraction bits; at most 2^32.
    floor: u64,
    /// The mean square, with fraction bits; at most 2^32.
    second: u64,
    /// The mean of the third powers.
    third: i64,
    /// The mean of the fourth powers; at most 2^48.
    fourth: u64,
}

impl Moments {
    /// The moments of at most 2^15 numbers. `floor` is the variance of the noise, with 8 fraction bits.
    pub(super) fn of(numbers: impl Iterator<Item = i32>, floor: u64) -> Self {
        let (mut n, mut peak) = (0u64, 0);
        let (mut first, mut second, mut third, mut fourth) = (0i32, 0u64, 0i64, 0u64);
        for u in numbers {
            n += 1;
            peak = peak.max(u.unsigned_abs());
            first += u;
            let square = (u * u) as u32;
            second += u64::from(square);
            third += i64::from(square) * i64::from(u);
            fourth += u64::from(square) * u64::from(square);
        }
        let n = NonZeroU64::new(n).unwrap_or(NonZeroU64::MIN);
        // Counts have one fraction in common, so that rounding can leave a mean, which matters to the third powers most.
        third -= quotient(3 * i64::from(first) * second as i64, n);
        Self {
            peak: peak.into(),
            floor: floor.min(MOST_FLOOR),
            second: (second << FRACTION) / n,
            third: quotient(third, n),
            fourth: fourth / n,
        }
    }

    /// The variance with that of the noise; at most 2^33.
    fn variance(&self) -> u64 {
        self.second + self.floor
    }

    /// The base-2 logarithm of the crest factor, in units of 2^-10; 0 for a signal that is constant.
    pub(super) fn log2_crest(&self) -> i32 {
        let peak = ((self.peak * self.peak) << FRACTION) + self.floor;
        if self.variance() == 0 {
            return 0;
        }
        (log2(peak) - log2(self.variance()) + (1 << 5)) >> 6
    }

    /// The skewness in units of 2^-10; 0 for a signal that is constant.
    pub(super) fn skewness(&self) -> i32 {
        // With 12 fraction bits, the root with 4 of them; at most 2^51.
        let root = root(self.variance());
        let Some(cube) = NonZeroU64::new(root * root * root) else { return 0 };
        let ratio = (self.third.unsigned_abs() << 22) / cube;
        let ratio = ratio.min(1 << 20) as i32;
        if self.third < 0 { -ratio } else { ratio }
    }

    /// The base-2 logarithm of the kurtosis, in units of 2^-10; that of noise, `log2(3)`, for a signal that is constant.
    pub(super) fn log2_kurtosis(&self) -> i32 {
        if self.variance() == 0 {
            return 1623;
        }
        // All without fraction bits: products of two numbers of at most 30 bits.
        let [second, floor] = [self.second >> 2, self.floor >> 2];
        let fourth = self.fourth + ((6 * floor * second + 3 * floor * floor) >> 12);
        let square = (second + floor) * (second + floor);
        (log2(fourth) - log2(square) + (12 << 15) + (1 << 4)) >> 5
    }
}

/// `floor(sqrt(v))` of a number below 2^34, bit by bit: seldom needed, and less code than that of the standard library.
fn root(v: u64) -> u64 {
    let mut root = 0;
    for bit in (0..17).rev() {
        let trial = root | 1 << bit;
        if trial * trial <= v {
            root = trial;
        }
    }
    root
}

/// `a / n`, rounded towards 0.
fn quotient(a: i64, n: NonZeroU64) -> i64 {
    let quotient = (a.unsigned_abs() / n) as i64;
    if a < 0 { -quotient } else { quotient }
}
