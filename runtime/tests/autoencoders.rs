//! Heads of autoencoders against the specification's arithmetic, and at their limits.

mod common;

use common::{Arena, wild};
use edgemix_format::description::{Description, HeadRecord, LayerRecord};
use edgemix_format::testing::{HeadSpec, Spec, SplitMix64};
use edgemix_format::write::{AlignedBytes, Blob, mend, write};
use edgemix_runtime::Model;

fn spec(input: usize, pairs: u16, latent: u16, is_variational: bool, seed: u64) -> Spec {
    let head = HeadSpec::Autoencoders { latent, is_variational };
    Spec { input, layers: vec![], head, components: pairs, clusters: pairs, seed, ..Spec::default() }
}

/// Runs a sample through the runtime, in an arena of exactly the model's length, and through the specification.
fn check(bytes: &AlignedBytes, raw: &[i16]) -> Vec<i32> {
    let model = Model::from_bytes(bytes).unwrap();
    let exact: Vec<i128> = raw.iter().map(|&raw| raw.into()).collect();
    let (_, scores) = common::run_raw(model.file(), &exact);
    for poison in [0, 0x7f] {
        let mut arena = Arena::new(model.arena_len(), poison);
        let found = model.assign_raw(raw, &mut arena).unwrap();
        assert_eq!(found.scores().iter().map(|&s| i128::from(s)).collect::<Vec<_>>(), scores);
        let (winner, best) = scores.iter().enumerate().min_by_key(|&(_, score)| -score).unwrap();
        assert_eq!((usize::from(found.cluster), i128::from(found.log_density.0)), (winner, *best));
        assert_eq!(found.component, found.cluster);
    }
    let x = common::values(model.file(), raw);
    let mut arena = Arena::new(model.arena_len(), 1);
    let steps: Vec<i16> = model.encode(&x, &mut arena).unwrap().to_vec();
    assert!(steps.iter().all(|q| (-128..=127).contains(q)), "the sample is int8");
    scores.iter().map(|&s| s as i32).collect()
}

#[test]
fn generated_pairs_give_the_exact_scores() {
    let mut random = SplitMix64::new(31);
    let mut winners = std::collections::BTreeSet::new();
    for seed in 0..60 {
        let input = random.between(1, 40) as usize;
        let (pairs, latent) = (random.between(1, 7) as u16, random.between(1, 9) as u16);
        let bytes = spec(input, pairs, latent, seed % 2 == 0, seed).build().unwrap();
        for _ in 0..4 {
            let raw: Vec<i16> = (0..input).map(|_| wild(&mut random, -300, 300) as i16).collect();
            let scores = check(&bytes, &raw);
            winners.insert(scores.iter().enumerate().max_by_key(|&(_, score)| score).map(|(winner, _)| winner));
        }
    }
    assert!(winners.len() > 3, "always the same pair wins");
}

/// Penalties, multipliers, shifts and constants at their limits, alone and together.
#[test]
fn extremes_saturate() {
    let spec = spec(50, 4, 3, true, 3);
    let mut random = SplitMix64::new(33);
    let mut saturated = 0;
    for round in 0..40 {
        let (description, mut blob) = spec.parts();
        let HeadRecord::Autoencoders(pairs) = description.head.clone() else { panic!("no autoencoders") };
        let table = |random: &mut SplitMix64, blob: &mut Blob| {
            let costs: Vec<i32> = (0..256).map(|_| wild(random, i32::MIN, i32::MAX)).collect();
            blob.push(&if round % 4 == 0 { vec![i32::MIN; 256] } else { costs })
        };
        let multipliers: Vec<i32> = (0..4).map(|_| wild(&mut random, 0, i32::MAX)).collect();
        let shifts: Vec<u8> = (0..4).map(|_| wild(&mut random, 1, 56) as u8).collect();
        let constants: Vec<i32> = (0..4).map(|_| wild(&mut random, i32::MIN, i32::MAX)).collect();
        let mut altered = pairs;
        altered.constants = blob.push(&constants);
        altered.error.multiplier = blob.push(&multipliers);
        altered.error.shift = blob.push(&shifts);
        altered.mean_penalty = table(&mut random, &mut blob);
        altered.variance_penalty = table(&mut random, &mut blob);
        let bytes = write(&Description { head: HeadRecord::Autoencoders(altered), ..description }, &blob).unwrap();
        for value in [i16::MIN, 3, i16::MAX] {
            saturated += check(&bytes, &[value; 50]).iter().filter(|&&s| s == i32::MIN || s == i32::MAX).count();
        }
    }
    assert!(saturated > 20);
}

/// Pairs differ only in their tensors: pairs with equal tensors have equal scores, others do not.
#[test]
fn each_pair_has_its_own_tensors() {
    let mut bytes = spec(20, 3, 4, true, 9).build().unwrap();
    let (description, _) = spec(20, 3, 4, true, 9).parts();
    let raw: Vec<i16> = (0..20).map(|i| i * 13 - 100).collect();
    let scores = check(&bytes, &raw);
    assert!(scores[0] != scores[1] && scores[1] != scores[2]);
    let HeadRecord::Autoencoders(pairs) = &description.head else { panic!("no autoencoders") };
    let LayerRecord::Dense(first) = &pairs.encoder[0] else { panic!("not dense") };
    // The second pair then has the layers of the first one and differs only in its constant and multiplier.
    let start = Model::from_bytes(&bytes).unwrap().file().header.blob_offset + first.weights.offset;
    let (start, stride) = (start as usize, pairs.stride as usize);
    bytes.as_mut().copy_within(start..start + stride, start + stride);
    mend(bytes.as_mut());
    let same = check(&bytes, &raw);
    assert_eq!((same[0], same[2]), (scores[0], scores[2]));
    assert_ne!(same[1], scores[1]);
}

/// The arena: the sample, the scores, and the largest sum of a layer's two ends.
#[test]
fn the_arena_is_what_the_plan_says() {
    // 784 -> 15 -> 20, and 10 -> 15 -> 784.
    let bytes = spec(784, 10, 10, true, 1).build().unwrap();
    assert_eq!(Model::from_bytes(&bytes).unwrap().arena_len(), 2 * (784 + 2 * 10 + (784 + 15 + 1)));
}
