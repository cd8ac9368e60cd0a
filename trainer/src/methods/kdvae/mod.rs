//! k-DVAE and k-DAE: one (variational) autoencoder per cluster (Caciularu and Goldberger, "An entangled mixture of
//! variational autoencoders approach to deep clustering", 2023).
//!
//! **Objective**: each sample's best member alone learns from it, by its evidence bound,
//! `ln alpha_i + ln N(x; decoder_i(z), s^2) - KL(q_i(z|x) || N(0, 1))`; k-DAE has neither the weight nor the divergence.
//! That is the bound on the mixture's likelihood with hard responsibilities. At test `z` is the mean, and the score is the
//! training's (the paper's equation 8 drops half the sum of the variances). **Update**: assignments once an epoch, from
//! samples as they are; `s^2` is the last epoch's mean squared error. **Schedule**: VaDE finds clusters; each member learns
//! one of them; then assignments and members in turn; last, where that is what is exported, a small student learns the
//! assignments.

mod members;
mod phases;
mod settings;
mod student;

pub use settings::{Export, KAutoencoders, KDae, KDvae};
