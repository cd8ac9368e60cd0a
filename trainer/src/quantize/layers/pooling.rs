//! Poolings.

use edgemix_format::description::{self, LayerRecord, Pool2d};

use super::context::LayerContext;
use crate::quantize::error::QuantizeError;
use crate::quantize::fixed::Affine;
use crate::trained::{Pooling, PoolingOperation};

/// A pooling keeps the scheme of its input: the greatest of several integers represents the greatest of their values, and
/// their mean represents the mean.
pub(super) fn quantize(layer: &Pooling, context: &LayerContext) -> Result<(LayerRecord, Affine), QuantizeError> {
    let pooling = match layer.operation {
        PoolingOperation::Max => description::Pooling::Max,
        PoolingOperation::Average => description::Pooling::Average,
    };
    let window = context.window(layer.window, layer.input)?;
    Ok((LayerRecord::Pool2d(Pool2d { pooling, window, output: context.input.describe() }), context.input))
}
