//! Mixtures and softmax heads, sixteen samples at a time.

use edgemix_format::view::{Covariance, Head, Mixture, Softmax};

use super::super::mixture::{ROW_LIMIT, finish};
use super::instructions::{GROUP, Instructions};
use super::lanes::{Lanes, Vectorised, compute};

/// Writes the scores of sixteen samples, those of a component side by side. `latents` has the values of a dimension side by side.
/// Returns false, and writes nothing of use, for heads of autoencoders.
pub(crate) fn scores_of_sixteen(
    instructions: Instructions,
    head: &Head,
    latents: &[[i32; GROUP]],
    scores: &mut [[i32; GROUP]],
) -> bool {
    match head {
        Head::Mixture(mixture) => compute(instructions, Densities { mixture, latents, scores }),
        Head::Softmax(softmax) => compute(instructions, Logits { softmax, latents, scores }),
        Head::Autoencoders(_) => return false,
    }
    true
}

struct Densities<'a> {
    mixture: &'a Mixture<'a>,
    latents: &'a [[i32; GROUP]],
    scores: &'a mut [[i32; GROUP]],
}

struct Logits<'a> {
    softmax: &'a Softmax<'a>,
    latents: &'a [[i32; GROUP]],
    scores: &'a mut [[i32; GROUP]],
}

impl Vectorised for Densities<'_> {
    type Output = ();

    #[inline(always)]
    fn run<L: Lanes>(self) {
        let Self { mixture, latents, scores } = self;
        let dims = latents.len().max(1);
        let components = scores.iter_mut().zip(mixture.constants).zip(mixture.offsets.chunks_exact(dims));
        match mixture.covariance {
            Covariance::Spherical => {
                let rows = mixture.coefficients.iter().zip(mixture.shifts);
                for (((scores, &constant), offsets), (&a, &shift)) in components.zip(rows) {
                    let terms = latents.iter().zip(offsets).map(|(z, &b)| (z, a, b));
                    *scores = narrow_rows::<L>(constant, terms, shift);
                }
            }
            Covariance::Diagonal => {
                let rows = mixture.coefficients.chunks_exact(dims).zip(mixture.shifts);
                for (((scores, &constant), offsets), (coefficients, &shift)) in components.zip(rows) {
                    let terms = latents.iter().zip(coefficients).zip(offsets).map(|((z, &a), &b)| (z, a, b));
                    *scores = narrow_rows::<L>(constant, terms, shift);
                }
            }
            Covariance::Full => {
                let triangles = mixture.coefficients.chunks_exact((dims * (dims + 1) / 2).max(1));
                let rows = triangles.zip(mixture.shifts.chunks_exact(dims));
                for (((scores, &constant), offsets), (triangle, shifts)) in components.zip(rows) {
                    *scores = triangle_rows::<L>(constant, triangle, offsets.iter().zip(shifts), latents);
                }
            }
        }
    }
}

/// The scores of rows with one coefficient each, which fit 32 bits.
#[inline(always)]
fn narrow_rows<'l, L: Lanes>(
    constant: i32,
    rows: impl Iterator<Item = (&'l [i32; GROUP], i16, i32)>,
    shift: u8,
) -> [i32; GROUP] {
    let mut squares = L::zero();
    for (z, a, b) in rows {
        squares = squares.add_squares(a, z, b, shift);
    }
    squares.sums().map(|sum| finish(constant, sum))
}

/// The scores of a lower triangle's rows.
#[inline(always)]
fn triangle_rows<'l, L: Lanes>(
    constant: i32,
    triangle: &[i16],
    rows: impl Iterator<Item = (&'l i32, &'l u8)>,
    latents: &[[i32; GROUP]],
) -> [i32; GROUP] {
    let mut rest = triangle;
    let mut squares = [0i64; GROUP];
    for ((&b, &shift), length) in rows.zip(1..) {
        let Some((row, after)) = rest.split_at_checked(length) else { break };
        rest = after;
        let sums = products::<L>(row, b, latents);
        for (square, sum) in squares.iter_mut().zip(sums) {
            let u = (sum >> shift).clamp(-ROW_LIMIT, ROW_LIMIT) as i32;
            *square += i64::from(u) * i64::from(u);
        }
    }
    squares.map(|sum| finish(constant, sum))
}

/// `b + sum a z` in 64 bits.
#[inline(always)]
fn products<L: Lanes>(row: &[i16], b: i32, latents: &[[i32; GROUP]]) -> [i64; GROUP] {
    let mut sum = L::zero();
    for (&a, z) in row.iter().zip(latents) {
        sum = sum.add_products(a, z);
    }
    sum.sums().map(|sum| sum + i64::from(b))
}

impl Vectorised for Logits<'_> {
    type Output = ();

    #[inline(always)]
    fn run<L: Lanes>(self) {
        let Self { softmax, latents, scores } = self;
        let rows = softmax.coefficients.chunks_exact(latents.len().max(1));
        let classes = rows.zip(softmax.offsets).zip(softmax.shifts);
        for (scores, ((row, &offset), &shift)) in scores.iter_mut().zip(classes) {
            let logits = products::<L>(row, offset, latents);
            *scores = logits.map(|sum| (sum >> shift).clamp(i64::from(i32::MIN), i64::from(i32::MAX)) as i32);
        }
    }
}
