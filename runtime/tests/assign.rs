//! Everything around the arithmetic: workspaces, errors, f32 against raw samples, posteriors and novelty.

mod common;

use common::Arena;
use edgemix_format::testing::{Follow, HeadSpec, Spec, SplitMix64};
use edgemix_format::view::{Calibration, Covariance};
use edgemix_format::write::{AlignedBytes, mend};
use edgemix_runtime::{AssignError, Assignment, Model, Workspace, arena_len, include_model, n_clusters};
use proptest::prelude::*;

const KINDS: [HeadSpec; 4] = [
    HeadSpec::Mixture(Covariance::Spherical),
    HeadSpec::Mixture(Covariance::Diagonal),
    HeadSpec::Mixture(Covariance::Full),
    HeadSpec::Softmax,
];

/// Models with odd and even lengths. Each pair of adjacent layers is the largest of some model.
fn models() -> Vec<Spec> {
    let shapes: [&[usize]; 9] =
        [&[], &[1], &[3], &[4], &[9, 3], &[2, 5], &[1, 1, 1], &[4, 31, 2], &[31, 30, 7, 29, 28, 5]];
    let mut specs = vec![];
    for (seed, layers) in (0..).zip(shapes) {
        for (input, components) in [(1, 1), (5, 2), (8, 40), (50, 3)] {
            for head in KINDS {
                let layers = layers.iter().map(|&outputs| (outputs, Follow::LeakyRelu)).collect();
                specs.push(Spec { input, layers, head, components, clusters: 1, seed, ..Spec::default() });
            }
        }
    }
    specs
}

fn sample(random: &mut SplitMix64, len: usize) -> Vec<f32> {
    random.many(len, -1000, 5000).iter().map(|&x| x as f32 / 300.0).collect()
}

/// All values of an assignment.
fn all(found: &Assignment) -> (u16, u16, i32, u16, Vec<i32>) {
    (found.cluster, found.component, found.log_density.0, found.novelty.0, found.scores().to_vec())
}

#[test]
fn the_arena_is_exact_and_holds_nothing_between_samples() {
    let mut random = SplitMix64::new(3);
    for spec in models() {
        let bytes = spec.build().unwrap();
        let model = Model::from_bytes(&bytes).unwrap();
        let (needed, x) = (model.arena_len(), sample(&mut random, spec.input));
        assert_eq!(needed, arena_len(&bytes));

        let expected = all(&model.assign(&x, &mut Arena::new(needed, 0)).unwrap());
        for poison in [0xff, 0x80, 0x7f] {
            assert_eq!(all(&model.assign(&x, &mut Arena::new(needed, poison)).unwrap()), expected, "{spec:?}");
            // The bytes of a longer workspace after the arena are not touched.
            let mut longer = Arena::new(needed + 64, poison);
            assert_eq!(all(&model.assign(&x, &mut longer).unwrap()), expected);
            assert!(longer.as_mut()[needed..].iter().all(|&byte| byte == poison));
        }
        for given in [needed - 1, needed - 4, 0] {
            let refused = model.assign(&x, &mut Arena::new(given, 0)).map(|found| all(&found));
            assert_eq!(refused, Err(AssignError::WorkspaceTooShort { needed, given }));
        }
        let mut shifted = Arena::new(needed + 4, 0);
        let refused = model.assign(&x, &mut shifted.as_mut()[2..]).map(|found| all(&found));
        assert_eq!(refused, Err(AssignError::WorkspaceMisaligned));
    }
}

#[test]
fn wrong_samples_are_typed_errors() {
    let bytes = Spec::default().build().unwrap();
    let model = Model::from_bytes(&bytes).unwrap();
    let mut arena = Arena::new(model.arena_len(), 0);
    for given in [0, 5, 7, 1000] {
        let expected = Some(AssignError::InputLength { expected: 6, given });
        assert_eq!(model.assign(&vec![0.0; given], &mut arena).err(), expected);
        assert_eq!(model.assign_raw(&vec![0u8; given], &mut arena).err(), expected);
        assert_eq!(model.encode(&vec![0.0; given], &mut arena).err(), expected);
    }
    for wrong in [f32::NAN, f32::INFINITY, f32::NEG_INFINITY] {
        for index in 0..6 {
            let mut x = [0.0; 6];
            x[index] = wrong;
            assert_eq!(model.assign(&x, &mut arena).err(), Some(AssignError::NotFinite { index }));
            assert_eq!(model.encode(&x, &mut arena).err(), Some(AssignError::NotFinite { index }));
        }
    }
    for extreme in [f32::MAX, f32::MIN, f32::MIN_POSITIVE, -0.0] {
        assert!(model.assign(&[extreme; 6], &mut arena).is_ok());
    }
}

#[test]
fn f32_and_raw_samples_are_the_same_where_scaling_is_exact() {
    let mut random = SplitMix64::new(5);
    for spec in models() {
        let bytes = spec.build().unwrap();
        let model = Model::from_bytes(&bytes).unwrap();
        let mut arena = Arena::new(model.arena_len(), 0);
        for (low, high) in [(0, 255), (-128, 127), (-32768, 32767)] {
            let raw: Vec<i16> = random.many(spec.input, low, high).iter().map(|&x| x as i16).collect();
            let x = common::values(model.file(), &raw);
            let mut counts = vec![0; spec.input];
            model.counts(&x, &mut counts).unwrap();
            assert_eq!(counts, raw);
            let expected = all(&model.assign_raw(&raw, &mut arena).unwrap());
            assert_eq!(all(&model.assign(&x, &mut arena).unwrap()), expected, "{spec:?}");

            let exact: Vec<i128> = raw.iter().map(|&x| x.into()).collect();
            let latent: Vec<i128> = model.encode(&x, &mut arena).unwrap().iter().map(|&z| z.into()).collect();
            assert_eq!(latent, common::run_raw(model.file(), &exact).0);
        }
    }
}

#[test]
fn posteriors_are_those_of_the_scores_and_sum_to_one() {
    let mut random = SplitMix64::new(9);
    for seed in 0..60 {
        for head in KINDS {
            let spec = Spec { head, seed, ..Spec::default() };
            let bytes = spec.build().unwrap();
            let model = Model::from_bytes(&bytes).unwrap();
            let mut arena = Arena::new(model.arena_len(), 0);
            let found = model.assign(&sample(&mut random, spec.input), &mut arena).unwrap();

            let clusters = model.file().head.clusters();
            let densities: Vec<f64> =
                found.scores().iter().map(|s| (f64::from(s - found.log_density.0) / 65536.0).exp()).collect();
            let total: f64 = densities.iter().sum();
            let mut sum = 0.0;
            for cluster in 0..model.n_clusters() as u16 {
                let of_cluster = densities
                    .iter()
                    .zip(0u16..)
                    .filter(|&(_, k)| clusters.get(usize::from(k)).copied().unwrap_or(k) == cluster);
                let exact: f64 = of_cluster.map(|(density, _)| density).sum::<f64>() / total;
                let posterior = found.posterior(cluster);
                assert!((f64::from(posterior) - exact).abs() < 0.01, "{posterior}, not {exact}");
                sum += posterior;
            }
            assert!((sum - 1.0).abs() < 1e-5, "{sum}");
            assert_eq!(found.posterior(model.n_clusters() as u16), 0.0);
            assert_eq!(found.posterior(u16::MAX), 0.0);
        }
    }
}

#[test]
fn novelty_is_looked_up_in_the_table() {
    let mut random = SplitMix64::new(17);
    let mut seen = std::collections::BTreeSet::new();
    for seed in 0..80 {
        let spec = Spec { calibration: (seed % 12) as u16, components: 2, clusters: 2, seed, ..Spec::default() };
        let bytes = spec.build().unwrap();
        let model = Model::from_bytes(&bytes).unwrap();
        let mut arena = Arena::new(model.arena_len(), 0);
        let found = model.assign(&sample(&mut random, spec.input), &mut arena).unwrap();
        let expected = match model.file().calibration {
            Calibration::Marginal { log_densities, levels } => {
                let at = log_densities.iter().position(|&threshold| found.log_density.0 <= threshold);
                at.map_or(u16::MAX, |at| levels[at])
            }
            _ => u16::MAX,
        };
        assert_eq!(found.novelty.0, expected);
        assert!(found.novelty.is_novel(1.0) && (expected == 0 || !found.novelty.is_novel(0.0)));
        seen.insert(expected);
    }
    assert!(seen.len() > 5, "every sample was as novel as every other");
}

/// A log-density that equals a threshold has the level of that threshold; one step more has the next level.
#[test]
fn thresholds_belong_to_their_own_level() {
    let spec = Spec { calibration: 2, ..Spec::default() };
    let (description, _) = spec.parts();
    let edgemix_format::description::CalibrationRecord::Marginal(table) = description.calibration else {
        panic!("no table")
    };
    let mut bytes = spec.build().unwrap();
    let valid = bytes.clone();
    let model = Model::from_bytes(&valid).unwrap();
    let start = model.file().header.blob_offset as usize;
    let mut arena = Arena::new(model.arena_len(), 0);
    let score = model.assign_raw(&[40u8; 6], &mut arena).unwrap().log_density.0;
    for (first, expected) in [(score - 1, 200), (score, 100), (score + 1, 100)] {
        for (tensor, value) in [
            (table.log_densities.offset as usize, [first.to_le_bytes(), (score + 2).to_le_bytes()].concat()),
            (table.levels.offset as usize, [100u16.to_le_bytes(), 200u16.to_le_bytes()].concat()),
        ] {
            let at = start + tensor;
            bytes.as_mut()[at..at + value.len()].copy_from_slice(&value);
        }
        mend(bytes.as_mut());
        let model = Model::from_bytes(&bytes).unwrap();
        assert_eq!(model.assign_raw(&[40u8; 6], &mut arena).unwrap().novelty.0, expected);
    }
}

#[test]
fn of_equal_components_the_first_wins() {
    // Two classes in a model with equal rows: every tensor of the second is that of the first.
    let spec = Spec { head: HeadSpec::Softmax, components: 2, layers: vec![], input: 8, ..Spec::default() };
    let (description, _) = spec.parts();
    let mut bytes = spec.build().unwrap();
    let start = Model::from_bytes(&bytes).unwrap().file().header.blob_offset as usize;
    let edgemix_format::description::HeadRecord::Softmax(softmax) = description.head else { panic!("not a softmax") };
    for (offset, row) in [(softmax.coefficients.offset, 16), (softmax.offsets.offset, 4), (softmax.shifts.offset, 1)] {
        let at = start + offset as usize;
        bytes.as_mut().copy_within(at..at + row, at + row);
    }
    mend(bytes.as_mut());
    let model = Model::from_bytes(&bytes).unwrap();
    let mut arena = Arena::new(model.arena_len(), 0);
    let found = model.assign_raw(&[7u8; 8], &mut arena).unwrap();
    assert_eq!((found.component, found.scores()[0]), (0, found.scores()[1]));
    assert_eq!((found.posterior(0), found.posterior(1)), (0.5, 0.5));
}

static MODEL: &[u8] = include_model!("../../format/tests/golden/full.emx");
const ALIGNED: &[u8] = include_model!("../../format/tests/golden/softmax.emx");
const ARENA: usize = arena_len(MODEL);
const CLUSTERS: usize = n_clusters(ALIGNED);
static mut _WORKSPACE: Workspace<ARENA> = Workspace::new();

#[test]
fn embedded_models_work_in_const_context() {
    let model = Model::from_bytes(MODEL).unwrap();
    let mut workspace = Workspace::<ARENA>::new();
    assert_eq!(ARENA, model.arena_len());
    assert!(model.assign_raw(&[9u8; 8], &mut workspace).is_ok());
    assert_eq!(CLUSTERS, Model::from_bytes(ALIGNED).unwrap().n_clusters());
}

proptest! {
    /// Whatever the loader accepts runs without overflow.
    #[test]
    fn mended_mutations_that_load_run(seed: u64, kind in 0..4usize, changes in 1..40usize) {
        let spec = Spec { head: KINDS[kind], layers: vec![(9, Follow::LeakyRelu), (4, Follow::Identity)], seed, ..Spec::default() };
        let valid = spec.build().unwrap();
        let start = Model::from_bytes(&valid).unwrap().file().header.blob_offset as i32;
        let mut bytes = valid;
        let mut random = SplitMix64::new(!seed);
        for _ in 0..changes {
            let at = random.between(start, bytes.len() as i32 - 1) as usize;
            let before = AlignedBytes::from(&bytes[..]);
            bytes.as_mut()[at] = common::wild(&mut random, 0, 255) as u8;
            mend(bytes.as_mut());
            if Model::from_bytes(&bytes).is_err() {
                bytes = before;
            }
        }
        let model = Model::from_bytes(&bytes).unwrap();
        let mut arena = Arena::new(model.arena_len(), 0);
        for value in [i16::MIN, 0, 100, i16::MAX] {
            let (_, scores) = common::run_raw(model.file(), &[value.into(); 6]);
            let found = model.assign_raw(&[value; 6], &mut arena).unwrap();
            prop_assert!(found.scores().iter().map(|&s| i128::from(s)).eq(scores));
            prop_assert!((0.0..=1.0).contains(&found.posterior(found.cluster)));
        }
        prop_assert!(model.assign(&[1e30; 6], &mut arena).is_ok());
    }
}
