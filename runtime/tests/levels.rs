//! Coarser levels of the clusters.

mod common;

use common::Arena;
use edgemix_format::testing::{HeadSpec, Spec, SplitMix64};
use edgemix_format::view::Covariance;
use edgemix_runtime::Model;

const HEADS: [HeadSpec; 3] = [
    HeadSpec::Mixture(Covariance::Full),
    HeadSpec::Softmax,
    HeadSpec::Autoencoders { latent: 2, is_variational: false },
];

/// Nine clusters, in levels of any numbers below.
fn spec(random: &mut SplitMix64, head: HeadSpec, seed: u64) -> Spec {
    let layers = if matches!(head, HeadSpec::Autoencoders { .. }) { vec![] } else { Spec::default().layers };
    let levels = (1..9).rev().filter(|_| random.between(0, 1) == 1).collect();
    // The softmax and the autoencoders have nine, a mixture has twelve components in nine clusters.
    let components = if matches!(head, HeadSpec::Mixture(_)) { 12 } else { 9 };
    Spec { head, layers, components, clusters: 9, levels, held_out: 1, seed, ..Spec::default() }
}

#[test]
fn a_level_is_unions_of_the_clusters_and_its_posteriors_are_their_sums() {
    let mut random = SplitMix64::new(40);
    let mut n_levels = 0;
    for (seed, head) in (0..40).flat_map(|seed| HEADS.map(|head| (seed, head))) {
        let spec = spec(&mut random, head, seed);
        let bytes = spec.build().unwrap();
        let model = Model::from_bytes(&bytes).unwrap();
        assert_eq!((model.n_clusters(), model.levels()), (9, &spec.levels[..]));
        let mut arena = Arena::new(model.arena_len(), 0);
        let raw: Vec<i16> = random.many(6, 0, 255).iter().map(|&x| x as i16).collect();
        let found = model.assign_raw(&raw, &mut arena).unwrap();
        let hierarchy = &model.file().hierarchy;
        for &level in spec.levels.iter().chain([&9]) {
            let coarse = found.at_level(level).unwrap();
            assert_eq!(coarse.n_clusters, level);
            assert_eq!(Some(coarse.cluster), hierarchy.ancestor(found.cluster, level));
            let mut sum = 0.0;
            for parent in 0..level {
                let children = (0..9).filter(|&cluster| hierarchy.ancestor(cluster, level) == Some(parent));
                let added: f32 = children.map(|cluster| found.posterior(cluster)).sum();
                let posterior = coarse.posterior(parent);
                assert!((posterior - added).abs() < 1e-5, "{posterior}, but its clusters have {added}");
                sum += posterior;
            }
            assert!((sum - 1.0).abs() < 1e-5, "{sum}");
            assert!(coarse.posterior(coarse.cluster) >= found.posterior(found.cluster));
            assert_eq!((coarse.posterior(level), coarse.posterior(u16::MAX)), (0.0, 0.0));
            n_levels += 1;
        }
        let none = (0..12).chain([u16::MAX]).filter(|level| *level != 9 && !spec.levels.contains(level));
        for level in none {
            assert!(found.at_level(level).is_none(), "{level}");
        }
        // The clusters themselves, to the bit.
        let own = found.at_level(9).unwrap();
        assert!((0..9).all(|cluster| own.posterior(cluster).to_bits() == found.posterior(cluster).to_bits()));
    }
    assert!(n_levels > 300, "{n_levels}");
}

/// Whatever the reader accepts can be asked for any level.
#[test]
fn damaged_levels_are_refused_or_run() {
    let mut random = SplitMix64::new(41);
    let (mut refused, mut run) = (0, 0);
    for seed in 0..400 {
        let spec = spec(&mut random, HEADS[0], seed);
        let mut bytes = spec.build().unwrap();
        let len = bytes.len();
        for _ in 0..random.between(1, 2) {
            // The parents lie at the end, the description's end before the blob.
            let at = len - random.between(1, 40) as usize;
            bytes.as_mut()[at] = random.between(0, 9) as u8;
        }
        edgemix_format::testing::repair(bytes.as_mut());
        let Ok(model) = Model::from_bytes(&bytes) else {
            refused += 1;
            continue;
        };
        run += 1;
        let mut arena = Arena::new(model.arena_len(), 0);
        let found = model.assign_raw(&[7u8; 6], &mut arena).unwrap();
        for level in 0..12 {
            let coarse = found.at_level(level);
            assert_eq!(coarse.is_some(), level == 9 || model.levels().contains(&level));
            assert!(coarse.is_none_or(|coarse| coarse.cluster < level && coarse.posterior(coarse.cluster) <= 1.0));
        }
    }
    assert!(refused > 20 && run > 20, "{refused} refused, {run} run");
}
