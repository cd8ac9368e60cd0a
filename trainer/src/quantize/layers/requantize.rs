//! Requantisation multipliers.

use edgemix_format::description::RequantizeRecord;
use edgemix_format::write::Blob;

use crate::quantize::fixed::Multiplier;

/// Writes the multipliers that are nearest to these factors.
pub(in crate::quantize) fn requantize(factors: impl Iterator<Item = f64>, blob: &mut Blob) -> RequantizeRecord {
    let multipliers: Vec<Multiplier> = factors.map(Multiplier::nearest).collect();
    RequantizeRecord {
        multiplier: blob.push(&multipliers.iter().map(|m| m.multiplier).collect::<Vec<i32>>()),
        shift: blob.push(&multipliers.iter().map(|m| m.shift).collect::<Vec<u8>>()),
    }
}
