//! Deep embedded clustering, DEC (Xie, Girshick and Farhadi, 2016), and IDEC, which keeps the reconstruction (Guo, Gao,
//! Liu and Yin, 2017).
//!
//! **Objective**: `gamma KL(p||q)`, for IDEC beside the mean squared error; `q_ij ~ 1 / (1 + |z_i - mu_j|^2)` (DEC,
//! equation 1), targets `p_ij ~ q_ij^2 / sum_i q_ij` (equation 3). **Update**: targets once an epoch, from samples as
//! they are; the centres learn together with the encoder. **Schedule**: reconstruction, k-means, then the objective.

use burn::module::{Module, Param};
use burn::tensor::Tensor;
use burn::tensor::backend::{AutodiffBackend, Backend};
use ndarray::{Array2, ArrayView2};
use rand_chacha::ChaCha8Rng;
use serde::{Deserialize, Serialize};

use super::joint::Clusters;
use super::learner::{Losses, mismatch};
use super::optimized::{self, Optimized};
use crate::base::arrays::{to_array, to_tensor};
use crate::mixture::kmeans::{Centers, KMeans};
use crate::nn::Latent;
use crate::trained::Head;
use crate::training::{Batch, FitError};

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
    /// The weight of the divergence beside the squared error's mean over features.
    pub gamma: f64,
    /// The clustering that the centres start from.
    pub kmeans: KMeans,
}

impl Default for Idec {
    fn default() -> Self {
        Self { gamma: 0.1, kmeans: KMeans::default() }
    }
}

/// What the two differ in.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Weights {
    kmeans: KMeans,
    gamma: f64,
    reconstructs: bool,
}

impl From<Dec> for Weights {
    fn from(dec: Dec) -> Self {
        Self { kmeans: dec.kmeans, gamma: 1.0, reconstructs: false }
    }
}

impl From<Idec> for Weights {
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

/// Centres that are learned.
#[derive(Module, Debug)]
struct Learned<B: Backend> {
    /// `K x D`.
    centers: Param<Tensor<B, 2>>,
}

/// Centres, their optimiser and an epoch's targets.
pub(crate) struct StudentClusters<B: AutodiffBackend> {
    learned: Optimized<B, Learned<B>>,
    targets: Option<Tensor<B::InnerBackend, 2>>,
}

/// What a checkpoint holds.
#[derive(Serialize, Deserialize)]
struct Saved {
    k: usize,
    dims: usize,
    learned: optimized::Saved,
}

impl<B: AutodiffBackend> StudentClusters<B> {
    fn new(centers: ArrayView2<f64>, device: &B::Device) -> Self {
        let centers = Param::from_tensor(to_tensor::<B>(centers, device));
        Self { learned: Optimized::new(Learned { centers }), targets: None }
    }

    fn centers(&self) -> Tensor<B::InnerBackend, 2> {
        self.learned.centers.val().inner()
    }
}

impl<B: AutodiffBackend> Clusters<B> for StudentClusters<B> {
    type Settings = Weights;

    const MOVED: bool = true;

    fn find(settings: &Weights, z: &Tensor<B::InnerBackend, 2>, rng: &mut ChaCha8Rng) -> Result<Self, FitError> {
        let found = settings.kmeans.fit(z, rng);
        Ok(Self::new(found.centers.view(), &z.device()))
    }

    fn reconstruction(settings: &Weights, n_features: usize, _: f64) -> f64 {
        if settings.reconstructs { 2.0 / n_features as f64 } else { 0.0 }
    }

    fn begin_epoch(&mut self, _: &Weights, z: &Tensor<B::InnerBackend, 2>) -> Result<(), FitError> {
        self.targets = Some(sharpened(student(z.clone(), self.centers())));
        Ok(())
    }

    fn losses(&mut self, settings: &Weights, latent: Latent<B>, batch: &mut Batch<B>) -> Losses<B> {
        let Some(targets) = &self.targets else { return vec![] };
        let p = Tensor::from_inner(targets.clone().select(0, batch.indices.clone().inner()));
        let q = student(latent.mean, self.learned.centers.val());
        vec![("cluster", divergence(p, q) * settings.gamma)]
    }

    fn descend(&mut self, gradients: &mut B::Gradients, rate: f64) {
        self.learned.descend(gradients, rate);
    }

    fn n_clusters(&self) -> usize {
        self.centers().dims()[0]
    }

    fn head(&self, _: &Weights, _: &Tensor<B::InnerBackend, 2>) -> Result<Head, FitError> {
        // Student's t falls with the distance: the best is the nearest.
        let k = self.n_clusters();
        let centers = Centers { centers: to_array(self.centers()), shares: vec![1.0 / k as f64; k], inertia: 0.0 };
        Ok(Head::Mixture(centers.mixture()))
    }

    fn save(&self) -> Result<Vec<u8>, FitError> {
        let [k, dims] = self.centers().dims();
        postcard::to_stdvec(&Saved { k, dims, learned: self.learned.save()? }).map_err(mismatch)
    }

    fn restore(bytes: &[u8], device: &B::Device) -> Result<Self, FitError> {
        let saved: Saved = postcard::from_bytes(bytes).map_err(mismatch)?;
        let mut restored = Self::new(Array2::zeros((saved.k, saved.dims)).view(), device);
        restored.learned.restore(saved.learned, device)?;
        Ok(restored)
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
