//! Deep embedded clustering, DEC (Xie, Girshick and Farhadi, "Unsupervised Deep Embedding for Clustering Analysis",
//! 2016), and IDEC, which keeps the reconstruction (Guo, Gao, Liu and Yin, "Improved Deep Embedded Clustering with
//! Local Structure Preservation", 2017).
//!
//! **Objective**: `gamma KL(p||q)`, to which IDEC adds the mean squared error; `q_ij ~ 1 / (1 + |z_i - mu_j|^2)` (DEC,
//! equation 1), targets `p_ij ~ q_ij^2 / sum_i q_ij` (equation 3). **Update**: the targets are recomputed once an
//! epoch, from unaugmented samples; the centres learn together with the encoder. **Schedule**: reconstruction, k-means,
//! then the objective.

use burn::module::{Module, Param};
use burn::tensor::Tensor;
use burn::tensor::backend::{AutodiffBackend, Backend};
use ndarray::{Array2, ArrayView2};
use rand_chacha::ChaCha8Rng;
use serde::{Deserialize, Serialize};

use super::common::defaults::{ClusterEpochs, DefaultEncoder};
use super::common::joint::{self, LearnedClusters};
use super::common::learner::Losses;
use super::definition::{ClusterCount, MethodSettings};
use crate::base::arrays::{to_array, to_tensor};
use crate::data::Samples;
use crate::mixture::kmeans::{Centers, KMeans};
use crate::nn::{Latent, LayerShape, Optimized, OptimizedState, Optimizer};
use crate::trained::{Head, Trained};
use crate::training::{Batch, FitError, Fitting};
use crate::variant::Variant;

/// Settings of DEC.
///
/// ```
/// use edgemix::methods::Dec;
///
/// let dec: Dec = toml::from_str("[kmeans]\nn-clusters = 6")?;
/// assert_eq!((dec.kmeans.n_clusters, dec.kmeans.n_init), (6, 20));
/// # Ok::<(), toml::de::Error>(())
/// ```
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields, rename_all = "kebab-case")]
pub struct Dec {
    /// The clustering that the centres start from.
    pub kmeans: KMeans,
}

/// Settings of IDEC.
///
/// ```
/// use edgemix::methods::Idec;
///
/// let idec: Idec = toml::from_str("gamma = 0.5")?;
/// assert_eq!((idec.gamma, idec.kmeans.n_clusters), (0.5, 10));
/// // What is misspelt is refused.
/// assert!(toml::from_str::<Idec>("gama = 0.5").is_err());
/// # Ok::<(), toml::de::Error>(())
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields, rename_all = "kebab-case")]
pub struct Idec {
    /// The weight of the divergence, relative to the squared error averaged over features.
    pub gamma: f64,
    /// The clustering that the centres start from.
    pub kmeans: KMeans,
}

impl Default for Idec {
    fn default() -> Self {
        Self { gamma: 0.1, kmeans: KMeans::default() }
    }
}

impl MethodSettings for Dec {
    const NAME: &'static str = "dec";
    const ENCODER_LEARNS_WITH_CLUSTERS: bool = true;
    const ENCODER: DefaultEncoder = DefaultEncoder::DEC;
    const WORKS_WITHOUT_ENCODER: bool = false;
    const CLUSTER_EPOCHS: ClusterEpochs = ClusterEpochs::ByReconstruction;
    const PAPER: Option<&'static str> = Some(include_str!("presets/dec.toml"));
    const CLUSTERING_WEIGHT: Option<&'static str> = None;

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
        joint::fit::<B, StudentClusters<B>>(&(*self).into(), fit)
    }
}

impl MethodSettings for Idec {
    const NAME: &'static str = "idec";
    const ENCODER_LEARNS_WITH_CLUSTERS: bool = true;
    const ENCODER: DefaultEncoder = DefaultEncoder::DEC;
    const WORKS_WITHOUT_ENCODER: bool = false;
    const CLUSTER_EPOCHS: ClusterEpochs = ClusterEpochs::ByReconstruction;
    const PAPER: Option<&'static str> = Some(include_str!("presets/idec.toml"));
    const CLUSTERING_WEIGHT: Option<&'static str> = Some("gamma");

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
        joint::fit::<B, StudentClusters<B>>(&(*self).into(), fit)
    }
}

/// The settings in which DEC and IDEC differ.
#[derive(Clone, Copy, Debug)]
struct LossWeights {
    kmeans: KMeans,
    gamma: f64,
    reconstructs: bool,
}

impl From<Dec> for LossWeights {
    fn from(dec: Dec) -> Self {
        Self { kmeans: dec.kmeans, gamma: 1.0, reconstructs: false }
    }
}

impl From<Idec> for LossWeights {
    fn from(idec: Idec) -> Self {
        Self { kmeans: idec.kmeans, gamma: idec.gamma, reconstructs: true }
    }
}

/// `N x K` soft assignments by Student's t with one degree of freedom, from `N x D` latents and `K x D` centres.
pub(super) fn student<B: Backend>(z: Tensor<B, 2>, centers: Tensor<B, 2>) -> Tensor<B, 2> {
    let difference = z.unsqueeze_dim::<3>(1) - centers.unsqueeze_dim::<3>(0);
    let squares = difference.square().sum_dim(2).squeeze_dim::<2>(2);
    let kernel = (squares + 1.0).recip();
    kernel.clone() / kernel.sum_dim(1)
}

/// `p_ij ~ q_ij^2 / sum_i q_ij`, rows normalised.
pub(super) fn sharpened<B: Backend>(q: Tensor<B, 2>) -> Tensor<B, 2> {
    let p = q.clone().square() / q.sum_dim(0).clamp_min(1e-12);
    p.clone() / p.sum_dim(1)
}

/// `KL(p||q)`, averaged over rows.
pub(super) fn divergence<B: Backend>(p: Tensor<B, 2>, q: Tensor<B, 2>) -> Tensor<B, 1> {
    let log = |x: Tensor<B, 2>| x.clamp_min(1e-12).log();
    (p.clone() * (log(p) - log(q))).sum_dim(1).mean()
}

/// Learned centres.
#[derive(Module, Debug)]
struct LearnedCenters<B: Backend> {
    /// `K x D`.
    centers: Param<Tensor<B, 2>>,
}

/// Centres and their optimiser.
struct StudentClusters<B: AutodiffBackend>(Optimized<B, LearnedCenters<B>>);

/// What a checkpoint holds.
#[derive(Serialize, Deserialize)]
struct StudentClustersState {
    k: usize,
    dims: usize,
    centers: OptimizedState,
}

impl<B: AutodiffBackend> StudentClusters<B> {
    fn new(centers: ArrayView2<f64>, optimizer: Optimizer, device: &B::Device) -> Self {
        let centers = Param::from_tensor(to_tensor::<B>(centers, device));
        Self(Optimized::new(LearnedCenters { centers }, optimizer))
    }

    fn centers(&self) -> Tensor<B::InnerBackend, 2> {
        self.0.centers.val().inner()
    }
}

impl<B: AutodiffBackend> LearnedClusters<B> for StudentClusters<B> {
    type Settings = LossWeights;
    type State = StudentClustersState;

    /// `N x K` targets.
    type Epoch = Tensor<B::InnerBackend, 2>;

    const MOVED: bool = true;
    const VARIATIONAL: bool = false;

    fn find(
        settings: &LossWeights,
        optimizer: Optimizer,
        z: &Tensor<B::InnerBackend, 2>,
        rng: &mut ChaCha8Rng,
    ) -> Result<Self, FitError> {
        let found = settings.kmeans.fit(z, rng);
        Ok(Self::new(found.centers.view(), optimizer, &z.device()))
    }

    fn reconstruction_weight(settings: &LossWeights, n_features: usize, _: f64) -> f64 {
        if settings.reconstructs { 2.0 / n_features as f64 } else { 0.0 }
    }

    fn begin_epoch(&mut self, _: &LossWeights, z: &Tensor<B::InnerBackend, 2>) -> Result<Self::Epoch, FitError> {
        Ok(sharpened(student(z.clone(), self.centers())))
    }

    fn losses(
        &mut self,
        settings: &LossWeights,
        targets: &Self::Epoch,
        latent: Latent<B>,
        batch: &mut Batch<B>,
    ) -> Losses<B> {
        let p = Tensor::from_inner(targets.clone().select(0, batch.indices.clone().inner()));
        let q = student(latent.mean, self.0.centers.val());
        vec![("cluster", divergence(p, q) * settings.gamma)]
    }

    fn descend(&mut self, gradients: &mut B::Gradients, rate: f64) {
        self.0.descend(gradients, rate);
    }

    fn n_clusters(&self) -> usize {
        self.centers().dims()[0]
    }

    fn head(&self, _: &LossWeights, _: &Tensor<B::InnerBackend, 2>) -> Result<Head, FitError> {
        // Student's t decreases with the distance, so the best centre is the nearest one.
        let k = self.n_clusters();
        let centers = Centers { centers: to_array(self.centers()), shares: vec![1.0 / k as f64; k], inertia: 0.0 };
        Ok(Head::Mixture(centers.mixture()))
    }

    fn state(&self) -> Result<StudentClustersState, FitError> {
        let [k, dims] = self.centers().dims();
        Ok(StudentClustersState { k, dims, centers: self.0.state()? })
    }

    fn restore(
        _: &LossWeights,
        optimizer: Optimizer,
        state: StudentClustersState,
        device: &B::Device,
    ) -> Result<Self, FitError> {
        state.centers.check_holds(state.k, state.dims)?;
        let empty = Self::new(Array2::zeros((state.k, state.dims)).view(), optimizer, device);
        Ok(Self(empty.0.with_state(state.centers, device)?))
    }
}

#[cfg(test)]
mod tests {
    use burn::backend::Flex;

    use super::*;
    use crate::mixture::{elements, matrix};
    use crate::random::{normal, stream};

    fn random(rows: usize, columns: usize, index: u64) -> Vec<f64> {
        normal(rows * columns, &mut stream(3, "dec", index)).into_iter().map(f64::from).collect()
    }

    #[test]
    fn assignments_targets_and_divergence_are_those_of_the_definition() {
        let (n, k, dims) = (7, 3, 2);
        let (z, centers) = (random(n, dims, 0), random(k, dims, 1));
        let tensor = |values: &[f64], rows| matrix::<Flex>(values, rows, &Default::default());
        let q_tensor = student(tensor(&z, n), tensor(&centers, k));
        let p_tensor = sharpened(q_tensor.clone());

        let kernel = |i: usize, j: usize| {
            let square: f64 = (0..dims).map(|d| (z[i * dims + d] - centers[j * dims + d]).powi(2)).sum();
            1.0 / (1.0 + square)
        };
        let q = |i: usize, j: usize| kernel(i, j) / (0..k).map(|j| kernel(i, j)).sum::<f64>();
        let mass = |j: usize| (0..n).map(|i| q(i, j)).sum::<f64>();
        let sharp = |i: usize, j: usize| q(i, j).powi(2) / mass(j);
        let p = |i: usize, j: usize| sharp(i, j) / (0..k).map(|j| sharp(i, j)).sum::<f64>();
        let close = |tensor: Tensor<Flex, 2>, f: &dyn Fn(usize, usize) -> f64| {
            let found = elements(tensor);
            (0..n * k).all(|at| (found[at] - f(at / k, at % k)).abs() < 1e-5)
        };
        assert!(close(q_tensor.clone(), &q) && close(p_tensor.clone(), &p));
        let cells = (0..n).flat_map(|i| (0..k).map(move |j| (i, j)));
        let expected: f64 = cells.map(|(i, j)| p(i, j) * (p(i, j) / q(i, j)).ln()).sum::<f64>() / n as f64;
        let found = elements(divergence(p_tensor, q_tensor))[0];
        assert!((found - expected).abs() < 1e-5, "{found} {expected}");
    }
}
