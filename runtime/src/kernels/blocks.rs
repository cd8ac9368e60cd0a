//! A dense layer, one block of rows after another: first the sums of products, then the outputs.

use core::ops::Range;

use bytemuck::Zeroable;
use edgemix_format::ACTIVATIONS;
use edgemix_format::view::{Activation, Dense, Requantize};

use super::Width;
use super::portable::interpolate;
use super::wide::requantize;

/// The part of a dense layer that is written for each kind of core.
pub trait DenseKernel {
    /// The smallest number of rows that [`sums`](Self::sums) accepts; most kernels compute as many together.
    const TILE: usize;
    /// The smallest number of inputs that [`sums`](Self::sums) accepts.
    const MIN_INPUTS: usize;
    /// The sums of a block of rows, which lie on the stack: an array whose length is a multiple of the rows that are computed
    /// together. Where sums are fast, the fixed cost of a block weighs more.
    type Sums: Zeroable + AsMut<[i32]>;

    /// Whether [`outputs`](Self::outputs) knows a [`Rescaling`] with a scale of its own for negative sums.
    const SCALES_NEGATIVE: bool = false;

    /// Puts the inputs into the order in which [`sums`](Self::sums) reads them.
    fn arrange(_x: &mut [i16]) {}

    /// `sums[i] = bias[i] + sum_j weights[i][j] * x[j]` for at least [`TILE`](Self::TILE) rows, with `x` arranged.
    fn sums(weights: &[i8], x: &[i16], bias: &[i32], sums: &mut [i32]);

    /// Converts the first sums to outputs and returns how many it converted. It may stop early, even at 0.
    fn outputs(_by: &Rescaling, _sums: &[i32], _outputs: &mut [i16]) -> usize {
        0
    }
}

/// How sums become outputs: `zero_point + floor(sum * multiplier / 2^shift + 1/2)`, saturating, with a multiplier and a
/// shift for each row.
#[derive(Clone, Copy, Debug)]
pub struct Rescaling<'a> {
    /// The range to which outputs saturate.
    pub width: Width,
    /// Whether the activation is [`Activation::Relu`], else it is the identity.
    pub is_relu: bool,
    /// The output that stands for 0.
    pub zero_point: i8,
    /// The multiplier of each row, not negative.
    pub multipliers: &'a [i32],
    /// The shift of each row, 1 to 62.
    pub shifts: &'a [u8],
    /// The multipliers and shifts of negative sums, where they have their own, as before a leaky ReLU.
    pub negative: Option<Requantize<'a>>,
}

/// Divides `rows` rows of `columns` weights into tiles and calls `run(row, tiles)` for `tiles` whole tiles, at least
/// one, that begin at `row`. The last tile begins early enough to be whole, so that some rows may be computed twice.
///
/// Returns false, and calls nothing, unless there are at least one tile and the kernel's
/// [`MIN_INPUTS`](DenseKernel::MIN_INPUTS) columns, and as many `weights` and `biases` as the rows need. The unsafe
/// code of the kernels relies on this check.
#[allow(dead_code)] // Not all cores have such a kernel.
#[inline(always)]
pub(super) fn tiled<K: DenseKernel>(
    [weights, columns, biases, rows]: [usize; 4],
    mut run: impl FnMut(usize, usize),
) -> bool {
    let is_whole = rows.checked_mul(columns) == Some(weights) && rows == biases;
    if rows < K::TILE || columns < K::MIN_INPUTS || !is_whole {
        return false;
    }
    run(0, rows / K::TILE);
    if !rows.is_multiple_of(K::TILE) {
        run(rows - K::TILE, 1);
    }
    true
}

/// A dense layer with the kernel `K`. The outputs equal those of the definition,
/// [`portable::dense`](super::portable::dense); `input` is clobbered.
pub fn dense<K: DenseKernel>(layer: &Dense, width: Width, input: &mut [i16], output: &mut [i16]) {
    let (rows, columns) = (output.len(), input.len());
    let has_tile = rows >= K::TILE && columns >= K::MIN_INPUTS;
    let tile = if has_tile { K::TILE } else { 1 };
    if has_tile {
        K::arrange(input);
    }
    let mut buffer = K::Sums::zeroed();
    let buffer = buffer.as_mut();
    let mut row = 0;
    while row < rows {
        // The last block begins early enough to have a whole tile, so that some rows may be computed twice.
        let begin = row.min(rows - tile);
        let end = rows.min(begin + buffer.len());
        let sums = if has_tile { K::sums } else { plain_sums };
        if block::<K>(layer, width, input, output, begin..end, buffer, sums).is_none() {
            break;
        }
        row = end;
    }
}

/// Computes the outputs of a block. `None` if the rows are not within the layer, which a checked file rules out.
#[inline]
fn block<K: DenseKernel>(
    layer: &Dense,
    width: Width,
    input: &[i16],
    output: &mut [i16],
    rows: Range<usize>,
    buffer: &mut [i32],
    compute: impl Fn(&[i8], &[i16], &[i32], &mut [i32]),
) -> Option<()> {
    let sums = buffer.get_mut(..rows.len())?;
    let weights = layer.weights.get(rows.start * input.len()..rows.end * input.len())?;
    compute(weights, input, layer.bias.get(rows.clone())?, sums);
    outputs::<K>(layer, width, sums, output.get_mut(rows.clone())?, rows)
}

/// Converts the sums of `rows` to outputs. `None` if the rows are not within the layer.
#[inline]
pub(super) fn outputs<K: DenseKernel>(
    layer: &Dense,
    width: Width,
    sums: &[i32],
    output: &mut [i16],
    rows: Range<usize>,
) -> Option<()> {
    let done = kernel_outputs::<K>(layer, width, sums, output, rows.clone())?;
    finish_rows(layer, width, sums.get(done..)?, output.get_mut(done..)?, rows.start + done..rows.end)
}

/// Converts the sums of `rows` to outputs in compiled code. `None` if the rows are not within the layer.
#[inline]
pub(super) fn finish_rows(
    layer: &Dense,
    width: Width,
    sums: &[i32],
    output: &mut [i16],
    rows: Range<usize>,
) -> Option<()> {
    match width {
        Width::Narrow => finish::<false>(layer, sums, output, rows),
        Width::Wide => finish::<true>(layer, sums, output, rows),
    }
}

/// Lets the kernel compute outputs, and returns how many it computed.
#[inline]
fn kernel_outputs<K: DenseKernel>(
    layer: &Dense,
    width: Width,
    sums: &[i32],
    output: &mut [i16],
    rows: Range<usize>,
) -> Option<usize> {
    let (is_relu, negative) = match layer.activation {
        Activation::Identity => (false, None),
        Activation::Relu => (true, None),
        Activation::LeakyRelu(by) if ACTIVATIONS && K::SCALES_NEGATIVE => {
            let (multiplier, shift) = (by.multiplier.get(rows.clone())?, by.shift.get(rows.clone())?);
            (false, Some(Requantize { multiplier, shift }))
        }
        Activation::LeakyRelu(_) | Activation::Table(_) | Activation::Interpolated(_) => return Some(0),
    };
    let multipliers = layer.requantize.multiplier.get(rows.clone())?;
    let shifts = layer.requantize.shift.get(rows)?;
    let by = Rescaling { width, is_relu, zero_point: layer.output.zero_point, multipliers, shifts, negative };
    Some(K::outputs(&by, sums, output))
}

/// The sums in plain Rust, for layers that are too small for a tile and for compilers that vectorise.
#[inline]
pub(super) fn plain_sums(weights: &[i8], x: &[i16], bias: &[i32], sums: &mut [i32]) {
    let rows = weights.chunks_exact(x.len().max(1));
    for ((sum, &bias), row) in sums.iter_mut().zip(bias).zip(rows) {
        *sum = bias + row.iter().zip(x).map(|(&w, &x)| i32::from(w) * i32::from(x)).sum::<i32>();
    }
}

/// Converts the remaining sums to outputs.
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
        // The other three are here for builds without them, and a curve for layers that give int8: loading refuses all of
        // these.
        Activation::Identity | Activation::LeakyRelu(_) | Activation::Table(_) | Activation::Interpolated(_) => {
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
