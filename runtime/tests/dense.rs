//! The portable kernel against the specification's arithmetic.

mod common;

use common::wild;
use edgemix_format::testing::SplitMix64;
use edgemix_format::view::{Activation, Affine, Dense, MAX_BIAS, MAX_INPUTS, Requantize};
use edgemix_runtime::kernels::{Width, portable};

/// Every tensor of a layer, owned.
struct Owned {
    inputs: usize,
    weights: Vec<i8>,
    bias: Vec<i32>,
    requantize: (Vec<i32>, Vec<u8>),
    negative: (Vec<i32>, Vec<u8>),
    table: [i8; 256],
    zero_point: i8,
}

impl Owned {
    fn wild(random: &mut SplitMix64, inputs: usize, outputs: usize) -> Self {
        let most = MAX_BIAS as i32 - 1;
        let small = random.next_u64().is_multiple_of(2);
        let (bias, shift) = if small { (20_000, (34, 42)) } else { (most, (1, 62)) };
        let mut requantize = || -> (Vec<i32>, Vec<u8>) {
            let multipliers = (0..outputs).map(|_| wild(random, 0, i32::MAX)).collect();
            (multipliers, (0..outputs).map(|_| wild(random, shift.0, shift.1) as u8).collect())
        };
        let (requantize, negative) = (requantize(), requantize());
        Self {
            inputs,
            weights: (0..inputs * outputs).map(|_| wild(random, -128, 127) as i8).collect(),
            bias: (0..outputs).map(|_| wild(random, -bias, bias)).collect(),
            requantize,
            negative,
            table: core::array::from_fn(|_| random.between(-128, 127) as i8),
            zero_point: wild(random, -128, 127) as i8,
        }
    }

    /// The layer with each of the activations.
    fn layers(&self) -> [Dense<'_>; 4] {
        let [requantize, negative] =
            [&self.requantize, &self.negative].map(|(multiplier, shift)| Requantize { multiplier, shift });
        let activations =
            [Activation::Identity, Activation::Relu, Activation::LeakyRelu(negative), Activation::Table(&self.table)];
        activations.map(|activation| Dense {
            inputs: self.inputs,
            weights: &self.weights,
            bias: &self.bias,
            requantize,
            activation,
            output: Affine { scale: 1.0, zero_point: self.zero_point },
        })
    }

    fn check(&self, x: &[i16]) {
        let exact: Vec<i128> = x.iter().map(|&x| x.into()).collect();
        for layer in self.layers() {
            for (width, is_last) in [(Width::Narrow, false), (Width::Wide, true)] {
                let mut output = vec![i16::MIN + 1; self.bias.len()];
                portable::dense(&layer, width, x, &mut output);
                let output: Vec<i128> = output.into_iter().map(i128::from).collect();
                assert_eq!(output, common::dense(&layer, is_last, &exact), "{:?} {width:?}", layer.activation);
            }
        }
    }
}

#[test]
fn every_length_to_67_and_every_activation() {
    let mut random = SplitMix64::new(1);
    for inputs in 1..=67 {
        for outputs in [1, 2, 3, 4, 5, 8, 67] {
            let layer = Owned::wild(&mut random, inputs, outputs);
            let x: Vec<i16> = (0..inputs).map(|_| wild(&mut random, -128, 127) as i16).collect();
            layer.check(&x);
        }
    }
}

/// All weights, inputs, biases, multipliers and shifts at their limits, at the most inputs: no overflow, same result.
#[test]
fn the_limits_admit_no_overflow() {
    let most = MAX_BIAS as i32 - 1;
    for (weight, x) in [(-128, -128), (-128, 127), (127, -128), (127, 127)] {
        for bias in [-most, most] {
            for (multiplier, shift) in [(i32::MAX, 1), (i32::MAX, 62), (0, 1), (1, 62), (1 << 30, 31)] {
                let layer = Owned {
                    inputs: MAX_INPUTS,
                    weights: vec![weight; MAX_INPUTS],
                    bias: vec![bias],
                    requantize: (vec![multiplier], vec![shift]),
                    negative: (vec![multiplier], vec![shift]),
                    table: [3; 256],
                    zero_point: if bias < 0 { -128 } else { 127 },
                };
                layer.check(&vec![x; MAX_INPUTS]);
            }
        }
    }
}

/// Sums near zero, where the multiplier changes.
#[test]
fn leaky_slopes_begin_below_zero() {
    for bias in -4..=4 {
        let layer = Owned {
            inputs: 1,
            weights: vec![0],
            bias: vec![bias],
            requantize: (vec![1 << 30], vec![26]),
            negative: (vec![1 << 29], vec![26]),
            table: [0; 256],
            zero_point: 0,
        };
        layer.check(&[1]);
    }
}

#[test]
fn halves_are_rounded_up() {
    for (sum, expected) in [(1, 1), (3, 2), (-1, 0), (-3, -1), (2, 1), (-2, -1), (0, 0)] {
        assert_eq!(portable::requantize(sum, 1, 1), expected, "{sum} / 2");
    }
    assert_eq!(portable::requantize(i32::MIN, i32::MAX, 62), -1);
    assert_eq!(portable::requantize(i32::MIN, i32::MAX, 31), -i64::from(i32::MAX));
}
