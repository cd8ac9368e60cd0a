//! Gaussian log-densities in integers.
//!
//! With `A` the Cholesky factor of the precision over sqrt(2), `ln N(z; m, S) = constant - |A (z - m)|^2`. A row of
//! `A` is int16 with a shift, and `-A m` is added in the product's own scale, so the mean loses nothing to rounding.

use edgemix_format::view::{Covariance, Mixture};

/// Rows have 14 fraction bits, squares 28; scores have 16.
const SQUARE_SHIFT: u32 = 12;
/// The format bounds narrow rows to this by their shifts; wide rows saturate here. 1024 squares then fit 62 bits.
const ROW_LIMIT: i64 = 1 << 26;

pub(super) fn run(mixture: &Mixture, latent: &[i16], scores: &mut [i32]) {
    let dims = latent.len().max(1);
    let offsets = mixture.offsets.chunks_exact(dims);
    let components = scores.iter_mut().zip(mixture.constants).zip(offsets);
    match mixture.covariance {
        Covariance::Spherical => {
            let rows = mixture.coefficients.iter().zip(mixture.shifts);
            for (((score, &constant), offsets), (&a, &shift)) in components.zip(rows) {
                let terms = latent.iter().zip(offsets).map(|(&z, &b)| narrow(a, z, b, shift));
                *score = finish(constant, terms.sum());
            }
        }
        Covariance::Diagonal => {
            let rows = mixture.coefficients.chunks_exact(dims).zip(mixture.shifts);
            for (((score, &constant), offsets), (row, &shift)) in components.zip(rows) {
                let terms = latent.iter().zip(row).zip(offsets).map(|((&z, &a), &b)| narrow(a, z, b, shift));
                *score = finish(constant, terms.sum());
            }
        }
        Covariance::Full => {
            let triangles = mixture.coefficients.chunks_exact((dims * (dims + 1) / 2).max(1));
            let rows = triangles.zip(mixture.shifts.chunks_exact(dims));
            for (((score, &constant), offsets), (triangle, shifts)) in components.zip(rows) {
                *score = finish(constant, full(triangle, offsets, shifts, latent));
            }
        }
    }
}

/// The square of a row with one coefficient. |a z| <= 2^30 and |b| < 2^30, so the row fits 32 bits.
#[inline]
fn narrow(a: i16, z: i16, b: i32, shift: u8) -> i64 {
    let u = (i32::from(a) * i32::from(z) + b) >> shift;
    i64::from(u) * i64::from(u)
}

/// The sum of squares of a lower triangle's rows.
fn full(triangle: &[i16], offsets: &[i32], shifts: &[u8], latent: &[i16]) -> i64 {
    let mut rest = triangle;
    let mut sum = 0;
    for ((&b, &shift), length) in offsets.iter().zip(shifts).zip(1..) {
        let Some((row, after)) = rest.split_at_checked(length) else { break };
        rest = after;
        let products = row.iter().zip(latent).map(|(&a, &z)| i64::from(i32::from(a) * i32::from(z)));
        let u = ((products.sum::<i64>() + i64::from(b)) >> shift).clamp(-ROW_LIMIT, ROW_LIMIT);
        sum += u * u;
    }
    sum
}

/// The score, saturating where the component is too far away to matter.
fn finish(constant: i32, squares: i64) -> i32 {
    let distance = (squares + (1 << (SQUARE_SHIFT - 1))) >> SQUARE_SHIFT;
    (i64::from(constant) - distance).max(i64::from(i32::MIN)) as i32
}
