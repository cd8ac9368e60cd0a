//! The runtime against exact arithmetic, and at its borders.

use edgemix_format::File;
use edgemix_format::description::Covariance;
use edgemix_format::testing::{Spec, model};
use edgemix_format::view::{Activation, Head, Layer};
use edgemix_format::write::AlignedBytes;
use edgemix_runtime::{AssignError, Model};
use proptest::prelude::*;

fn specs() -> impl Strategy<Value = Spec> {
    let kinds = prop_oneof![
        Just(None),
        Just(Some(Covariance::Spherical)),
        Just(Some(Covariance::Diagonal)),
        Just(Some(Covariance::Full))
    ];
    (prop::collection::vec(1..68usize, 1..4), 0..4u8, kinds, 1..7usize, any::<u64>()).prop_map(
        |(lengths, activation, covariance, components, seed)| {
            let clusters = if covariance.is_some() { components.div_ceil(2) } else { components };
            Spec { lengths, activation, covariance, components, clusters, seed }
        },
    )
}

/// `floor(x / 2^shift)`.
fn shifted(x: i128, shift: u8) -> i128 {
    x.div_euclid(1 << shift)
}

fn rounded(sum: i128, multiplier: i32, shift: u8) -> i128 {
    shifted(sum * i128::from(multiplier) + (1 << (shift - 1)), shift)
}

/// The model by the format's definition, in i128: the latent and the scores.
fn exact(file: &File, sample: &[i16]) -> (Vec<i128>, Vec<i128>) {
    let wide = file.encoder.is_empty();
    let (low, high) = if wide { (-32768, 32767) } else { (-128, 127) };
    let quantised = sample.iter().enumerate().map(|(i, &raw)| {
        let c = i % file.input.center.len();
        let distance = i128::from(raw) * 256 - i128::from(file.input.center[c]);
        shifted(distance * i128::from(file.input.multiplier[c]) + (1 << (file.input.shift[c] - 1)), file.input.shift[c])
            .clamp(low, high)
    });
    let mut values: Vec<i128> = quantised.collect();
    for (index, layer) in file.encoder.iter().enumerate() {
        let Layer::Dense(dense) = layer else { panic!("only dense layers are written") };
        let last = index + 1 == file.encoder.len();
        let (low, high) = if last { (-32768, 32767) } else { (-128, 127) };
        let zero = i128::from(dense.output.zero_point);
        let row = |(i, weights): (usize, &[i8])| {
            let products = weights.iter().zip(&values).map(|(&w, x)| i128::from(w) * x);
            let sum = i128::from(dense.bias[i]) + products.sum::<i128>();
            let q = rounded(sum, dense.requantize.multiplier[i], dense.requantize.shift[i]);
            match dense.activation {
                Activation::Identity => (zero + q).clamp(low, high),
                Activation::Relu => (zero + q).clamp(zero, high),
                Activation::LeakyRelu(negative) if sum < 0 => {
                    (zero + rounded(sum, negative.multiplier[i], negative.shift[i])).clamp(low, high)
                }
                Activation::LeakyRelu(_) => (zero + q).clamp(low, high),
                Activation::Table(table) => i128::from(table[(q.clamp(-128, 127) + 128) as usize]),
                _ => panic!("an activation that this test doesn't know"),
            }
        };
        values = dense.weights.chunks(dense.inputs).enumerate().map(row).collect();
    }
    let scores = scores(file, &values);
    (values, scores)
}

fn scores(file: &File, z: &[i128]) -> Vec<i128> {
    let dims = z.len();
    let dot = |a: &[i16], z: &[i128]| a.iter().zip(z).map(|(&a, z)| i128::from(a) * z).sum::<i128>();
    match file.head {
        Head::Softmax(s) => (0..s.offsets.len())
            .map(|k| {
                let sum = dot(&s.coefficients[k * dims..], z) + i128::from(s.offsets[k]);
                shifted(sum, s.shifts[k]).clamp(i32::MIN.into(), i32::MAX.into())
            })
            .collect(),
        Head::Mixture(m) => (0..m.constants.len())
            .map(|k| {
                let row = |r: usize| {
                    let (sum, shift) = match m.covariance {
                        Covariance::Spherical => (i128::from(m.coefficients[k]) * z[r], m.shifts[k]),
                        Covariance::Diagonal => (i128::from(m.coefficients[k * dims + r]) * z[r], m.shifts[k]),
                        Covariance::Full => {
                            let start = k * dims * (dims + 1) / 2 + r * (r + 1) / 2;
                            (dot(&m.coefficients[start..=start + r], &z[..=r]), m.shifts[k * dims + r])
                        }
                    };
                    let u = shifted(sum + i128::from(m.offsets[k * dims + r]), shift);
                    let limit = if m.covariance == Covariance::Full { 1 << 26 } else { i128::MAX / 4 };
                    u.clamp(-limit, limit).pow(2)
                };
                let squares: i128 = (0..dims).map(row).sum();
                (i128::from(m.constants[k]) - shifted(squares + 2048, 12)).max(i32::MIN.into())
            })
            .collect(),
        _ => panic!("a head that this test doesn't know"),
    }
}

proptest! {
    #[test]
    fn every_model_is_what_the_format_defines(spec in specs(), extreme in any::<bool>(), seed in any::<u64>()) {
        let bytes = model(&spec).unwrap();
        let model = Model::from_bytes(&bytes).unwrap();
        let value = |i: usize| {
            let bits = seed.wrapping_mul(0x9e37_79b9_7f4a_7c15).rotate_left(i as u32 * 7) as i16;
            if extreme { if bits & 1 == 0 { i16::MIN } else { i16::MAX } } else { bits % 200 }
        };
        let sample: Vec<i16> = (0..model.input_len()).map(value).collect();
        let (_, expected) = exact(model.file(), &sample);
        // Whatever lay in the workspace, and however long it is, the result is the same.
        let mut workspace = AlignedBytes::zeroed(model.arena_len());
        workspace.as_mut().fill(0xaa);
        let found = model.assign_raw(&sample, &mut workspace).unwrap();
        let scores: Vec<i128> = found.scores().iter().map(|&s| s.into()).collect();
        prop_assert_eq!(&scores, &expected);
        let best = expected.iter().copied().max().unwrap();
        prop_assert_eq!(usize::from(found.component), expected.iter().position(|&s| s == best).unwrap());
        prop_assert_eq!(usize::from(found.cluster), usize::from(found.component) % spec.clusters);
        let total: f32 = (0..spec.clusters as u16).map(|c| found.posterior(c)).sum();
        prop_assert!((total - 1.0).abs() < 1e-3, "posteriors add up to {total}");
    }

    #[test]
    fn the_arena_is_exact(spec in specs()) {
        let bytes = model(&spec).unwrap();
        let model = Model::from_bytes(&bytes).unwrap();
        let sample = vec![1u8; model.input_len()];
        let needed = model.arena_len();
        let mut short = AlignedBytes::zeroed(needed - 1);
        prop_assert_eq!(model.assign_raw(&sample, &mut short).err(), Some(AssignError::Workspace { needed, given: needed - 1 }));
        prop_assert!(model.assign_raw(&sample, &mut AlignedBytes::zeroed(needed)).is_ok());
    }

    #[test]
    fn raw_counts_and_values_give_the_same(spec in specs(), seed in any::<u8>()) {
        // Random models have a gain of 2, an offset of -3 and counts of 1/2: raw x stands for x / 2.
        let bytes = model(&spec).unwrap();
        let model = Model::from_bytes(&bytes).unwrap();
        let raw: Vec<u8> = (0..model.input_len()).map(|i| seed.wrapping_add((i as u8).wrapping_mul(31))).collect();
        let values: Vec<f32> = raw.iter().map(|&x| f32::from(x) / 2.0).collect();
        let (mut a, mut b) = (AlignedBytes::zeroed(model.arena_len()), AlignedBytes::zeroed(model.arena_len()));
        let (by_raw, by_value) = (model.assign_raw(&raw, &mut a).unwrap(), model.assign(&values, &mut b).unwrap());
        prop_assert_eq!(by_raw.scores(), by_value.scores());
    }
}

#[test]
fn a_wrong_sample_is_refused_and_the_next_one_is_not() {
    let covariance = Some(Covariance::Diagonal);
    let spec = Spec { lengths: vec![5, 3], activation: 0, covariance, components: 2, clusters: 2, seed: 3 };
    let bytes = model(&spec).unwrap();
    let model = Model::from_bytes(&bytes).unwrap();
    let mut workspace = AlignedBytes::zeroed(model.arena_len());
    let wrong = AssignError::InputLength { expected: 5, given: 4 };
    assert_eq!(model.assign(&[0.0; 4], &mut workspace).err(), Some(wrong));
    for bad in [f32::NAN, f32::INFINITY, f32::NEG_INFINITY] {
        let sample = [0.0, 0.0, bad, 0.0, 0.0];
        assert_eq!(model.assign(&sample, &mut workspace).err(), Some(AssignError::NotFinite { index: 2 }));
    }
    assert!(model.assign(&[1e30, -1e30, 0.0, 1.0, 2.0], &mut workspace).is_ok());
}
