//! What is read of ONNX files at all.

use std::ops::RangeInclusive;

/// The versions of ONNX's operators that are read. Between versions 21 and 27, the operators that are imported gained types and
/// nothing else, as their schemas in onnx 1.23 say.
pub(super) const OPERATOR_SETS: RangeInclusive<i64> = 13..=27;
/// The most nodes, constants, inputs or outputs.
pub(super) const MOST: usize = 10_000;
