//! Seeded random streams. Every epoch has a stream of its own, so that any epoch can be replayed.
//!
//! Weights and noise are drawn here, on the host, rather than by the backend. A backend has a single generator for the
//! whole process, which two concurrent fits would share, and every backend has a different one.

use rand::{Rng, RngExt, SeedableRng};
use rand_chacha::ChaCha8Rng;
use sha2::{Digest, Sha256};

/// The stream for a run's `seed`, a named purpose and an index such as the epoch.
///
/// ```
/// use edgemix::random::{normal, stream};
///
/// let draw = |epoch| normal(3, &mut stream(7, "augmentation", epoch));
/// assert_eq!(draw(4), draw(4));
/// assert_ne!(draw(4), draw(5));
/// ```
pub fn stream(seed: u64, purpose: &str, index: u64) -> ChaCha8Rng {
    let mut hash = Sha256::new();
    hash.update(seed.to_le_bytes());
    hash.update(index.to_le_bytes());
    hash.update(purpose);
    ChaCha8Rng::from_seed(hash.finalize().into())
}

/// `n` draws from the uniform distribution between `-bound` and `bound`.
///
/// ```
/// use edgemix::random::{stream, uniform};
///
/// let drawn = uniform(1000, 0.5, &mut stream(7, "weights", 0));
/// assert!(drawn.iter().all(|x| x.abs() <= 0.5));
/// assert!(drawn.iter().any(|x| *x > 0.4) && drawn.iter().any(|x| *x < -0.4));
/// ```
pub fn uniform(n: usize, bound: f64, rng: &mut impl Rng) -> Vec<f32> {
    (0..n).map(|_| ((2.0 * rng.random::<f64>() - 1.0) * bound) as f32).collect()
}

/// `n` draws from the standard normal distribution (Box and Muller, "A note on the generation of random normal
/// deviates", 1958).
///
/// ```
/// use edgemix::random::{normal, stream};
///
/// let drawn = normal(1000, &mut stream(7, "noise", 0));
/// let moment = |power| drawn.iter().map(|x| x.powi(power)).sum::<f32>() / 1000.0;
/// assert!(moment(1).abs() < 0.2 && (moment(2) - 1.0).abs() < 0.3);
/// ```
pub fn normal(n: usize, rng: &mut impl Rng) -> Vec<f32> {
    let mut values = Vec::with_capacity(n + 1);
    while values.len() < n {
        let radius = (-2.0 * (1.0 - rng.random::<f64>()).ln()).sqrt();
        let (sin, cos) = (std::f64::consts::TAU * rng.random::<f64>()).sin_cos();
        values.extend([(radius * cos) as f32, (radius * sin) as f32]);
    }
    values.truncate(n);
    values
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn streams_repeat_and_each_argument_selects_another() {
        let draw = |seed, purpose, index| normal(4, &mut stream(seed, purpose, index));
        assert_eq!(draw(1, "weights", 2), draw(1, "weights", 2));
        for other in [draw(2, "weights", 2), draw(1, "noise", 2), draw(1, "weights", 3)] {
            assert_ne!(draw(1, "weights", 2), other);
        }
    }

    #[test]
    fn draws_have_the_moments_of_their_distribution() {
        let moment = |x: &[f32], p| x.iter().map(|&x| f64::from(x).powi(p)).sum::<f64>() / x.len() as f64;
        let z = normal(100_001, &mut stream(0, "test", 0));
        assert_eq!(z.len(), 100_001);
        for (p, expected) in [(1, 0.0), (2, 1.0), (3, 0.0), (4, 3.0)] {
            assert!((moment(&z, p) - expected).abs() < 0.1, "{p}");
        }
        let u = uniform(100_000, 3.0, &mut stream(0, "test", 0));
        assert!(moment(&u, 1).abs() < 0.05 && (moment(&u, 2) - 3.0).abs() < 0.05);
        assert!(u.iter().all(|x| x.abs() <= 3.0));
    }
}
