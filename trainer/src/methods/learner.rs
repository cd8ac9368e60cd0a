//! An autoencoder in training, and the standardisation of its latents: what all methods with an encoder share.

use burn::module::AutodiffModule;
use burn::record::{BinBytesRecorder, FullPrecisionSettings, Record, Recorder};
use burn::tensor::backend::{AutodiffBackend, Backend};
use burn::tensor::{ElementConversion, Tensor};
use rand::Rng;
use serde::{Deserialize, Serialize};

use super::optimized::Optimized;
pub(super) use super::optimized::Saved;
use crate::data::Samples;
use crate::divergence::{Divergence, Gaussians};
use crate::mixture::{elements, matrix};
use crate::nn::{Autoencoder, Latent};
use crate::random::stream;
use crate::trained::{Activation, Dense, Layer};
use crate::training::{Batch, Data, FitConfig, FitError, Position, Terms};

/// Rows that are encoded at once.
pub(super) const CHUNK: usize = 8192;

/// The variance that a latent's noise starts from, in units of the latents'.
const NOISE: f64 = 0.05;

/// Loss terms that are still tensors.
pub(super) type Losses<B> = Vec<(&'static str, Tensor<B, 1>)>;

/// An autoencoder and its optimiser.
pub(super) struct Learner<B: AutodiffBackend> {
    pub(super) autoencoder: Optimized<B, Autoencoder<B>>,
    pub(super) device: B::Device,
    is_rounded: bool,
}

impl<B: AutodiffBackend> Learner<B> {
    /// With fresh weights, for such samples.
    pub(super) fn new(config: &FitConfig, samples: &Samples, variational: bool, device: &B::Device) -> Self {
        let mut weights = stream(config.seed, "weights", 0);
        Self {
            autoencoder: Optimized::new(Autoencoder::new(&config.shapes(samples), variational, &mut weights, device)),
            device: device.clone(),
            is_rounded: config.fake_quantization,
        }
    }

    /// `q(z|x)` of a batch; once there are clusters, by weights and activations as int8 has them, if the configuration says
    /// so.
    pub(super) fn encode(&self, x: Tensor<B, 2>, at: Position) -> Latent<B> {
        if self.is_rounded && at.stage > 0 { self.autoencoder.encode_rounded(x) } else { self.autoencoder.encode(x) }
    }

    /// The means of all samples' latents, `N x D`.
    pub(super) fn latents(&self, data: &Data<B::InnerBackend>) -> Result<Tensor<B::InnerBackend, 2>, FitError> {
        let encoder = self.autoencoder.valid();
        let means = data.chunks(CHUNK).map(|x| Ok(encoder.encode(x?).mean)).collect::<Result<_, FitError>>()?;
        Ok(Tensor::cat(means, 0))
    }

    /// The squared error of what `N x D` means are decoded to, averaged over features and samples.
    pub(super) fn squared_error(
        &self,
        z: &Tensor<B::InnerBackend, 2>,
        data: &Data<B::InnerBackend>,
    ) -> Result<f64, FitError> {
        let decoder = self.autoencoder.valid();
        let mut sum = 0.0;
        for (z, x) in z.clone().split(CHUNK, 0).into_iter().zip(data.chunks(CHUNK)) {
            sum += (decoder.decode(z) - x?).square().sum().into_scalar().elem::<f64>();
        }
        Ok(sum / (data.n_samples() * data.n_inputs()) as f64)
    }

    /// Half the squared error, summed over features: what is reconstructed is the sample as it was, so that the latent
    /// forgets how it was moved.
    pub(super) fn reconstruction(&self, latent: &Latent<B>, batch: &mut Batch<B>) -> Tensor<B, 1> {
        self.error(latent, batch.clean.clone(), &mut batch.rng)
    }

    /// Half the squared error to `N x features`, summed over features.
    pub(super) fn error(&self, latent: &Latent<B>, samples: Tensor<B, 2>, rng: &mut impl Rng) -> Tensor<B, 1> {
        let difference = self.autoencoder.decode(latent.sample(rng)) - samples;
        let n = difference.dims()[0] as f64;
        difference.square().sum() * (0.5 / n)
    }

    /// The losses of pretraining: reconstruction of the moved samples and, if variational, the prior.
    pub(super) fn pretraining(&self, batch: &mut Batch<B>) -> Losses<B> {
        let latent = self.autoencoder.encode(batch.augmented.clone());
        let mut losses = vec![("reconstruction", self.reconstruction(&latent, batch))];
        if let Some(log_variance) = latent.log_variance {
            let prior = Gaussians { mean: latent.mean.zeros_like(), log_variance: log_variance.zeros_like() };
            let q = Gaussians { mean: latent.mean, log_variance };
            losses.push(("prior", Divergence::KullbackLeibler.of(q, prior).mean()));
        }
        losses
    }

    /// A step of the autoencoder down the sum of the losses, and of whatever else `further` moves.
    pub(super) fn descend(&mut self, losses: Losses<B>, rate: f64, further: impl FnOnce(&mut B::Gradients)) -> Terms {
        let values = losses.iter().map(|(name, loss)| (*name, loss.clone().into_scalar().elem::<f64>())).collect();
        if let Some(loss) = losses.into_iter().map(|(_, loss)| loss).reduce(|a, b| a + b) {
            let mut gradients = loss.backward();
            self.autoencoder.descend(&mut gradients, rate);
            further(&mut gradients);
        }
        values
    }

    /// Forgets the gradients' moments: those of another loss make Adam's first steps far too long.
    pub(super) fn forget(&mut self) {
        self.autoencoder.forget();
    }

    pub(super) fn save(&self) -> Result<Saved, FitError> {
        self.autoencoder.save()
    }

    pub(super) fn restore(&mut self, saved: Saved) -> Result<(), FitError> {
        self.autoencoder.restore(saved, &self.device)
    }
}

/// The mean and deviation of each latent dimension.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(super) struct Standardisation {
    mean: Vec<f64>,
    deviation: Vec<f64>,
}

impl Standardisation {
    /// Of `N x D` latents.
    pub(super) fn of<B: Backend>(z: &Tensor<B, 2>) -> Self {
        let mean = z.clone().mean_dim(0);
        let deviation = (z.clone() - mean.clone()).square().mean_dim(0).sqrt().clamp_min(1e-6);
        Self { mean: elements(mean), deviation: elements(deviation) }
    }

    /// `(z - mean) / deviation`.
    pub(super) fn apply<B: Backend>(&self, z: Tensor<B, 2>) -> Tensor<B, 2> {
        let device = z.device();
        (z - matrix::<B>(&self.mean, 1, &device)) / matrix::<B>(&self.deviation, 1, &device)
    }

    /// A variational encoder's log variances in units of the latents' own, a fresh one's about [`NOISE`]: the first stage
    /// has no noise, and one as wide as the clusters are apart would undo what was learned in it.
    pub(super) fn noisy<B: Backend>(&self, latent: Latent<B>, device: &B::Device) -> Latent<B> {
        let log_variance = latent.log_variance.map(|output| output + self.log_variance(device) + NOISE.ln());
        Latent { log_variance, ..latent }
    }

    /// The same of a batch's latents, with their variances.
    pub(super) fn apply_to<B: Backend>(&self, latent: Latent<B>, device: &B::Device) -> Latent<B> {
        let log_variance = latent.log_variance.map(|log_variance| log_variance - self.log_variance(device));
        Latent { mean: self.apply(latent.mean), log_variance }
    }

    /// Twice the log of the deviations, `1 x D`: what a log variance loses.
    pub(super) fn log_variance<B: Backend>(&self, device: &B::Device) -> Tensor<B, 2> {
        matrix::<B>(&self.deviation, 1, device).log() * 2.0
    }

    /// The encoder's layers, the last of them giving standardised latents; a VAE's log variances go.
    pub(super) fn fold<B: AutodiffBackend>(&self, learner: &Learner<B>) -> Vec<Layer> {
        let mut encoder = learner.autoencoder.encoder().to_layers(Activation::Identity);
        if let Some(Layer::Dense(last)) = encoder.last_mut() {
            self.fold_into(last);
        }
        encoder
    }

    fn fold_into(&self, layer: &mut Dense) {
        layer.outputs = self.mean.len();
        layer.weights.truncate(layer.inputs * layer.outputs);
        layer.bias.truncate(layer.outputs);
        for (row, deviation) in layer.weights.chunks_mut(layer.inputs).zip(&self.deviation) {
            row.iter_mut().for_each(|w| *w = (f64::from(*w) / deviation) as f32);
        }
        for ((bias, mean), deviation) in layer.bias.iter_mut().zip(&self.mean).zip(&self.deviation) {
            *bias = ((f64::from(*bias) - mean) / deviation) as f32;
        }
    }
}

/// A module's or an optimiser's numbers as bytes.
pub(super) fn record<B: Backend, R: Record<B>>(record: R) -> Result<Vec<u8>, FitError> {
    let recorder = BinBytesRecorder::<FullPrecisionSettings>::default();
    Recorder::<B>::record(&recorder, record, ()).map_err(mismatch)
}

/// The numbers in such bytes.
pub(super) fn read<B: Backend, R: Record<B>>(bytes: Vec<u8>, device: &B::Device) -> Result<R, FitError> {
    Recorder::<B>::load(&BinBytesRecorder::<FullPrecisionSettings>::default(), bytes, device).map_err(mismatch)
}

pub(super) fn mismatch(error: impl std::fmt::Display) -> FitError {
    FitError::Mismatch(error.to_string())
}
