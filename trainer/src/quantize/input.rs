//! The input: how samples in the unit of the data, or in raw counts, become the integers that the first layer takes.

use edgemix_format::description::InputRecord;
use edgemix_format::view::MAX_CENTER;
use edgemix_format::write::Blob;

use super::error::QuantizeError;
use super::fixed::{Affine, Multiplier};
use crate::data::{Samples, Scaling};

/// An omitted feature changes by one step in `2^OMITTED / 256` counts, as slowly as the bound on centres allows for a zero
/// point of 128.
const OMITTED: i32 = 18;

/// Describes how samples become integers in the scheme `first`.
pub(super) fn describe(
    scaling: &Scaling,
    samples: &Samples,
    first: Affine,
    blob: &mut Blob,
) -> Result<InputRecord, QuantizeError> {
    let count = samples.count().unwrap_or_else(|| default_count(samples));
    let gains: Vec<f64> = scaling.gain.iter().map(|&g| f64::from(g) / first.scale).collect();
    let zero = f64::from(first.zero_point);
    let offsets: Vec<f64> = scaling.offset.iter().map(|&o| f64::from(o) / first.scale + zero).collect();
    // raw * count * gain + offset = (raw - center) * (count * gain), in 1/256 counts.
    let per_count = gains.iter().map(|g| g * f64::from(count));
    let raw = per_count.zip(&offsets).enumerate().map(|(feature, (gain, offset))| match gain {
        0.0 => Ok(omitted(samples.least_of(feature) / count, first)),
        _ => Ok((center(feature, -offset / gain)?, Multiplier::nearest(gain / 256.0))),
    });
    let raw = raw.collect::<Result<Vec<(i32, Multiplier)>, QuantizeError>>()?;
    let (centers, multipliers): (Vec<i32>, Vec<Multiplier>) = raw.into_iter().unzip();
    Ok(InputRecord {
        len: samples.n_features() as u32,
        channels: gains.len() as u32,
        gain: blob.push(&gains.iter().map(|&g| g as f32).collect::<Vec<f32>>()),
        offset: blob.push(&offsets.iter().map(|&o| o as f32).collect::<Vec<f32>>()),
        count,
        center: blob.push(&centers),
        multiplier: blob.push(&multipliers.iter().map(|m| m.multiplier).collect::<Vec<i32>>()),
        shift: blob.push(&multipliers.iter().map(|m| m.shift).collect::<Vec<u8>>()),
    })
}

/// The raw value that becomes zero, in 1/256 counts.
fn center(feature: usize, counts: f64) -> Result<i32, QuantizeError> {
    let center = (counts * 256.0).round();
    if center.abs() < f64::from(MAX_CENTER) {
        Ok(center as i32)
    } else {
        Err(QuantizeError::FeatureCenter { feature, center: counts })
    }
}

/// The centre and the multiplier of a feature that is omitted: one step in 1024 counts, and the zero point at its raw value.
fn omitted(raw: f32, first: Affine) -> (i32, Multiplier) {
    let raw = raw.round().clamp(i16::MIN.into(), i16::MAX.into()) as i32;
    (256 * raw - (first.zero_point << OMITTED), Multiplier::nearest(f64::from(-OMITTED).exp2()))
}

/// The size of a raw count for data that do not specify it: the least power of two with which int16 spans the samples.
fn default_count(samples: &Samples) -> f32 {
    let greatest = samples.greatest().max(-samples.least());
    if greatest > 0.0 { (greatest / f32::from(i16::MAX)).log2().ceil().exp2() } else { 1.0 }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_feature_that_is_too_far_from_zero_is_named() {
        let describe = |offset: f32| {
            let scaling = Scaling { gain: vec![1.0, 0.001], offset: vec![0.0, -0.001 * offset] };
            let samples = Samples::new("counters", vec![0.5, offset, -0.5, offset], 2).with_count(1.0);
            let first = Affine { scale: 0.01, zero_point: 0 };
            super::describe(&scaling, &samples, first, &mut Blob::default())
        };
        assert!(describe(260_000.0).is_ok());
        let error = describe(1e6).unwrap_err();
        assert!(matches!(error, QuantizeError::FeatureCenter { feature: 1, .. }), "{error}");
        assert!(error.to_string().starts_with("feature 1 is centred on 1000000 raw counts"), "{error}");
    }
}
