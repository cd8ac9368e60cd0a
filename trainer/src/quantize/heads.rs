//! Heads: int16 coefficients whose rows whiten the latent, constants in units of 2^-16 nat.

use edgemix_format::description::{self, Covariance as Shape, Head as Encoded};
use edgemix_format::view::MAX_BIAS;
use edgemix_format::write::Blob;

use super::{QuantizeError, calibrate::Range};
use crate::mixture::{Covariance, Mixture, cholesky};
use crate::trained::{Dense, Head};

/// How often a component that is too narrow is made twice as wide.
const WIDER: i32 = 6;
/// Fraction bits of scores.
pub(super) const SCORE_BITS: i32 = 16;
/// Rows of diagonal and spherical mixtures: 32-bit sums.
const NARROW: Scheme = Scheme { bits: 14, shifts: (5, 31), limit: MAX_BIAS as f64 };
/// Rows of full mixtures: 64-bit sums.
const FULL: Scheme = Scheme { bits: 14, shifts: (5, 40), limit: i32::MAX as f64 };
/// Logits.
const SOFTMAX: Scheme = Scheme { bits: SCORE_BITS, shifts: (1, 40), limit: i32::MAX as f64 };

/// What the format allows a kind of row.
#[derive(Clone, Copy)]
struct Scheme {
    /// Fraction bits of the row's value.
    bits: i32,
    /// The least and the greatest shift.
    shifts: (i32, i32),
    /// Offsets are smaller than this.
    limit: f64,
}

/// The latent's steps must reach the means.
pub(super) fn widen(head: &Head, latent: &mut Range) {
    if let Head::Mixture(mixture) = head {
        mixture.means.iter().for_each(|&mean| latent.include(mean));
    }
}

/// Describes the head for a latent of steps of `scale`.
pub(super) fn describe(head: &Head, scale: f64, blob: &mut Blob) -> Result<Encoded, QuantizeError> {
    match head {
        Head::Mixture(m) => mixture(m, scale, blob).map(Encoded::Mixture),
        Head::Softmax(dense) => softmax(dense, scale, blob).map(Encoded::Softmax),
        Head::Autoencoders(_) => Err(QuantizeError::NotFinite { what: "the latent of autoencoders" }),
    }
}

/// A row's value is `coefficients (z - mean) + constant`, with z and the mean in latent steps.
struct Row<'a> {
    coefficients: Vec<f64>,
    mean: &'a [f64],
    constant: f64,
}

impl<'a> Row<'a> {
    /// A row that is zero at the mean.
    fn at(coefficients: Vec<f64>, mean: &'a [f64]) -> Self {
        Self { coefficients, mean, constant: 0.0 }
    }
}

/// Quantised rows that share a shift.
struct Rows {
    coefficients: Vec<i16>,
    offsets: Vec<i32>,
    shift: u8,
}

/// The tensors of a head, as they grow.
#[derive(Default)]
struct Encoder {
    coefficients: Vec<i16>,
    offsets: Vec<i32>,
    shifts: Vec<u8>,
}

impl Encoder {
    /// Appends rows; of their coefficients at most `kept`, where they are all the same.
    fn push(&mut self, rows: Rows, kept: usize) {
        self.coefficients.extend(rows.coefficients.iter().take(kept));
        self.offsets.extend(rows.offsets);
        self.shifts.push(rows.shift);
    }
}

/// The integers with `(sum_c q_c z_c + offset) >> shift = floor(value * 2^bits + 1/2)`, with as many bits as fit.
///
/// The offset is taken from the coefficients as quantised, so that a row is zero exactly at its mean.
fn rows(rows: &[Row], scheme: Scheme) -> Option<Rows> {
    let most = rows.iter().flat_map(|row| &row.coefficients).fold(0f64, |most, a| most.max(a.abs()));
    let widest = (f64::from(i16::MAX) / most.max(f64::MIN_POSITIVE)).log2().floor() as i32 - scheme.bits;
    let shifts = (scheme.shifts.0..=scheme.shifts.1.min(widest)).rev();
    shifts.map(|shift| with_shift(rows, scheme, shift)).find_map(|rows| rows)
}

/// `None` if an offset does not fit.
fn with_shift(rows: &[Row], scheme: Scheme, shift: i32) -> Option<Rows> {
    let unit = 2f64.powi(scheme.bits + shift);
    let half = 2f64.powi(shift - 1);
    let mut quantised = Rows { coefficients: vec![], offsets: vec![], shift: shift as u8 };
    for row in rows {
        let q: Vec<f64> = row.coefficients.iter().map(|a| (a * unit).round()).collect();
        let at_mean: f64 = q.iter().zip(row.mean).map(|(q, m)| q * m).sum();
        let offset = (row.constant * unit - at_mean).round() + half;
        if offset.abs() >= scheme.limit {
            return None;
        }
        quantised.coefficients.extend(q.iter().map(|&q| q as i16));
        quantised.offsets.push(offset as i32);
    }
    Some(quantised)
}

/// What whitens a latent in its steps, times the root of a half.
fn per_step(row: &[f64], scale: f64) -> Vec<f64> {
    row.iter().map(|a| a * scale / std::f64::consts::SQRT_2).collect()
}

/// A triangle that whitens, in integers; each row has its own shift.
fn triangle(whitening: &[f64], scale: f64, mean: &[f64]) -> Option<Vec<Rows>> {
    let triangle = whitening.chunks_exact(mean.len()).enumerate();
    triangle.map(|(r, row)| rows(&[Row::at(per_step(&row[..=r], scale), mean)], FULL)).collect()
}

/// A mean in latent steps.
fn in_steps(mean: &[f64], scale: f64) -> Vec<f64> {
    mean.iter().map(|m| m / scale).collect()
}

/// The mixture with full covariances made as wide as integers can say.
///
/// Of a few latents far from all others, a component may be narrower than int16 steps over their range resolve. It gets the
/// least variance that fits; whether clusters change by that is seen when the integers are compared.
fn resolvable(mixture: &Mixture, scale: f64) -> Mixture {
    let dims = mixture.n_dims();
    let mut mixture = mixture.clone();
    let Covariance::Full(covariances) = &mut mixture.covariance else { return mixture };
    let steepest = f64::from(i16::MAX) / 2f64.powi(FULL.bits + FULL.shifts.0);
    let least = scale / std::f64::consts::SQRT_2 / steepest;
    for (covariance, mean) in covariances.chunks_exact_mut(dims * dims).zip(mixture.means.chunks_exact(dims)) {
        let mean = in_steps(mean, scale);
        let fits = |covariance: &[f64]| {
            cholesky::whitening(covariance, dims).is_some_and(|(rows, _)| triangle(&rows, scale, &mean).is_some())
        };
        let own = covariance.to_vec();
        for doublings in 0..WIDER {
            if fits(covariance) {
                break;
            }
            let width = least * 2f64.powi(doublings);
            covariance.copy_from_slice(&own);
            covariance.iter_mut().step_by(dims + 1).for_each(|variance| *variance += width * width);
        }
    }
    mixture
}

fn mixture(mixture: &Mixture, scale: f64, blob: &mut Blob) -> Result<description::Mixture, QuantizeError> {
    let mixture = &resolvable(mixture, scale);
    let whitened = mixture.whiten()?;
    let dims = mixture.n_dims();
    let stride = whitened.rows.len() / mixture.n_components();
    let mut encoded = Encoder::default();
    let components = mixture.means.chunks_exact(dims).zip(whitened.rows.chunks_exact(stride));
    for (component, (mean, whitening)) in components.enumerate() {
        let narrow = QuantizeError::Narrow { component };
        let steps = in_steps(mean, scale);
        if matches!(mixture.covariance, Covariance::Full(_)) {
            let rows = triangle(whitening, scale, &steps).ok_or(narrow)?;
            rows.into_iter().for_each(|rows| encoded.push(rows, usize::MAX));
        } else {
            let diagonal = whitening.iter().zip(&steps);
            let diagonal = diagonal.map(|(a, step)| Row::at(per_step(&[*a], scale), std::slice::from_ref(step)));
            let all = rows(&diagonal.collect::<Vec<Row>>(), NARROW).ok_or(narrow)?;
            let is_spherical = matches!(mixture.covariance, Covariance::Spherical(_));
            encoded.push(all, if is_spherical { 1 } else { dims });
        }
    }
    let constants = whitened.constants.iter().map(|c| (c * 2f64.powi(SCORE_BITS)).round());
    let constants: Vec<i32> = constants.map(|c| c as i32).collect();
    Ok(description::Mixture {
        n_components: mixture.n_components() as u16,
        n_clusters: mixture.n_clusters() as u16,
        covariance: match mixture.covariance {
            Covariance::Spherical(_) => Shape::Spherical,
            Covariance::Diagonal(_) => Shape::Diagonal,
            Covariance::Full(_) => Shape::Full,
        },
        coefficients: blob.push(&encoded.coefficients),
        offsets: blob.push(&encoded.offsets),
        shifts: blob.push(&encoded.shifts),
        constants: blob.push(&constants),
        clusters: blob.push(&mixture.clusters),
    })
}

fn softmax(dense: &Dense, scale: f64, blob: &mut Blob) -> Result<description::Softmax, QuantizeError> {
    let mut encoded = Encoder::default();
    for (class, (row, &bias)) in dense.weights.chunks_exact(dense.inputs).zip(&dense.bias).enumerate() {
        let coefficients = row.iter().map(|&w| f64::from(w) * scale).collect();
        let row = Row { coefficients, mean: &[], constant: bias.into() };
        encoded.push(rows(&[row], SOFTMAX).ok_or(QuantizeError::Narrow { component: class })?, usize::MAX);
    }
    Ok(description::Softmax {
        n_classes: dense.outputs as u16,
        coefficients: blob.push(&encoded.coefficients),
        offsets: blob.push(&encoded.offsets),
        shifts: blob.push(&encoded.shifts),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn components_are_widened_as_far_as_it_takes_and_others_not_at_all() {
        const STEP: f64 = 0.001;
        let component = |covariance: Vec<f64>, mean: Vec<f64>| Mixture {
            log_weights: vec![0.0],
            means: mean,
            covariance: Covariance::Full(covariance),
            clusters: vec![0],
        };
        let diagonal = |deviation: f64| (0..9).map(move |i| if i % 4 == 0 { deviation.powi(2) } else { 0.0 }).collect();
        for mean in [0.0, -32.768, 32.767] {
            let wide = component(diagonal(0.02), vec![mean; 3]);
            assert_eq!(resolvable(&wide, STEP), wide);
            // Twelve steps, the least that fits.
            let Covariance::Full(found) = resolvable(&component(diagonal(1e-6), vec![mean; 3]), STEP).covariance else {
                panic!("not full")
            };
            assert!((11.0..13.0).contains(&(found[0].sqrt() / STEP)) && found[1] == 0.0, "{found:?}");
        }
        // Correlated dimensions, whose sums would not fit at that.
        let covariance = (0..64).map(|i| if i % 9 == 0 { 1.0 } else { 1.0 - 1e-9 }).collect();
        let correlated = component(covariance, vec![32.767; 8]);
        assert!(mixture(&correlated, STEP, &mut Blob::default()).is_ok());
        let nowhere = component(vec![f64::NAN], vec![0.0]);
        assert!(mixture(&nowhere, STEP, &mut Blob::default()).is_err());
    }
}
