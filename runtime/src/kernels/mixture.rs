//! The definition of a mixture's scores, one function for each shape of covariance.
//!
//! A score is `constant - |A z + b|^2`, where `A` is the Cholesky factor of the precision over sqrt(2) and `b` is `-A`
//! times the mean. Each row of `A z + b` is shifted right by its own shift.

use edgemix_format::view::Mixture;

use super::wide::square;

/// Rows have 14 fraction bits and their squares 28; scores have 16.
const SQUARE_SHIFT: u32 = 12;
/// The bound of a row, so that 1024 squares fit 62 bits. Rows with one coefficient keep it by their shifts, which the
/// format checks; rows of a triangle saturate.
pub(super) const ROW_LIMIT: i64 = 1 << 26;

/// Scores of a mixture with one coefficient per component.
pub(crate) fn spherical(mixture: &Mixture, latent: &[i16], scores: &mut [i32]) {
    let rows = mixture.coefficients.iter().zip(mixture.shifts);
    for (((score, &constant), offsets), (&a, &shift)) in components(mixture, latent, scores).zip(rows) {
        let terms = latent.iter().zip(offsets).map(|(&z, &b)| row_square(a, z, b, shift));
        *score = finish(constant, terms.sum());
    }
}

/// Scores of a mixture with one coefficient per component and dimension.
#[cfg_attr(edgemix_has = "armv7m", allow(dead_code))]
pub(crate) fn diagonal(mixture: &Mixture, latent: &[i16], scores: &mut [i32]) {
    let rows = mixture.coefficients.chunks_exact(latent.len().max(1)).zip(mixture.shifts);
    for (((score, &constant), offsets), (row, &shift)) in components(mixture, latent, scores).zip(rows) {
        // Four dimensions at a time, so that pointers advance once for four.
        let (z, last_z) = latent.as_chunks::<4>();
        let (a, last_a) = row.as_chunks::<4>();
        let (b, last_b) = offsets.as_chunks::<4>();
        let mut sum = 0;
        for (([z0, z1, z2, z3], [a0, a1, a2, a3]), [b0, b1, b2, b3]) in z.iter().zip(a).zip(b) {
            for (&z, &a, &b) in [(z0, a0, b0), (z1, a1, b1), (z2, a2, b2), (z3, a3, b3)] {
                sum += row_square(a, z, b, shift);
            }
        }
        let last = last_z.iter().zip(last_a).zip(last_b).map(|((&z, &a), &b)| row_square(a, z, b, shift));
        *score = finish(constant, sum + last.sum::<i64>());
    }
}

/// Scores of a mixture with a lower triangle of coefficients per component.
#[cfg_attr(edgemix_has = "armv7m", allow(dead_code))]
pub(crate) fn full(mixture: &Mixture, latent: &[i16], scores: &mut [i32]) {
    let dims = latent.len().max(1);
    // No triangle is empty; `max` tells the compiler so.
    let triangles = mixture.coefficients.chunks_exact((dims * (dims + 1) / 2).max(1));
    let rows = triangles.zip(mixture.shifts.chunks_exact(dims));
    for (((score, &constant), offsets), (triangle, shifts)) in components(mixture, latent, scores).zip(rows) {
        *score = finish(constant, triangle_squares(triangle, offsets, shifts, latent));
    }
}

/// Each component's score, constant and offsets.
fn components<'a>(
    mixture: &Mixture<'a>,
    latent: &[i16],
    scores: &'a mut [i32],
) -> impl Iterator<Item = ((&'a mut i32, &'a i32), &'a [i32])> + use<'a> {
    scores.iter_mut().zip(mixture.constants).zip(mixture.offsets.chunks_exact(latent.len().max(1)))
}

/// The square of a row with one coefficient. As |a z| <= 2^30 and |b| < 2^30, the row fits 32 bits.
#[inline(always)]
fn row_square(a: i16, z: i16, b: i32, shift: u8) -> i64 {
    square((i32::from(a) * i32::from(z) + b) >> shift)
}

/// The sum of the squares of a lower triangle's rows.
fn triangle_squares(triangle: &[i16], offsets: &[i32], shifts: &[u8], latent: &[i16]) -> i64 {
    let mut rest = triangle;
    let mut sum = 0;
    for ((&b, &shift), length) in offsets.iter().zip(shifts).zip(1..) {
        let Some((row, after)) = rest.split_at_checked(length) else { break };
        rest = after;
        let products = row.iter().zip(latent).map(|(&a, &z)| i64::from(i32::from(a) * i32::from(z)));
        let u = ((products.sum::<i64>() + i64::from(b)) >> shift).clamp(-ROW_LIMIT, ROW_LIMIT);
        sum += square(u as i32);
    }
    sum
}

/// The score, which saturates if the component is too far away to matter.
#[inline]
pub(super) fn finish(constant: i32, squares: i64) -> i32 {
    let distance = (squares + (1 << (SQUARE_SHIFT - 1))) >> SQUARE_SHIFT;
    (i64::from(constant) - distance).max(i64::from(i32::MIN)) as i32
}
