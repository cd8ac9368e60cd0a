//! Augmented versions of samples that are not images.

use std::fmt::Debug;

use rand_chacha::ChaCha8Rng;

use super::error::DataError;

/// Makes augmented versions of samples, which have as many features as the samples.
///
/// Images are augmented on the device that trains. Windows are augmented here, since their front end computes in integers.
pub trait Variations: Debug + Send + Sync {
    /// A random version of each of the samples with these indices, row-major, in the unit of the samples.
    ///
    /// # Errors
    /// If the file that the samples are in can't be read.
    fn draw(&self, indices: &[usize], rng: &mut ChaCha8Rng) -> Result<Vec<f32>, DataError>;
}
