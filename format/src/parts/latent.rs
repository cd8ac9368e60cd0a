//! The latent: what the encoder gives.

use serde::{Deserialize, Serialize};

use super::affine::is_scale;
use crate::cursor::decode_fields;
use crate::error::{Fault, ensure};
use crate::limits::MAX_LATENT;

/// The encoder's int16 output; its zero point is 0. Autoencoders have a latent each: `len` is then 0 and `scale` any.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct Latent {
    /// Number of elements, D.
    pub len: u16,
    /// The real value of one step.
    pub scale: f32,
}

decode_fields!(Latent: len, scale);

impl Latent {
    /// Checks that the latent is what the encoder gives: `outputs` elements, or `None` where the head takes the sample
    /// instead.
    pub(crate) fn check(&self, outputs: Option<usize>) -> Result<(), Fault> {
        let len = usize::from(self.len);
        ensure(len == outputs.unwrap_or(0), Fault::Inputs)?;
        ensure(len <= MAX_LATENT && (len > 0 || outputs.is_none()), Fault::Size)?;
        ensure(is_scale(self.scale), Fault::Scale)
    }
}
