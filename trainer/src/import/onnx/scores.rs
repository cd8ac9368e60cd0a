//! The clusters that quadratic scores stand for.

use std::f64::consts::TAU;

use ndarray::{Array1, Array2, Array3, ArrayView2, Axis};

use super::forms::Forms;
use crate::import::clustering::ImportedClusters;
use crate::import::error::ModelProblem;
use crate::mixture::cholesky::{factor, invert_lower};
use crate::mixture::{Covariance, Mixture, NotPositiveDefinite};

/// The most clusters of a model file.
const MOST_CLUSTERS: usize = u16::MAX as usize;
/// What is left of a number that would be 0 but for the rounding of the file, relative to those beside it.
const ROUNDING: f64 = 1e-6;

/// Which score wins.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Ending {
    Greatest,
    Least,
}

/// The clusters, and the number that each of them has in the graph. Components whose weight is below `least` are left out.
pub(super) fn clusters(
    scores: Forms,
    ending: Ending,
    least: Option<f64>,
) -> Result<(ImportedClusters, Vec<usize>), ModelProblem> {
    let (k, dims) = (scores.len(), scores.dims());
    if k > MOST_CLUSTERS {
        return Err(ModelProblem::TooManyClusters(k));
    }
    let is_finite = scores.linear.iter().chain(&scores.constant).chain(scores.quadratic.iter().flatten());
    if is_finite.into_iter().any(|x| !x.is_finite()) {
        return Err(ModelProblem::Scores("they contain NaN or infinite numbers"));
    }
    let quadratic = scores.quadratic.ok_or(ModelProblem::Scores("they do not depend on squares"))?;
    let matrix = |row: usize| {
        let row = quadratic.row(row).to_owned().into_shape_with_order((dims, dims));
        row.unwrap_or_else(|_| Array2::zeros((dims, dims)))
    };
    let matrices: Vec<Array2<f64>> = (0..k).map(matrix).collect();
    match ending {
        Ending::Least => {
            let centers = centers(&matrices, scores.linear)?;
            Ok((ImportedClusters::Centers(centers), (0..k).collect()))
        }
        Ending::Greatest => mixture(&matrices, &scores.linear, &scores.constant, least.unwrap_or(0.0)),
    }
}

/// The centres of `a |z - c|^2` plus what is the same for all.
fn centers(matrices: &[Array2<f64>], linear: Array2<f64>) -> Result<Array2<f64>, ModelProblem> {
    let scale = matrices.first().map_or(0.0, |first| first[[0, 0]]);
    let is_scale =
        |((r, c), x): ((usize, usize), &f64)| (x - if r == c { scale } else { 0.0 }).abs() <= ROUNDING * scale;
    if scale > 0.0 && matrices.iter().all(|matrix| matrix.indexed_iter().all(is_scale)) {
        return Ok(linear.mapv(|x| -x / (2.0 * scale)));
    }
    Err(ModelProblem::Scores("the least of them is asked for, but they are not squared distances to centres"))
}

/// The mixture of which these are the weighted log densities.
fn mixture(
    matrices: &[Array2<f64>],
    linear: &Array2<f64>,
    constant: &Array1<f64>,
    least: f64,
) -> Result<(ImportedClusters, Vec<usize>), ModelProblem> {
    let (k, dims) = linear.dim();
    let mut means = Array2::zeros((k, dims));
    let mut covariances = Array3::zeros((k, dims, dims));
    let mut log_weights = vec![];
    for (component, matrix) in matrices.iter().enumerate() {
        let precision = -(matrix + &matrix.t());
        let lower = factor(precision.view()).ok_or(NotPositiveDefinite { component })?;
        let inverse = invert_lower(lower.view());
        let covariance = inverse.t().dot(&inverse);
        let mean = covariance.dot(&linear.row(component));
        let log_determinant: f64 = 2.0 * lower.diag().iter().map(|x| x.ln()).sum::<f64>();
        let quadratic = 0.5 * linear.row(component).dot(&mean);
        log_weights.push(constant[component] + quadratic + 0.5 * (dims as f64 * TAU.ln() - log_determinant));
        means.row_mut(component).assign(&mean);
        covariances.index_axis_mut(Axis(0), component).assign(&covariance);
    }
    let most = log_weights.iter().copied().fold(f64::NEG_INFINITY, f64::max);
    let total: f64 = log_weights.iter().map(|weight| (weight - most).exp()).sum();
    let kept: Vec<usize> = (0..k).filter(|&k| (log_weights[k] - most).exp() / total >= least).collect();
    if kept.is_empty() {
        return Err(ModelProblem::NoComponents(least));
    }
    let covariances = covariances.select(Axis(0), &kept);
    let mixture = Mixture {
        log_weights: kept.iter().map(|&k| log_weights[k]).collect(),
        means: means.select(Axis(0), &kept),
        covariance: simplest(covariances),
        clusters: (0..kept.len()).map(|k| k as u16).collect(),
    };
    mixture.whiten()?;
    Ok((ImportedClusters::Mixture(mixture), kept))
}

/// The covariances, as spherical or diagonal ones if they are.
fn simplest(full: Array3<f64>) -> Covariance {
    let is_diagonal = |matrix: ArrayView2<f64>| {
        let diagonal = matrix.diag();
        matrix.indexed_iter().all(|((r, c), x)| r == c || x.abs() <= ROUNDING * (diagonal[r] * diagonal[c]).sqrt())
    };
    if !full.outer_iter().all(is_diagonal) {
        return Covariance::Full(full);
    }
    let (k, dims, _) = full.dim();
    let diagonal = Array2::from_shape_fn((k, dims), |(k, d)| full[[k, d, d]]);
    let is_sphere = |row: &[f64]| row.iter().all(|x| (x - row[0]).abs() <= ROUNDING * row[0]);
    let rows: Vec<Vec<f64>> = diagonal.rows().into_iter().map(|row| row.to_vec()).collect();
    match rows.iter().all(|row| is_sphere(row)) {
        true => Covariance::Spherical(rows.iter().map(|row| row[0]).collect()),
        false => Covariance::Diagonal(diagonal),
    }
}

#[cfg(test)]
mod tests {
    use ndarray::array;

    use super::*;

    #[test]
    fn scores_of_a_mixture_give_it_back() {
        for covariance in [
            Covariance::Spherical(vec![0.5, 2.0]),
            Covariance::Diagonal(array![[0.5, 3.0], [1.0, 2.0]]),
            Covariance::Full(array![[[2.0, 0.5], [0.5, 1.0]], [[1.0, -0.3], [-0.3, 0.5]]]),
        ] {
            let means = array![[1.0, -2.0], [0.0, 3.0]];
            let (log_weights, clusters) = (vec![-0.3, -1.4], vec![0, 1]);
            let mixture = Mixture { log_weights, means, covariance, clusters };
            let whitened = mixture.whiten().unwrap();
            let score = |z: [f64; 2]| Array1::from(whitened.scores(&z));
            // The coefficients of a quadratic function, from its values.
            let zero = score([0.0, 0.0]);
            let one = |d: usize, x: f64| score(if d == 0 { [x, 0.0] } else { [0.0, x] });
            let mut scores = Forms { linear: Array2::zeros((2, 2)), constant: zero.clone(), quadratic: None };
            let mut quadratic = Array2::zeros((2, 4));
            for d in 0..2 {
                scores.linear.column_mut(d).assign(&((one(d, 1.0) - one(d, -1.0)) / 2.0));
                quadratic.column_mut(3 * d).assign(&((one(d, 1.0) + one(d, -1.0)) / 2.0 - &zero));
            }
            let mixed = (score([1.0, 1.0]) - one(0, 1.0) - one(1, 1.0) + &zero) / 2.0;
            quadratic.column_mut(1).assign(&mixed);
            quadratic.column_mut(2).assign(&mixed);
            scores.quadratic = Some(quadratic);
            let (found, numbers) = super::clusters(scores, Ending::Greatest, None).unwrap();
            let ImportedClusters::Mixture(found) = found else { panic!("no mixture") };
            assert_eq!(found.covariance.covariance_type(), mixture.covariance.covariance_type());
            let near = |a: &[f64], b: &[f64]| a.iter().zip(b).all(|(a, b)| (a - b).abs() < 1e-6);
            assert!(near(&found.covariance.values(), &mixture.covariance.values()));
            assert!(near(&found.log_weights, &mixture.log_weights), "{:?}", found.log_weights);
            assert!(near(found.means.as_slice().unwrap(), mixture.means.as_slice().unwrap()));
            assert_eq!(numbers, [0, 1]);
        }
    }

    #[test]
    fn scores_of_no_clusters_are_refused() {
        let forms = |quadratic: Option<Array2<f64>>| Forms {
            linear: array![[1.0], [0.0]],
            constant: array![0.0, 1.0],
            quadratic,
        };
        let refused = |quadratic, ending| super::clusters(forms(quadratic), ending, None).unwrap_err().to_string();
        assert!(refused(None, Ending::Least).contains("they do not depend on squares"));
        assert!(refused(Some(array![[1.0], [2.0]]), Ending::Least).contains("not squared distances"));
        assert!(refused(Some(array![[-1.0], [-1.0]]), Ending::Least).contains("not squared distances"));
        assert!(
            refused(Some(array![[-1.0], [1.0]]), Ending::Greatest).contains("component 1 is not positive definite")
        );
        assert!(refused(Some(array![[f64::NAN], [1.0]]), Ending::Greatest).contains("NaN"));
    }
}
