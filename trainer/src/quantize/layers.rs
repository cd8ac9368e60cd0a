//! Layers: int8 weights per output channel, zero points folded into the biases.

use edgemix_format::Tensor;
use edgemix_format::description::{
    self, Activation as Encoded, Affine as EncodedAffine, Layers, Requantize, WeightOrder,
};
use edgemix_format::view::MAX_BIAS;
use edgemix_format::write::Blob;

use super::calibrate::{self, Around};
use super::{QuantizeError, fixed};
use crate::trained::{Activation, Convolution, Dense, Geometry, Layer};

/// What a network's last layer gives.
#[derive(Clone, Copy, Debug)]
pub(super) enum Last {
    /// An int16 latent of steps of this size.
    Latent(f64),
    /// int8 in this scheme; in the one that suits it best, if none.
    Int8(Option<fixed::Affine>),
}

/// Quantises layers, of which `around` are the ranges; gives them and the scheme of what they give.
pub(super) fn network(
    layers: &[Layer],
    around: &[Around],
    first: fixed::Affine,
    last: Last,
    blob: &mut Blob,
) -> Result<(Layers, fixed::Affine), QuantizeError> {
    let mut encoded = Layers::new();
    let mut input = first;
    for (index, (layer, (before, after))) in layers.iter().zip(around).enumerate() {
        let best = || calibrate::output(layer.activation(), after);
        let (before, output) = match last {
            _ if index + 1 < layers.len() => (before.clipped(), best()),
            Last::Latent(scale) => (before.wide(), fixed::Affine { scale, zero_point: 0 }),
            Last::Int8(affine) => (before.clipped(), affine.unwrap_or_else(best)),
        };
        let is_latent = matches!(last, Last::Latent(_)) && index + 1 == layers.len();
        let schemes = Schemes { input, before, output, is_latent };
        let layer = match layer {
            Layer::Dense(layer) => description::Layer::Dense(dense(layer, schemes, blob)),
            Layer::Convolution(layer) => description::Layer::Conv2d(convolution(layer, schemes, blob)?),
        };
        encoded.push(layer).map_err(|_| QuantizeError::Layers(layers.len()))?;
        input = output;
    }
    Ok((encoded, input))
}

/// The schemes around a layer.
#[derive(Clone, Copy, Debug)]
struct Schemes {
    input: fixed::Affine,
    /// Of the sums, where a table or a curve is read at them.
    before: fixed::Affine,
    output: fixed::Affine,
    /// Whether the output is the int16 latent.
    is_latent: bool,
}

/// One output channel: its quantised weights, its bias in the accumulator's scale, that scale.
struct Channel {
    weights: Vec<i8>,
    bias: i32,
    scale: f64,
}

fn dense(dense: &Dense, schemes: Schemes, blob: &mut Blob) -> description::Dense {
    let rows = Rows::new(&dense.weights, &dense.bias, dense.activation, schemes, blob);
    description::Dense {
        inputs: dense.inputs as u32,
        outputs: dense.outputs as u32,
        order: WeightOrder::RowMajor,
        weights: rows.weights,
        bias: rows.bias,
        requantize: rows.requantize,
        activation: rows.activation,
        output: rows.output,
    }
}

fn convolution(layer: &Convolution, schemes: Schemes, blob: &mut Blob) -> Result<description::Conv2d, QuantizeError> {
    let Geometry { input, filters, kernel, stride, padding } = layer.geometry;
    let wide = |size: usize| u16::try_from(size).map_err(|_| QuantizeError::Convolution(layer.geometry));
    let narrow = |size: usize| u8::try_from(size).map_err(|_| QuantizeError::Convolution(layer.geometry));
    let rows = Rows::new(&layer.weights, &layer.bias, layer.activation, schemes, blob);
    Ok(description::Conv2d {
        height: wide(input.height)?,
        width: wide(input.width)?,
        channels: wide(input.channels)?,
        filters: wide(filters)?,
        kernel: [narrow(kernel)?; 2],
        stride: [narrow(stride)?; 2],
        padding: [narrow(padding)?; 4],
        padding_value: schemes.input.zero_point as i8,
        order: WeightOrder::RowMajor,
        weights: rows.weights,
        bias: rows.bias,
        requantize: rows.requantize,
        activation: rows.activation,
        output: rows.output,
    })
}

/// What dense layers and convolutions have in common: a row of weights for each output, or filter.
struct Rows {
    weights: Tensor<i8>,
    bias: Tensor<i32>,
    requantize: Requantize,
    activation: Encoded,
    output: EncodedAffine,
}

impl Rows {
    /// Quantises as many rows of weights as there are biases.
    fn new(weights: &[f32], bias: &[f32], activation: Activation, schemes: Schemes, blob: &mut Blob) -> Self {
        let Schemes { input, before, output, is_latent } = schemes;
        // A table is indexed by the requantised sum, so the sum takes the scheme from before the activation.
        let is_table = matches!(activation, Activation::Tanh | Activation::Sigmoid | Activation::Elu);
        let target = if is_table { before } else { output };
        let rows = weights.chunks_exact(weights.len() / bias.len().max(1)).zip(bias);
        let channels: Vec<Channel> = rows.map(|(row, &bias)| channel(row, bias.into(), input)).collect();
        let zero_point = if is_table { f64::from(before.zero_point) * before.scale } else { 0.0 };
        let biases: Vec<i32> =
            channels.iter().map(|c| clamp_bias(f64::from(c.bias) + (zero_point / c.scale).round())).collect();
        let scales: Vec<f64> = channels.iter().map(|c| c.scale / target.scale).collect();
        let weights: Vec<i8> = channels.into_iter().flat_map(|c| c.weights).collect();
        Self {
            weights: blob.push(&weights),
            bias: blob.push(&biases),
            requantize: requantize(scales.iter().copied(), blob),
            activation: match activation {
                Activation::Identity => Encoded::Identity,
                Activation::Relu => Encoded::Relu,
                Activation::LeakyRelu(slope) => {
                    Encoded::LeakyRelu(requantize(scales.iter().map(|s| s * f64::from(slope)), blob))
                }
                Activation::Tanh | Activation::Sigmoid | Activation::Elu if is_latent => {
                    Encoded::Interpolated(blob.push(&curve(activation, before, output)))
                }
                Activation::Tanh | Activation::Sigmoid | Activation::Elu => {
                    Encoded::Table(blob.push(&table(activation, before, output)))
                }
            },
            output: EncodedAffine { scale: output.scale as f32, zero_point: output.zero_point as i8 },
        }
    }
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

pub(super) fn requantize(scales: impl Iterator<Item = f64>, blob: &mut Blob) -> Requantize {
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

/// The activation at every 256th int16 value from -32768 to 32768, in steps of the latent.
fn curve(activation: Activation, before: fixed::Affine, latent: fixed::Affine) -> Vec<i16> {
    let mut values: Vec<f32> = (-128..=128).map(|i| before.dequantize(256 * i) as f32).collect();
    activation.apply(&mut values);
    let steps = |y: f32| (f64::from(y) / latent.scale).round().clamp(i16::MIN.into(), i16::MAX.into()) as i16;
    values.into_iter().map(steps).collect()
}
