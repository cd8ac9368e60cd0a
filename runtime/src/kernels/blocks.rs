//! A dense layer block of rows by block of rows: first the sums, then what becomes of them.

use core::ops::Range;

use edgemix_format::ACTIVATIONS;
use edgemix_format::view::{Activation, Dense, Requantize};

use super::Width;
use super::portable::interpolate;
use super::wide::requantize;

/// Rows of a block, whose sums wait on the stack. A multiple of every tile. What a block takes beside its sums weighs more
/// where these are fast, and cores with the DSP extension have more RAM.
const BLOCK: usize = if cfg!(edgemix_core = "dsp") { 132 } else { 48 };

/// A way to compute sums of products.
pub trait Sums {
    /// Rows that are computed together.
    const TILE: usize;
    /// The fewest inputs that it can do.
    const LEAST_INPUTS: usize;

    /// Puts the inputs into the order that [`sums`](Self::sums) reads them in.
    fn arrange(_x: &mut [i16]) {}

    /// `sums[i] = bias[i] + sum_j weights[i][j] * x[j]` for at least [`TILE`](Self::TILE) rows of the length of `x`.
    fn sums(weights: &[i8], x: &[i16], bias: &[i32], sums: &mut [i32]);

    /// Makes outputs of the first sums, with nothing or [`Activation::Relu`] behind them, and says how many: as many as it
    /// can, which may be none.
    fn outputs(_by: &Rescaling, _sums: &[i32], _outputs: &mut [i16]) -> usize {
        0
    }
}

/// From sums to outputs; of every row its own multiplier and shift.
#[derive(Clone, Copy, Debug)]
pub struct Rescaling<'a> {
    /// What outputs saturate to.
    pub width: Width,
    /// Whether [`Activation::Relu`] is behind the sums, else nothing is.
    pub is_relu: bool,
    /// The output that is zero.
    pub zero_point: i8,
    /// Not negative.
    pub multipliers: &'a [i32],
    /// 1 to 62.
    pub shifts: &'a [u8],
}

/// Walks over `rows` rows of `columns` weights tile by tile: `run(row, tiles)` is for that many whole tiles, at least
/// one, from `row` on. The last tile may begin early enough to be whole, and compute some rows once more.
///
/// Gives false, and runs nothing, where there is no whole tile or where there are not as many `weights` and `biases`.
#[cfg(any(edgemix_core = "dsp", edgemix_core = "mainline", edgemix_core = "baseline", edgemix_core = "riscv"))]
#[inline(always)]
pub(super) fn tiled<S: Sums>([weights, columns, biases, rows]: [usize; 4], mut run: impl FnMut(usize, usize)) -> bool {
    let is_whole = rows.checked_mul(columns) == Some(weights) && rows == biases;
    if rows < S::TILE || columns < S::LEAST_INPUTS || !is_whole {
        return false;
    }
    run(0, rows / S::TILE);
    if !rows.is_multiple_of(S::TILE) {
        run(rows - S::TILE, 1);
    }
    true
}

/// Equals [`portable::dense`](super::portable::dense), but leaves `input` in another order.
pub fn dense<S: Sums>(layer: &Dense, width: Width, input: &mut [i16], output: &mut [i16]) {
    let (rows, columns) = (output.len(), input.len());
    let has_tile = rows >= S::TILE && columns >= S::LEAST_INPUTS;
    let tile = if has_tile { S::TILE } else { 1 };
    if has_tile {
        S::arrange(input);
    }
    let mut buffer = [0; BLOCK];
    let mut row = 0;
    while row < rows {
        // The last block begins early enough to have a tile, and computes some rows once more.
        let begin = row.min(rows - tile);
        let end = rows.min(begin + BLOCK);
        let sums = if has_tile { S::sums } else { plain };
        if block::<S>(layer, width, input, output, begin..end, &mut buffer, sums).is_none() {
            break;
        }
        row = end;
    }
}

/// `None` where the range is not within the layer: its shape isn't what a checked file's is.
#[inline]
fn block<S: Sums>(
    layer: &Dense,
    width: Width,
    input: &[i16],
    output: &mut [i16],
    rows: Range<usize>,
    buffer: &mut [i32; BLOCK],
    compute: impl Fn(&[i8], &[i16], &[i32], &mut [i32]),
) -> Option<()> {
    let sums = buffer.get_mut(..rows.len())?;
    let weights = layer.weights.get(rows.start * input.len()..rows.end * input.len())?;
    compute(weights, input, layer.bias.get(rows.clone())?, sums);
    let output = output.get_mut(rows.clone())?;
    let done = quickly::<S>(layer, width, sums, output, rows.clone())?;
    let (rest, sums, output) = (rows.start + done..rows.end, sums.get(done..)?, output.get_mut(done..)?);
    match width {
        Width::Narrow => finish::<false>(layer, sums, output, rest),
        Width::Wide => finish::<true>(layer, sums, output, rest),
    }
}

/// How many outputs were made together.
#[inline]
fn quickly<S: Sums>(
    layer: &Dense,
    width: Width,
    sums: &[i32],
    output: &mut [i16],
    rows: Range<usize>,
) -> Option<usize> {
    let is_relu = match layer.activation {
        Activation::Identity => false,
        Activation::Relu => true,
        _ => return Some(0),
    };
    let multipliers = layer.requantize.multiplier.get(rows.clone())?;
    let shifts = layer.requantize.shift.get(rows)?;
    let by = Rescaling { width, is_relu, zero_point: layer.output.zero_point, multipliers, shifts };
    Some(S::outputs(&by, sums, output))
}

/// Sums of layers that are too small for a tile, and as compilers make them.
#[inline]
pub(super) fn plain(weights: &[i8], x: &[i16], bias: &[i32], sums: &mut [i32]) {
    let rows = weights.chunks_exact(x.len().max(1));
    for ((sum, &bias), row) in sums.iter_mut().zip(bias).zip(rows) {
        *sum = bias + row.iter().zip(x).map(|(&w, &x)| i32::from(w) * i32::from(x)).sum::<i32>();
    }
}

/// From sums to outputs.
fn finish<const WIDE: bool>(layer: &Dense, sums: &[i32], output: &mut [i16], rows: Range<usize>) -> Option<()> {
    let zero = i32::from(layer.output.zero_point);
    let channels = channels(&layer.requantize, rows.clone())?;
    let each = output.iter_mut().zip(sums).zip(channels);
    match layer.activation {
        Activation::Relu => {
            for ((q, &sum), (&m, &s)) in each {
                *q = clamp::<WIDE>(zero + requantize(sum, m, s).max(0));
            }
        }
        Activation::LeakyRelu(negative) if ACTIVATIONS => {
            let slopes = self::channels(&negative, rows)?;
            for (((q, &sum), positive), negative) in each.zip(slopes) {
                let (&m, &s) = if sum < 0 { negative } else { positive };
                *q = clamp::<WIDE>(zero + requantize(sum, m, s));
            }
        }
        Activation::Table(table) if ACTIVATIONS => {
            for ((q, &sum), (&m, &s)) in each {
                let index = requantize(sum, m, s).clamp(-128, 127) as i8 as u8 ^ 0x80;
                *q = i16::from(table[usize::from(index)]);
            }
        }
        Activation::Interpolated(points) if ACTIVATIONS && WIDE => {
            for ((q, &sum), (&m, &s)) in each {
                *q = interpolate(points, clamp::<true>(requantize(sum, m, s)));
            }
        }
        // Identity, and whatever a later format adds that its checker would refuse here.
        _ => {
            for ((q, &sum), (&m, &s)) in each {
                *q = clamp::<WIDE>(zero + requantize(sum, m, s));
            }
        }
    }
    Some(())
}

fn channels<'a>(
    requantize: &Requantize<'a>,
    rows: Range<usize>,
) -> Option<impl Iterator<Item = (&'a i32, &'a u8)> + use<'a>> {
    Some(requantize.multiplier.get(rows.clone())?.iter().zip(requantize.shift.get(rows)?))
}

#[inline]
fn clamp<const WIDE: bool>(q: i32) -> i16 {
    if WIDE { q.clamp(i16::MIN.into(), i16::MAX.into()) as i16 } else { q.clamp(-128, 127) as i16 }
}
