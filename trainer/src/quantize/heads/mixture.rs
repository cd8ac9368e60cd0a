//! Mixture heads: rows of coefficients that whiten the latent.

use edgemix_format::description;
use edgemix_format::write::Blob;
use ndarray::{ArrayView2, Axis};

use super::rows::{self, DIAGONAL, FULL, HeadTensors, QuantizedRows, Row};
use super::{SCORE_BITS, ensure_finite};
use crate::base::arrays::row_slices;
use crate::mixture::{Covariance, Mixture, Whitening, cholesky};
use crate::quantize::error::QuantizeError;
use crate::quantize::ranges::Range;

/// Number of attempts to widen a component that is too narrow; each one adds four times the variance of the one before.
const DOUBLINGS: i32 = 6;

/// Widens the latent's range to include the means.
pub(in crate::quantize) fn include_means(mixture: &Mixture, latent: &mut Range) {
    mixture.means.iter().for_each(|&mean| latent.include(mean));
}

/// A row that whitens a latent given in steps of `scale`, divided by the square root of 2.
fn per_step(row: &[f64], scale: f64) -> Vec<f64> {
    row.iter().map(|a| a * scale / std::f64::consts::SQRT_2).collect()
}

/// The integers of a whitening triangle, in which each row has a shift of its own; `None` if a row does not fit.
fn triangle(whitening: ArrayView2<f64>, scale: f64, mean: &[f64]) -> Option<Vec<QuantizedRows>> {
    let triangle = row_slices(whitening).enumerate();
    triangle.map(|(r, row)| rows::quantize(&[Row::zero_at(mean, per_step(&row[..=r], scale))], FULL)).collect()
}

/// A mean in latent steps.
fn in_steps<'a>(mean: impl IntoIterator<Item = &'a f64>, scale: f64) -> Vec<f64> {
    mean.into_iter().map(|m| m / scale).collect()
}

/// The mixture, with its full covariances widened as far as the integers require.
///
/// If a few latents lie far from all others, a component may be narrower than int16 steps over the whole range can resolve.
/// It is widened until it fits. The comparison with the f32 model shows whether that changes clusters.
fn resolvable(mixture: &Mixture, scale: f64) -> Mixture {
    let mut mixture = mixture.clone();
    let Covariance::Full(covariances) = &mut mixture.covariance else { return mixture };
    let steepest = f64::from(i16::MAX) / 2f64.powi(FULL.bits + FULL.shifts.0);
    let least = scale / std::f64::consts::SQRT_2 / steepest;
    for (mut covariance, mean) in covariances.outer_iter_mut().zip(mixture.means.rows()) {
        let mean = in_steps(mean, scale);
        let fits = |covariance: ArrayView2<f64>| {
            cholesky::whitening(covariance).is_some_and(|(rows, _)| triangle(rows.view(), scale, &mean).is_some())
        };
        let own = covariance.to_owned();
        for doublings in 0..DOUBLINGS {
            if fits(covariance.view()) {
                break;
            }
            let width = least * 2f64.powi(doublings);
            covariance.assign(&own);
            covariance.diag_mut().iter_mut().for_each(|variance| *variance += width * width);
        }
    }
    mixture
}

/// Quantises a mixture on a latent with steps of `scale`.
pub(in crate::quantize) fn quantize(
    mixture: &Mixture,
    scale: f64,
    blob: &mut Blob,
) -> Result<description::MixtureRecord, QuantizeError> {
    ensure_finite("a mean", mixture.means.iter().copied())?;
    ensure_finite("a weight", mixture.log_weights.iter().copied())?;
    let mixture = &resolvable(mixture, scale);
    let whitened = mixture.whiten()?;
    let mut tensors = HeadTensors::default();
    for (component, mean) in mixture.means.rows().into_iter().enumerate() {
        let narrow = QuantizeError::NarrowComponent { component };
        let steps = in_steps(mean, scale);
        match &whitened.whitening {
            Whitening::Full(triangles) => {
                let rows = triangle(triangles.index_axis(Axis(0), component), scale, &steps).ok_or(narrow)?;
                rows.into_iter().for_each(|rows| tensors.push(rows, usize::MAX));
            }
            Whitening::Diagonal(deviations) => {
                let diagonal = deviations.row(component).into_iter().zip(&steps);
                let row = |(a, step): (&f64, _)| Row::zero_at(std::slice::from_ref(step), per_step(&[*a], scale));
                let all = rows::quantize(&diagonal.map(row).collect::<Vec<Row>>(), DIAGONAL).ok_or(narrow)?;
                let is_spherical = matches!(mixture.covariance, Covariance::Spherical(_));
                tensors.push(all, if is_spherical { 1 } else { mixture.n_dims() });
            }
        }
    }
    let constants = whitened.constants.iter().map(|c| (c * 2f64.powi(SCORE_BITS)).round());
    let constants: Vec<i32> = constants.map(|c| c as i32).collect();
    Ok(description::MixtureRecord {
        n_components: mixture.n_components() as u16,
        n_clusters: mixture.n_clusters() as u16,
        covariance: match mixture.covariance {
            Covariance::Spherical(_) => description::Covariance::Spherical,
            Covariance::Diagonal(_) => description::Covariance::Diagonal,
            Covariance::Full(_) => description::Covariance::Full,
        },
        coefficients: blob.push(&tensors.coefficients),
        offsets: blob.push(&tensors.offsets),
        shifts: blob.push(&tensors.shifts),
        constants: blob.push(&constants),
        clusters: blob.push(&mixture.clusters),
    })
}

#[cfg(test)]
mod tests {
    use ndarray::Array2;

    use super::*;

    #[test]
    fn components_are_widened_as_far_as_it_takes_and_others_not_at_all() {
        const STEP: f64 = 0.001;
        let component = |covariance: Array2<f64>, mean: Vec<f64>| Mixture {
            log_weights: vec![0.0],
            means: Array2::from_shape_vec((1, mean.len()), mean).unwrap(),
            covariance: Covariance::Full(covariance.insert_axis(Axis(0))),
            clusters: vec![0],
        };
        let diagonal = |deviation: f64| Array2::eye(3) * deviation.powi(2);
        for mean in [0.0, -32.768, 32.767] {
            let wide = component(diagonal(0.02), vec![mean; 3]);
            assert_eq!(resolvable(&wide, STEP), wide);
            // Twelve steps, the least that fits.
            let Covariance::Full(found) = resolvable(&component(diagonal(1e-6), vec![mean; 3]), STEP).covariance else {
                panic!("not full")
            };
            assert!((11.0..13.0).contains(&(found[[0, 0, 0]].sqrt() / STEP)) && found[[0, 0, 1]] == 0.0, "{found:?}");
        }
        // Correlated dimensions, whose sums would not fit with that width.
        let covariance = Array2::from_shape_fn((8, 8), |(r, c)| if r == c { 1.0 } else { 1.0 - 1e-9 });
        let correlated = component(covariance, vec![32.767; 8]);
        assert!(quantize(&correlated, STEP, &mut Blob::default()).is_ok());
        let nowhere = component(Array2::from_elem((1, 1), f64::NAN), vec![0.0]);
        assert!(quantize(&nowhere, STEP, &mut Blob::default()).is_err());
    }
}
