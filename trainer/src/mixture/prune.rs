//! Dropping components and clusters that hold too few samples.

use burn::tensor::{Tensor, backend::Backend};
use ndarray::Axis;

use super::covariance::NotPositiveDefinite;
use super::gaussian_mixture::Mixture;
use crate::base::arrays::{argmax, elements};

/// The components to keep, by their counts of samples: those with at least `max(1, share * N)`, or else the largest.
///
/// ```
/// use edgemix::mixture::prune::survivors;
///
/// assert_eq!(survivors(&[100.0, 0.5, 40.0], 0.005), [0, 2]);
/// assert_eq!(survivors(&[0.2, 0.4, 0.1], 0.005), [1]);
/// ```
pub fn survivors(counts: &[f64], share: f64) -> Vec<usize> {
    let total: f64 = counts.iter().sum();
    let least = (share * total).max(1.0);
    let kept: Vec<usize> = (0..counts.len()).filter(|&k| counts[k] >= least).collect();
    if kept.is_empty() && !counts.is_empty() { vec![argmax(counts)] } else { kept }
}

/// The indices of the `k` greatest counts, in ascending order.
///
/// ```
/// assert_eq!(edgemix::mixture::prune::greatest(&[5.0, 9.0, 7.0], 2), [1, 2]);
/// ```
pub fn greatest(counts: &[f64], k: usize) -> Vec<usize> {
    let mut order: Vec<usize> = (0..counts.len()).collect();
    order.sort_by(|&a, &b| counts[b].total_cmp(&counts[a]));
    order.truncate(k);
    order.sort_unstable();
    order
}

/// The mixture with some of its clusters only: `kept` names them, given how many of the `N x D` latents are in each.
///
/// ```
/// use burn::backend::Flex;
/// use burn::tensor::Tensor;
/// use edgemix::mixture::{Covariance, Mixture, prune};
/// use ndarray::array;
///
/// let (means, covariance) = (array![[0.0], [10.0], [20.0]], Covariance::Spherical(vec![1.0; 3]));
/// let mixture = Mixture { log_weights: vec![0.0; 3], means, covariance, clusters: vec![0, 1, 0] };
/// let z = Tensor::<Flex, 2>::from_data([[0.0], [10.0], [20.0]], &Default::default());
/// // Two samples in the first cluster, one in the second.
/// let larger = prune::clusters(&mixture, &z, |counts| prune::greatest(counts, 1))?;
/// assert_eq!((larger.means, larger.clusters), (array![[0.0], [20.0]], vec![0, 0]));
/// # Ok::<(), edgemix::mixture::NotPositiveDefinite>(())
/// ```
///
/// # Errors
/// [`NotPositiveDefinite`] if a covariance is not positive definite.
pub fn clusters<B: Backend>(
    mixture: &Mixture,
    z: &Tensor<B, 2>,
    kept: impl FnOnce(&[f64]) -> Vec<usize>,
) -> Result<Mixture, NotPositiveDefinite> {
    let mut counts = vec![0.0; mixture.n_clusters()];
    for component in elements(mixture.log_density(z)?.argmax(1).float()) {
        counts[usize::from(mixture.clusters[component as usize])] += 1.0;
    }
    let kept = kept(&counts);
    let components: Vec<usize> =
        (0..mixture.n_components()).filter(|&k| kept.contains(&mixture.clusters[k].into())).collect();
    Ok(keep(mixture, &components))
}

/// The mixture with these components only. Clusters are renumbered in the order in which they appear.
///
/// ```
/// use edgemix::mixture::{Covariance, Mixture, prune};
/// use ndarray::array;
///
/// let (means, covariance) = (array![[0.0], [10.0], [20.0]], Covariance::Spherical(vec![1.0; 3]));
/// let mixture = Mixture { log_weights: vec![0.0; 3], means, covariance, clusters: vec![0, 1, 2] };
/// let kept = prune::keep(&mixture, &[1, 2]);
/// assert_eq!((kept.means, kept.clusters), (array![[10.0], [20.0]], vec![0, 1]));
/// ```
pub fn keep(mixture: &Mixture, components: &[usize]) -> Mixture {
    let mut named: Vec<u16> = Vec::new();
    let clusters = components.iter().map(|&k| {
        let cluster = mixture.clusters[k];
        let at = named.iter().position(|&c| c == cluster).unwrap_or_else(|| {
            named.push(cluster);
            named.len() - 1
        });
        at as u16
    });
    let clusters = clusters.collect();
    Mixture {
        log_weights: components.iter().map(|&k| mixture.log_weights[k]).collect(),
        means: mixture.means.select(Axis(0), components),
        covariance: mixture.covariance.select(components),
        clusters,
    }
}

#[cfg(test)]
mod tests {
    use burn::backend::Flex;
    use burn::tensor::TensorData;

    use ndarray::array;

    use super::*;
    use crate::mixture::Covariance;

    #[test]
    fn small_components_are_dropped_and_clusters_are_renumbered() {
        let mixture = Mixture {
            log_weights: vec![0.0, 1.0, 2.0, 3.0],
            means: array![[0.0, 0.5], [1.0, 1.5], [2.0, 2.5], [3.0, 3.5]],
            covariance: Covariance::Diagonal(array![[1.0, 2.0], [3.0, 4.0], [5.0, 6.0], [7.0, 8.0]]),
            clusters: vec![0, 1, 2, 1],
        };
        let kept = survivors(&[100.0, 60.0, 0.5, 40.0], 0.005);
        assert_eq!(kept, [0, 1, 3]);
        let smaller = keep(&mixture, &kept[1..]);
        assert_eq!(smaller.means, array![[1.0, 1.5], [3.0, 3.5]]);
        assert_eq!(smaller.covariance, Covariance::Diagonal(array![[3.0, 4.0], [7.0, 8.0]]));
        assert_eq!(smaller.clusters, [0, 0]);
    }

    #[test]
    fn dropped_clusters_lose_all_their_components() {
        // Four samples in the first cluster's two components, one in the second, three in the third.
        let z = [0.0f32, 0.1, 9.9, 10.0, 20.0, 30.0, 30.1, 30.2];
        let z = Tensor::<Flex, 2>::from_data(TensorData::new(z.to_vec(), [8, 1]), &Default::default());
        let mixture = Mixture {
            log_weights: vec![-1.4; 4],
            means: array![[0.0], [20.0], [10.0], [30.0]],
            covariance: Covariance::Spherical(vec![1.0; 4]),
            clusters: vec![0, 1, 0, 2],
        };
        let seen = |counts: &[f64]| {
            assert_eq!(counts, [4.0, 1.0, 3.0]);
            greatest(counts, 2)
        };
        let two = clusters(&mixture, &z, seen).unwrap();
        assert_eq!((two.means, two.clusters), (array![[0.0], [10.0], [30.0]], vec![0, 0, 1]));
        assert_eq!(greatest(&[1.0, 2.0], 5), [0, 1]);
    }

    #[test]
    fn the_largest_survives_when_all_are_small() {
        assert_eq!(survivors(&[0.2, 0.4, 0.1], 0.005), [1]);
    }
}
