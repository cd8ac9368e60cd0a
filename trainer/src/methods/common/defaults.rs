//! Defaults that most methods share where their papers specify nothing.

use crate::data::Samples;
use crate::nn::Architecture;

/// The greatest number of features of a small input.
const SMALL: usize = 256;

/// Layers chosen by the size of the input: the ones of DEC, or narrower ones for few features.
pub(in crate::methods) fn architecture(samples: &Samples) -> Architecture {
    by_size(samples, &[256, 128, 10], &[500, 500, 2000, 10])
}

/// An encoder with the widths `small` for few features and `large` for many.
pub(in crate::methods) fn by_size(samples: &Samples, small: &[usize], large: &[usize]) -> Architecture {
    Architecture::dense(if samples.n_features() <= SMALL { small } else { large })
}

/// The number of clustering epochs after `reconstruction` epochs of reconstruction.
pub(in crate::methods) fn cluster_epochs(reconstruction: usize) -> usize {
    reconstruction * 2 / 15
}
