//! The input: from the data's unit, or from raw counts, to the first layer's steps.

use edgemix_format::description::Input;
use edgemix_format::write::Blob;

use super::fixed::{Affine, Multiplier};
use crate::data::{Samples, Scaling};

/// A column that is left out moves a step in 2^18 / 256 counts: as slowly as the bound on centres allows for a zero point
/// of 128.
const LEFT_OUT: i32 = 18;

/// Describes how samples become steps of `first`.
pub(super) fn describe(scaling: &Scaling, samples: &Samples, first: Affine, blob: &mut Blob) -> Input {
    let count = samples.count().unwrap_or_else(|| count_of(samples));
    let gains: Vec<f64> = scaling.gain.iter().map(|&g| f64::from(g) / first.scale).collect();
    let zero = f64::from(first.zero_point);
    let offsets: Vec<f64> = scaling.offset.iter().map(|&o| f64::from(o) / first.scale + zero).collect();
    // raw * count * gain + offset = (raw - center) * (count * gain), in 1/256 counts.
    let per_count = gains.iter().map(|g| g * f64::from(count));
    let (centers, multipliers): (Vec<i32>, Vec<Multiplier>) = per_count
        .zip(&offsets)
        .enumerate()
        .map(|(channel, (g, offset))| match g {
            0.0 => left_out(samples.least_of(channel) / count, first),
            _ => ((-offset / g * 256.0).round() as i32, Multiplier::of(g / 256.0)),
        })
        .unzip();
    Input {
        len: samples.n_features() as u32,
        channels: gains.len() as u32,
        gain: blob.push(&gains.iter().map(|&g| g as f32).collect::<Vec<f32>>()),
        offset: blob.push(&offsets.iter().map(|&o| o as f32).collect::<Vec<f32>>()),
        count,
        center: blob.push(&centers),
        multiplier: blob.push(&multipliers.iter().map(|m| m.multiplier).collect::<Vec<i32>>()),
        shift: blob.push(&multipliers.iter().map(|m| m.shift).collect::<Vec<u8>>()),
    }
}

/// Centre and multiplier of a column that is left out: a step in 1,024 counts, and the zero point at its raw value.
fn left_out(raw: f32, first: Affine) -> (i32, Multiplier) {
    let raw = raw.round().clamp(i16::MIN.into(), i16::MAX.into()) as i32;
    (256 * raw - (first.zero_point << LEFT_OUT), Multiplier::of(f64::from(-LEFT_OUT).exp2()))
}

/// For data without a count of their own: the power of two with which int16 spans the samples.
fn count_of(samples: &Samples) -> f32 {
    let most = samples.greatest().max(-samples.least());
    if most > 0.0 { (most / f32::from(i16::MAX)).log2().ceil().exp2() } else { 1.0 }
}
