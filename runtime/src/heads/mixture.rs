//! Gaussian log-densities in integers.
//!
//! With `A` the Cholesky factor of the precision over sqrt(2), `ln N(z; m, S) = constant - |A (z - m)|^2`. A row of `A`
//! is int16 with a shift, and `-A m` is added in the scale of the product, so the mean loses no precision.

use edgemix_format::FULL_COVARIANCE;
use edgemix_format::view::{Covariance, Mixture};

use crate::kernels::mixture::spherical;
use crate::kernels::{diagonal, full};

pub(super) fn run(mixture: &Mixture, latent: &[i16], scores: &mut [i32]) {
    match mixture.covariance {
        Covariance::Spherical => spherical(mixture, latent, scores),
        Covariance::Diagonal => diagonal(mixture, latent, scores),
        Covariance::Full if FULL_COVARIANCE => full(mixture, latent, scores),
        // Without the feature, loading refuses such mixtures.
        Covariance::Full => {}
    }
}
