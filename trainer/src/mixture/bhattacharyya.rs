//! How far clusters are apart, however well they are separated.
//!
//! Clusters that hardly overlap are never confused, so that confusion can't order their merges. Their Bhattacharyya distance can:
//! it is that of two Gaussians with the moments of the clusters, and a merged cluster has the moments of both (Hennig, "Methods
//! for merging Gaussian mixture components", Advances in Data Analysis and Classification 4, 2010, the Bhattacharyya method; the
//! moments as in Goldberger and Roweis, "Hierarchical clustering of a mixture model", 2005). Affine maps of the latents change
//! nothing. Beyond [`FULL`] dimensions only variances are compared.

use ndarray::{Array1, Array2, Axis};

use super::cholesky;
use super::covariance::Covariance;
use super::gaussian_mixture::Mixture;
use super::subspace::FULL;

/// A Gaussian with the moments of one or several components.
#[derive(Clone, Debug)]
pub(super) struct Moments {
    weight: f64,
    mean: Array1<f64>,
    spread: Spread,
}

/// The shape of a Gaussian, and the logarithm of its determinant.
#[derive(Clone, Debug)]
enum Spread {
    Variances(Array1<f64>),
    Full(Array2<f64>),
}

impl Moments {
    /// The moments of each component. The weights are normalised.
    pub(super) fn of(mixture: &Mixture) -> Vec<Self> {
        let dims = mixture.n_dims();
        let most = mixture.log_weights.iter().copied().fold(f64::NEG_INFINITY, f64::max);
        let total: f64 = mixture.log_weights.iter().map(|log_weight| (log_weight - most).exp()).sum();
        let spread = |k: usize| match &mixture.covariance {
            Covariance::Full(v) if dims <= FULL => Spread::Full(v.index_axis(Axis(0), k).to_owned()),
            Covariance::Full(v) => Spread::Variances(v.index_axis(Axis(0), k).diag().to_owned()),
            Covariance::Diagonal(v) => Spread::of_variances(v.row(k).to_owned()),
            Covariance::Spherical(v) => Spread::of_variances(Array1::from_elem(dims, v[k])),
        };
        let moments = |(k, log_weight): (usize, &f64)| Self {
            weight: (log_weight - most).exp() / total,
            mean: mixture.means.row(k).to_owned(),
            spread: spread(k),
        };
        mixture.log_weights.iter().enumerate().map(moments).collect()
    }

    /// The moments of two Gaussians together.
    pub(super) fn merged(&self, other: &Self) -> Self {
        let weight = self.weight + other.weight;
        let share = if weight > 0.0 { self.weight / weight } else { 0.5 };
        let apart = &other.mean - &self.mean;
        let between = share * (1.0 - share);
        let spread = match (&self.spread, &other.spread) {
            (Spread::Full(a), Spread::Full(b)) => {
                let mut sum = a * share + b * (1.0 - share);
                sum.indexed_iter_mut().for_each(|((i, j), s)| *s += between * apart[i] * apart[j]);
                Spread::Full(sum)
            }
            (a, b) => {
                Spread::Variances(a.variances() * share + b.variances() * (1.0 - share) + &apart * &apart * between)
            }
        };
        Self { weight, mean: &self.mean + &apart * (1.0 - share), spread }
    }

    /// The Bhattacharyya distance of two Gaussians: with the mean `S` of the covariances, an eighth of the squared Mahalanobis
    /// distance of the means under `S` and `ln(det S / sqrt(det A det B)) / 2`. Twice as many standard deviations make it four
    /// times as large.
    pub(super) fn distance(&self, other: &Self) -> f64 {
        let apart = &other.mean - &self.mean;
        if let (Spread::Full(a), Spread::Full(b)) = (&self.spread, &other.spread)
            && let Some(distance) = full(a, b, &apart)
        {
            return distance;
        }
        let (a, b) = (self.spread.variances(), other.spread.variances());
        let terms = a.iter().zip(&b).zip(&apart).map(|((a, b), d)| {
            let (a, b) = (a.max(f64::MIN_POSITIVE), b.max(f64::MIN_POSITIVE));
            let mean = 0.5 * a + 0.5 * b;
            d * d / mean / 8.0 + 0.5 * (mean.ln() - 0.5 * (a.ln() + b.ln()))
        });
        terms.sum::<f64>().clamp(0.0, f64::MAX)
    }
}

impl Spread {
    /// As a matrix where there may be others, so that a union of components is no wider along the axes than it is.
    fn of_variances(variances: Array1<f64>) -> Self {
        if variances.len() <= FULL { Self::Full(Array2::from_diag(&variances)) } else { Self::Variances(variances) }
    }

    fn variances(&self) -> Array1<f64> {
        match self {
            Self::Variances(variances) => variances.clone(),
            Self::Full(covariance) => covariance.diag().to_owned(),
        }
    }
}

/// The distance for full covariances; `None` if one is not positive definite or the distance not finite.
fn full(a: &Array2<f64>, b: &Array2<f64>, apart: &Array1<f64>) -> Option<f64> {
    let log_root = |matrix: &Array2<f64>| {
        let factor = cholesky::factor(matrix.view())?;
        let log_root: f64 = factor.diag().iter().map(|x| x.ln()).sum();
        Some((factor, log_root))
    };
    let (factor, of_mean) = log_root(&((a + b) * 0.5))?;
    let (of_a, of_b) = (log_root(a)?.1, log_root(b)?.1);
    let mut whitened: Vec<f64> = vec![];
    for (row, d) in factor.rows().into_iter().zip(apart) {
        let known: f64 = row.iter().zip(&whitened).map(|(l, x)| l * x).sum();
        whitened.push((d - known) / row[whitened.len()]);
    }
    let squares: f64 = whitened.iter().map(|x| x * x).sum();
    let distance = squares / 8.0 + of_mean - 0.5 * (of_a + of_b);
    distance.is_finite().then(|| distance.max(0.0))
}

#[cfg(test)]
mod tests {
    use ndarray::array;

    use super::*;

    fn two(means: Array2<f64>, covariance: Covariance) -> [Moments; 2] {
        let mixture = Mixture { log_weights: vec![3.0; 2], means, covariance, clusters: vec![0, 1] };
        Moments::of(&mixture).try_into().unwrap()
    }

    /// By hand: unit variances three apart, 9/8; variances 1 and 4 at one place, ln(2.5 / 2) / 2.
    #[test]
    fn distances_are_those_of_the_formula() {
        let [a, b] = two(array![[0.0, 1.0], [3.0, 1.0]], Covariance::Spherical(vec![1.0; 2]));
        assert!((a.distance(&b) - 9.0 / 8.0).abs() < 1e-12);
        let [a, b] = two(array![[5.0], [5.0]], Covariance::Diagonal(array![[1.0], [4.0]]));
        assert!((a.distance(&b) - 0.5 * 1.25f64.ln()).abs() < 1e-12);
        // A third of each weight as well, and the variance between the means, 1/4 of 36.
        let [a, b] = two(array![[0.0], [6.0]], Covariance::Spherical(vec![1.0, 2.0]));
        let both = a.merged(&b);
        assert!((both.weight - 1.0).abs() < 1e-12 && both.mean[0] == 3.0);
        assert!((both.spread.variances()[0] - (1.5 + 9.0)).abs() < 1e-12);
    }

    #[test]
    fn an_affine_map_changes_no_distance() {
        let means = array![[0.0, 1.0, -2.0], [4.0, 0.5, 3.0]];
        let covariance = array![
            [[2.0, 0.3, 0.1], [0.3, 1.0, 0.2], [0.1, 0.2, 0.5]],
            [[1.0, 0.0, 0.4], [0.0, 3.0, 0.0], [0.4, 0.0, 1.0]]
        ];
        let map = array![[3.0, 1.0, 0.0], [0.0, 0.01, 0.0], [0.5, 0.0, 20.0]];
        let mapped = covariance.outer_iter().flat_map(|c| map.dot(&c).dot(&map.t())).collect();
        let mapped = ndarray::Array3::from_shape_vec((2, 3, 3), mapped).unwrap();
        let [a, b] = two(means.clone(), Covariance::Full(covariance));
        let [c, d] = two(means.dot(&map.t()) + 7.0, Covariance::Full(mapped));
        assert!((a.distance(&b) - c.distance(&d)).abs() < 1e-9 && a.distance(&b) > 1.0);
    }

    #[test]
    fn many_dimensions_and_degenerate_covariances_have_distances() {
        let dims = FULL + 3;
        let means = Array2::from_shape_fn((2, dims), |(k, _)| 2.0 * k as f64);
        let [a, b] = two(means, Covariance::Spherical(vec![1.0; 2]));
        assert!((a.distance(&b) - dims as f64 * 0.5).abs() < 1e-9);
        let [a, b] = two(array![[0.0, 0.0], [1.0, 1.0]], Covariance::Full(ndarray::Array3::zeros((2, 2, 2))));
        assert!(a.distance(&b).is_finite());
    }
}
