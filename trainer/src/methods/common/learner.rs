//! An autoencoder in training, which all methods with an encoder share.

use burn::module::AutodiffModule;
use burn::tensor::backend::{AutodiffBackend, Backend};
use burn::tensor::{ElementConversion, Tensor};
use rand::Rng;

use super::standardisation::Standardisation;
use crate::divergence::{Divergence, Gaussians};
use crate::nn::{Autoencoder, Latent, Optimized, OptimizedState, Optimizer, with_weights};
use crate::trained::{Activation, Decoder, Decoders, Layer};
use crate::training::{Batch, Data, FitError, Fitting, KeptAutoencoder, Term, Terms};

/// Rows that are encoded at once: enough for products of matrices to be fast, and few enough that the values of wide layers
/// (16 kB a row with 500-500-2000-10) stay small beside the samples.
pub(in crate::methods) const CHUNK: usize = 2048;

/// Loss terms that are still tensors.
pub(in crate::methods) type Losses<B> = Vec<(&'static str, Tensor<B, 1>)>;

/// The state of a [`Learner`] in a checkpoint.
pub(in crate::methods) type LearnerState = OptimizedState;

/// An autoencoder and its optimiser.
pub(in crate::methods) struct Learner<B: AutodiffBackend> {
    pub(in crate::methods) autoencoder: Optimized<B, Autoencoder<B>>,
    pub(in crate::methods) device: B::Device,
    fake_quantization: bool,
}

impl<B: AutodiffBackend> Learner<B> {
    /// An autoencoder with fresh weights and the plan's layers.
    pub(in crate::methods) fn new(fit: &Fitting<'_, B>, optimizer: Optimizer, variational: bool) -> Self {
        Self::of(fit, optimizer, Self::fresh(fit, variational))
    }

    /// An autoencoder with the plan's layers, whose encoder has fresh weights unless they are given.
    fn fresh(fit: &Fitting<'_, B>, variational: bool) -> Autoencoder<B> {
        let weights = &mut fit.rng("weights", 0);
        match &fit.start {
            Some(start) => Autoencoder::starting_from(start, variational, weights, &fit.device),
            None => Autoencoder::new(&fit.plan.encoder, variational, weights, &fit.device),
        }
    }

    /// An autoencoder restored from a checkpoint.
    pub(in crate::methods) fn restored(
        fit: &Fitting<'_, B>,
        optimizer: Optimizer,
        variational: bool,
        state: LearnerState,
    ) -> Result<Self, FitError> {
        let Self { autoencoder, device, fake_quantization } = Self::new(fit, optimizer, variational);
        Ok(Self { autoencoder: autoencoder.with_state(state, &device)?, device, fake_quantization })
    }

    /// An autoencoder with a fresh optimiser and the weights of one that was kept.
    pub(in crate::methods) fn started(
        fit: &Fitting<'_, B>,
        optimizer: Optimizer,
        variational: bool,
        kept: KeptAutoencoder,
    ) -> Result<Self, FitError> {
        let other = with_weights::<B, _>(Self::fresh(fit, kept.is_variational), kept.weights, &fit.device)?;
        Ok(Self::of(fit, optimizer, Self::fresh(fit, variational).adopting(other)))
    }

    fn of(fit: &Fitting<'_, B>, optimizer: Optimizer, autoencoder: Autoencoder<B>) -> Self {
        Self {
            autoencoder: Optimized::new(autoencoder.activated(fit.plan.activation), optimizer),
            device: fit.device.clone(),
            fake_quantization: fit.plan.fake_quantization,
        }
    }

    /// The state for a checkpoint.
    pub(in crate::methods) fn state(&self) -> Result<LearnerState, FitError> {
        Ok(self.autoencoder.state()?)
    }

    /// `q(z|x)` of a batch in the clustering phase, with weights and activations rounded as int8 rounds them if the
    /// plan asks for it.
    pub(in crate::methods) fn encode(&self, x: Tensor<B, 2>) -> Latent<B> {
        if self.fake_quantization { self.autoencoder.encode_rounded(x) } else { self.autoencoder.encode(x) }
    }

    /// The encoder's layers as plain numbers.
    pub(in crate::methods) fn to_layers(&self) -> Vec<Layer> {
        self.autoencoder.encoder().to_layers(Activation::Identity)
    }

    /// The decoder as plain numbers, of standardised latents if there is a standardisation.
    pub(in crate::methods) fn to_decoder(
        &self,
        standardisation: Option<&Standardisation>,
        is_variational: bool,
        data: &Data<B::InnerBackend>,
    ) -> Result<Decoder, FitError> {
        let layers = self.autoencoder.decoder().to_decoder_layers();
        let layers = standardisation.map_or(layers.clone(), |own| own.unfold(layers));
        Ok(data.decoder(Decoders::Shared(layers), is_variational)?)
    }

    /// The means of the latents of some samples, `N x D`.
    pub(in crate::methods) fn latents_of(&self, x: Tensor<B::InnerBackend, 2>) -> Tensor<B::InnerBackend, 2> {
        self.autoencoder.valid().encode(x).mean
    }

    /// The means of all samples' latents, `N x D`.
    pub(in crate::methods) fn latents(
        &self,
        data: &Data<B::InnerBackend>,
    ) -> Result<Tensor<B::InnerBackend, 2>, FitError> {
        let encoder = self.autoencoder.valid();
        let means = data.chunks(CHUNK).map(|x| Ok(encoder.encode(x?).mean)).collect::<Result<_, FitError>>()?;
        Ok(Tensor::cat(means, 0))
    }

    /// The standardised [`latents`](Self::latents), and their standardisation.
    pub(in crate::methods) fn standardised_latents(
        &self,
        data: &Data<B::InnerBackend>,
    ) -> Result<(Standardisation, Tensor<B::InnerBackend, 2>), FitError> {
        let z = self.latents(data)?;
        let standardisation = Standardisation::fit(&z);
        let z = standardisation.apply(z);
        Ok((standardisation, z))
    }

    /// The mean variance of `q(z|x)` over standardised dimensions and samples; none of a plain encoder.
    pub(in crate::methods) fn standardised_variance(
        &self,
        standardisation: &Standardisation,
        data: &Data<B::InnerBackend>,
    ) -> Result<Option<f64>, FitError> {
        let encoder = self.autoencoder.valid();
        let (mut sum, mut count) = (0.0, 0);
        for x in data.chunks(CHUNK) {
            let latent = standardisation.apply_to(encoder.encode(x?), &self.device);
            let Some(log_variance) = latent.log_variance else { return Ok(None) };
            count += log_variance.dims().iter().product::<usize>();
            sum += log_variance.exp().sum().into_scalar().elem::<f64>();
        }
        Ok(Some(sum / count.max(1) as f64))
    }

    /// The squared error of the reconstructions decoded from `N x D` means, averaged over features and samples.
    pub(in crate::methods) fn squared_error(
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

    /// Half the squared error to the target of the augmented samples, whose latents these are, summed over features. Original
    /// samples as targets make the latent independent of the augmentation.
    pub(in crate::methods) fn reconstruction(&self, latent: &Latent<B>, batch: &mut Batch<B>) -> Tensor<B, 1> {
        self.error(latent, batch.target.clone(), &mut batch.rng)
    }

    /// Half the squared error to `N x features` samples, summed over features.
    pub(in crate::methods) fn error(
        &self,
        latent: &Latent<B>,
        samples: Tensor<B, 2>,
        rng: &mut impl Rng,
    ) -> Tensor<B, 1> {
        let difference = self.autoencoder.decode(latent.sample(rng)) - samples;
        let n = difference.dims()[0] as f64;
        difference.square().sum() * (0.5 / n)
    }

    /// Takes a gradient step of the autoencoder on the sum of the losses, and calls `further` for other parameters that
    /// learn by the same losses.
    pub(in crate::methods) fn descend(
        &mut self,
        losses: Losses<B>,
        rate: f64,
        further: impl FnOnce(&mut B::Gradients),
    ) -> Terms<B::InnerBackend> {
        let values = losses.iter().map(|(name, loss)| Term::new(name, loss.clone().inner())).collect();
        if let Some(loss) = losses.into_iter().map(|(_, loss)| loss).reduce(|a, b| a + b) {
            let mut gradients = loss.backward();
            self.autoencoder.descend(&mut gradients, rate);
            further(&mut gradients);
        }
        values
    }
}

/// `q(z|x)` as Gaussians; a plain encoder gets this variance.
pub(in crate::methods) fn gaussians<B: Backend>(latent: Latent<B>, variance: f64) -> Gaussians<B> {
    let log_variance = latent.log_variance.unwrap_or_else(|| latent.mean.full_like(variance.ln()));
    Gaussians { mean: latent.mean, log_variance }
}

/// `KL(q(z|x) || N(0, 1))` of each sample.
pub(in crate::methods) fn divergence_from_standard<B: Backend>(q: Gaussians<B>) -> Tensor<B, 1> {
    let standard = Gaussians { mean: q.mean.zeros_like(), log_variance: q.log_variance.zeros_like() };
    Divergence::KullbackLeibler.between(q, standard)
}
