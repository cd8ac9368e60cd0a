//! One encoder and decoder per cluster: how well a pair gives the sample back, less what its latent costs.

use edgemix_format::view::Autoencoders;

use crate::input::Width;
use crate::network::Network;

/// `None` where `room` is not as long as the format's plan says, which a checked file's is.
pub(super) fn run(pairs: &Autoencoders, sample: &[i16], scores: &mut [i32], room: &mut [i16]) -> Option<()> {
    let errors = pairs.error.multiplier.iter().zip(pairs.error.shift);
    let numbers = scores.iter_mut().zip(pairs.constants).zip(errors);
    for (pair, ((score, &constant), (&multiplier, &shift))) in numbers.enumerate() {
        let penalty = encode(pairs, pair, sample, room)?;
        let reconstruction = decode(pairs, pair, room)?;
        let error = u64::from(squared_distance(sample, reconstruction));
        // Below 2^32 * 2^31 + 2^55: the format bounds the sample's length and the shift.
        let error = (error * u64::from(multiplier.unsigned_abs()) + (1 << (shift.clamp(1, 56) - 1))) >> shift.min(56);
        let exact = i64::from(constant) - error as i64 - penalty;
        *score = exact.clamp(i32::MIN.into(), i32::MAX.into()) as i32;
    }
    Some(())
}

/// Leaves a pair's means at the room's start; gives what the latent costs.
fn encode(pairs: &Autoencoders, pair: usize, sample: &[i16], room: &mut [i16]) -> Option<i64> {
    let place = room.get_mut(..sample.len())?;
    // Kernels may put what they take into another order, so each pair takes a copy.
    place.iter_mut().zip(sample).for_each(|(x, &value)| *x = value);
    let mut network = Network::new(room, sample.len());
    for layer in pairs.encoder(pair) {
        network.run(&layer, Width::Narrow)?;
    }
    let (means, variances) = network.last()?.split_at_checked(pairs.latent)?;
    let penalty = cost(pairs.mean_penalty, means) + cost(pairs.variance_penalty, variances);
    network.keep(pairs.latent)?;
    Some(penalty)
}

fn decode<'r>(pairs: &Autoencoders, pair: usize, room: &'r mut [i16]) -> Option<&'r [i16]> {
    let mut network = Network::new(room, pairs.latent);
    for layer in pairs.decoder(pair) {
        network.run(&layer, Width::Narrow)?;
    }
    network.finish().map(|(last, _)| last)
}

/// The sum over what each int8 step costs.
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
