//! From a latent to one score per component, in units of 2^-16 nat.

mod autoencoders;
mod mixture;
mod softmax;

use edgemix_format::view::Head;
use edgemix_format::{AUTOENCODERS, SOFTMAX};

/// Writes one score per component: `latent` is as long as the model says, `scores` has one element per component,
/// `room` as many as [`Head::room`] says. Autoencoders take the sample's int8 steps for the latent.
pub fn run(head: &Head, latent: &[i16], scores: &mut [i32], room: &mut [i16]) {
    match head {
        Head::Mixture(mixture) => mixture::run(mixture, latent, scores),
        Head::Softmax(softmax) if SOFTMAX => softmax::run(softmax, latent, scores),
        Head::Autoencoders(pairs) if AUTOENCODERS => {
            // A room of that length is long enough: the format's plan was checked against its layers.
            let _ = autoencoders::run(pairs, latent, scores, room);
        }
        // The format's enum may grow before this match does; its checker refuses what isn't here.
        _ => scores.fill(0),
    }
}
