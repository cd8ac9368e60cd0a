//! A mixture's scores, one function for each shape of covariance: the definition.

use edgemix_format::view::Mixture;

use super::wide::square;

/// Rows have 14 fraction bits, squares 28; scores have 16.
const SQUARE_SHIFT: u32 = 12;
/// The format bounds narrow rows to this by their shifts; wide rows saturate here. 1024 squares then fit 62 bits.
const ROW_LIMIT: i64 = 1 << 26;

/// One coefficient per component.
pub(crate) fn spherical(mixture: &Mixture, latent: &[i16], scores: &mut [i32]) {
    let rows = mixture.coefficients.iter().zip(mixture.shifts);
    for (((score, &constant), offsets), (&a, &shift)) in components(mixture, latent, scores).zip(rows) {
        let terms = latent.iter().zip(offsets).map(|(&z, &b)| narrow(a, z, b, shift));
        *score = finish(constant, terms.sum());
    }
}

/// One coefficient per component and dimension.
#[cfg_attr(any(edgemix_core = "dsp", edgemix_core = "mainline"), allow(dead_code))]
pub(crate) fn diagonal(mixture: &Mixture, latent: &[i16], scores: &mut [i32]) {
    let rows = mixture.coefficients.chunks_exact(latent.len().max(1)).zip(mixture.shifts);
    for (((score, &constant), offsets), (row, &shift)) in components(mixture, latent, scores).zip(rows) {
        // Four at a time: pointers are advanced once for four.
        let (z, last_z) = latent.as_chunks::<4>();
        let (a, last_a) = row.as_chunks::<4>();
        let (b, last_b) = offsets.as_chunks::<4>();
        let mut sum = 0;
        for (([z0, z1, z2, z3], [a0, a1, a2, a3]), [b0, b1, b2, b3]) in z.iter().zip(a).zip(b) {
            for (&z, &a, &b) in [(z0, a0, b0), (z1, a1, b1), (z2, a2, b2), (z3, a3, b3)] {
                sum += narrow(a, z, b, shift);
            }
        }
        let last = last_z.iter().zip(last_a).zip(last_b).map(|((&z, &a), &b)| narrow(a, z, b, shift));
        *score = finish(constant, sum + last.sum::<i64>());
    }
}

/// A lower triangle of coefficients per component.
#[cfg_attr(any(edgemix_core = "dsp", edgemix_core = "mainline"), allow(dead_code))]
pub(crate) fn full(mixture: &Mixture, latent: &[i16], scores: &mut [i32]) {
    let dims = latent.len().max(1);
    // `max` only tells the compiler that no triangle is empty.
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

/// The square of a row with one coefficient. |a z| <= 2^30 and |b| < 2^30, so the row fits 32 bits.
#[inline(always)]
fn narrow(a: i16, z: i16, b: i32, shift: u8) -> i64 {
    square((i32::from(a) * i32::from(z) + b) >> shift)
}

/// The sum of squares of a lower triangle's rows.
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

/// The score, saturating where the component is too far away to matter.
#[inline]
fn finish(constant: i32, squares: i64) -> i32 {
    let distance = (squares + (1 << (SQUARE_SHIFT - 1))) >> SQUARE_SHIFT;
    (i64::from(constant) - distance).max(i64::from(i32::MIN)) as i32
}
