//! What the updates of a mixture need to know of the samples: sums weighted by responsibilities.

use burn::tensor::{Tensor, backend::Backend};

use super::{CovarianceType, elements};

/// Sums over samples, weighted by responsibilities; for K components over D dimensions.
#[derive(Clone, Debug)]
pub(super) struct Moments {
    /// K: the samples' number.
    pub(super) counts: Vec<f64>,
    /// `K x D`: their mean.
    pub(super) means: Vec<f64>,
    /// Their scatter about the mean: `K x D` of squares, or `K x D x D` of products for full covariances.
    pub(super) scatter: Vec<f64>,
}

impl Moments {
    /// Of `N x D` latents under `N x K` responsibilities.
    ///
    /// The scatter is taken from products about the samples' overall mean, which keeps f32's cancellation small.
    pub(super) fn of<B: Backend>(z: &Tensor<B, 2>, responsibilities: &Tensor<B, 2>, shape: CovarianceType) -> Self {
        let dims = z.dims()[1];
        let center = z.clone().mean_dim(0);
        let z = z.clone() - center.clone();
        let counts = elements(responsibilities.clone().sum_dim(0));
        let sums = elements(responsibilities.clone().transpose().matmul(z.clone()));
        let mut means: Vec<f64> =
            sums.chunks(dims).zip(&counts).flat_map(|(row, n)| row.iter().map(move |s| s / n.max(1e-12))).collect();
        let mut scatter = match shape {
            CovarianceType::Spherical | CovarianceType::Diagonal => {
                elements(responsibilities.clone().transpose().matmul(z.clone().square()))
            }
            CovarianceType::Full => (0..counts.len())
                .flat_map(|k| {
                    let weighted = z.clone() * responsibilities.clone().narrow(1, k, 1);
                    elements(weighted.transpose().matmul(z.clone()))
                })
                .collect(),
        };
        let stride = scatter.len() / counts.len();
        for ((block, mean), n) in scatter.chunks_mut(stride).zip(means.chunks(dims)).zip(&counts) {
            for (i, s) in block.iter_mut().enumerate() {
                let product = if stride == dims { mean[i] * mean[i] } else { mean[i / dims] * mean[i % dims] };
                *s -= n * product;
            }
        }
        let center = elements(center);
        means.chunks_mut(dims).for_each(|row| row.iter_mut().zip(&center).for_each(|(m, c)| *m += c));
        Self { counts, means, scatter }
    }
}
