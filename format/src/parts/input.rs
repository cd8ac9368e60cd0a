//! How raw counts, or the features that front ends compute of them, become the integers that the first layer takes.

use serde::{Deserialize, Serialize};

use super::requantize::Requantize;
use crate::cursor::{Cursor, decode_fields};
use crate::error::{Fault, ensure};
use crate::limits::{MAX_CENTER, MAX_INPUTS};
use crate::tensor::Tensor;

/// How int16 values become the integers that the first layer takes, as the description encodes it:
/// `q = zero_point + floor(((x << 15) - center) * multiplier / 2^shift + 1/2)`.
///
/// `q` saturates to int8; to int16 where it is the latent itself, because the encoder has no layers and the head is not one
/// of autoencoders. Element `i` uses entry `i mod channels`.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct InputRecord {
    /// Number of elements: those of a sample, or the features that the front ends give.
    pub len: u32,
    /// Number of entries in the tensors below: 1, or a divisor of `len`.
    pub channels: u32,
    /// The value that becomes `zero_point`, in units of 2^-15.
    pub center: Tensor<i32>,
    /// Multipliers. Where one is 0, the element is left out: it becomes `zero_point`, whatever its value.
    pub multiplier: Tensor<i32>,
    /// Shifts.
    pub shift: Tensor<u8>,
    /// The integer that stands for 0.
    pub zero_point: i8,
}

decode_fields!(InputRecord: len, channels, center, multiplier, shift, zero_point);

/// How int16 values become the integers that the first layer takes. All slices have the same length, a divisor of `len`.
#[derive(Clone, Copy, Debug)]
pub struct Input<'a> {
    /// Number of elements.
    pub len: usize,
    /// The value that becomes `zero_point`, in units of 2^-15.
    pub center: &'a [i32],
    /// Multipliers, not negative. Where one is 0, the element becomes `zero_point`, whatever its value.
    pub multiplier: &'a [i32],
    /// Shifts, 1 to 62.
    pub shift: &'a [u8],
    /// The integer that stands for 0.
    pub zero_point: i8,
}

/// Decodes an input that takes `given` elements.
pub(crate) fn decode<'a>(cursor: &mut Cursor<'a>, given: usize, blob: &'a [u8]) -> Result<Input<'a>, Fault> {
    let record: InputRecord = cursor.next()?;
    let (len, channels) = (record.len as usize, record.channels as usize);
    ensure(len > 0 && len <= MAX_INPUTS, Fault::Size)?;
    ensure(len == given, Fault::Inputs)?;
    ensure(channels > 0 && len.is_multiple_of(channels), Fault::Channels)?;
    let input = Input {
        len,
        center: record.center.resolve(blob, channels)?,
        multiplier: record.multiplier.resolve(blob, channels)?,
        shift: record.shift.resolve(blob, channels)?,
        zero_point: record.zero_point,
    };
    ensure(input.center.iter().all(|c| c.unsigned_abs() <= MAX_CENTER), Fault::Center)?;
    Requantize { multiplier: input.multiplier, shift: input.shift }.verify()?;
    Ok(input)
}
