//! Merges components into clusters by directly estimated misclassification probabilities.
//!
//! Hennig, "Methods for merging Gaussian mixture components", Advances in Data Analysis and Classification 4, 2010,
//! section 4.3 (DEMP): components that are confused with each other are one cluster. It needs no labels and no scale: the
//! result does not change under affine maps of the latents.

use burn::tensor::{Tensor, activation::softmax, backend::Backend};
use ndarray::Array2;

use super::confusion;
use super::covariance::NotPositiveDefinite;
use super::gaussian_mixture::Mixture;
use super::merging::ClusterBounds;
use crate::base::arrays::{to_array, to_tensor};

/// The customary threshold: the default of `mergenormals` in R's package fpc.
pub const CUSTOMARY: f64 = 0.025;

/// The mixture with its clusters merged further, given `N x D` latents: the two clusters most likely to be confused become
/// one while that probability exceeds `threshold` and `bounds` allow it. Clusters are numbered by their first components.
///
/// ```
/// use burn::backend::Flex;
/// use burn::tensor::Tensor;
/// use edgemix::mixture::merging::ClusterBounds;
/// use edgemix::mixture::{Covariance, Mixture, demp};
/// use ndarray::array;
///
/// let z = Tensor::<Flex, 2>::from_data([[-0.5], [0.4], [0.6], [20.0]], &Default::default());
/// let mixture = Mixture {
///     log_weights: vec![(1.0f64 / 3.0).ln(); 3],
///     means: array![[-0.5], [0.5], [20.0]],
///     covariance: Covariance::Spherical(vec![1.0; 3]),
///     clusters: vec![0, 1, 2],
/// };
/// // The first two are confused with each other.
/// let any = ClusterBounds { least: 1, most: usize::MAX };
/// assert_eq!(demp::group(mixture, &z, demp::CUSTOMARY, any)?.clusters, [0, 0, 1]);
/// # Ok::<(), edgemix::mixture::NotPositiveDefinite>(())
/// ```
///
/// # Errors
/// [`NotPositiveDefinite`] if a covariance is not positive definite.
pub fn group<B: Backend>(
    mixture: Mixture,
    z: &Tensor<B, 2>,
    threshold: f64,
    bounds: ClusterBounds,
) -> Result<Mixture, NotPositiveDefinite> {
    let responsibilities: Array2<f32> = to_array(softmax(mixture.log_density(z)?, 1));
    let path = confusion::path(responsibilities.view(), groups(&mixture));
    let merges = path.merges_within(path.merges_above(threshold), bounds, 0.0);
    Ok(Mixture { clusters: path.clusters(merges), ..mixture })
}

/// `N x C` responsibilities of a mixture's clusters from `N x K` of its components.
///
/// ```
/// use burn::backend::Flex;
/// use burn::tensor::Tensor;
/// use edgemix::mixture::{Covariance, Mixture, demp};
/// use ndarray::Array2;
///
/// let (means, covariance) = (Array2::zeros((3, 1)), Covariance::Spherical(vec![1.0; 3]));
/// let mixture = Mixture { log_weights: vec![0.0; 3], means, covariance, clusters: vec![0, 0, 1] };
/// let of_components = Tensor::<Flex, 2>::from_data([[0.5, 0.25, 0.25]], &Default::default());
/// let of_clusters = demp::by_cluster(of_components, &mixture).into_data();
/// assert_eq!(of_clusters.iter::<f32>().collect::<Vec<_>>(), [0.75, 0.25]);
/// ```
pub fn by_cluster<B: Backend>(responsibilities: Tensor<B, 2>, mixture: &Mixture) -> Tensor<B, 2> {
    let mut table = Array2::zeros((mixture.n_components(), mixture.n_clusters()));
    for (component, &cluster) in mixture.clusters.iter().enumerate() {
        table[[component, usize::from(cluster)]] = 1.0;
    }
    let table = to_tensor::<B>(table.view(), &responsibilities.device());
    responsibilities.matmul(table)
}

/// The components of each cluster.
fn groups(mixture: &Mixture) -> Vec<Vec<usize>> {
    let mut groups = vec![vec![]; mixture.n_clusters()];
    mixture.clusters.iter().enumerate().for_each(|(k, &cluster)| groups[usize::from(cluster)].push(k));
    groups
}

#[cfg(test)]
mod tests {
    use burn::backend::Flex;
    use burn::tensor::TensorData;
    use ndarray::array;
    use rand::RngExt;

    use super::*;
    use crate::base::random::stream;
    use crate::mixture::Covariance;

    const ANY: ClusterBounds = ClusterBounds { least: 1, most: usize::MAX };

    /// Two overlapping components, one far away.
    fn three() -> (Mixture, Tensor<Flex, 2>) {
        let mixture = Mixture {
            log_weights: vec![(1.0f64 / 3.0).ln(); 3],
            means: array![[0.0, 0.0], [30.0, 0.0], [1.5, 0.0]],
            covariance: Covariance::Spherical(vec![1.0; 3]),
            clusters: vec![0, 1, 2],
        };
        let mut rng = stream(5, "test", 0);
        let mut normal = || (0..12).map(|_| rng.random::<f64>()).sum::<f64>() - 6.0;
        let values: Vec<f32> =
            (0..900).flat_map(|n| [(mixture.means[[n % 3, 0]] + normal()) as f32, normal() as f32]).collect();
        (mixture, Tensor::from_data(TensorData::new(values, [900, 2]), &Default::default()))
    }

    #[test]
    fn overlapping_components_are_one_cluster() {
        let (mixture, z) = three();
        assert_eq!(group(mixture, &z, 0.025, ANY).unwrap().clusters, [0, 1, 0]);
    }

    #[test]
    fn no_fewer_clusters_are_left_than_asked_for() {
        let (mixture, z) = three();
        assert_eq!(group(mixture, &z, 0.025, ClusterBounds { least: 3, most: 3 }).unwrap().clusters, [0, 1, 2]);
    }

    #[test]
    fn no_more_clusters_are_left_than_asked_for() {
        let (mixture, z) = three();
        assert_eq!(group(mixture, &z, 0.025, ClusterBounds { least: 1, most: 1 }).unwrap().clusters, [0, 0, 0]);
    }

    #[test]
    fn an_affine_map_of_the_latents_changes_nothing() {
        let (mut mixture, z) = three();
        mixture.means.iter_mut().for_each(|m| *m = *m * 0.01 + 7.0);
        mixture.covariance = Covariance::Spherical(vec![1e-4; 3]);
        assert_eq!(group(mixture, &(z * 0.01 + 7.0), 0.025, ANY).unwrap().clusters, [0, 1, 0]);
    }
}
