//! Adapts a mixture to the latents that the quantised encoder outputs.
//!
//! Each sample keeps the responsibilities of its f32 latent. With these weights, a component has one mean and covariance
//! over the f32 latents and another over the integer ones. The difference, which is that of two M steps, is added to the
//! component's own mean and covariance. This preserves a floor or a prior of the method's estimator, and a quantised encoder
//! that loses nothing leaves the mixture as it is.

use ndarray::{Array2, Axis};
use rayon::prelude::*;

use crate::mixture::{Covariance, Mixture, NotPositiveDefinite, cholesky};

/// At most this many samples are used, evenly spaced.
const MAX_SAMPLES: usize = 20_000;
/// A variance is never reduced to less than this share of its value.
const KEPT: f64 = 0.5;

/// The mixture for the latents `integers` of samples whose f32 latents are `exact`, both `N x D`.
///
/// # Errors
/// [`NotPositiveDefinite`] if a covariance of the mixture is not positive definite.
pub(super) fn refit(mixture: &Mixture, exact: &[f32], integers: &[f32]) -> Result<Mixture, NotPositiveDefinite> {
    let dims = mixture.n_dims();
    let step = (exact.len() / dims.max(1)).div_ceil(MAX_SAMPLES).max(1);
    let (exact, integers) = (every(step, exact, dims), every(step, integers, dims));
    let whitened = mixture.whiten()?;
    let weights: Vec<Vec<f64>> = exact.par_iter().map(|z| softmax(&whitened.scores(z))).collect();
    let components = 0..mixture.n_components();
    let moved = components.into_par_iter().map(|k| {
        let weights: Vec<f64> = weights.iter().map(|row| row[k]).collect();
        (Moments::weighted(&exact, &weights, dims), Moments::weighted(&integers, &weights, dims))
    });
    let mut refitted = mixture.clone();
    for (k, (before, after)) in moved.collect::<Vec<_>>().into_iter().enumerate() {
        // Fewer samples than dimensions do not determine a covariance.
        if before.weight > dims as f64 + 1.0 {
            shift(&mut refitted, k, &before, &after);
        }
    }
    Ok(refitted)
}

/// Every `step`-th row.
fn every(step: usize, latents: &[f32], dims: usize) -> Vec<Vec<f64>> {
    let rows = latents.chunks_exact(dims.max(1)).step_by(step);
    rows.map(|row| row.iter().map(|&x| x.into()).collect()).collect()
}

fn softmax(scores: &[f64]) -> Vec<f64> {
    let most = scores.iter().copied().fold(f64::NEG_INFINITY, f64::max);
    let sum: f64 = scores.iter().map(|score| (score - most).exp()).sum();
    scores.iter().map(|score| (score - most).exp() / sum).collect()
}

/// The weight, mean and covariance of a component's samples.
struct Moments {
    weight: f64,
    mean: Vec<f64>,
    covariance: Array2<f64>,
}

impl Moments {
    fn weighted(rows: &[Vec<f64>], weights: &[f64], dims: usize) -> Self {
        let weight = weights.iter().sum::<f64>().max(f64::MIN_POSITIVE);
        let mut moments = Self { weight, mean: vec![0.0; dims], covariance: Array2::zeros((dims, dims)) };
        for (row, w) in rows.iter().zip(weights) {
            moments.mean.iter_mut().zip(row).for_each(|(m, x)| *m += w / weight * x);
        }
        for (row, w) in rows.iter().zip(weights).filter(|(_, w)| **w > 1e-9) {
            let off: Vec<f64> = row.iter().zip(&moments.mean).map(|(x, m)| x - m).collect();
            for (mut row, a) in moments.covariance.rows_mut().into_iter().zip(&off) {
                row.iter_mut().zip(&off).for_each(|(c, b)| *c += w / weight * a * b);
            }
        }
        moments
    }
}

/// Adds the difference of two moments to a component.
fn shift(mixture: &mut Mixture, k: usize, before: &Moments, after: &Moments) {
    let dims = before.mean.len();
    let mut means = mixture.means.row_mut(k);
    let means = means.iter_mut().zip(&before.mean).zip(&after.mean);
    means.for_each(|((mean, before), after)| *mean += after - before);
    let difference = &after.covariance - &before.covariance;
    let variances = difference.diag();
    let change = |variance: &mut f64, by: f64| *variance = (*variance + by).max(*variance * KEPT);
    match &mut mixture.covariance {
        Covariance::Spherical(v) => change(&mut v[k], variances.iter().sum::<f64>() / dims as f64),
        Covariance::Diagonal(v) => v.row_mut(k).iter_mut().zip(variances).for_each(|(v, by)| change(v, *by)),
        Covariance::Full(v) => {
            let mut old = v.index_axis_mut(Axis(0), k);
            let new = &old + &difference;
            // The new covariance must keep its share of the old one in every direction: `new - KEPT old` must be positive
            // definite.
            let rest = &new - &(&old * KEPT);
            if cholesky::factor(rest.view()).is_some() {
                old.assign(&new);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use ndarray::{Array3, array};

    use super::*;
    use crate::base::random::{normal, stream};

    const DIMS: usize = 3;

    fn mixture(kind: u8) -> Mixture {
        let covariance = match kind {
            0 => Covariance::Spherical(vec![1.0; 2]),
            1 => Covariance::Diagonal(Array2::ones((2, DIMS))),
            _ => Covariance::Full(Array3::from_shape_fn((2, DIMS, DIMS), |(_, i, j)| f64::from(u8::from(i == j)))),
        };
        Mixture {
            log_weights: vec![-0.7; 2],
            means: array![[-4.0, 0.0, 0.0], [4.0, 0.0, 0.0]],
            covariance,
            clusters: vec![0, 1],
        }
    }

    /// Latents of the mixture's two components in turn.
    fn latents() -> Vec<f32> {
        let noise = normal(4000 * DIMS, &mut stream(0, "refit", 0));
        noise
            .iter()
            .enumerate()
            .map(|(i, x)| if i % DIMS > 0 { *x } else { x + if (i / DIMS).is_multiple_of(2) { -4.0 } else { 4.0 } })
            .collect()
    }

    #[test]
    fn an_encoder_that_loses_nothing_changes_nothing() {
        for kind in 0..3 {
            assert_eq!(refit(&mixture(kind), &latents(), &latents()).unwrap(), mixture(kind));
        }
    }

    #[test]
    fn components_move_with_their_samples_and_widen_with_them() {
        let exact = latents();
        // The first component's samples are moved and spread by half as much again along the second dimension.
        let integers: Vec<f32> = exact
            .iter()
            .enumerate()
            .map(|(i, x)| if (i / DIMS).is_multiple_of(2) && i % DIMS == 1 { 0.3 + 1.5 * x } else { *x })
            .collect();
        for kind in 0..3 {
            let found = refit(&mixture(kind), &exact, &integers).unwrap();
            assert_eq!((&found.log_weights, &found.clusters), (&mixture(kind).log_weights, &mixture(kind).clusters));
            for (mean, expected) in found.means.iter().zip([-4.0, 0.3, 0.0, 4.0, 0.0, 0.0]) {
                assert!((mean - expected).abs() < 0.05, "{:?}", found.means);
            }
            let (first, second) = match &found.covariance {
                Covariance::Spherical(v) => (1.0 + 2.0 * (v[0] - 1.0) * 1.5, v[1]),
                Covariance::Diagonal(v) => (v[[0, 1]], v[[1, 1]]),
                Covariance::Full(v) => (v[[0, 1, 1]], v[[1, 1, 1]]),
            };
            assert!((first - 2.25).abs() < 0.15 && (second - 1.0).abs() < 0.01, "kind {kind}: {first} {second}");
            assert!(found.whiten().is_ok());
        }
    }

    #[test]
    fn latents_that_became_points_leave_a_covariance() {
        let integers: Vec<f32> =
            latents().iter().enumerate().map(|(i, _)| if (i / DIMS).is_multiple_of(2) { -4.0 } else { 4.0 }).collect();
        for kind in 0..3 {
            assert!(refit(&mixture(kind), &latents(), &integers).unwrap().whiten().is_ok());
        }
    }
}
