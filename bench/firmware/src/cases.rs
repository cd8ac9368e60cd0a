//! Layers and heads for comparing kernels and cores: every length up to 67, frequent extreme values, rows and inputs at
//! unaligned addresses. They are the same on every machine, and the host's tests use this file as well.

use edgemix_runtime::heads;
use edgemix_runtime::kernels::Width;
use edgemix_runtime::view::{Activation, Affine, Covariance, Dense, Head, Mixture, Requantize, Softmax};

/// The [`Digest`] of the outputs of all [`layers`].
pub(crate) const LAYERS: u32 = 0x1386_7e86;
/// The [`Digest`] of the scores of all [`heads`].
pub(crate) const HEADS: u32 = 0xa9c5_efb1;

const MOST_OUTPUTS: usize = 99;
const MOST_INPUTS: usize = 1024;
const MOST_WEIGHTS: usize = 16 * 1024;
const OUTPUTS: [usize; 13] = [1, 2, 3, 4, 5, 6, 7, 8, 47, 48, 49, 67, 99];

/// The hash FNV-1a.
#[derive(Clone, Copy)]
pub(crate) struct Digest(pub(crate) u32);

impl Digest {
    pub(crate) const START: Self = Self(0x811c_9dc5);

    pub(crate) fn add(&mut self, bytes: [u8; 4]) {
        for byte in bytes {
            self.0 = (self.0 ^ u32::from(byte)).wrapping_mul(0x0100_0193);
        }
    }
}

pub(crate) struct Random(pub(crate) u32);

impl Random {
    pub(crate) fn next(&mut self) -> u32 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 17;
        self.0 ^= self.0 << 5;
        self.0
    }

    /// A number from `low` to `high`, one of the two in a quarter of the cases.
    pub(crate) fn wild(&mut self, low: i32, high: i32) -> i32 {
        match self.next() % 8 {
            0 => low,
            1 => high,
            _ => {
                let span = (i64::from(high) - i64::from(low) + 1) as u64;
                (i64::from(low) + ((u64::from(self.next()) * span) >> 32) as i64) as i32
            }
        }
    }
}

/// The tensors of a layer and its input.
struct Room {
    weights: [i8; MOST_WEIGHTS],
    x: [i16; MOST_INPUTS + 1],
    bias: [i32; MOST_OUTPUTS],
    multiplier: [[i32; MOST_OUTPUTS]; 2],
    shift: [[u8; MOST_OUTPUTS]; 2],
    table: [i8; 256],
}

/// Runs all layers with `kernel`, which may also check them, and returns the digest of the outputs.
pub(crate) fn layers(mut kernel: impl FnMut(&Dense, Width, &[i16], &mut [i16])) -> u32 {
    let mut random = Random(1);
    let mut digest = Digest::START;
    let mut room = Room {
        weights: [0; MOST_WEIGHTS],
        x: [0; MOST_INPUTS + 1],
        bias: [0; MOST_OUTPUTS],
        multiplier: [[0; MOST_OUTPUTS]; 2],
        shift: [[0; MOST_OUTPUTS]; 2],
        table: [0; 256],
    };
    for inputs in 1..=67 {
        for (outputs, turn) in OUTPUTS.into_iter().zip(inputs..) {
            room.fill(&mut random, turn);
            room.run(inputs, outputs, turn, &mut kernel, &mut digest);
        }
    }
    // Long rows with all values at their limits, so that the sums are as far from zero as possible.
    for (weight, x, most) in [(-128, -128, (1 << 30) - 1), (-128, 127, 1 - (1 << 30)), (127, 127, (1 << 30) - 1)] {
        room.fill(&mut random, 1);
        room.weights.fill(weight);
        room.x.fill(x);
        room.bias.fill(most);
        room.run(1000, 14, 0, &mut kernel, &mut digest);
        room.run(1000, 14, 1, &mut kernel, &mut digest);
    }
    digest.0
}

impl Room {
    fn fill(&mut self, random: &mut Random, turn: usize) {
        // Every other case has small biases and ordinary shifts, so that not all outputs saturate.
        let (bias, low, high) = if turn.is_multiple_of(2) { (20_000, 34, 42) } else { ((1 << 30) - 1, 1, 62) };
        for w in &mut self.weights {
            *w = random.wild(-128, 127) as i8;
        }
        for x in &mut self.x {
            *x = random.wild(-128, 127) as i16;
        }
        for b in &mut self.bias {
            *b = random.wild(-bias, bias);
        }
        for m in self.multiplier.iter_mut().flatten() {
            *m = random.wild(0, i32::MAX);
        }
        for s in self.shift.iter_mut().flatten() {
            *s = random.wild(low, high) as u8;
        }
        for t in &mut self.table {
            *t = random.wild(-128, 127) as i8;
        }
    }

    fn run(
        &self,
        inputs: usize,
        outputs: usize,
        turn: usize,
        kernel: &mut impl FnMut(&Dense, Width, &[i16], &mut [i16]),
        digest: &mut Digest,
    ) {
        let [positive, negative] =
            [0, 1].map(|i| Requantize { multiplier: &self.multiplier[i][..outputs], shift: &self.shift[i][..outputs] });
        let activations =
            [Activation::Identity, Activation::Relu, Activation::LeakyRelu(negative), Activation::Table(&self.table)];
        // In some cases rows begin at odd addresses, and inputs at the second half of a word.
        let (odd_row, odd_input) = ([0, 0, 4, 1, 2, 3][turn % 6], [0, 0, 1][turn % 3]);
        for activation in activations {
            for width in [Width::Narrow, Width::Wide] {
                let layer = Dense {
                    inputs,
                    weights: &self.weights[odd_row..odd_row + inputs * outputs],
                    bias: &self.bias[..outputs],
                    requantize: positive,
                    activation,
                    output: Affine { scale: 1.0, zero_point: self.table[turn] },
                };
                let mut output = [i16::MIN + 1; MOST_OUTPUTS];
                kernel(&layer, width, &self.x[odd_input..odd_input + inputs], &mut output[..outputs]);
                for q in output {
                    digest.add(i32::from(q).to_le_bytes());
                }
            }
        }
    }
}

const MOST_DIMS: usize = 33;
const COMPONENTS: usize = 5;

/// Runs heads of every kind and returns the digest of the scores.
pub(crate) fn heads() -> u32 {
    let mut random = Random(2);
    let mut digest = Digest::START;
    for dims in 1..=MOST_DIMS {
        for extreme in [false, true] {
            let mut coefficients = [0i16; COMPONENTS * MOST_DIMS * (MOST_DIMS + 1) / 2];
            let (mut offsets, mut shifts) = ([0i32; COMPONENTS * MOST_DIMS], [0u8; COMPONENTS * MOST_DIMS]);
            let (mut latent, mut constants) = ([0i16; MOST_DIMS], [0i32; COMPONENTS]);
            coefficients.fill_with(|| random.wild(-32768, 32767) as i16);
            let offset = if extreme { (1 << 30) - 1 } else { 1 << 26 };
            offsets.fill_with(|| random.wild(-offset, offset));
            // Rows of full covariance allow larger shifts, with which the other heads are not run.
            let most = if dims % 2 == 0 { 40 } else { 31 };
            shifts.fill_with(|| if extreme { random.wild(5, most) } else { random.wild(14, 18) } as u8);
            latent.fill_with(|| random.wild(-32768, 32767) as i16);
            constants.fill_with(|| random.wild(i32::MIN, i32::MAX) >> if extreme { 0 } else { 12 });
            let mixture = |covariance, n_coefficients, n_shifts| {
                Head::Mixture(Mixture {
                    covariance,
                    n_clusters: 1,
                    coefficients: &coefficients[..n_coefficients],
                    offsets: &offsets[..COMPONENTS * dims],
                    shifts: &shifts[..n_shifts],
                    constants: &constants,
                    clusters: &[0; COMPONENTS],
                })
            };
            let softmax = Softmax {
                coefficients: &coefficients[..COMPONENTS * dims],
                offsets: &offsets[..COMPONENTS],
                shifts: &shifts[..COMPONENTS],
            };
            let triangles = COMPONENTS * (dims * (dims + 1) / 2);
            let narrow = !extreme || most == 31;
            for (head, runs) in [
                (mixture(Covariance::Spherical, COMPONENTS, COMPONENTS), narrow),
                (mixture(Covariance::Diagonal, COMPONENTS * dims, COMPONENTS), narrow),
                (mixture(Covariance::Full, triangles, COMPONENTS * dims), true),
                (Head::Softmax(softmax), true),
            ] {
                if !runs {
                    continue;
                }
                let mut scores = [0; COMPONENTS];
                heads::run(&head, &latent[..dims], &mut scores, &mut []);
                scores.iter().for_each(|score| digest.add(score.to_le_bytes()));
            }
        }
    }
    far_rows(&mut digest);
    digest.0
}

/// A row whose sum does not fit 32 bits, although its lower 32 bits look like a small number.
fn far_rows(digest: &mut Digest) {
    const DIMS: usize = 128;
    let mut coefficients = [0; DIMS * (DIMS + 1) / 2];
    coefficients[DIMS * (DIMS - 1) / 2..].fill(i16::MIN);
    let mixture = Mixture {
        covariance: Covariance::Full,
        n_clusters: 1,
        coefficients: &coefficients,
        offsets: &[0; DIMS],
        shifts: &[5; DIMS],
        constants: &[1000],
        clusters: &[0],
    };
    for z in [i16::MIN, i16::MAX] {
        let mut scores = [0];
        heads::run(&Head::Mixture(mixture), &[z; DIMS], &mut scores, &mut []);
        digest.add(scores[0].to_le_bytes());
    }
}
