//! The standardisation of latents.

use burn::tensor::Tensor;
use burn::tensor::backend::Backend;
use serde::{Deserialize, Serialize};

use crate::mixture::{column_moments, elements, matrix};
use crate::nn::Latent;
use crate::trained::{DecoderLayer, Dense, Layer};

/// The initial variance of a latent's noise, relative to the variance of the latents.
const NOISE: f64 = 0.05;

/// The mean and deviation of each latent dimension.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(in crate::methods) struct Standardisation {
    mean: Vec<f64>,
    deviation: Vec<f64>,
}

impl Standardisation {
    /// The standardisation of `N x D` latents.
    pub(in crate::methods) fn fit<B: Backend>(z: &Tensor<B, 2>) -> Self {
        let (mean, variance) = column_moments(z);
        Self { mean: elements(mean), deviation: elements(variance.sqrt().clamp_min(1e-6)) }
    }

    /// `(z - mean) / deviation`.
    pub(in crate::methods) fn apply<B: Backend>(&self, z: Tensor<B, 2>) -> Tensor<B, 2> {
        let device = z.device();
        (z - matrix::<B>(&self.mean, 1, &device)) / matrix::<B>(&self.deviation, 1, &device)
    }

    /// Scales a variational encoder's variances so that a fresh encoder starts with about [`NOISE`] times the variance
    /// of the latents. The encoder was pretrained without noise, and noise as wide as the distance between clusters
    /// would undo what it has learned.
    pub(in crate::methods) fn noisy<B: Backend>(&self, latent: Latent<B>, device: &B::Device) -> Latent<B> {
        let log_variance = latent.log_variance.map(|output| output + self.log_variance(device) + NOISE.ln());
        Latent { log_variance, ..latent }
    }

    /// Standardises means and variances of a batch's latents.
    pub(in crate::methods) fn apply_to<B: Backend>(&self, latent: Latent<B>, device: &B::Device) -> Latent<B> {
        let log_variance = latent.log_variance.map(|log_variance| log_variance - self.log_variance(device));
        Latent { mean: self.apply(latent.mean), log_variance }
    }

    /// Twice the logarithm of the deviations, `1 x D`, which standardising subtracts from a log variance.
    pub(in crate::methods) fn log_variance<B: Backend>(&self, device: &B::Device) -> Tensor<B, 2> {
        matrix::<B>(&self.deviation, 1, device).log() * 2.0
    }

    /// Folds the standardisation into the last of the encoder's layers. A variational encoder loses its log variances.
    pub(in crate::methods) fn fold(&self, mut encoder: Vec<Layer>) -> Vec<Layer> {
        if let Some(Layer::Dense(last)) = encoder.last_mut() {
            self.fold_into(last);
        }
        encoder
    }

    /// Folds its inverse into the first of a decoder's layers, which then takes standardised latents.
    pub(in crate::methods) fn unfold(&self, mut decoder: Vec<DecoderLayer>) -> Vec<DecoderLayer> {
        if let Some(DecoderLayer::Dense(first)) = decoder.first_mut() {
            for (row, bias) in first.weights.chunks_mut(first.inputs).zip(&mut first.bias) {
                let shift: f64 = row.iter().zip(&self.mean).map(|(&w, mean)| f64::from(w) * mean).sum();
                *bias = (f64::from(*bias) + shift) as f32;
                row.iter_mut().zip(&self.deviation).for_each(|(w, d)| *w = (f64::from(*w) * d) as f32);
            }
        }
        decoder
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

#[cfg(test)]
mod tests {
    use burn::backend::Flex;

    use super::*;
    use crate::base::random::{normal, stream};
    use crate::trained::Activation;

    #[test]
    fn a_decoder_takes_what_the_encoder_gives_after_both_are_folded() {
        let mut rng = stream(0, "standardisation", 0);
        let mut layer = |inputs: usize, outputs: usize| {
            let (weights, bias) = (normal(inputs * outputs, &mut rng), normal(outputs, &mut rng));
            Dense { inputs, outputs, weights, bias, activation: Activation::Identity }
        };
        let (encoder, decoder) = (layer(5, 3), DecoderLayer::Dense(layer(3, 5)));
        let x = normal(40 * 5, &mut stream(0, "standardisation", 1));
        let z: Vec<f64> = encoder.linear(&x).into_iter().map(f64::from).collect();
        let standardisation = Standardisation::fit(&matrix::<Flex>(&z, 40, &Default::default()));
        let folded = standardisation.fold(vec![Layer::Dense(encoder.clone())]);
        let unfolded = standardisation.unfold(vec![decoder.clone()]);
        let found = unfolded[0].forward(&folded[0].forward(&x));
        let expected = decoder.forward(&encoder.linear(&x));
        assert!(found.iter().zip(&expected).all(|(a, b)| (a - b).abs() < 1e-4), "{found:?} {expected:?}");
    }
}
