//! Heads that are a linear layer and a softmax.

use serde::{Deserialize, Serialize};

use crate::cursor::{Cursor, decode_fields};
use crate::error::{Fault, ensure};
use crate::tensor::Tensor;

/// A 64-bit row holds at most 41 bits.
const MAX_SHIFT: u8 = 40;

/// A linear layer whose softmax is the posterior, as the description encodes it. A logit, in units of 2^-16, is
/// `(sum_c coefficients * z_c + offset) >> shift`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct SoftmaxRecord {
    /// Number of classes, which are the clusters.
    pub n_classes: u16,
    /// `n_classes x D`.
    pub coefficients: Tensor<i16>,
    /// One per class, plus half a step of the shift.
    pub offsets: Tensor<i32>,
    /// One per class, between 1 and 40.
    pub shifts: Tensor<u8>,
}

decode_fields!(SoftmaxRecord: n_classes, coefficients, offsets, shifts);

/// A linear layer of `offsets.len()` classes over a latent of D elements, whose softmax is the posterior.
#[derive(Clone, Copy, Debug)]
pub struct Softmax<'a> {
    /// `offsets.len() * D`.
    pub coefficients: &'a [i16],
    /// One per class.
    pub offsets: &'a [i32],
    /// One per class.
    pub shifts: &'a [u8],
}

/// Decodes and checks a softmax over `dims` latent elements.
pub(crate) fn decode<'a>(cursor: &mut Cursor<'a>, dims: usize, blob: &'a [u8]) -> Result<Softmax<'a>, Fault> {
    let record: SoftmaxRecord = cursor.next()?;
    let classes = record.n_classes as usize;
    ensure(classes > 0, Fault::Size)?;
    let softmax = Softmax {
        coefficients: record.coefficients.resolve(blob, classes.checked_mul(dims).ok_or(Fault::Size)?)?,
        offsets: record.offsets.resolve(blob, classes)?,
        shifts: record.shifts.resolve(blob, classes)?,
    };
    ensure(softmax.shifts.iter().all(|s| (1..=MAX_SHIFT).contains(s)), Fault::Shift)?;
    Ok(softmax)
}

impl Softmax<'_> {
    pub(crate) fn macs(&self) -> u64 {
        self.coefficients.len() as u64
    }

    /// Bytes in the blob.
    pub(crate) fn flash(&self) -> usize {
        size_of_val(self.coefficients) + size_of_val(self.offsets) + size_of_val(self.shifts)
    }
}
