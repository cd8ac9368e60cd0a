//! What several methods share: the autoencoder and its reconstruction phase, and two forms of a clustering phase.

pub(super) mod defaults;
pub(super) mod features;
pub(super) mod joint;
pub(super) mod learned_mixture;
pub(super) mod learner;
pub(super) mod linear;
pub(super) mod pulled;
pub(super) mod reconstruction;
pub(super) mod softmax_head;
pub(super) mod standardisation;
