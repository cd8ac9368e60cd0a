//! Scales and zero points.

use serde::{Deserialize, Serialize};

use crate::cursor::decode_fields;

/// The scheme of quantised values: `real = scale * (q - zero_point)`.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
pub struct Affine {
    /// The real value of one step; finite and above 0. Inference does not use it.
    pub scale: f32,
    /// The quantised value that stands for 0.
    pub zero_point: i8,
}

decode_fields!(Affine: scale, zero_point);

pub(crate) fn is_scale(scale: f32) -> bool {
    scale.is_finite() && scale > 0.0
}
