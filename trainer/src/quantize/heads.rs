//! Heads: int16 coefficients and constants in units of 2^-16 nat, or the layers of autoencoders.

pub(super) mod autoencoders;
pub(super) mod mixture;
mod rows;
pub(super) mod softmax;

use super::error::QuantizeError;

/// Fraction bits of scores.
const SCORE_BITS: i32 = 16;

/// Refuses parameters that are NaN or infinite.
fn ensure_finite(parameter: &'static str, mut values: impl Iterator<Item = f64>) -> Result<(), QuantizeError> {
    if values.all(f64::is_finite) { Ok(()) } else { Err(QuantizeError::HeadNotFinite { parameter }) }
}
