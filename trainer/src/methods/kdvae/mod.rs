//! k-DVAE and k-DAE: one (variational) autoencoder per cluster (Caciularu and Goldberger, "An entangled mixture of
//! variational autoencoders approach to deep clustering", 2023).
//!
//! **Objective**: only the best member of a sample learns from it. The objective is the member's evidence bound, `ln
//! alpha_i + ln N(x; decoder_i(z), s^2) - KL(q_i(z|x) || N(0, 1))`; k-DAE has neither the weight nor the divergence.
//! With hard responsibilities, this bounds the mixture's likelihood. At inference `z` is the mean, and the score is the
//! one of training. The printed form has no weights, and the score of equation 8, which drops half the sum of the
//! variances. **Update**: unaugmented samples are reassigned once an epoch; `s^2` is the mean squared error of the last
//! epoch. **Schedule**: VaDE finds clusters; each
//! member learns one of them; then assignments and members are updated in turn. If the exported model is distilled, a
//! small student finally learns the assignments.

mod likelihood;
mod members;
mod phases;
mod settings;
mod start;
mod student;

pub use likelihood::Likelihood;
pub use settings::{Export, KAutoencoders, KDae, KDvae};
pub use start::StartClusters;
