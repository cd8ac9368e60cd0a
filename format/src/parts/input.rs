//! How a sample becomes the integers that the first layer takes.

use serde::{Deserialize, Serialize};

use super::affine::is_scale;
use super::requantize::Requantize;
use crate::cursor::{Cursor, decode_fields};
use crate::error::{Fault, ensure};
use crate::limits::{MAX_CENTER, MAX_INPUTS};
use crate::tensor::Tensor;

/// How a sample becomes the integers that the first layer takes, as the description encodes it.
///
/// - A sample in the unit of the data: `q = floor(x * gain + offset + 1/2)`.
/// - A raw integer sample: `q = floor(((raw << 8) - center) * multiplier / 2^shift + 1/2)`.
///
/// Both saturate to int8; to int16 where `q` is the latent itself, because the encoder has no layers and the head is not
/// one of autoencoders. Element `i` uses entry `i mod channels`.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct InputRecord {
    /// Number of elements of one sample.
    pub len: u32,
    /// Number of entries in the tensors below: 1, or a divisor of `len`.
    pub channels: u32,
    /// Input steps per unit of the data.
    pub gain: Tensor<f32>,
    /// Input steps at zero.
    pub offset: Tensor<f32>,
    /// One raw count in the unit of the data.
    pub count: f32,
    /// The raw value that becomes zero, in 1/256 counts.
    pub center: Tensor<i32>,
    /// Multipliers of raw samples.
    pub multiplier: Tensor<i32>,
    /// Shifts of raw samples.
    pub shift: Tensor<u8>,
}

decode_fields!(InputRecord: len, channels, gain, offset, count, center, multiplier, shift);

/// How a sample becomes the integers that the first layer takes. All slices have the same length, a divisor of `len`.
#[derive(Clone, Copy, Debug)]
pub struct Input<'a> {
    /// Number of elements of one sample.
    pub len: usize,
    /// Input steps per unit of the data.
    pub gain: &'a [f32],
    /// Input steps at zero.
    pub offset: &'a [f32],
    /// One raw count in the unit of the data.
    pub count: f32,
    /// The raw value that becomes zero, in 1/256 counts.
    pub center: &'a [i32],
    /// Multipliers of raw samples.
    pub multiplier: &'a [i32],
    /// Shifts of raw samples, 1 to 62.
    pub shift: &'a [u8],
}

pub(crate) fn decode<'a>(cursor: &mut Cursor<'a>, blob: &'a [u8]) -> Result<Input<'a>, Fault> {
    let record: InputRecord = cursor.next()?;
    let (len, channels) = (record.len as usize, record.channels as usize);
    ensure(len > 0 && len <= MAX_INPUTS, Fault::Size)?;
    ensure(channels > 0 && len.is_multiple_of(channels), Fault::Channels)?;
    let input = Input {
        len,
        gain: record.gain.resolve(blob, channels)?,
        offset: record.offset.resolve(blob, channels)?,
        count: record.count,
        center: record.center.resolve(blob, channels)?,
        multiplier: record.multiplier.resolve(blob, channels)?,
        shift: record.shift.resolve(blob, channels)?,
    };
    ensure(input.gain.iter().chain(input.offset).all(|x| x.is_finite()), Fault::NotFinite)?;
    ensure(is_scale(input.count), Fault::Scale)?;
    ensure(input.center.iter().all(|c| c.unsigned_abs() < MAX_CENTER), Fault::Center)?;
    Requantize { multiplier: input.multiplier, shift: input.shift }.verify()?;
    Ok(input)
}
