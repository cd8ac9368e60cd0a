//! Layers: int8 weights per output channel, zero points folded into the biases.

use edgemix_format::description::{
    self, Activation as Encoded, Affine as EncodedAffine, Layers, MAX_LAYERS, Requantize, WeightOrder,
};
use edgemix_format::view::MAX_BIAS;
use edgemix_format::write::Blob;

use super::calibrate::{self, Ranges};
use super::{QuantizeError, fixed};
use crate::trained::{Activation, Dense, Layer, Trained};

/// Quantises the encoder; gives its layers and the length of its output.
pub(super) fn encoder(
    trained: &Trained,
    ranges: &Ranges,
    first: fixed::Affine,
    latent_scale: f64,
    blob: &mut Blob,
) -> Result<(Layers, usize), QuantizeError> {
    let mut layers = Layers::new();
    let mut input = first;
    let mut length = trained.encoder.first().map_or(trained.head.n_dims(), Layer::inputs);
    for (index, layer) in trained.encoder.iter().enumerate() {
        let (before, output) = match ranges.layers.get(index) {
            Some((before, after)) => (before.clipped(), calibrate::output(layer.activation(), after)),
            None => {
                let latent = fixed::Affine { scale: latent_scale, zero_point: 0 };
                (latent, latent)
            }
        };
        let Layer::Dense(dense) = layer;
        let encoded = description::Layer::Dense(self::dense(dense, [input, before, output], blob)?);
        layers.push(encoded).map_err(|_| QuantizeError::Layers(trained.encoder.len()))?;
        (input, length) = (output, layer.outputs());
    }
    debug_assert!(layers.len() <= MAX_LAYERS);
    Ok((layers, length))
}

/// One output channel: its quantised weights, its bias in the accumulator's scale, that scale.
struct Channel {
    weights: Vec<i8>,
    bias: i32,
    scale: f64,
}

fn dense(
    dense: &Dense,
    [input, before, output]: [fixed::Affine; 3],
    blob: &mut Blob,
) -> Result<description::Dense, QuantizeError> {
    // A table is indexed by the requantised sum, so the sum takes the scheme from before the activation.
    let is_table = matches!(dense.activation, Activation::Tanh | Activation::Sigmoid | Activation::Elu);
    let target = if is_table { before } else { output };
    let rows = dense.weights.chunks_exact(dense.inputs).zip(&dense.bias);
    let channels: Vec<Channel> = rows.map(|(row, &bias)| channel(row, bias.into(), input)).collect();
    let zero_point = if is_table { f64::from(before.zero_point) * before.scale } else { 0.0 };
    let biases: Vec<i32> =
        channels.iter().map(|c| clamp_bias(f64::from(c.bias) + (zero_point / c.scale).round())).collect();
    let scales: Vec<f64> = channels.iter().map(|c| c.scale / target.scale).collect();
    let weights: Vec<i8> = channels.into_iter().flat_map(|c| c.weights).collect();
    Ok(description::Dense {
        inputs: dense.inputs as u32,
        outputs: dense.outputs as u32,
        order: WeightOrder::RowMajor,
        weights: blob.push(&weights),
        bias: blob.push(&biases),
        requantize: requantize(scales.iter().copied(), blob),
        activation: match dense.activation {
            Activation::Identity => Encoded::Identity,
            Activation::Relu => Encoded::Relu,
            Activation::LeakyRelu(slope) => {
                Encoded::LeakyRelu(requantize(scales.iter().map(|s| s * f64::from(slope)), blob))
            }
            Activation::Tanh | Activation::Sigmoid | Activation::Elu => {
                Encoded::Table(blob.push(&table(dense.activation, before, output)))
            }
        },
        output: EncodedAffine { scale: output.scale as f32, zero_point: output.zero_point as i8 },
    })
}

/// `sum_j w_j x_j + b = scale * (sum_j q_j (p_j - zero) + b / scale)`, with `p` the input's steps.
fn channel(row: &[f32], bias: f64, input: fixed::Affine) -> Channel {
    let most = row.iter().fold(0f32, |most, w| most.max(w.abs()));
    // A channel of tiny weights and a large bias takes coarser steps, or its bias would not fit.
    let for_bias = 4.0 * bias.abs() / (f64::from(MAX_BIAS) * input.scale);
    let step = (f64::from(most) / 127.0).max(for_bias);
    let step = if step > 0.0 { step } else { 1.0 };
    let weights: Vec<i8> = row.iter().map(|&w| (f64::from(w) / step).round().clamp(-127.0, 127.0) as i8).collect();
    let sum: i64 = weights.iter().map(|&q| i64::from(q)).sum();
    let scale = input.scale * step;
    let bias = clamp_bias((bias / scale).round() - sum as f64 * f64::from(input.zero_point));
    Channel { weights, bias, scale }
}

fn clamp_bias(bias: f64) -> i32 {
    let limit = f64::from(MAX_BIAS - 1);
    bias.clamp(-limit, limit) as i32
}

fn requantize(scales: impl Iterator<Item = f64>, blob: &mut Blob) -> Requantize {
    let multipliers: Vec<fixed::Multiplier> = scales.map(fixed::Multiplier::of).collect();
    Requantize {
        multiplier: blob.push(&multipliers.iter().map(|m| m.multiplier).collect::<Vec<i32>>()),
        shift: blob.push(&multipliers.iter().map(|m| m.shift).collect::<Vec<u8>>()),
    }
}

/// The activation of every int8 value, index 0 for -128.
fn table(activation: Activation, before: fixed::Affine, after: fixed::Affine) -> Vec<i8> {
    let mut values: Vec<f32> = (-128..=127).map(|q| before.dequantize(q) as f32).collect();
    activation.apply(&mut values);
    values.into_iter().map(|y| after.quantize(y.into()) as i8).collect()
}
