//! DCAN (Lim, "Deep clustering using adversarial net based clustering loss", 2024).
//!
//! **Objective**: a discriminator D distinguishes draws from a sample's cluster, `z ~ N(eta_c, 1/tau_c)`, from the
//! encoder's latents E(x). It minimises `softplus(-D(z)) + softplus(D(E(x)))` on logits, and the encoder minimises
//! `lambda softplus(-D(E(x)))`. By default, D also takes the cluster as an input, and the reconstruction loss is kept.
//! **Update**: EM refits a Gaussian mixture once an epoch. Samples are assigned with full covariances; draws use only the
//! diagonals. **Schedule**: reconstruction, then alternating steps of discriminator and encoder.
//!
//! In the printed form (variant `paper`), the encoder minimises `-lambda softplus(D(E(x)))`, which is `ln (1 - D)` of
//! equation 22 and saturates; clusters come from k-means, draws are spherical, and nothing prevents a collapse.

use burn::module::Module;
use burn::tensor::backend::{AutodiffBackend, Backend};
use burn::tensor::{Int, Tensor, TensorData};
use ndarray::ArrayView2;
use rand::SeedableRng;
use rand_chacha::ChaCha8Rng;
use serde::{Deserialize, Serialize};

use super::common::defaults::{ClusterEpochs, DefaultEncoder};
use super::common::joint::{self, LearnedClusters};
use super::common::learner::Losses;
use super::definition::{ClusterCount, MethodSettings};
use crate::base::arrays::to_tensor;
use crate::data::Samples;
use crate::mixture::gmm::Gmm;
use crate::mixture::kmeans::{Centers, KMeans, nearest, one_hot};
use crate::mixture::{CovarianceType, Mixture, NotPositiveDefinite};
use crate::nn::{Latent, LayerShape, Network, Optimized, OptimizedState, Optimizer, softplus};
use crate::random::normal;
use crate::trained::{Head, Trained};
use crate::training::{Batch, FitError, Fitting};
use crate::variant::Variant;

/// Settings of DCAN.
///
/// ```
/// use edgemix::methods::Dcan;
/// use edgemix::variant::Variant;
///
/// let dcan: Dcan = toml::from_str("variant = \"paper\"\nhidden = 32")?;
/// assert_eq!((dcan.variant, dcan.hidden, dcan.lambda), (Variant::Paper, 32, 0.1));
/// # Ok::<(), toml::de::Error>(())
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields, rename_all = "kebab-case")]
pub struct Dcan {
    /// The weight of the adversarial loss.
    pub lambda: f64,
    /// Width of the discriminator's hidden layer.
    pub hidden: usize,
    /// The corrected variant gives the cluster to the discriminator and keeps the reconstruction loss.
    pub variant: Variant,
    /// The clusters.
    pub mixture: Gmm,
}

impl Default for Dcan {
    fn default() -> Self {
        Self { lambda: 0.1, hidden: 64, variant: Variant::Corrected, mixture: Gmm::default() }
    }
}

impl MethodSettings for Dcan {
    const NAME: &'static str = "dcan";
    const ENCODER_LEARNS_WITH_CLUSTERS: bool = true;
    const ENCODER: DefaultEncoder = DefaultEncoder::DEC;
    const WORKS_WITHOUT_ENCODER: bool = false;
    const CLUSTER_EPOCHS: ClusterEpochs = ClusterEpochs::ByReconstruction;
    const PAPER: Option<&'static str> = Some(include_str!("presets/dcan.toml"));
    const CLUSTERING_WEIGHT: Option<&'static str> = Some("lambda");

    fn cluster_count(&mut self) -> ClusterCount<'_> {
        ClusterCount::Given(&mut self.mixture.n_components)
    }

    fn set_variant(&mut self, variant: Variant) -> bool {
        self.variant = variant;
        true
    }

    fn check(&self, _: &[LayerShape], _: &Samples) -> Result<(), FitError> {
        Ok(())
    }

    fn exported_encoder(&self, encoder: &[LayerShape], _: &Samples) -> Result<Vec<LayerShape>, FitError> {
        Ok(encoder.to_vec())
    }

    fn fit<B: AutodiffBackend>(&self, fit: &mut Fitting<'_, B>) -> Result<Trained, FitError> {
        joint::fit::<B, Adversary<B>>(self, fit)
    }
}

impl Dcan {
    /// How the printed form finds clusters.
    fn kmeans(&self) -> KMeans {
        KMeans { n_clusters: self.mixture.n_components, n_init: self.mixture.n_init, ..KMeans::default() }
    }

    /// Spherical Gaussians of the latents that are nearest to each centre (equation 17).
    fn spheres<B: Backend>(&self, z: &Tensor<B, 2>, centers: &Centers) -> Mixture {
        let (_, index) = nearest(z, centers.centers.view());
        let spherical = Gmm { covariance: CovarianceType::Spherical, ..self.mixture };
        spherical.maximise(z, &one_hot(index, centers.shares.len()))
    }
}

/// The clusters, and the discriminator with its optimiser.
struct Adversary<B: AutodiffBackend> {
    mixture: Mixture,
    conditional: bool,
    discriminator: Optimized<B, Network<B>>,
}

/// What a checkpoint holds.
#[derive(Serialize, Deserialize)]
struct AdversaryState {
    mixture: Mixture,
    discriminator: OptimizedState,
}

impl<B: AutodiffBackend> Adversary<B> {
    fn new(settings: &Dcan, optimizer: Optimizer, mixture: Mixture, rng: &mut ChaCha8Rng, device: &B::Device) -> Self {
        let conditional = settings.variant == Variant::Corrected;
        let inputs = mixture.n_dims() + if conditional { mixture.n_components() } else { 0 };
        let discriminator = Network::dense(&[inputs, settings.hidden.max(1), 1], rng, device);
        Self { mixture, conditional, discriminator: Optimized::new(discriminator, optimizer) }
    }

    /// The clusters of latents, starting from others.
    fn clusters(
        settings: &Dcan,
        z: &Tensor<B::InnerBackend, 2>,
        start: Mixture,
    ) -> Result<Mixture, NotPositiveDefinite> {
        match settings.variant {
            Variant::Corrected => settings.mixture.refine(z, start),
            Variant::Paper => Ok(settings.spheres(z, &settings.kmeans().refine(z, start.means))),
        }
    }

    /// The discriminator's input for latents in given clusters.
    fn seen(&self, z: Tensor<B, 2>, members: &Tensor<B, 2>) -> Tensor<B, 2> {
        if self.conditional { Tensor::cat(vec![z, members.clone()], 1) } else { z }
    }

    /// A draw from each sample's cluster.
    fn draw(&self, members: &Tensor<B, 2>, rng: &mut ChaCha8Rng) -> Tensor<B, 2> {
        let device = members.device();
        let of = |values: ArrayView2<f64>| members.clone().matmul(to_tensor::<B>(values, &device));
        let shape = [members.dims()[0], self.mixture.n_dims()];
        let noise = Tensor::from_data(TensorData::new(normal(shape[0] * shape[1], rng), shape), &device);
        of(self.mixture.means.view()) + (of(self.mixture.log_variances().view()) * 0.5).exp() * noise
    }
}

impl<B: AutodiffBackend> LearnedClusters<B> for Adversary<B> {
    type Settings = Dcan;
    type State = AdversaryState;

    /// Each sample's best component.
    type Epoch = Tensor<B::InnerBackend, 1, Int>;

    const MOVED: bool = false;
    const VARIATIONAL: bool = false;

    fn find(
        settings: &Dcan,
        optimizer: Optimizer,
        z: &Tensor<B::InnerBackend, 2>,
        rng: &mut ChaCha8Rng,
    ) -> Result<Self, FitError> {
        let mixture = match settings.variant {
            Variant::Corrected => settings.mixture.fit(z, rng)?,
            Variant::Paper => settings.spheres(z, &settings.kmeans().fit(z, rng)),
        };
        Ok(Self::new(settings, optimizer, mixture, rng, &z.device()))
    }

    fn reconstruction_weight(settings: &Dcan, _: usize, _: f64) -> f64 {
        match settings.variant {
            Variant::Corrected => 1.0,
            Variant::Paper => 0.0,
        }
    }

    fn begin_epoch(&mut self, settings: &Dcan, z: &Tensor<B::InnerBackend, 2>) -> Result<Self::Epoch, FitError> {
        self.mixture = Self::clusters(settings, z, self.mixture.clone())?;
        Ok(self.mixture.log_density(z)?.argmax(1).squeeze_dim::<1>(1))
    }

    fn losses(&mut self, settings: &Dcan, best: &Self::Epoch, latent: Latent<B>, batch: &mut Batch<B>) -> Losses<B> {
        let z = latent.mean;
        let best = best.clone().select(0, batch.indices.clone().inner()).unsqueeze_dim::<2>(1);
        let members = Tensor::<B, 2>::from_inner(one_hot(best, self.mixture.n_components()));

        let real = self.seen(self.draw(&members, &mut batch.rng), &members);
        let fake = self.seen(z.clone().detach(), &members);
        let told = softplus(-self.discriminator.forward(real)) + softplus(self.discriminator.forward(fake));
        let told = told.mean();
        let mut gradients = told.backward();
        self.discriminator.descend(&mut gradients, batch.learning_rate);

        let judge = self.discriminator.clone().no_grad();
        let told = judge.forward(self.seen(z, &members));
        let caught = match settings.variant {
            Variant::Corrected => softplus(-told),
            Variant::Paper => -softplus(told),
        };
        vec![("cluster", caught.mean() * settings.lambda)]
    }

    /// Does nothing: `losses` has already moved the discriminator by a loss of its own.
    fn descend(&mut self, _: &mut B::Gradients, _: f64) {}

    fn n_clusters(&self) -> usize {
        self.mixture.n_clusters()
    }

    fn head(&self, settings: &Dcan, z: &Tensor<B::InnerBackend, 2>) -> Result<Head, FitError> {
        Ok(Head::Mixture(Self::clusters(settings, z, self.mixture.clone())?))
    }

    fn state(&self) -> Result<AdversaryState, FitError> {
        Ok(AdversaryState { mixture: self.mixture.clone(), discriminator: self.discriminator.state()? })
    }

    fn restore(
        settings: &Dcan,
        optimizer: Optimizer,
        state: AdversaryState,
        device: &B::Device,
    ) -> Result<Self, FitError> {
        // The state replaces the weights drawn here.
        let fresh = Self::new(settings, optimizer, state.mixture, &mut ChaCha8Rng::seed_from_u64(0), device);
        Ok(Self { discriminator: fresh.discriminator.with_state(state.discriminator, device)?, ..fresh })
    }
}

#[cfg(test)]
mod tests {
    use burn::backend::{Autodiff, Flex};
    use burn::optim::GradientsParams;
    use ndarray::array;

    use super::*;
    use crate::mixture::{Covariance, elements, matrix};
    use crate::random::stream;

    type B = Autodiff<Flex>;

    fn adversary(conditional: bool) -> Adversary<B> {
        let mixture = Mixture {
            log_weights: vec![0.0; 2],
            means: array![[-3.0, 0.0], [3.0, 1.0]],
            covariance: Covariance::Diagonal(array![[0.25, 1.0], [4.0, 0.01]]),
            clusters: vec![0, 1],
        };
        let variant = if conditional { Variant::Corrected } else { Variant::Paper };
        let settings = Dcan { hidden: 8, variant, ..Dcan::default() };
        Adversary::new(&settings, Optimizer::Adam {}, mixture, &mut stream(0, "dcan", 0), &Default::default())
    }

    #[test]
    fn draws_have_their_clusters_moments() {
        let n = 20_000;
        let index = Tensor::<Flex, 1, Int>::from_data(TensorData::from(vec![1; n].as_slice()), &Default::default());
        let members = Tensor::<B, 2>::from_inner(one_hot(index.unsqueeze_dim::<2>(1), 2));
        let drawn = adversary(false).draw(&members, &mut stream(0, "draw", 0));
        let mean = elements(drawn.clone().mean_dim(0));
        let second = elements(drawn.square().mean_dim(0));
        for (d, (mu, variance)) in [(3.0, 4.0), (1.0, 0.01f64)].into_iter().enumerate() {
            let deviation = variance.sqrt();
            assert!((mean[d] - mu).abs() < 0.05 * deviation, "{d}: {}", mean[d]);
            assert!((second[d] - mean[d] * mean[d] - variance).abs() < 0.05 * variance, "{d}");
        }
    }

    /// The encoder's loss gives gradients to the latents but not to the discriminator, whose own loss gives none to the
    /// latents.
    #[test]
    fn each_side_moves_only_itself() {
        let mut adversary = adversary(true);
        let settings = Dcan { lambda: 1.0, ..Dcan::default() };
        let device = Default::default();
        let best = Tensor::from_data(TensorData::from([0, 1, 1].as_slice()), &device);
        let z = matrix::<B>(&[-2.0, 0.5, 2.0, 1.0, 0.0, 0.0], 3, &device).require_grad();
        let rows = Tensor::<B, 2>::zeros([3, 1], &device);
        let mut batch = Batch {
            clean: rows.clone(),
            augmented: rows.clone(),
            target: rows,
            rows: vec![0, 1, 2],
            indices: Tensor::from_data(TensorData::from([0, 1, 2].as_slice()), &device),
            learning_rate: 0.01,
            rng: stream(0, "step", 0),
        };
        let latent = Latent { mean: z.clone(), log_variance: None };
        let before = adversary.discriminator.to_layers(crate::trained::Activation::Identity);
        let losses = adversary.losses(&settings, &best, latent, &mut batch);
        let after = adversary.discriminator.to_layers(crate::trained::Activation::Identity);
        assert_ne!(before, after, "the discriminator learns");
        let mut gradients = losses[0].1.backward();
        assert!(elements(z.grad(&gradients).unwrap()).iter().any(|g| *g != 0.0), "the encoder learns");
        let own = GradientsParams::from_module(&mut gradients, &*adversary.discriminator);
        assert_eq!(own.len(), 0, "the encoder's loss does not move the discriminator");
        assert_eq!(adversary.discriminator.to_layers(crate::trained::Activation::Identity), after);
    }
}
