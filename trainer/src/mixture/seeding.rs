//! The starts of k-means, wherever its samples are.

use rand::{Rng, RngExt};

/// The indices of `k` of `n` samples: the first drawn at random, each further one with a probability proportional to its
/// squared distance to the nearest sample chosen before (Arthur and Vassilvitskii, 2007).
///
/// `distances` gives the squared distances of all samples to one of them. If all are zero, as among equal samples,
/// `otherwise` chooses.
pub(super) fn plus_plus<R: Rng>(
    n: usize,
    k: usize,
    distances: impl Fn(usize) -> Vec<f64>,
    otherwise: impl Fn(&mut R) -> usize,
    rng: &mut R,
) -> Vec<usize> {
    let first = rng.random_range(0..n);
    let mut chosen = vec![first];
    let mut nearest = distances(first);
    while chosen.len() < k {
        let mut rest = rng.random::<f64>() * nearest.iter().sum::<f64>();
        let drawn = nearest.iter().position(|d| {
            rest -= d;
            rest < 0.0
        });
        let next = drawn.unwrap_or_else(|| otherwise(rng));
        nearest.iter_mut().zip(distances(next)).for_each(|(d, further)| *d = d.min(further));
        chosen.push(next);
    }
    chosen
}
