//! What is read of ONNX files at all.

use std::ops::RangeInclusive;

/// The versions of ONNX's operators that are read.
pub(super) const OPERATOR_SETS: RangeInclusive<i64> = 13..=21;
/// The most nodes, constants, inputs or outputs.
pub(super) const MOST: usize = 10_000;
