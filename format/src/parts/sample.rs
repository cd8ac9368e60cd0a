//! What a sample is: its length, and what its raw counts are in the unit of the data.

use serde::{Deserialize, Serialize};

use super::affine::is_scale;
use crate::cursor::{Cursor, decode_fields};
use crate::error::{Fault, ensure};
use crate::limits::MAX_INPUTS;
use crate::tensor::Tensor;

/// A sample, as the description encodes it: element `i` has the value `origin[c] + raw * count[c]` in the unit of the data,
/// where `raw` is an int16 and `c = i mod channels`.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct SampleRecord {
    /// Number of elements.
    pub len: u32,
    /// Number of entries in the tensors below: 1, or a divisor of `len`.
    pub channels: u32,
    /// The value of raw count 0, in the unit of the data.
    pub origin: Tensor<f32>,
    /// The size of one raw count, in the unit of the data.
    pub count: Tensor<f32>,
}

decode_fields!(SampleRecord: len, channels, origin, count);

/// A sample: element `i` has the value `origin[c] + raw * count[c]` in the unit of the data, where `raw` is an int16 and
/// `c = i mod origin.len()`. Both slices have the same length, a divisor of `len`.
#[derive(Clone, Copy, Debug)]
pub struct Sample<'a> {
    /// Number of elements.
    pub len: usize,
    /// The value of raw count 0, in the unit of the data.
    pub origin: &'a [f32],
    /// The size of one raw count, in the unit of the data.
    pub count: &'a [f32],
}

pub(crate) fn decode<'a>(cursor: &mut Cursor<'a>, blob: &'a [u8]) -> Result<Sample<'a>, Fault> {
    let record: SampleRecord = cursor.next()?;
    let (len, channels) = (record.len as usize, record.channels as usize);
    ensure(len > 0 && len <= MAX_INPUTS, Fault::Size)?;
    ensure(channels > 0 && len.is_multiple_of(channels), Fault::Channels)?;
    let sample =
        Sample { len, origin: record.origin.resolve(blob, channels)?, count: record.count.resolve(blob, channels)? };
    ensure(sample.origin.iter().all(|x| x.is_finite()), Fault::NotFinite)?;
    ensure(sample.count.iter().all(|&count| is_scale(count)), Fault::Scale)?;
    Ok(sample)
}
