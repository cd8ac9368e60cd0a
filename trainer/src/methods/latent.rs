//! What the methods on an autoencoder's latents share: reconstruct, standardise, cluster, pull, cluster again.

use burn::module::{AutodiffModule, Module};
use burn::optim::adaptor::OptimizerAdaptor;
use burn::optim::{Adam, AdamConfig, GradientsParams, Optimizer};
use burn::record::{BinBytesRecorder, FullPrecisionSettings, Record, Recorder};
use burn::tensor::backend::{AutodiffBackend, Backend};
use burn::tensor::{ElementConversion, Int, Tensor};
use rand_chacha::ChaCha8Rng;
use serde::{Deserialize, Serialize};

use crate::data::Samples;
use crate::divergence::Gaussians;
use crate::mixture::{Covariance, Mixture, NotPositiveDefinite, elements, matrix};
use crate::nn::{Autoencoder, Latent};
use crate::random::stream;
use crate::trained::{Activation, Dense, Head, Layer, Trained};
use crate::training::{Batch, Data, FitConfig, FitError, Method, Position, Stage, Terms};

/// How clusters are found in standardised latents, and what pulls the latents to them.
pub(crate) trait Objective<B: AutodiffBackend> {
    /// Fits `N x D` standardised latents, from the last epoch's mixture if there is one.
    fn cluster(
        &self,
        z: &Tensor<B::InnerBackend, 2>,
        start: Option<Mixture>,
        rng: &mut ChaCha8Rng,
    ) -> Result<Mixture, NotPositiveDefinite>;

    /// The mixture that is kept in the end, from the last one of training.
    fn settle(&self, _z: &Tensor<B::InnerBackend, 2>, mixture: Mixture) -> Result<Mixture, NotPositiveDefinite> {
        Ok(mixture)
    }

    /// The pull of each latent to its component, averaged over the batch and weighted; none for two-step methods, which
    /// then have no clustering stage.
    fn pull(&self, _q: Gaussians<B>, _p: Gaussians<B>) -> Option<Tensor<B, 1>> {
        None
    }

    /// Whether there is a clustering stage.
    fn pulls(&self) -> bool {
        false
    }

    /// Whether the autoencoder is variational.
    fn is_variational(&self) -> bool {
        false
    }
}

/// An autoencoder and an [`Objective`].
pub(crate) struct LatentMethod<B: AutodiffBackend> {
    name: &'static str,
    config: FitConfig,
    epochs: (usize, usize),
    objective: Box<dyn Objective<B>>,
    autoencoder: Autoencoder<B>,
    optimizer: OptimizerAdaptor<Adam, Autoencoder<B>, B>,
    clusters: Option<Clusters>,
    targets: Option<Tensor<B::InnerBackend, 1, Int>>,
    device: B::Device,
}

/// A mixture of standardised latents and the standardisation.
#[derive(Clone, Debug, Serialize, Deserialize)]
struct Clusters {
    mixture: Mixture,
    mean: Vec<f64>,
    deviation: Vec<f64>,
}

/// What a checkpoint holds.
#[derive(Serialize, Deserialize)]
struct State {
    autoencoder: Vec<u8>,
    optimizer: Vec<u8>,
    clusters: Option<Clusters>,
}

/// Rows that are encoded at once.
const CHUNK: usize = 8192;

impl<B: AutodiffBackend> LatentMethod<B> {
    pub(crate) fn new(
        name: &'static str,
        config: &FitConfig,
        samples: &Samples,
        objective: Box<dyn Objective<B>>,
        device: &B::Device,
    ) -> Self {
        let widths = config.widths(samples.n_features);
        let mut weights = stream(config.seed, "weights", 0);
        Self {
            name,
            config: config.clone(),
            epochs: config.epochs(samples.n_samples),
            autoencoder: Autoencoder::new(&widths, objective.is_variational(), &mut weights, device),
            // PyTorch's epsilon: burn's default is a thousand times larger.
            optimizer: AdamConfig::new().with_epsilon(1e-8).init(),
            objective,
            clusters: None,
            targets: None,
            device: device.clone(),
        }
    }

    /// The means of all samples' latents, `N x D`.
    fn latents(&self, data: &Data<B::InnerBackend>) -> Tensor<B::InnerBackend, 2> {
        let encoder = self.autoencoder.valid();
        let chunks = data.inputs.clone().split(CHUNK, 0);
        Tensor::cat(chunks.into_iter().map(|x| encoder.encode(x).mean).collect(), 0)
    }

    /// Standardises the latents, refits the clusters and remembers each sample's best component.
    fn recluster(&mut self, data: &Data<B::InnerBackend>, index: u64, is_last: bool) -> Result<usize, FitError> {
        let z = self.latents(data);
        let mean = z.clone().mean_dim(0);
        let deviation = (z.clone() - mean.clone()).square().mean_dim(0).sqrt().clamp_min(1e-6);
        let standardised = (z - mean.clone()) / deviation.clone();
        let start = self.clusters.take().map(|clusters| clusters.mixture);
        let mut rng = stream(self.config.seed, "cluster", index);
        let mut mixture = self.objective.cluster(&standardised, start, &mut rng)?;
        if is_last {
            mixture = self.objective.settle(&standardised, mixture)?;
        }
        let best = mixture.log_density(&standardised)?.argmax(1);
        self.targets = Some(best.squeeze_dim::<1>(1));
        let found = mixture.n_clusters();
        self.clusters = Some(Clusters { mixture, mean: elements(mean), deviation: elements(deviation) });
        Ok(found)
    }

    /// The pull of a batch's latents to the components of their clean selves.
    fn pull(&self, latent: &Latent<B>, indices: Tensor<B, 1, Int>) -> Option<Tensor<B, 1>> {
        let (Some(clusters), Some(targets)) = (&self.clusters, &self.targets) else { return None };
        let device = &self.device;
        let mean = matrix::<B>(&clusters.mean, 1, device);
        let deviation = matrix::<B>(&clusters.deviation, 1, device);
        let z = (latent.mean.clone() - mean) / deviation.clone();
        let log_variance = match &latent.log_variance {
            Some(log_variance) => log_variance.clone() - deviation.log() * 2.0,
            // A plain autoencoder's latent has unit variance in standardised units.
            None => z.zeros_like(),
        };
        let best = Tensor::from_inner(targets.clone().select(0, indices.inner()));
        let k = clusters.mixture.n_components();
        let means = matrix::<B>(&clusters.mixture.means, k, device).select(0, best.clone());
        let variances = matrix::<B>(&log_variances(&clusters.mixture), k, device).select(0, best);
        let q = Gaussians { mean: z, log_variance };
        self.objective.pull(q, Gaussians { mean: means, log_variance: variances })
    }
}

/// `K x D` log variances; the diagonal of full covariances.
fn log_variances(mixture: &Mixture) -> Vec<f64> {
    let dims = mixture.n_dims();
    let log = |v: &f64| v.ln();
    match &mixture.covariance {
        Covariance::Spherical(v) => v.iter().flat_map(|v| std::iter::repeat_n(v.ln(), dims)).collect(),
        Covariance::Diagonal(v) => v.iter().map(log).collect(),
        Covariance::Full(v) => v.chunks(dims * dims).flat_map(|m| m.iter().step_by(dims + 1).map(log)).collect(),
    }
}

impl<B: AutodiffBackend> Method<B> for LatentMethod<B> {
    fn stages(&self) -> Vec<Stage> {
        let (pretrain, cluster) = self.epochs;
        let learning_rate = self.config.learning_rate;
        let mut stages = vec![Stage { name: "reconstruct", epochs: pretrain, learning_rate }];
        if self.objective.pulls() {
            stages.push(Stage { name: "cluster", epochs: cluster, learning_rate });
        }
        stages
    }

    fn begin_epoch(&mut self, at: Position, data: &Data<B::InnerBackend>) -> Result<Option<usize>, FitError> {
        if at.stage == 0 { Ok(None) } else { self.recluster(data, at.epoch as u64, false).map(Some) }
    }

    fn step(&mut self, at: Position, mut batch: Batch<B>) -> Terms {
        // What is reconstructed is the sample as it was, so that the latent forgets how it was moved. A pull on moved
        // samples, which the clusters have never seen, tears the clusters apart.
        let input = if at.stage == 0 { batch.augmented } else { batch.clean.clone() };
        let latent = self.autoencoder.encode(input);
        let difference = self.autoencoder.decode(latent.sample(&mut batch.rng)) - batch.clean;
        let n = difference.dims()[0] as f64;
        let reconstruction = difference.square().sum() * (0.5 / n);
        let mut terms = vec![("reconstruction", reconstruction.clone())];
        if at.stage == 0 {
            if let Some(log_variance) = &latent.log_variance {
                let prior = Gaussians { mean: latent.mean.zeros_like(), log_variance: log_variance.zeros_like() };
                let q = Gaussians { mean: latent.mean.clone(), log_variance: log_variance.clone() };
                terms.push(("prior", crate::divergence::Divergence::KullbackLeibler.of(q, prior).mean()));
            }
        } else if let Some(pull) = self.pull(&latent, batch.indices) {
            terms.push(("cluster", pull));
        }
        let values = terms.iter().map(|(name, term)| (*name, term.clone().into_scalar().elem::<f64>())).collect();
        let loss = terms.into_iter().map(|(_, term)| term).reduce(|a, b| a + b);
        if let Some(loss) = loss {
            let gradients = GradientsParams::from_grads(loss.backward(), &self.autoencoder);
            let autoencoder = self.autoencoder.clone();
            self.autoencoder = self.optimizer.step(batch.learning_rate, autoencoder, gradients);
        }
        values
    }

    fn save(&self) -> Result<Vec<u8>, FitError> {
        let state = State {
            autoencoder: record::<B, _>(self.autoencoder.clone().into_record())?,
            optimizer: record::<B, _>(self.optimizer.to_record())?,
            clusters: self.clusters.clone(),
        };
        postcard::to_stdvec(&state).map_err(mismatch)
    }

    fn restore(&mut self, bytes: &[u8]) -> Result<(), FitError> {
        let state: State = postcard::from_bytes(bytes).map_err(mismatch)?;
        let recorder = BinBytesRecorder::<FullPrecisionSettings>::default();
        let record = recorder.load(state.autoencoder, &self.device).map_err(mismatch)?;
        self.autoencoder = self.autoencoder.clone().load_record(record);
        let record = recorder.load(state.optimizer, &self.device).map_err(mismatch)?;
        self.optimizer = self.optimizer.clone().load_record(record);
        self.clusters = state.clusters;
        Ok(())
    }

    fn finish(mut self: Box<Self>, data: &Data<B::InnerBackend>) -> Result<Trained, FitError> {
        self.recluster(data, u64::MAX, true)?;
        let mut encoder = self.autoencoder.encoder().to_dense(Activation::Identity);
        let Some(Clusters { mixture, mean, deviation }) = self.clusters else {
            return Err(FitError::Mismatch("there are no clusters".into()));
        };
        if let Some(last) = encoder.last_mut() {
            standardise(last, &mean, &deviation);
        }
        Ok(Trained {
            method: self.name.into(),
            scaling: data.scaling.clone(),
            encoder: encoder.into_iter().map(Layer::Dense).collect(),
            head: Head::Mixture(mixture),
        })
    }
}

/// Folds `(z - mean) / deviation` into a linear layer; outputs beyond the mean's length (a VAE's log variances) go.
fn standardise(layer: &mut Dense, mean: &[f64], deviation: &[f64]) {
    layer.outputs = mean.len();
    layer.weights.truncate(layer.inputs * mean.len());
    layer.bias.truncate(mean.len());
    for (row, deviation) in layer.weights.chunks_mut(layer.inputs).zip(deviation) {
        row.iter_mut().for_each(|w| *w = (f64::from(*w) / deviation) as f32);
    }
    for ((bias, mean), deviation) in layer.bias.iter_mut().zip(mean).zip(deviation) {
        *bias = ((f64::from(*bias) - mean) / deviation) as f32;
    }
}

fn record<B: Backend, R: Record<B>>(record: R) -> Result<Vec<u8>, FitError> {
    let recorder = BinBytesRecorder::<FullPrecisionSettings>::default();
    Recorder::<B>::record(&recorder, record, ()).map_err(mismatch)
}

fn mismatch(error: impl std::fmt::Display) -> FitError {
    FitError::Mismatch(error.to_string())
}
