//! Base-2 logarithms of integers.

/// Fraction bits of a logarithm.
const FRACTION: u32 = 15;
/// `round(2^15 * log2(1 + i / 32))` for `i` from 0 to 32.
static TABLE: [u16; 33] = table();

/// The logarithm of 0, so small that every feature which it becomes saturates.
const OF_ZERO: i32 = -(1 << 28);

/// The base-2 logarithm of `x` in units of 2^-15: by a table of 32 chords, at most 2 * 10^-4 below the true value, and
/// 2^-15 above.
#[inline(never)]
pub(super) fn log2(x: u64) -> i32 {
    if x == 0 {
        return OF_ZERO;
    }
    let zeros = x.leading_zeros();
    // One bit before the point, 31 after: five choose the chord, the next 16 the place on it.
    let mantissa = ((x << zeros) >> 32) as u32;
    let index = (mantissa >> 26) & 31;
    let place = ((mantissa >> 10) & 0xffff) as i32;
    let [before, after] = [index, index + 1].map(|i| TABLE.get(i as usize).map_or(0, |&y| i32::from(y)));
    // A chord rises by less than 2^11, so that the product fits 32 bits.
    ((63 - zeros as i32) << FRACTION) + before + (((after - before) * place) >> 16)
}

const fn table() -> [u16; 33] {
    let mut table = [0; 33];
    let mut i = 0;
    while i < 33 {
        table[i] = log2_of_mantissa(i as u32);
        i += 1;
    }
    table
}

/// `round(2^15 * log2(1 + i / 32))`, digit by digit: squaring a number doubles its logarithm.
const fn log2_of_mantissa(i: u32) -> u16 {
    if i == 32 {
        return 1 << FRACTION;
    }
    // 62 fraction bits of a number from 1 to 2.
    let mut x = (32 + i as u128) << 57;
    let mut digits = 0u32;
    let mut n = 0;
    // One digit more than is kept, for rounding.
    while n < FRACTION + 1 {
        x = (x * x) >> 62;
        digits <<= 1;
        if x >= 2 << 62 {
            x >>= 1;
            digits |= 1;
        }
        n += 1;
    }
    digits.div_ceil(2) as u16
}

#[cfg(test)]
mod tests {
    extern crate std;

    use super::*;

    #[test]
    fn the_table_is_rounded_to_nearest() {
        for (i, &y) in (0..).zip(&TABLE) {
            assert_eq!(f64::from(y), (32768.0 * (1.0 + f64::from(i) / 32.0).log2()).round());
        }
    }

    #[test]
    fn the_error_is_within_its_bound() {
        let check = |x: u64| {
            let error = f64::from(log2(x)) / 32768.0 - (x as f64).log2();
            assert!((-2e-4..=f64::powi(2.0, -15)).contains(&error), "{x}: {error}");
        };
        (1..100_000).for_each(check);
        for shift in 17..64 {
            (0..500u64).for_each(|i| check((1 << shift) + (i << shift) / 500));
        }
        check(u64::MAX);
        assert_eq!(log2(0), OF_ZERO);
    }
}
