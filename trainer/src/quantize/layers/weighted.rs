//! What fully connected layers and convolutions have in common: a row of int8 weights for each output or filter, with a
//! scale of its own, and i32 biases into which zero points are folded.

use edgemix_format::description::{ActivationRecord, DenseRecord, WeightOrder};
use edgemix_format::view::MAX_BIAS;
use edgemix_format::write::Blob;

use super::context::{LayerContext, OutputScheme};
use super::requantize::requantize;
use crate::quantize::fixed::Affine;
use crate::trained::Activation;

/// The schemes around a layer.
#[derive(Clone, Copy, Debug)]
pub(super) struct Schemes {
    pub(super) input: Affine,
    /// The scheme of the sums before the activation, if a table or a curve takes them as its argument.
    preactivation: Affine,
    pub(super) output: Affine,
    /// Whether the output is the int16 latent.
    is_latent: bool,
}

/// One output or filter.
struct Channel {
    weights: Vec<i8>,
    /// In steps of the accumulator.
    bias: i32,
    /// The real value of one step of the accumulator.
    scale: f64,
}

impl Schemes {
    /// Chooses the schemes of a layer with such an activation.
    pub(super) fn new(activation: Activation, context: &LayerContext) -> Self {
        let ranges = context.ranges;
        let (preactivation, output) = match context.output {
            OutputScheme::BestInt8 => (ranges.preactivation.clipped(), best_output(activation, context)),
            OutputScheme::Int8(affine) => (ranges.preactivation.clipped(), affine),
            OutputScheme::Latent(affine) => (ranges.preactivation.int16(), affine),
        };
        let is_latent = matches!(context.output, OutputScheme::Latent(_));
        Self { input: context.input, preactivation, output, is_latent }
    }
}

/// The best int8 scheme of a layer's output. The output of a table is never clipped: its range is that of the function.
fn best_output(activation: Activation, context: &LayerContext) -> Affine {
    let range = &context.ranges.output;
    match activation {
        Activation::Tanh | Activation::Sigmoid => range.spanning(),
        Activation::Identity | Activation::Relu | Activation::LeakyRelu(_) | Activation::Elu => range.clipped(),
    }
}

/// Quantises the rows of a fully connected layer or the filters of a convolution: as many rows of weights as there are
/// biases.
pub(super) fn quantize_rows(
    weights: &[f32],
    bias: &[f32],
    activation: Activation,
    schemes: Schemes,
    blob: &mut Blob,
) -> DenseRecord {
    let Schemes { input, preactivation, output, is_latent } = schemes;
    // The index of a table is the requantised sum, so the sum has the scheme of the values before the activation.
    let is_table = matches!(activation, Activation::Tanh | Activation::Sigmoid | Activation::Elu);
    let target = if is_table { preactivation } else { output };
    let inputs = weights.len() / bias.len().max(1);
    let rows = weights.chunks_exact(inputs).zip(bias);
    let channels: Vec<Channel> = rows.map(|(row, &bias)| channel(row, bias.into(), input)).collect();
    let zero_point = if is_table { f64::from(preactivation.zero_point) * preactivation.scale } else { 0.0 };
    let biases: Vec<i32> =
        channels.iter().map(|c| clamp_bias(f64::from(c.bias) + (zero_point / c.scale).round())).collect();
    let scales: Vec<f64> = channels.iter().map(|c| c.scale / target.scale).collect();
    let weights: Vec<i8> = channels.into_iter().flat_map(|c| c.weights).collect();
    DenseRecord {
        inputs: inputs as u32,
        outputs: bias.len() as u32,
        order: WeightOrder::RowMajor,
        weights: blob.push(&weights),
        bias: blob.push(&biases),
        requantize: requantize(scales.iter().copied(), blob),
        activation: match activation {
            Activation::Identity => ActivationRecord::Identity,
            Activation::Relu => ActivationRecord::Relu,
            Activation::LeakyRelu(slope) => {
                let negative = scales.iter().map(|s| s * f64::from(slope));
                ActivationRecord::LeakyRelu(requantize(negative, blob))
            }
            Activation::Tanh | Activation::Sigmoid | Activation::Elu if is_latent => {
                ActivationRecord::Interpolated(blob.push(&curve(activation, preactivation, output)))
            }
            Activation::Tanh | Activation::Sigmoid | Activation::Elu => {
                ActivationRecord::Table(blob.push(&table(activation, preactivation, output)))
            }
        },
        output: output.describe(),
    }
}

/// `sum_j w_j x_j + b = scale * (sum_j q_j (p_j - zero) + b / scale)`, where `p` are the input's integers.
fn channel(row: &[f32], bias: f64, input: Affine) -> Channel {
    let greatest = row.iter().fold(0f32, |greatest, w| greatest.max(w.abs()));
    // A channel with tiny weights and a large bias has coarser steps; otherwise its bias would not fit.
    let for_bias = 4.0 * bias.abs() / (f64::from(MAX_BIAS) * input.scale);
    let step = (f64::from(greatest) / 127.0).max(for_bias);
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

/// The activation of every int8 value, beginning with -128.
fn table(activation: Activation, argument: Affine, output: Affine) -> Vec<i8> {
    let mut values: Vec<f32> = (-128..=127).map(|q| argument.dequantize(q) as f32).collect();
    activation.apply(&mut values);
    values.into_iter().map(|y| output.quantize(y.into()) as i8).collect()
}

/// The activation of every 256th int16 value from -32768 to 32768, in steps of the latent.
fn curve(activation: Activation, argument: Affine, latent: Affine) -> Vec<i16> {
    let mut values: Vec<f32> = (-128..=128).map(|i| argument.dequantize(256 * i) as f32).collect();
    activation.apply(&mut values);
    let steps = |y: f32| (f64::from(y) / latent.scale).round().clamp(i16::MIN.into(), i16::MAX.into()) as i16;
    values.into_iter().map(steps).collect()
}
