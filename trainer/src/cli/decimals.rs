//! Numbers with four decimals, as `{:.4}` writes them, sooner: a large table has millions.

use std::fmt::Write;

/// Appends a number with four decimals. 10,000 times an f32 is exact as f64, so that there is one rounding: to the nearest, to even
/// where two are as near.
pub(super) fn push_decimals(text: &mut String, x: f32) {
    let units = (f64::from(x) * 1e4).round_ties_even();
    // Writing to a String can't fail.
    if units.is_nan() || units.abs() >= 1e15 {
        let _ = write!(text, "{x:.4}");
        return;
    }
    if x.is_sign_negative() {
        text.push('-');
    }
    let units = units.abs() as u64;
    push_whole(text, units / 10_000);
    text.push('.');
    let mut rest = (units % 10_000) as u32;
    for power in [1000, 100, 10, 1] {
        text.push(digit(rest / power));
        rest %= power;
    }
}

/// Appends a number without sign.
pub(super) fn push_whole(text: &mut String, mut x: u64) {
    const MOST: usize = 20;
    let mut digits = [0u8; MOST];
    let mut first = MOST;
    loop {
        first -= 1;
        digits[first] = (x % 10) as u8;
        x /= 10;
        if x == 0 {
            break;
        }
    }
    text.extend(digits[first..].iter().map(|&d| digit(d.into())));
}

fn digit(d: u32) -> char {
    char::from(b'0' + (d % 10) as u8)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(x: f32) {
        let mut text = String::new();
        push_decimals(&mut text, x);
        assert_eq!(text, format!("{x:.4}"), "{x:e}");
    }

    #[test]
    fn numbers_are_written_as_the_standard_library_writes_them() {
        // Every log-density is a multiple of 2^-16, every p-value one of 1/65535, and many are as near to two decimals.
        for n in 0..=u16::MAX {
            for x in [f32::from(n) / 65535.0, f32::from(n) / 65536.0, f32::from(n), f32::from(n) / 32.0] {
                check(x);
                check(-x);
            }
        }
        // All exponents, subnormal numbers among them, and what is no number.
        let random = std::iter::successors(Some(1u32), |x| Some(x.wrapping_mul(1_664_525).wrapping_add(1_013_904_223)));
        random.take(50_000).map(f32::from_bits).for_each(check);
        [0.0, -0.0, f32::MAX, f32::MIN, f32::INFINITY, f32::NEG_INFINITY, f32::NAN].into_iter().for_each(check);
    }

    #[test]
    fn whole_numbers_are_written_as_the_standard_library_writes_them() {
        for x in (0..=1000).chain((0..20).flat_map(|power| [10u64.pow(power) - 1, 10u64.pow(power)])).chain([u64::MAX])
        {
            let mut text = String::new();
            push_whole(&mut text, x);
            assert_eq!(text, x.to_string());
        }
    }
}
