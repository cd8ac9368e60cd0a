//! What most methods choose alike where their papers are silent.

use crate::data::Samples;
use crate::nn::Architecture;

/// Features up to which an input counts as small.
const SMALL: usize = 256;

/// Layers by the input's size: DEC's, or narrower ones for few features.
pub(in crate::methods) fn architecture(samples: &Samples) -> Architecture {
    by_size(samples, &[256, 128, 10], &[500, 500, 2000, 10])
}

/// The first widths for few features, the second for many.
pub(in crate::methods) fn by_size(samples: &Samples, small: &[usize], large: &[usize]) -> Architecture {
    Architecture::dense(if samples.n_features() <= SMALL { small } else { large })
}

/// Epochs with the clustering loss after so many of reconstruction.
pub(in crate::methods) fn cluster_epochs(reconstruction: usize) -> usize {
    reconstruction * 2 / 15
}
