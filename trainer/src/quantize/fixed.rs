//! Fixed-point numbers as the format defines them.

use edgemix_format::description;

/// `real = scale * (q - zero_point)`, q an int8.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct Affine {
    pub(super) scale: f64,
    pub(super) zero_point: i32,
}

impl Affine {
    /// The int8 scheme that spans `low..=high` and represents zero exactly.
    pub(super) fn spanning(low: f64, high: f64) -> Self {
        let (low, high) = (low.min(0.0), high.max(0.0));
        let span = high - low;
        let scale = if span > 0.0 { span / 255.0 } else { 1.0 / 255.0 };
        let zero_point = (-128.0 - low / scale).round().clamp(-128.0, 127.0) as i32;
        Self { scale, zero_point }
    }

    /// The nearest step, saturated to int8.
    pub(super) fn quantize(self, real: f64) -> i32 {
        (real / self.scale + f64::from(self.zero_point) + 0.5).floor().clamp(-128.0, 127.0) as i32
    }

    /// The scheme as a file describes it.
    pub(super) fn describe(self) -> description::Affine {
        description::Affine { scale: self.scale as f32, zero_point: self.zero_point as i8 }
    }

    /// The real value of a step.
    pub(super) fn dequantize(self, q: i32) -> f64 {
        self.scale * f64::from(q - self.zero_point)
    }
}

/// `multiplier / 2^shift`. The multiplier has 31 significant bits where the range of the shift, 1 to 62, allows that.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Multiplier {
    pub(super) multiplier: i32,
    pub(super) shift: u8,
}

impl Multiplier {
    /// The multiplier nearest to a number that is not negative; it saturates at 2^30.
    pub(super) fn nearest(real: f64) -> Self {
        if !(real > 0.0 && real.is_finite()) {
            return Self { multiplier: 0, shift: 31 };
        }
        // real = fraction * 2^exponent with 2^30 <= fraction < 2^31.
        let exponent = real.log2().floor() as i32 - 30;
        let shift = (-exponent).clamp(1, 62);
        let multiplier = (real * 2f64.powi(shift)).round();
        if multiplier > f64::from(i32::MAX) && shift > 1 {
            return Self { multiplier: 1 << 30, shift: (shift - 1) as u8 };
        }
        Self { multiplier: multiplier.min(f64::from(i32::MAX)) as i32, shift: shift as u8 }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn a_multiplier_is_within_half_a_unit_of_its_31_bits(log in -30.0..29.0f64) {
            let real = log.exp2();
            let m = Multiplier::nearest(real);
            let back = f64::from(m.multiplier) / f64::from(m.shift).exp2();
            prop_assert!((back / real - 1.0).abs() <= 2f64.powi(-31), "{real} became {back}");
            prop_assert!((1..=62).contains(&m.shift) && m.multiplier > 0);
        }

        #[test]
        fn a_value_in_the_span_is_off_by_at_most_half_a_step(low in -9.0..0.0f64, high in 0.001..9.0f64, at in 0.0..1.0f64) {
            let affine = Affine::spanning(low, high);
            let x = low + at * (high - low);
            // The zero point is rounded too, so the span may be shifted by half a step.
            prop_assert!((affine.dequantize(affine.quantize(x)) - x).abs() <= affine.scale * 1.01);
            prop_assert_eq!(affine.dequantize(affine.quantize(0.0)), 0.0);
        }
    }

    #[test]
    fn a_multiplier_of_a_power_of_two_is_exact() {
        for shift in -20..20 {
            let real = 2f64.powi(shift);
            let m = Multiplier::nearest(real);
            assert_eq!(f64::from(m.multiplier) / f64::from(m.shift).exp2(), real);
        }
        assert_eq!(Multiplier::nearest(0.0).multiplier, 0);
    }
}
