//! The clusters of the latents that the softmax layer starts from.

use burn::tensor::Tensor;
use burn::tensor::activation::softmax;
use burn::tensor::backend::{AutodiffBackend, Backend};
use ndarray::Array2;

use super::super::common::learner::Learner;
use super::super::common::softmax_head::SoftmaxHead;
use super::settings::{Depict, HeadStart, SoftmaxStart};
use crate::base::arrays::{to_array, to_tensor};
use crate::mixture::merging::ClusterBounds;
use crate::mixture::{demp, discriminant, prune};
use crate::nn::Optimizer;
use crate::training::{Data, FitError, Fitting};

impl Depict {
    /// Finds the clusters that are the first targets, and initialises the softmax layer.
    pub(super) fn find_clusters<B: AutodiffBackend>(
        &self,
        optimizer: Optimizer,
        learner: &mut Learner<B>,
        fit: &Fitting<'_, B>,
    ) -> Result<(SoftmaxHead<B>, Tensor<B::InnerBackend, 2>), FitError> {
        let z = bounded_latents(learner, &fit.data)?;
        let targets = match self.start {
            SoftmaxStart::KMeans => self.nearest_centers(z.clone(), fit),
            SoftmaxStart::Components => self.largest_groups(learner, fit)?,
        };
        let (weights, bias) = match self.head {
            HeadStart::Discriminant => discriminant::fit(&z, &targets),
            HeadStart::Centroids => directions(&z, &targets),
        };
        learner.autoencoder.restart(optimizer);
        Ok((SoftmaxHead::new(weights, bias, optimizer, &learner.device), targets))
    }

    /// The `N x K` one-hot assignments to the centres of k-means.
    fn nearest_centers<B: AutodiffBackend>(
        &self,
        z: Tensor<B::InnerBackend, 2>,
        fit: &Fitting<'_, B>,
    ) -> Tensor<B::InnerBackend, 2> {
        let found = self.kmeans.fit(&z, &mut fit.rng("cluster", 0));
        let k = found.shares.len();
        let centers = to_tensor::<B::InnerBackend>(found.centers.view(), &fit.device);
        distances(z, &centers).argmin(1).squeeze_dim::<1>(1).one_hot::<2>(k).float()
    }

    /// The `N x K` posteriors of the K largest groups, or of all groups if fewer are found.
    fn largest_groups<B: AutodiffBackend>(
        &self,
        learner: &Learner<B>,
        fit: &Fitting<'_, B>,
    ) -> Result<Tensor<B::InnerBackend, 2>, FitError> {
        let (_, z) = learner.standardised_latents(&fit.data)?;
        let rng = &mut fit.rng("cluster", 0);
        let grown = self.components.fit_until(&fit.stop_flag(), to_array(z.clone()).view(), rng)?;
        let grown = fit.unless_stopped(grown)?;
        let k = self.kmeans.n_clusters;
        let grouped = demp::group(grown, &z, demp::CUSTOMARY, ClusterBounds { least: k, most: usize::MAX })?;
        let mixture = prune::clusters(&grouped, &z, |counts| prune::greatest(counts, k))?;
        Ok(demp::by_cluster(softmax(mixture.log_density(&z)?, 1), &mixture))
    }
}

/// Weights (`D x K`) and biases (K) of a linear classifier: the means of `N x D` latents with `N x K` responsibilities, divided
/// by their lengths, and zeros.
fn directions<B: Backend>(z: &Tensor<B, 2>, responsibilities: &Tensor<B, 2>) -> (Array2<f32>, Vec<f32>) {
    let sums = responsibilities.clone().transpose().matmul(z.clone());
    let lengths = sums.clone().square().sum_dim(1).sqrt().clamp_min(1e-12);
    let weights: Array2<f64> = to_array((sums / lengths).transpose());
    let k = weights.ncols();
    (weights.mapv(|weight| weight as f32), vec![0.0; k])
}

/// The `N x K` squared distances of `N x D` latents to `K x D` centres, up to a constant for each row.
fn distances<B: Backend>(z: Tensor<B, 2>, centers: &Tensor<B, 2>) -> Tensor<B, 2> {
    centers.clone().square().sum_dim(1).transpose() - z.matmul(centers.clone().transpose()) * 2.0
}

/// The `tanh` latents of all samples, `N x D`.
pub(super) fn bounded_latents<B: AutodiffBackend>(
    learner: &Learner<B>,
    data: &Data<B::InnerBackend>,
) -> Result<Tensor<B::InnerBackend, 2>, FitError> {
    Ok(learner.latents(data)?.tanh())
}

#[cfg(test)]
mod tests {
    use burn::backend::Flex;

    use super::*;

    #[test]
    fn directions_are_the_centres_divided_by_their_lengths() {
        let z = Tensor::<Flex, 2>::from_data([[3.0, 0.0], [3.0, 8.0], [0.0, -2.0]], &Default::default());
        let clusters = Tensor::from_data([[1.0, 0.0], [1.0, 0.0], [0.0, 1.0]], &Default::default());
        let (weights, bias) = directions(&z, &clusters);
        // The centres are (3, 4) and (0, -2); weights are features by clusters.
        let expected = ndarray::array![[0.6, 0.0], [0.8, -1.0]];
        assert!((&weights - &expected).iter().all(|difference: &f32| difference.abs() < 1e-6), "{weights}");
        assert_eq!(bias, [0.0, 0.0]);
    }
}
