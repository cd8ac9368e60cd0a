//! From a latent to one score per component, in units of 2^-16 nat.

mod mixture;
mod softmax;

use edgemix_format::view::Head;

/// Writes one score per component: `latent` is as long as the model says, `scores` has one element per component.
pub fn run(head: &Head, latent: &[i16], scores: &mut [i32]) {
    match head {
        Head::Mixture(mixture) => mixture::run(mixture, latent, scores),
        Head::Softmax(softmax) => softmax::run(softmax, latent, scores),
        // The format's enum may grow before this match does; its checker refuses what isn't here.
        _ => scores.fill(0),
    }
}
