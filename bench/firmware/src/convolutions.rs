//! Convolutions for comparing kernels and cores: all kernels up to 4 and strides up to 3, all kinds of padding, odd
//! sizes, frequent extreme values. They are the same on every machine, and the host's tests use this file as well.

use edgemix_runtime::kernels::Width;
use edgemix_runtime::view::{Activation, Affine, Conv2d, Dense, Requantize, Window};

use crate::cases::{Digest, Random};

/// The [`Digest`] of the outputs of all [`convolutions`].
pub(crate) const CONVOLUTIONS: u32 = 0xa545_170f;

pub(crate) const MOST_INPUTS: usize = 9 * 9 * 5;
pub(crate) const MOST_OUTPUTS: usize = 12 * 12 * MOST_FILTERS;
pub(crate) const MOST_TAPS: usize = 4 * 4 * 5;
const MOST_FILTERS: usize = 66;
const FILTERS: [usize; 7] = [1, 2, 4, 6, 13, 65, MOST_FILTERS];

/// The tensors of a convolution and its input.
struct Room {
    weights: [i8; MOST_TAPS * MOST_FILTERS],
    x: [i16; MOST_INPUTS],
    bias: [i32; MOST_FILTERS],
    multiplier: [[i32; MOST_FILTERS]; 2],
    shift: [[u8; MOST_FILTERS]; 2],
    table: [i8; 256],
    points: [i16; 257],
}

/// Runs all convolutions with `kernel`, which may also check them, and returns the digest of the outputs.
pub(crate) fn convolutions(mut kernel: impl FnMut(&Conv2d, Width, &[i16], &mut [i16])) -> u32 {
    let mut random = Random(3);
    let mut digest = Digest::START;
    let mut room = Room {
        weights: [0; MOST_TAPS * MOST_FILTERS],
        x: [0; MOST_INPUTS],
        bias: [0; MOST_FILTERS],
        multiplier: [[0; MOST_FILTERS]; 2],
        shift: [[0; MOST_FILTERS]; 2],
        table: [0; 256],
        points: [0; 257],
    };
    for turn in 0..4 * 4 * 3 * 3 {
        let kernel_size = [turn % 4 + 1, turn / 4 % 4 + 1];
        let stride = [turn / 16 % 3 + 1, turn / 48 + 1];
        room.fill(&mut random, turn);
        let channels = turn % 5 + 1;
        let n_filters = FILTERS[turn / 5 % FILTERS.len()];
        room.run(&mut random, [kernel_size, stride, [channels, n_filters]], turn, &mut kernel, &mut digest);
    }
    digest.0
}

impl Room {
    fn fill(&mut self, random: &mut Random, turn: usize) {
        // Every other case has small biases and ordinary shifts; in some, all values are at their limits.
        let (bias, low, high) = if turn.is_multiple_of(2) { (20_000, 34, 42) } else { ((1 << 30) - 1, 1, 62) };
        self.weights.fill_with(|| random.wild(-128, 127) as i8);
        self.x.fill_with(|| random.wild(-128, 127) as i16);
        self.bias.fill_with(|| random.wild(-bias, bias));
        self.multiplier.iter_mut().flatten().for_each(|m| *m = random.wild(0, i32::MAX));
        self.shift.iter_mut().flatten().for_each(|s| *s = random.wild(low, high) as u8);
        self.table.fill_with(|| random.wild(-128, 127) as i8);
        self.points.fill_with(|| random.wild(-32768, 32767) as i16);
        if turn.is_multiple_of(7) {
            self.weights.fill(-128);
            self.x.fill(if turn.is_multiple_of(2) { -128 } else { 127 });
        }
    }

    fn run(
        &self,
        random: &mut Random,
        [kernel, stride, [channels, n_filters]]: [[usize; 2]; 3],
        turn: usize,
        compute: &mut impl FnMut(&Conv2d, Width, &[i16], &mut [i16]),
        digest: &mut Digest,
    ) {
        let mut below = |most: usize| random.next() as usize % most;
        let padding = [kernel[0], kernel[1], kernel[0], kernel[1]].map(&mut below);
        let extents = [0, 1].map(|i| (below(9) + 1).max(kernel[i] - (padding[i] + padding[i + 2]).min(kernel[i] - 1)));
        let places = [0, 1].map(|i| (extents[i] + padding[i] + padding[i + 2] - kernel[i]) / stride[i] + 1);
        let taps = kernel[0] * kernel[1] * channels;
        let [positive, negative] = [0, 1]
            .map(|i| Requantize { multiplier: &self.multiplier[i][..n_filters], shift: &self.shift[i][..n_filters] });
        let cases = [
            (Activation::Identity, Width::Narrow),
            (Activation::Relu, Width::Narrow),
            (Activation::LeakyRelu(negative), Width::Wide),
            (Activation::LeakyRelu(negative), Width::Narrow),
            (Activation::Table(&self.table), Width::Narrow),
            (Activation::Interpolated(&self.points), Width::Wide),
        ];
        for (activation, width) in [cases[turn % 6], cases[(turn + 2) % 6]] {
            let filters = Dense {
                inputs: taps,
                weights: &self.weights[..taps * n_filters],
                bias: &self.bias[..n_filters],
                requantize: positive,
                activation,
                output: Affine { scale: 1.0, zero_point: self.table[turn] },
            };
            let window = Window {
                height: extents[0] as u16,
                width: extents[1] as u16,
                channels: channels as u16,
                kernel: kernel.map(|k| k as u8),
                stride: stride.map(|s| s as u8),
                padding: padding.map(|p| p as u8),
            };
            let layer = Conv2d { window, padding_value: self.table[turn + 1], filters };
            let mut output = [i16::MIN + 1; MOST_OUTPUTS];
            let output = &mut output[..places[0] * places[1] * n_filters];
            compute(&layer, width, &self.x[..extents[0] * extents[1] * channels], output);
            output.iter().for_each(|&x| digest.add(i32::from(x).to_le_bytes()));
        }
    }
}
