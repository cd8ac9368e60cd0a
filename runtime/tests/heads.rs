//! Whole models against the specification's arithmetic, and heads at their limits.

mod common;

use common::{Arena, wild};
use edgemix_format::description::{self, Description, HeadRecord};
use edgemix_format::testing::{Follow, HeadSpec, Spec, SplitMix64};
use edgemix_format::view::Covariance;
use edgemix_format::write::{AlignedBytes, Blob, write};
use edgemix_runtime::{Model, RawCount};

const KINDS: [HeadSpec; 4] = [
    HeadSpec::Mixture(Covariance::Spherical),
    HeadSpec::Mixture(Covariance::Diagonal),
    HeadSpec::Mixture(Covariance::Full),
    HeadSpec::Softmax,
];

/// Runs a raw sample through the runtime and through the specification.
fn check<S: RawCount + Into<i128>>(bytes: &[u8], raw: &[S]) {
    let model = Model::from_bytes(bytes).unwrap();
    let exact: Vec<i128> = raw.iter().map(|&raw| raw.into()).collect();
    let (_, scores) = common::run_raw(model.file(), &exact);
    let mut arena = Arena::new(model.arena_len(), 0x55);
    let found = model.assign_raw(raw, &mut arena).unwrap();
    assert_eq!(found.scores().iter().map(|&s| i128::from(s)).collect::<Vec<_>>(), scores);

    // `min_by_key` gives the first of several.
    let (winner, best) = scores.iter().enumerate().min_by_key(|&(_, score)| -score).unwrap();
    assert_eq!((usize::from(found.component), i128::from(found.log_density.0)), (winner, *best));
    let clusters = model.file().head.clusters();
    assert_eq!(found.cluster, clusters.get(winner).copied().unwrap_or(winner as u16));
}

#[test]
fn generated_models_give_the_exact_scores() {
    let mut random = SplitMix64::new(7);
    for seed in 0..40 {
        for head in KINDS {
            let widths =
                [random.between(1, 20) as usize, random.between(1, 40) as usize, random.between(1, 13) as usize];
            let follows = [Follow::Relu, Follow::LeakyRelu, Follow::Table, Follow::Identity];
            let mut follow = |is_last| follows[random.between(0, if is_last { 1 } else { 3 }) as usize];
            let layers = match seed % 4 {
                0 => vec![],
                1 => vec![(widths[2], follow(true))],
                2 => vec![(widths[1], follow(false)), (widths[2], follow(true))],
                _ => vec![(widths[1], follow(false)), (widths[1], follow(false)), (widths[2], Follow::Identity)],
            };
            let spec = Spec { input: widths[0], layers, head, components: 6, clusters: 4, seed, ..Spec::default() };
            let bytes = spec.build().unwrap();
            for _ in 0..4 {
                check(&bytes, &random.many(spec.input, 0, 255).iter().map(|&x| x as u8).collect::<Vec<_>>());
                check(&bytes, &random.many(spec.input, -128, 127).iter().map(|&x| x as i8).collect::<Vec<_>>());
                let words: Vec<i16> = (0..spec.input).map(|_| wild(&mut random, -32768, 32767) as i16).collect();
                check(&bytes, &words);
            }
        }
    }
}

/// A model without layers whose input scaling is the identity on int16 counts: the sample is the latent.
fn head_alone(dims: usize, head: impl FnOnce(&mut Blob) -> HeadRecord) -> AlignedBytes {
    let (description, mut blob) = Spec { input: dims, layers: vec![], calibration: 0, ..Spec::default() }.parts();
    let input = description::InputRecord {
        center: blob.push(&[0]),
        multiplier: blob.push(&[1]),
        shift: blob.push(&[15u8]),
        zero_point: 0,
        ..description.input
    };
    let head = head(&mut blob);
    write(&Description { input, head, ..description }, &blob).unwrap()
}

/// Coefficients, offsets, shifts, constants and latents from their whole ranges, with frequent extremes.
#[test]
fn heads_at_their_limits_do_not_overflow() {
    let mut random = SplitMix64::new(11);
    for round in 0..60 {
        let dims = [1, 2, 5, 16][round % 4];
        for kind in KINDS {
            let bytes = wild_head(&mut random, dims, kind, false);
            for _ in 0..6 {
                check(&bytes, &(0..dims).map(|_| wild(&mut random, -32768, 32767) as i16).collect::<Vec<_>>());
            }
        }
    }
}

/// The largest number of dimensions, with all values at their limits at once.
#[test]
fn heads_of_the_most_dimensions_do_not_overflow() {
    let mut random = SplitMix64::new(13);
    for kind in KINDS {
        let bytes = wild_head(&mut random, 1024, kind, true);
        for value in [i16::MIN, -1, i16::MAX] {
            check(&bytes, &[value; 1024]);
        }
    }
}

fn wild_head(random: &mut SplitMix64, dims: usize, kind: HeadSpec, extreme: bool) -> AlignedBytes {
    let components = 4;
    let mut pick = |len: usize, low: i32, high: i32| -> Vec<i32> {
        let one = |i: usize, random: &mut SplitMix64| match (extreme, i % 2) {
            (true, _) if high < 64 => low,
            (true, 0) => low,
            (true, _) => high,
            (false, _) => wild(random, low, high),
        };
        // Extremes alternate by component, so that a row's terms have one sign.
        (0..len).map(|i| one(i / (len / components).max(1), random)).collect()
    };
    let offset = match kind {
        HeadSpec::Mixture(Covariance::Spherical | Covariance::Diagonal) => (1 - (1 << 30), (1 << 30) - 1),
        _ => (i32::MIN, i32::MAX),
    };
    let (coefficients, shifts, range) = match kind {
        HeadSpec::Mixture(Covariance::Spherical) => (components, components, (5, 31)),
        HeadSpec::Mixture(Covariance::Diagonal) => (components * dims, components, (5, 31)),
        HeadSpec::Mixture(Covariance::Full) => (components * (dims * (dims + 1) / 2), components * dims, (5, 40)),
        HeadSpec::Softmax => (components * dims, components, (1, 40)),
        HeadSpec::Autoencoders { .. } => panic!("it has no coefficients"),
    };
    let offsets = if kind == HeadSpec::Softmax { components } else { components * dims };
    let coefficients: Vec<i16> = pick(coefficients, -32768, 32767).iter().map(|&a| a as i16).collect();
    let offsets = pick(offsets, offset.0, offset.1);
    let shifts: Vec<u8> = pick(shifts, range.0, range.1).iter().map(|&s| s as u8).collect();
    let constants = pick(components, i32::MIN, i32::MAX);
    head_alone(dims, |blob| match kind {
        HeadSpec::Autoencoders { .. } => panic!("it has no coefficients"),
        HeadSpec::Softmax => HeadRecord::Softmax(description::SoftmaxRecord {
            n_classes: components as u16,
            coefficients: blob.push(&coefficients),
            offsets: blob.push(&offsets),
            shifts: blob.push(&shifts),
        }),
        HeadSpec::Mixture(covariance) => HeadRecord::Mixture(description::MixtureRecord {
            n_components: components as u16,
            n_clusters: 1,
            covariance,
            coefficients: blob.push(&coefficients),
            offsets: blob.push(&offsets),
            shifts: blob.push(&shifts),
            constants: blob.push(&constants),
            clusters: blob.push(&[0u16; 4]),
        }),
    })
}

/// As many components as the format can hold, the last of which is the best.
#[test]
fn the_most_components_are_run() {
    const K: usize = u16::MAX as usize;
    let mut constants = vec![0; K];
    constants[K - 1] = 1;
    let bytes = head_alone(1, |blob| {
        HeadRecord::Mixture(description::MixtureRecord {
            n_components: K as u16,
            n_clusters: 1,
            covariance: Covariance::Spherical,
            coefficients: blob.push(&vec![0i16; K]),
            offsets: blob.push(&vec![0; K]),
            shifts: blob.push(&vec![5u8; K]),
            constants: blob.push(&constants),
            clusters: blob.push(&vec![0u16; K]),
        })
    });
    let model = Model::from_bytes(&bytes).unwrap();
    let mut arena = Arena::new(model.arena_len(), 0);
    let found = model.assign_raw(&[0i16], &mut arena).unwrap();
    assert_eq!((found.component, found.cluster, found.log_density.0), (u16::MAX - 1, 0, 1));
    assert!((found.posterior(0) - 1.0).abs() < 1e-6);
}
