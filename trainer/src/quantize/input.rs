//! The input: from the data's unit, or from raw counts, to the first layer's steps.

use edgemix_format::description::Input;
use edgemix_format::write::Blob;

use super::fixed::{Affine, Multiplier};
use crate::data::{Samples, Scaling};

/// Describes how samples become steps of `first`.
pub(super) fn describe(scaling: &Scaling, samples: &Samples, first: Affine, blob: &mut Blob) -> Input {
    let count = samples.count().unwrap_or_else(|| count_of(samples));
    let gains: Vec<f64> = scaling.gain.iter().map(|&g| f64::from(g) / first.scale).collect();
    let zero = f64::from(first.zero_point);
    let offsets: Vec<f64> = scaling.offset.iter().map(|&o| f64::from(o) / first.scale + zero).collect();
    // raw * count * gain + offset = (raw - center) * (count * gain), in 1/256 counts.
    let per_count = gains.iter().map(|g| g * f64::from(count));
    let centers: Vec<i32> =
        per_count.clone().zip(&offsets).map(|(g, offset)| (-offset / g * 256.0).round() as i32).collect();
    let multipliers: Vec<Multiplier> = per_count.map(|g| Multiplier::of(g / 256.0)).collect();
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

/// For data without a count of their own: the power of two with which int16 spans the samples.
fn count_of(samples: &Samples) -> f32 {
    let most = samples.greatest().max(-samples.least());
    if most > 0.0 { (most / f32::from(i16::MAX)).log2().ceil().exp2() } else { 1.0 }
}
