//! The input: how raw counts become the integers that the first layer takes.

use edgemix_format::description::InputRecord;
use edgemix_format::view::MAX_CENTER;
use edgemix_format::write::Blob;

use super::counts::Counts;
use super::error::QuantizeError;
use super::fixed::{Affine, Multiplier};
use crate::data::Scaling;

/// Centres are in units of 2^-15 counts.
const CENTER_UNIT: f64 = (1 << 15) as f64;

/// Describes how the counts of samples of `len` values become integers in the scheme `first`. A feature whose gain is 0 is
/// left out: its multiplier is 0.
pub(super) fn describe(
    scaling: &Scaling,
    counts: &[Counts],
    len: usize,
    first: Affine,
    blob: &mut Blob,
) -> Result<InputRecord, QuantizeError> {
    let channels = scaling.gain.len().max(counts.len());
    let entries = scaling.gain.iter().zip(&scaling.offset).cycle().zip(counts.iter().cycle());
    let mut centers = vec![];
    let mut multipliers = vec![];
    for (feature, ((&gain, &offset), &counts)) in entries.take(channels).enumerate() {
        let (gain, offset) = (f64::from(gain), f64::from(offset));
        centers.push(if gain == 0.0 { 0 } else { center(feature, counts.of_value(-offset / gain))? });
        multipliers.push(Multiplier::nearest(gain * f64::from(counts.count) / first.scale / CENTER_UNIT));
    }
    Ok(InputRecord {
        len: len as u32,
        channels: channels as u32,
        center: blob.push(&centers),
        multiplier: blob.push(&multipliers.iter().map(|m| m.multiplier).collect::<Vec<i32>>()),
        shift: blob.push(&multipliers.iter().map(|m| m.shift).collect::<Vec<u8>>()),
        zero_point: first.zero_point as i8,
    })
}

/// The count whose scaled value is 0, in units of 2^-15.
fn center(feature: usize, counts: f64) -> Result<i32, QuantizeError> {
    let center = (counts * CENTER_UNIT).round();
    if center.abs() <= f64::from(MAX_CENTER) {
        Ok(center as i32)
    } else {
        Err(QuantizeError::FeatureCenter { feature, center: counts })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::data::Samples;
    use crate::quantize::counts::of_samples;

    #[test]
    fn a_feature_whose_zero_is_beyond_its_counts_is_named() {
        let describe = |offset: f32| {
            let scaling = Scaling { gain: vec![1.0, 0.001], offset: vec![0.0, -0.001 * offset], limits: None };
            let samples = Samples::new("counters", vec![0.0, 1000.0, 1.0, 2000.0], 2);
            let first = Affine { scale: 0.01, zero_point: 0 };
            super::describe(&scaling, &of_samples(&samples, &scaling), 2, first, &mut Blob::default())
        };
        assert!(describe(32_000.0).is_ok());
        let error = describe(1e6).unwrap_err();
        assert!(matches!(error, QuantizeError::FeatureCenter { feature: 1, .. }), "{error}");
        assert!(error.to_string().starts_with("the scaling makes 1000000 raw counts of feature 1 zero"), "{error}");
    }
}
