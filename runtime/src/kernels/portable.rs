//! The definition of every kernel, in plain integer Rust.

use edgemix_format::view::{Activation, Dense, Requantize};

use super::Width;

/// A fully connected layer: `output[i] = activation(requantize(bias[i] + sum_j weights[i][j] * input[j]))`.
///
/// `input` holds int8 values. The sum stays within 32 bits: the format bounds inputs and biases.
pub fn dense(layer: &Dense, width: Width, input: &[i16], output: &mut [i16]) {
    let zero = i64::from(layer.output.zero_point);
    let (low, high) = width.range();
    match layer.activation {
        Activation::Relu => rows(layer, input, output, |_, q| (zero + q).clamp(zero, high)),
        Activation::Table(table) => rows(layer, input, output, |_, q| {
            let index = q.clamp(-128, 127) as i8 as u8 ^ 0x80;
            i64::from(table[usize::from(index)])
        }),
        Activation::LeakyRelu(negative) => {
            let slopes = negative.multiplier.iter().zip(negative.shift);
            let rows = sums(layer, input).zip(channels(&layer.requantize)).zip(slopes);
            for (q, ((sum, (m, s)), (&slope, &shift))) in output.iter_mut().zip(rows) {
                let scaled = if sum < 0 { requantize(sum, slope, shift) } else { requantize(sum, m, s) };
                *q = (zero + scaled).clamp(low, high) as i16;
            }
        }
        // Identity, and whatever a later format adds that its checker would refuse here.
        _ => rows(layer, input, output, |_, q| (zero + q).clamp(low, high)),
    }
}

/// `floor(sum * multiplier / 2^shift + 1/2)`: one product, one rounding.
#[inline]
pub fn requantize(sum: i32, multiplier: i32, shift: u8) -> i64 {
    (i64::from(sum) * i64::from(multiplier) + (1i64 << (shift - 1))) >> shift
}

fn rows(layer: &Dense, input: &[i16], output: &mut [i16], finish: impl Fn(i32, i64) -> i64) {
    let rows = sums(layer, input).zip(channels(&layer.requantize));
    for (q, (sum, (multiplier, shift))) in output.iter_mut().zip(rows) {
        *q = finish(sum, requantize(sum, multiplier, shift)) as i16;
    }
}

fn sums(layer: &Dense, input: &[i16]) -> impl Iterator<Item = i32> {
    // `max` only tells the compiler what the checker made sure of: a row is not empty.
    let rows = layer.weights.chunks_exact(layer.inputs.max(1));
    rows.zip(layer.bias).map(move |(row, &bias)| {
        let products = row.iter().zip(input).map(|(&w, &x)| i32::from(w) * i32::from(x));
        bias + products.sum::<i32>()
    })
}

fn channels(requantize: &Requantize) -> impl Iterator<Item = (i32, u8)> {
    requantize.multiplier.iter().copied().zip(requantize.shift.iter().copied())
}
