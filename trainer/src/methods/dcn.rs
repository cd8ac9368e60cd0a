//! Deep clustering network (Yang, Fu, Sidiropoulos and Hong, "Towards K-means-friendly Spaces: Simultaneous Deep
//! Learning and Clustering", 2017).
//!
//! **Objective**: `1/2 |x - y|^2 + lambda/2 |z - m_s|^2`, where `m_s` is the nearest centre (equation 5). **Update**:
//! each sample moves its centre by `1/c` of the distance between them, where `c` counts the samples of the centre so
//! far (equation 8). **Schedule**: reconstruction, k-means, then alternating updates of encoder and centres.

use burn::tensor::Tensor;
use burn::tensor::backend::AutodiffBackend;
use ndarray::{Array2, ArrayView2};
use rand_chacha::ChaCha8Rng;
use serde::{Deserialize, Serialize};

use super::common::defaults::{ClusterEpochs, DefaultEncoder};
use super::common::joint::{self, LearnedClusters};
use super::common::learner::Losses;
use super::definition::{ClusterCount, MethodSettings};
use crate::base::array_serde;
use crate::base::arrays::{elements, to_array, to_tensor};
use crate::data::Samples;
use crate::mixture::kmeans::{Centers, KMeans, nearest, one_hot};
use crate::nn::{Latent, LayerShape, Optimizer};
use crate::trained::{Head, Trained};
use crate::training::{Batch, FitError, Fitting};
use crate::variant::Variant;

/// Settings of the deep clustering network.
///
/// ```
/// use edgemix::methods::Dcn;
///
/// let dcn = Dcn { lambda: 0.5, ..Dcn::default() };
/// // As a run keeps it.
/// assert!(toml::to_string(&dcn)?.starts_with("lambda = 0.5\n"));
/// # Ok::<(), toml::ser::Error>(())
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields, rename_all = "kebab-case")]
pub struct Dcn {
    /// The weight of the distance to the centre.
    pub lambda: f64,
    /// The clustering that the centres start from.
    pub kmeans: KMeans,
}

impl Default for Dcn {
    fn default() -> Self {
        Self { lambda: 0.1, kmeans: KMeans::default() }
    }
}

impl MethodSettings for Dcn {
    const NAME: &'static str = "dcn";
    const ENCODER_LEARNS_WITH_CLUSTERS: bool = true;
    const ENCODER: DefaultEncoder = DefaultEncoder::DEC;
    const WORKS_WITHOUT_ENCODER: bool = false;
    const CLUSTER_EPOCHS: ClusterEpochs = ClusterEpochs::ByReconstruction;
    const PAPER: Option<&'static str> = Some(include_str!("presets/dcn.toml"));
    const CLUSTERING_WEIGHT: Option<&'static str> = Some("lambda");

    fn cluster_count(&mut self) -> ClusterCount<'_> {
        ClusterCount::Given(&mut self.kmeans.n_clusters)
    }

    fn set_variant(&mut self, _: Variant) -> bool {
        false
    }

    fn check(&self, _: &[LayerShape], _: &Samples) -> Result<(), FitError> {
        Ok(())
    }

    fn exported_encoder(&self, encoder: &[LayerShape], _: &Samples) -> Result<Vec<LayerShape>, FitError> {
        Ok(encoder.to_vec())
    }

    fn fit<B: AutodiffBackend>(&self, fit: &mut Fitting<'_, B>) -> Result<Trained, FitError> {
        joint::fit::<B, RunningCenters>(self, fit)
    }
}

/// The centres, and the number of samples that each has been updated with.
#[derive(Clone, Debug, Serialize, Deserialize)]
struct RunningCenters {
    /// `K x D`.
    #[serde(with = "array_serde")]
    centers: Array2<f64>,
    counts: Vec<f64>,
}

impl RunningCenters {
    /// Applies `m <- m + (z - m) / c` for one sample after another, so that each centre is the mean of its samples so
    /// far.
    fn update(&mut self, sums: ArrayView2<f64>, counts: &[f64]) {
        let rows = self.centers.rows_mut().into_iter().zip(sums.rows());
        for ((mut center, sum), (count, &new)) in rows.zip(self.counts.iter_mut().zip(counts)) {
            *count += new;
            if new > 0.0 {
                center.iter_mut().zip(sum).for_each(|(m, s)| *m += (s - new * *m) / *count);
            }
        }
    }
}

impl<B: AutodiffBackend> LearnedClusters<B> for RunningCenters {
    type Settings = Dcn;
    type State = Self;
    type Epoch = ();

    // The centres are never computed from augmented samples: pulling those would tear the clusters apart.
    const MOVED: bool = false;
    const VARIATIONAL: bool = false;

    fn find(
        settings: &Dcn,
        _: Optimizer,
        z: &Tensor<B::InnerBackend, 2>,
        rng: &mut ChaCha8Rng,
    ) -> Result<Self, FitError> {
        let found = settings.kmeans.fit(z, rng);
        let n = z.dims()[0] as f64;
        Ok(Self { centers: found.centers, counts: found.shares.iter().map(|share| (share * n).max(1.0)).collect() })
    }

    fn reconstruction_weight(_: &Dcn, _: usize, _: f64) -> f64 {
        1.0
    }

    fn begin_epoch(&mut self, _: &Dcn, _: &Tensor<B::InnerBackend, 2>) -> Result<(), FitError> {
        Ok(())
    }

    fn losses(&mut self, settings: &Dcn, (): &(), latent: Latent<B>, _: &mut Batch<B>) -> Losses<B> {
        let z = latent.mean;
        let k = self.counts.len();
        let inner = z.clone().inner();
        let members = one_hot(nearest(&inner, self.centers.view()).1, k);
        let centers = members.clone().matmul(to_tensor::<B::InnerBackend>(self.centers.view(), &inner.device()));
        let distance = (z - Tensor::from_inner(centers)).square().sum_dim(1).mean();
        let counts = elements(members.clone().sum_dim(0));
        self.update(to_array(members.transpose().matmul(inner)).view(), &counts);
        vec![("cluster", distance * (0.5 * settings.lambda))]
    }

    /// Does nothing: `losses` has already moved the centres to the means of their samples.
    fn descend(&mut self, _: &mut B::Gradients, _: f64) {}

    fn n_clusters(&self) -> usize {
        self.counts.len()
    }

    fn head(&self, _: &Dcn, _: &Tensor<B::InnerBackend, 2>) -> Result<Head, FitError> {
        let centers = Centers { centers: self.centers.clone(), shares: self.counts.clone(), inertia: 0.0 };
        Ok(Head::Mixture(centers.mixture()))
    }

    fn state(&self) -> Result<Self, FitError> {
        Ok(self.clone())
    }

    fn restore(_: &Dcn, _: Optimizer, state: Self, _: &B::Device) -> Result<Self, FitError> {
        Ok(state)
    }
}

#[cfg(test)]
mod tests {
    use ndarray::array;

    use super::*;

    #[test]
    fn a_centre_is_the_mean_of_all_samples_so_far() {
        let mut running = RunningCenters { centers: array![[1.0, 2.0], [-5.0, 0.0]], counts: vec![1.0, 1.0] };
        running.update(array![[6.0, 10.0], [0.0, 0.0]].view(), &[2.0, 0.0]);
        running.update(array![[3.0, 0.0], [-1.0, 6.0]].view(), &[1.0, 1.0]);
        // (1 + 6 + 3) / 4 and (2 + 10 + 0) / 4; (-5 - 1) / 2 and (0 + 6) / 2.
        assert_eq!(running.centers, array![[2.5, 3.0], [-3.0, 3.0]]);
        assert_eq!(running.counts, [4.0, 2.0]);
    }
}
