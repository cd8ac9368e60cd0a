//! One autoencoder per cluster, as plain numbers.

use rayon::prelude::*;
use serde::{Deserialize, Serialize};

use super::layers::{CHUNK, Layer, forward_all};

/// K autoencoders with layers of the same sizes. A sample's score for each one is the log weight of the cluster plus the
/// evidence lower bound of the sample (Kingma and Welling, "Auto-Encoding Variational Bayes", 2014), up to a constant.
///
/// ```
/// use edgemix::trained::{Activation, Autoencoders, Dense, Layer, Pair};
///
/// let times = |factor| {
///     let (weights, bias) = (vec![factor], vec![0.0]);
///     vec![Layer::Dense(Dense { inputs: 1, outputs: 1, weights, bias, activation: Activation::Identity })]
/// };
/// // The first pair reconstructs a sample; the second one returns 0.
/// let pairs = [1.0, 0.0].map(|factor| Pair { encoder: times(1.0), decoder: times(factor) }).to_vec();
/// let autoencoders = Autoencoders { pairs, variational: false, precision: 2.0, log_weights: vec![0.0; 2] };
/// assert_eq!((autoencoders.n_inputs(), autoencoders.n_dims()), (1, 1));
/// assert_eq!(autoencoders.scores(&[3.0]), [0.0, -9.0]);
/// ```
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Autoencoders {
    /// K encoders with their decoders.
    pub pairs: Vec<Pair>,
    /// Whether an encoder outputs log variances after the means. If so, the scores include the Kullback-Leibler divergence
    /// from a standard normal distribution.
    pub variational: bool,
    /// The reciprocal of the variance of a reconstruction's error.
    pub precision: f64,
    /// K logarithms of the clusters' weights.
    pub log_weights: Vec<f64>,
}

/// An encoder and its decoder.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Pair {
    /// From the sample to D means, or to D means and D log variances.
    pub encoder: Vec<Layer>,
    /// From D means to the sample.
    pub decoder: Vec<Layer>,
}

/// Log variances are clamped to this range.
pub const LOG_VARIANCES: (f32, f32) = (-10.0, 10.0);

impl Autoencoders {
    /// Number of values of a sample.
    pub fn n_inputs(&self) -> usize {
        self.pairs.first().and_then(|pair| pair.encoder.first()).map_or(0, Layer::inputs)
    }

    /// Number of latent dimensions, D.
    pub fn n_dims(&self) -> usize {
        self.pairs.first().and_then(|pair| pair.decoder.first()).map_or(0, Layer::inputs)
    }

    /// The `N x D` means of a pair's encoder for `N x inputs` samples.
    pub(crate) fn means(&self, pair: &Pair, inputs: &[f32]) -> Vec<f32> {
        let encode = |inputs: &[f32]| means(&forward_all(&pair.encoder, inputs), self.encoder_outputs(), self.n_dims());
        inputs.par_chunks(CHUNK * self.n_inputs().max(1)).flat_map_iter(encode).collect()
    }

    /// Number of outputs of an encoder: means, and log variances if there are any.
    fn encoder_outputs(&self) -> usize {
        if self.variational { 2 * self.n_dims() } else { self.n_dims() }
    }

    /// `N x K` scores of `N x inputs` samples: `ln alpha - precision |x - y|^2 / 2 - KL`, where `alpha` is the weight of the
    /// cluster, `y` is the reconstruction, and `KL` is the divergence of a variational encoder.
    pub fn scores(&self, inputs: &[f32]) -> Vec<f64> {
        let width = self.n_inputs().max(1);
        let score_chunk = |inputs: &[f32]| {
            let by_pair: Vec<Vec<f64>> = self.pairs.iter().map(|pair| self.bounds(pair, inputs)).collect();
            let rows = (0..inputs.len() / width).flat_map(|row| {
                by_pair.iter().zip(&self.log_weights).map(move |(bounds, weight)| bounds[row] + weight)
            });
            rows.collect::<Vec<f64>>()
        };
        inputs.par_chunks(CHUNK * width).flat_map_iter(score_chunk).collect()
    }

    /// The scores for one pair, without the cluster's weight.
    fn bounds(&self, pair: &Pair, inputs: &[f32]) -> Vec<f64> {
        let (dims, wide) = (self.n_dims(), self.encoder_outputs().max(1));
        let encoded = forward_all(&pair.encoder, inputs);
        let decoded = forward_all(&pair.decoder, &means(&encoded, wide, dims));
        let width = self.n_inputs().max(1);
        let rows = encoded.chunks_exact(wide).zip(inputs.chunks_exact(width)).zip(decoded.chunks_exact(width));
        let bound = |((latent, x), y): ((&[f32], &[f32]), &[f32])| {
            let error: f64 = x.iter().zip(y).map(|(x, y)| f64::from(x - y).powi(2)).sum();
            let (mean, log_variance) = latent.split_at(dims);
            let divergence: f64 = mean.iter().zip(log_variance).map(|(&m, &l)| divergence(m, l)).sum();
            -0.5 * self.precision * error - divergence
        };
        rows.map(bound).collect()
    }
}

/// The first `dims` of every `wide` values.
fn means(encoded: &[f32], wide: usize, dims: usize) -> Vec<f32> {
    encoded.chunks_exact(wide.max(1)).flat_map(|row| &row[..dims]).copied().collect()
}

/// `KL(N(m, exp l) || N(0, 1))`.
fn divergence(mean: f32, log_variance: f32) -> f64 {
    let l = f64::from(log_variance.clamp(LOG_VARIANCES.0, LOG_VARIANCES.1));
    0.5 * (f64::from(mean).powi(2) + l.exp() - l - 1.0)
}
