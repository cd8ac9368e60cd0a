//! A convolution as many small dense layers: the input under the window is gathered, and the filters are the rows.

use edgemix_format::view::Conv2d;

use super::Width;
use super::cores;
use super::gather::{gather, positions};

/// Equals [`portable::convolution`](super::portable::convolution); `patch` has an element for each weight of a filter.
pub(super) fn run(layer: &Conv2d, width: Width, input: &[i16], output: &mut [i16], patch: &mut [i16]) {
    if cores::convolution(layer, width, input, output, patch) {
        return;
    }
    let outputs = output.chunks_exact_mut(layer.filters.bias.len().max(1));
    for ((row, column), outputs) in positions(&layer.window).zip(outputs) {
        gather(layer, row, column, input, patch, |x| x);
        cores::dense(&layer.filters, width, patch, outputs);
    }
}
