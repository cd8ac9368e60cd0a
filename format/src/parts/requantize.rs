//! From a layer's 32-bit sums to steps of its output.

use serde::{Deserialize, Serialize};

use crate::cursor::decode_fields;
use crate::error::{Fault, ensure};
use crate::tensor::Tensor;

/// A multiplier and a shift for each output `i`: `floor(sum * multiplier[i] / 2^shift[i] + 1/2)`, computed in 64 bits.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct RequantizeRecord {
    /// Between 0 and 2^31 - 1.
    pub multiplier: Tensor<i32>,
    /// Between 1 and 62.
    pub shift: Tensor<u8>,
}

decode_fields!(RequantizeRecord: multiplier, shift);

/// A multiplier and a shift for each output.
#[derive(Clone, Copy, Debug)]
pub struct Requantize<'a> {
    /// Between 0 and 2^31 - 1.
    pub multiplier: &'a [i32],
    /// Between 1 and 62.
    pub shift: &'a [u8],
}

impl RequantizeRecord {
    pub(crate) fn resolve<'a>(&self, outputs: usize, blob: &'a [u8]) -> Result<Requantize<'a>, Fault> {
        Ok(Requantize {
            multiplier: self.multiplier.resolve(blob, outputs)?,
            shift: self.shift.resolve(blob, outputs)?,
        })
    }
}

impl Requantize<'_> {
    pub(crate) fn verify(&self) -> Result<(), Fault> {
        ensure(self.multiplier.iter().all(|&m| m >= 0), Fault::Multiplier)?;
        ensure(self.shift.iter().all(|s| (1..=62).contains(s)), Fault::Shift)
    }

    /// Bytes in the blob.
    pub(crate) fn flash(&self) -> usize {
        size_of_val(self.multiplier) + size_of_val(self.shift)
    }
}
