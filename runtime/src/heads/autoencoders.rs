//! One encoder and decoder per cluster. The score of a pair is a constant minus its reconstruction error and the
//! penalty of its latent.

use edgemix_format::view::Autoencoders;

use crate::kernels::Width;
use crate::network::Network;

/// Returns `None` if `scratch` is shorter than planned, which can't happen with a checked file.
pub(super) fn run(pairs: &Autoencoders, sample: &[i16], scores: &mut [i32], scratch: &mut [i16]) -> Option<()> {
    let errors = pairs.error.multiplier.iter().zip(pairs.error.shift);
    let numbers = scores.iter_mut().zip(pairs.constants).zip(errors);
    for (pair, ((score, &constant), (&multiplier, &shift))) in numbers.enumerate() {
        let penalty = encode(pairs, pair, sample, scratch)?;
        let reconstruction = decode(pairs, pair, scratch)?;
        let error = u64::from(squared_distance(sample, reconstruction));
        // Below 2^32 * 2^31 + 2^55: the format bounds the sample's length and the shift.
        let error = (error * u64::from(multiplier.unsigned_abs()) + (1 << (shift.clamp(1, 56) - 1))) >> shift.min(56);
        let exact = i64::from(constant) - error as i64 - penalty;
        *score = exact.clamp(i32::MIN.into(), i32::MAX.into()) as i32;
    }
    Some(())
}

/// Leaves a pair's means at the start of the scratch memory and returns the penalty of the latent.
fn encode(pairs: &Autoencoders, pair: usize, sample: &[i16], scratch: &mut [i16]) -> Option<i64> {
    let place = scratch.get_mut(..sample.len())?;
    // Kernels clobber their input, so each pair takes a copy.
    place.iter_mut().zip(sample).for_each(|(x, &value)| *x = value);
    let mut network = Network::new(scratch, sample.len());
    for layer in pairs.encoder(pair) {
        network.run(&layer, Width::Narrow)?;
    }
    let (means, variances) = network.last()?.split_at_checked(pairs.latent)?;
    let penalty = cost(pairs.mean_penalty, means) + cost(pairs.variance_penalty, variances);
    network.keep(pairs.latent)?;
    Some(penalty)
}

fn decode<'r>(pairs: &Autoencoders, pair: usize, scratch: &'r mut [i16]) -> Option<&'r [i16]> {
    let mut network = Network::new(scratch, pairs.latent);
    for layer in pairs.decoder(pair) {
        network.run(&layer, Width::Narrow)?;
    }
    network.finish().map(|(last, _)| last)
}

/// The sum of the penalties of int8 steps.
fn cost(table: Option<&[i32; 256]>, steps: &[i16]) -> i64 {
    let Some(table) = table else { return 0 };
    steps.iter().map(|&q| i64::from(table[usize::from(q as u8 ^ 0x80)])).sum()
}

/// At most 65536 * 255^2, which fits 32 bits.
fn squared_distance(a: &[i16], b: &[i16]) -> u32 {
    let square = |(&a, &b): (&i16, &i16)| {
        let difference = i32::from(a) - i32::from(b);
        (difference * difference) as u32
    };
    a.iter().zip(b).map(square).sum()
}
