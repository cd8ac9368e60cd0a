//! Products of 64 bits and their rounding. Cores without an instruction for such products compose them of 32-bit
//! products.

#[cfg(not(edgemix_has = "long-products"))]
pub(crate) use quarters::square;
#[cfg(not(edgemix_has = "long-products"))]
use quarters::upper_half;
#[cfg(edgemix_has = "long-products")]
pub(crate) use whole::square;
#[cfg(edgemix_has = "long-products")]
use whole::upper_half;

use super::portable;

/// The bound to which [`requantize_small_shift`] clamps values that may not fit 32 bits, far beyond int16.
const FAR: i64 = 1 << 24;

/// [`portable::requantize`] for values that are clamped to int16 afterwards.
///
/// For a shift `s` of 33 or more, `floor((p + 2^(s-1)) / 2^s)` depends only on the upper half `h` of the product `p`:
/// it is `floor((floor(h / 2^(s-33)) + 1) / 2)`.
#[inline]
pub(crate) fn requantize(x: i32, multiplier: i32, shift: u8) -> i32 {
    let n = u32::from(shift).wrapping_sub(33);
    if n < 32 {
        let high = upper_half(x, multiplier);
        ((high >> n) + 1) >> 1
    } else {
        requantize_small_shift(x, multiplier, shift)
    }
}

/// Small shifts belong to multipliers near or above 1 and are rare.
#[cold]
#[inline(never)]
fn requantize_small_shift(x: i32, multiplier: i32, shift: u8) -> i32 {
    portable::requantize(x, multiplier, shift).clamp(-FAR, FAR) as i32
}

#[cfg(any(test, edgemix_has = "long-products"))]
mod whole {
    /// `a * b / 2^32`, rounded down; `b` is not negative.
    #[inline(always)]
    pub(crate) fn upper_half(a: i32, b: i32) -> i32 {
        ((i64::from(a) * i64::from(b)) >> 32) as i32
    }

    /// The square of a number whose absolute value is at most 2^26.
    #[inline(always)]
    pub(crate) fn square(u: i32) -> i64 {
        i64::from(u) * i64::from(u)
    }
}

#[cfg(any(test, not(edgemix_has = "long-products")))]
mod quarters {
    /// `a * b / 2^32`, rounded down; `b` is not negative.
    ///
    /// No product overflows: the upper half of `a` is at most 2^15 in absolute value, that of `b` is less, and lower
    /// halves are below 2^16.
    #[inline]
    pub(crate) fn upper_half(a: i32, b: i32) -> i32 {
        let (a_high, a_low) = (a >> 16, a & 0xffff);
        let (b_high, b_low) = (b >> 16, b & 0xffff);
        let lowest = (a_low as u32 * b_low as u32) >> 16;
        let middle = a_high * b_low + lowest as i32;
        let other = a_low * b_high + (middle & 0xffff);
        a_high * b_high + (middle >> 16) + (other >> 16)
    }

    /// The square of a number whose absolute value is at most 2^26.
    #[inline]
    pub(crate) fn square(u: i32) -> i64 {
        let (high, low) = (u >> 16, u & 0xffff);
        let lowest = low as u32 * low as u32;
        (i64::from(high * high) << 32) + (i64::from(high * low) << 17) + i64::from(lowest)
    }
}

#[cfg(test)]
mod tests {
    use super::{quarters, whole};

    /// The ends of the ranges, and random numbers.
    fn numbers() -> impl Iterator<Item = i32> + Clone {
        let ends = [i32::MIN, i32::MIN + 1, -65537, -65536, -65535, -2, -1, 0, 1, 2, 65535, 65536, 65537, i32::MAX];
        let random =
            core::iter::successors(Some(1u32), |x| Some(x.wrapping_mul(1_664_525).wrapping_add(1_013_904_223)));
        ends.into_iter().chain(random.take(500).map(|x| x as i32))
    }

    #[test]
    fn the_upper_half_of_quarters_is_that_of_the_whole() {
        for a in numbers() {
            for b in numbers().filter(|&b| b >= 0) {
                assert_eq!(quarters::upper_half(a, b), whole::upper_half(a, b), "{a} {b}");
            }
        }
    }

    #[test]
    fn the_square_of_quarters_is_that_of_the_whole() {
        for u in numbers().map(|u| u >> 5).chain([1 << 26, -(1 << 26)]) {
            assert_eq!(quarters::square(u), whole::square(u), "{u}");
        }
    }
}
