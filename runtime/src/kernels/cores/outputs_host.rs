//! Outputs of dense layers for hosts: plain Rust that compilers vectorise.

use super::super::blocks::Rescaling;

/// Number of outputs that are computed together.
const OUTPUTS: usize = 16;

/// [`requantize`](super::super::wide::requantize) of many sums. Stops at the first sixteen of which one shift is below 33.
#[inline(always)]
pub(super) fn by_sixteen(by: &Rescaling, sums: &[i32], outputs: &mut [i16]) -> usize {
    let (sums, _) = sums.as_chunks::<OUTPUTS>();
    let (multipliers, _) = by.multipliers.as_chunks::<OUTPUTS>();
    let (shifts, _) = by.shifts.as_chunks::<OUTPUTS>();
    let (outputs, _) = outputs.as_chunks_mut::<OUTPUTS>();
    let least = if by.is_relu { 0 } else { i32::MIN };
    let zero = i32::from(by.zero_point);
    let (low, high) = by.width.range();
    let mut done = 0;
    for (((sums, multipliers), shifts), outputs) in sums.iter().zip(multipliers).zip(shifts).zip(outputs) {
        if shifts.iter().any(|&shift| shift < 33) {
            break;
        }
        for (((sum, multiplier), shift), output) in sums.iter().zip(multipliers).zip(shifts).zip(outputs) {
            let upper = ((i64::from(*sum) * i64::from(*multiplier)) >> 32) as i32;
            let rounded = ((upper >> (u32::from(*shift) - 33).min(31)) + 1) >> 1;
            *output = (zero + rounded.max(least)).clamp(low as i32, high as i32) as i16;
        }
        done += OUTPUTS;
    }
    done
}
