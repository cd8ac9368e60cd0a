//! The definition of every kernel, in plain integer Rust.

use edgemix_format::view::{Activation, Conv2d, Dense, Requantize};

use super::Width;

/// A fully connected layer: `output[i] = activation(requantize(bias[i] + sum_j weights[i][j] * input[j]))`.
///
/// `input` holds int8 values. The sum stays within 32 bits: the format bounds inputs and biases.
pub fn dense(layer: &Dense, width: Width, input: &[i16], output: &mut [i16]) {
    finish(layer, width, sums(layer, input), output);
}

/// A convolution: at every position of the window, each filter's sum over the input under it.
///
/// `input` holds int8 values, channels last, and so does `output`.
pub fn convolution(layer: &Conv2d, width: Width, input: &[i16], output: &mut [i16]) {
    let (columns, n_filters) = (layer.window.columns(), layer.filters.bias.len());
    for (position, output) in output.chunks_exact_mut(n_filters.max(1)).enumerate() {
        let row = position.checked_div(columns).unwrap_or(0);
        let column = position.checked_rem(columns).unwrap_or(0);
        let filters = layer.filters.weights.chunks_exact(layer.filters.inputs.max(1)).zip(layer.filters.bias);
        let sums = filters.map(|(filter, bias)| bias + under(layer, filter, row, column, input));
        finish(&layer.filters, width, sums, output);
    }
}

/// The sum of products of a filter and the input under it.
fn under(layer: &Conv2d, filter: &[i8], row: usize, column: usize, input: &[i16]) -> i32 {
    let window = &layer.window;
    let [kernel, stride] = [window.kernel, window.stride].map(|pair| pair.map(usize::from));
    let [above, left, _, _] = window.padding.map(usize::from);
    let [height, width, channels] = [window.height, window.width, window.channels].map(usize::from);
    let mut weights = filter.iter();
    let mut sum = 0;
    for i in 0..kernel[0] {
        for j in 0..kernel[1] {
            // Rows and columns of the padded image.
            let (r, s) = (row * stride[0] + i, column * stride[1] + j);
            let is_inside = (above..above + height).contains(&r) && (left..left + width).contains(&s);
            for (c, &weight) in (0..channels).zip(&mut weights) {
                let x = if is_inside {
                    input.get(((r - above) * width + (s - left)) * channels + c).copied().unwrap_or(0)
                } else {
                    layer.padding_value.into()
                };
                sum += i32::from(weight) * i32::from(x);
            }
        }
    }
    sum
}

/// From sums to outputs.
fn finish(layer: &Dense, width: Width, sums: impl Iterator<Item = i32>, output: &mut [i16]) {
    let zero = i64::from(layer.output.zero_point);
    let (low, high) = width.range();
    match layer.activation {
        Activation::Relu => rows(layer, sums, output, |q| (zero + q).clamp(zero, high)),
        Activation::Table(table) => rows(layer, sums, output, |q| {
            let index = q.clamp(-128, 127) as i8 as u8 ^ 0x80;
            i64::from(table[usize::from(index)])
        }),
        Activation::Interpolated(points) => rows(layer, sums, output, |q| {
            i64::from(interpolate(points, q.clamp(i16::MIN.into(), i16::MAX.into()) as i16))
        }),
        Activation::LeakyRelu(negative) => {
            let slopes = negative.multiplier.iter().zip(negative.shift);
            let rows = sums.zip(channels(&layer.requantize)).zip(slopes);
            for (q, ((sum, (m, s)), (&slope, &shift))) in output.iter_mut().zip(rows) {
                let scaled = if sum < 0 { requantize(sum, slope, shift) } else { requantize(sum, m, s) };
                *q = (zero + scaled).clamp(low, high) as i16;
            }
        }
        Activation::Identity => rows(layer, sums, output, |q| (zero + q).clamp(low, high)),
    }
}

/// The value at `q` of a curve through points 256 steps apart, the first at -2^15.
#[inline]
pub fn interpolate(points: &[i16; 257], q: i16) -> i16 {
    let index = usize::from((q >> 8) as u8 ^ 0x80);
    let fraction = i32::from(q & 255);
    let (before, after) = (i32::from(points[index]), i32::from(points[index + 1]));
    ((before * (256 - fraction) + after * fraction + 128) >> 8) as i16
}

/// `floor(sum * multiplier / 2^shift + 1/2)`: one product, one rounding.
#[inline]
pub fn requantize(sum: i32, multiplier: i32, shift: u8) -> i64 {
    (i64::from(sum) * i64::from(multiplier) + (1i64 << (shift - 1))) >> shift
}

fn rows(layer: &Dense, sums: impl Iterator<Item = i32>, output: &mut [i16], finish: impl Fn(i64) -> i64) {
    for (q, (sum, (multiplier, shift))) in output.iter_mut().zip(sums.zip(channels(&layer.requantize))) {
        *q = finish(requantize(sum, multiplier, shift)) as i16;
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
