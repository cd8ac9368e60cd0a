//! Batches against one sample after another: the same bits for every layer, head and number of samples.
#![cfg(feature = "batch")]

#[path = "../../bench/firmware/src/cases.rs"]
#[allow(dead_code)] // The heads are for other tests.
mod cases;

use edgemix_format::testing::{Convolution, Follow, HeadSpec, ImageLayer, PoolingSpec, Spec, SplitMix64};
use edgemix_format::view::{Covariance, FramePooling, Statistics};
use edgemix_format::write::{AlignedBytes, SpectrumSettings, Taper};
use edgemix_runtime::kernels::batch::{Instructions, PackedDense};
use edgemix_runtime::kernels::{Width, portable};
use edgemix_runtime::view::Dense;
use edgemix_runtime::{AssignError, Assignment, Batch, Model};

/// The numbers of samples whose rows the kernels compute together, more of them, and what is left over.
const COUNTS: [usize; 6] = [1, 2, 6, 12, 13, 17];

/// Runs a packed layer on so many rows: cyclic shifts of `x`. What lies between the rows and behind their last element is noise.
fn check(layer: &Dense, width: Width, x: &[i16], n_rows: usize, instructions: Instructions, slack: usize) {
    let packed = PackedDense::new(layer, width, instructions);
    let rotated = |row: usize| x.iter().copied().cycle().skip(row % x.len()).take(x.len()).collect::<Vec<i16>>();
    let step = packed.row() + slack;
    let mut inputs = vec![0xa5; n_rows * step];
    for (row, to) in inputs.chunks_exact_mut(step).enumerate() {
        instructions.write(&rotated(row), to);
    }
    // Rows without a gap, and rows of whole vectors.
    for stride in [layer.bias.len() * packed.output_element(), packed.outputs_row() + slack] {
        let mut outputs = vec![0; n_rows * stride];
        packed.run((&inputs, step), (&mut outputs, stride)).unwrap();
        for (row, found) in outputs.chunks_exact(stride).enumerate() {
            let mut expected = vec![0; layer.bias.len()];
            portable::dense(layer, width, &rotated(row), &mut expected);
            let found: Vec<i16> = match width {
                Width::Narrow => instructions.read(found).take(expected.len()).collect(),
                Width::Wide => found
                    .chunks_exact(2)
                    .map(|pair| i16::from_ne_bytes([pair[0], pair[1]]))
                    .take(expected.len())
                    .collect(),
            };
            assert_eq!(found, expected, "{instructions:?}, {width:?}, row {row} of {n_rows}, {layer:?}");
        }
    }
}

/// Lengths 1 to 67, every activation, frequent extreme values.
#[test]
fn every_packed_layer_equals_its_definition() {
    let mut turn = 0;
    let digest = cases::layers(|layer, width, x, output| {
        portable::dense(layer, width, x, output);
        for instructions in Instructions::available() {
            turn += 1;
            check(layer, width, x, COUNTS[turn % COUNTS.len()], instructions, [0, 4, 12][turn % 3]);
        }
    });
    assert_eq!(digest, cases::LAYERS, "{digest:#010x}");
}

/// Several panels of outputs, and a last one of each number of groups.
#[test]
fn every_number_of_outputs_is_computed() {
    let mut random = SplitMix64::new(7);
    for n_outputs in (1..=17).chain([31, 33, 47, 49, 63, 64, 65, 79, 96, 112, 127, 128, 129, 200]) {
        let inputs = 1 + n_outputs % 9;
        let weights: Vec<i8> = random.many(n_outputs * inputs, -128, 127).iter().map(|&w| w as i8).collect();
        let bias: Vec<i32> = random.many(n_outputs, -20_000, 20_000);
        let multiplier: Vec<i32> = random.many(n_outputs, 0, i32::MAX);
        let shift: Vec<u8> = random.many(n_outputs, 33, 42).iter().map(|&s| s as u8).collect();
        let x: Vec<i16> = random.many(inputs, -128, 127).iter().map(|&x| x as i16).collect();
        for activation in [edgemix_runtime::view::Activation::Relu, edgemix_runtime::view::Activation::Identity] {
            let layer = Dense {
                inputs,
                weights: &weights,
                bias: &bias,
                requantize: edgemix_runtime::view::Requantize { multiplier: &multiplier, shift: &shift },
                activation,
                output: edgemix_runtime::view::Affine { scale: 1.0, zero_point: -77 },
            };
            for instructions in Instructions::available() {
                for width in [Width::Narrow, Width::Wide] {
                    check(&layer, width, &x, 7, instructions, 0);
                }
            }
        }
    }
}

/// Everything that an assignment says.
fn all(found: Assignment) -> (u16, u16, i32, u16, u32, Vec<i32>) {
    let posterior = found.posterior(found.cluster).to_bits();
    (found.cluster, found.component, found.log_density.0, found.novelty.0, posterior, found.scores().to_vec())
}

/// Batches of 1 to 17 samples and of more than a block, against one sample after another.
fn check_model(spec: &Spec) {
    let bytes = spec.build().unwrap();
    let model = Model::from_bytes(&bytes).unwrap();
    let mut random = SplitMix64::new(5);
    let mut samples: Vec<f32> =
        random.many(200 * model.input_len(), -3000, 5000).iter().map(|&x| x as f32 / 300.0).collect();
    // Values that saturate, and values next to the middle between two counts.
    for (x, extreme) in
        samples.iter_mut().step_by(7).zip([f32::MAX, f32::MIN, 0.5, -0.5, 1e-40, -0.0].into_iter().cycle())
    {
        *x = extreme;
    }
    let mut workspace = AlignedBytes::zeroed(model.arena_len());
    let each = samples.chunks_exact(model.input_len());
    let expected: Vec<_> = each.clone().map(|x| all(model.assign(x, &mut workspace).unwrap())).collect();
    let latents: Vec<_> = each.map(|x| model.encode(x, &mut workspace).unwrap().to_vec()).collect();
    for instructions in Instructions::available().map(Some).chain([None]) {
        let batch = Batch::with(&model, instructions);
        // What a batch leaves in the workspace does not show in the next one.
        let mut memory = batch.workspace();
        for n in (1..=17).chain([96, 97, 200]) {
            let samples = &samples[..n * model.input_len()];
            let mut found = vec![];
            batch.assign(samples, &mut memory, |assignment| found.push(all(assignment))).unwrap();
            assert_eq!(found, expected[..n], "{n} samples, {instructions:?}, {spec:?}");
            let mut found = vec![];
            batch
                .summarise(samples, &mut memory, |a| {
                    found.push((a.cluster, a.component, a.log_density.0, a.novelty.0, a.posterior.to_bits()));
                })
                .unwrap();
            let short = |of: &(u16, u16, i32, u16, u32, Vec<i32>)| (of.0, of.1, of.2, of.3, of.4);
            let short: Vec<_> = expected[..n].iter().map(short).collect();
            assert_eq!(found, short, "summaries of {n} samples, {instructions:?}, {spec:?}");
            let mut found = vec![];
            batch.encode(samples, &mut memory, |latent| found.push(latent.to_vec())).unwrap();
            assert_eq!(found, latents[..n], "latents of {n} samples, {instructions:?}, {spec:?}");
        }
    }
}

const FOLLOWS: [Follow; 4] = [Follow::Identity, Follow::Relu, Follow::LeakyRelu, Follow::Table];
const MIXTURES: [HeadSpec; 4] = [
    HeadSpec::Mixture(Covariance::Spherical),
    HeadSpec::Mixture(Covariance::Diagonal),
    HeadSpec::Mixture(Covariance::Full),
    HeadSpec::Softmax,
];

#[test]
fn dense_models_equal_one_sample_after_another() {
    for (seed, head) in (0..).zip(MIXTURES) {
        for follow in FOLLOWS {
            for layers in [&[][..], &[3], &[17, 4], &[70, 33, 10]] {
                // The last layer has no table.
                let last = layers.len().saturating_sub(1);
                let follow =
                    |at: usize| if at == last && follow == Follow::Table { Follow::Interpolated } else { follow };
                let layers = layers.iter().enumerate().map(|(at, &n)| (n, follow(at))).collect();
                let (components, clusters) = if head == HeadSpec::Softmax { (20, 20) } else { (20, 7) };
                check_model(&Spec {
                    input: 15,
                    channels: [1, 3, 5, 15][seed as usize],
                    layers,
                    head,
                    components,
                    clusters,
                    held_out: 3,
                    calibration: 40,
                    seed,
                    ..Spec::default()
                });
            }
        }
    }
}

#[test]
fn layers_that_take_images_equal_one_sample_after_another() {
    for follow in FOLLOWS {
        let convolution = |filters, stride| {
            ImageLayer::Convolution(Convolution {
                filters,
                kernel: [3, 2],
                stride: [stride, 1],
                padding: [1, 0, 0, 1],
                follow,
            })
        };
        let pooling = edgemix_format::description::Pooling::Max;
        let pooling = ImageLayer::Pooling(PoolingSpec { pooling, kernel: [2, 2], stride: [1, 2], padding: [0; 4] });
        for image_layers in
            [vec![convolution(5, 1)], vec![convolution(3, 2), pooling, convolution(21, 1)], vec![pooling]]
        {
            let spec = Spec { input: 6 * 5 * 2, image: [6, 5, 2], image_layers, ..Spec::default() };
            check_model(&Spec { layers: vec![(19, follow), (4, Follow::Identity)], ..spec.clone() });
        }
    }
}

#[test]
fn front_ends_and_autoencoders_equal_one_sample_after_another() {
    let spectrum = SpectrumSettings {
        instants: 40,
        channels: 1,
        fft: 16,
        frame: 16,
        hop: 8,
        taper: Taper::Hann,
        pooling: FramePooling::Mean,
        statistics: Statistics::ALL,
        mean_fraction: 0,
        noise: 1.0 / 12.0,
        signals: vec![1],
        edges: vec![0, 1, 2, 4, 9],
    };
    check_model(&Spec { spectrum: Some(spectrum), input: 9, channels: 9, seed: 5, ..Spec::default() });
    for is_variational in [false, true] {
        let head = HeadSpec::Autoencoders { latent: 3, is_variational };
        check_model(&Spec { input: 21, layers: vec![], head, components: 4, clusters: 4, ..Spec::default() });
    }
}

#[test]
fn wrong_samples_are_refused() {
    let bytes = Spec::default().build().unwrap();
    let model = Model::from_bytes(&bytes).unwrap();
    for instructions in Instructions::available().map(Some).chain([None]) {
        let batch = Batch::with(&model, instructions);
        let mut workspace = batch.workspace();
        let error = batch.assign(&[1.0; 20], &mut workspace, |_| {}).unwrap_err();
        assert_eq!(error, AssignError::InputLength { expected: 6, given: 2 });
        let mut samples = [1.0; 6 * 100];
        for wrong in [f32::NAN, f32::INFINITY, f32::NEG_INFINITY] {
            samples[6 * 98 + 4] = wrong;
            let error = batch.assign(&samples, &mut workspace, |_| {}).unwrap_err();
            assert_eq!(error, AssignError::NotFinite { index: 4 });
            assert_eq!(batch.encode(&samples, &mut workspace, |_| {}).unwrap_err(), error);
        }
        assert_eq!(batch.assign(&[], &mut workspace, |_| panic!("nothing to see")), Ok(()));
    }
}
