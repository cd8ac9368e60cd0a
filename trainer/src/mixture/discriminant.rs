//! Linear discriminant analysis: the softmax head that shared covariances imply (Bishop 2006, section 4.2.1).

use burn::tensor::{Tensor, backend::Backend};
use ndarray::Array2;

use super::cholesky;
use super::moments::Moments;
use crate::base::arrays::row_slices;

/// Weights (`D x C`) and biases (C) of a linear classifier of `N x D` latents whose classes have `N x C` responsibilities:
/// `w_c = S^-1 m_c`, `b_c = ln pi_c - 1/2 m_c^T S^-1 m_c`, with the pooled covariance S.
///
/// ```
/// use burn::backend::Flex;
/// use burn::tensor::Tensor;
///
/// let z = Tensor::<Flex, 2>::from_data([[-1.5], [-0.5], [0.5], [1.5]], &Default::default());
/// let classes = Tensor::from_data([[1.0, 0.0], [1.0, 0.0], [0.0, 1.0], [0.0, 1.0]], &Default::default());
/// let (weights, bias) = edgemix::mixture::discriminant::fit(&z, &classes);
/// // The border is at 0.
/// assert!(weights[[0, 1]] > 0.0 && (weights[[0, 0]] + weights[[0, 1]]).abs() < 1e-3);
/// assert!((bias[0] - bias[1]).abs() < 1e-3);
/// ```
pub fn fit<B: Backend>(z: &Tensor<B, 2>, responsibilities: &Tensor<B, 2>) -> (Array2<f32>, Vec<f32>) {
    let [n, dims] = z.dims();
    let moments = Moments::with_products(z, responsibilities);
    let mut pooled = Array2::<f64>::zeros((dims, dims));
    for scatter in moments.scatter.outer_iter() {
        pooled.zip_mut_with(&scatter, |p, s| *p += s / n as f64);
    }
    // Keeps the weights finite where a dimension has no variance within the classes.
    pooled.diag_mut().iter_mut().for_each(|variance| *variance += 1e-3);
    let whitening = cholesky::whitening(pooled.view()).map_or_else(|| Array2::eye(dims), |(whitening, _)| whitening);
    let mut weights = Array2::zeros((dims, moments.counts.len()));
    let mut bias = vec![];
    for (c, (mean, count)) in moments.means.rows().into_iter().zip(&moments.counts).enumerate() {
        let project = |row: &[f64]| row.iter().zip(mean).map(|(w, m)| w * m).sum();
        let white: Vec<f64> = row_slices(whitening.view()).map(project).collect();
        for (d, column) in whitening.columns().into_iter().enumerate() {
            weights[[d, c]] = column.iter().zip(&white).map(|(w, x)| w * x).sum::<f64>() as f32;
        }
        let prior = (count.max(1e-12) / n as f64).ln();
        bias.push((prior - 0.5 * white.iter().map(|w| w * w).sum::<f64>()) as f32);
    }
    (weights, bias)
}

#[cfg(test)]
mod tests {
    use burn::backend::Flex;
    use burn::tensor::TensorData;

    use super::*;
    use crate::random::{normal, stream};

    /// With one covariance for all, differences of logits are differences of log joints.
    #[test]
    fn the_classifier_is_the_posterior_of_gaussians_with_one_covariance() {
        let n = 40_000;
        let noise = normal(n * 2, &mut stream(0, "test", 0));
        let z: Vec<f32> = noise
            .chunks(2)
            .enumerate()
            .flat_map(
                |(i, e)| if i % 4 == 0 { [2.0 + e[0], 0.5 * e[0] + e[1]] } else { [e[0], 1.0 + 0.5 * e[0] + e[1]] },
            )
            .collect();
        let shares: Vec<f32> = (0..n).flat_map(|i| if i % 4 == 0 { [1.0, 0.0] } else { [0.0, 1.0] }).collect();
        let tensor = |values| Tensor::<Flex, 2>::from_data(TensorData::new(values, [n, 2]), &Default::default());
        let (w, b) = fit(&tensor(z), &tensor(shares));
        // S = [[1, .5], [.5, 1.25]]: S^-1 = [[1.25, -.5], [-.5, 1]].
        let logit = |x: f64, y: f64| {
            f64::from(w[[0, 0]] - w[[0, 1]]) * x + f64::from(w[[1, 0]] - w[[1, 1]]) * y + f64::from(b[0] - b[1])
        };
        let square = |x: f64, y: f64| 1.25 * x * x - x * y + y * y;
        for (x, y) in [(0.0, 0.0), (1.0, -1.0), (2.0, 2.0)] {
            let exact = (1.0f64 / 3.0).ln() - 0.5 * square(x - 2.0, y) + 0.5 * square(x, y - 1.0);
            assert!((logit(x, y) - exact).abs() < 0.2, "{} {exact}", logit(x, y));
        }
    }
}
