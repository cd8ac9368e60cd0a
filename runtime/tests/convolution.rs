//! Convolutions against the specification's arithmetic: every small shape, and the limits of the format.

mod common;

use common::wild;
use edgemix_format::description::LayerRecord;
use edgemix_format::testing::{Convolution, Follow, HeadSpec, ImageLayer, Spec, SplitMix64};
use edgemix_format::view::{Layer, MAX_BIAS};
use edgemix_format::write::{AlignedBytes, mend, write};
use edgemix_runtime::Model;
use edgemix_runtime::kernels::{self, Width, portable};
use proptest::prelude::*;

/// Compares the definition, the kernel and the specification on one input.
fn check(layer: &Layer, x: &[i16]) {
    let Layer::Conv2d(convolution) = layer else { panic!("{layer:?}") };
    let exact: Vec<i128> = x.iter().map(|&x| x.into()).collect();
    for (width, is_last) in [(Width::Narrow, false), (Width::Wide, true)] {
        let mut defined = vec![i16::MIN + 1; layer.outputs()];
        portable::convolution(convolution, width, x, &mut defined);
        let mut found = vec![77; layer.outputs()];
        kernels::run(layer, width, &mut x.to_vec(), &mut found, &mut vec![99; layer.scratch()]);
        assert_eq!(found, defined, "{width:?} {convolution:?}");
        let defined: Vec<i128> = defined.into_iter().map(i128::from).collect();
        assert_eq!(defined, common::convolution(convolution, is_last, &exact), "{width:?} {convolution:?}");
    }
}

fn spec(image: [u16; 3], shape: Convolution, seed: u64) -> Spec {
    let input = image.map(usize::from).iter().product();
    let layers = vec![(2, Follow::Identity)];
    Spec {
        input,
        image,
        image_layers: vec![ImageLayer::Convolution(shape)],
        layers,
        components: 1,
        clusters: 1,
        seed,
        ..Spec::default()
    }
}

/// Every kernel, stride and padding along one direction, with others along the other.
#[test]
fn every_small_shape() {
    let mut random = SplitMix64::new(21);
    let follows = [Follow::Identity, Follow::Relu, Follow::LeakyRelu, Follow::Table];
    let mut n_run = 0;
    for (kernel, stride) in (1..=5u8).flat_map(|k| (1..=4u8).map(move |s| (k, s))) {
        for (before, after) in (0..kernel).flat_map(|b| (0..kernel).map(move |a| (b, a))) {
            for extent in 1..=7u16 {
                let other = random.between(1, 5) as u16;
                let channels = random.between(1, 5) as u16;
                let follow = follows[random.between(0, 3) as usize];
                let filters = random.between(1, 6) as u16;
                let across = Convolution {
                    filters,
                    kernel: [kernel, 1],
                    stride: [stride, 2],
                    padding: [before, 0, after, 0],
                    follow,
                };
                let along = Convolution {
                    kernel: [other as u8, kernel],
                    stride: [1, stride],
                    padding: [other as u8 - 1, before, 0, after],
                    ..across
                };
                for (image, shape) in [([extent, other, channels], across), ([other, extent, channels], along)] {
                    if ImageLayer::Convolution(shape).output(image).contains(&0) {
                        continue;
                    }
                    let bytes = spec(image, shape, random.next_u64()).build().unwrap();
                    let model = Model::from_bytes(&bytes).unwrap();
                    let layer = &model.file().encoder[0];
                    let x: Vec<i16> = (0..layer.inputs()).map(|_| wild(&mut random, -128, 127) as i16).collect();
                    check(layer, &x);
                    check(layer, &vec![-128; layer.inputs()]);
                    n_run += 1;
                }
            }
        }
    }
    assert!(n_run > 2000, "{n_run}");
}

/// All weights, inputs and biases at their limits under the largest filter: no overflow, same result.
#[test]
fn the_limits_admit_no_overflow() {
    let shape = Convolution { filters: 2, kernel: [255; 2], stride: [1; 2], padding: [1; 4], follow: Follow::Identity };
    let (description, _) = spec([254, 253, 1], shape, 1).parts();
    let LayerRecord::Conv2d(layer) = &description.encoder[0] else { panic!("no convolution") };
    let mut bytes = spec([254, 253, 1], shape, 1).build().unwrap();
    let start = Model::from_bytes(&bytes).unwrap().file().header.blob_offset as usize;
    let (weights, bias) = (start + layer.filters.weights.offset as usize, start + layer.filters.bias.offset as usize);
    let most = MAX_BIAS as i32 - 1;
    for (weight, x, extreme) in [(-128i8, -128, most), (-128, 127, -most), (127, -128, -most), (127, 127, most)] {
        bytes.as_mut()[weights..weights + 2 * 65025].fill(weight as u8);
        bytes.as_mut()[bias..bias + 4].copy_from_slice(&extreme.to_le_bytes());
        mend(bytes.as_mut());
        let model = Model::from_bytes(&bytes).unwrap();
        check(&model.file().encoder[0], &vec![x; 254 * 253]);
    }
}

/// The arena of DEPICT's encoder is that of its largest layer: 8,450 inputs, 2,450 outputs and a patch of 1,250.
#[test]
fn depict_works_in_24300_bytes() {
    let first = Convolution { filters: 50, kernel: [4; 2], stride: [2; 2], padding: [0; 4], follow: Follow::LeakyRelu };
    let second = Convolution { kernel: [5; 2], padding: [2; 4], ..first };
    let spec = Spec {
        input: 784,
        image: [28, 28, 1],
        image_layers: [first, second].map(ImageLayer::Convolution).to_vec(),
        layers: vec![(10, Follow::Interpolated)],
        head: HeadSpec::Softmax,
        components: 10,
        ..Spec::default()
    };
    let bytes = spec.build().unwrap();
    let model = Model::from_bytes(&bytes).unwrap();
    assert_eq!(model.arena_len(), 24_300);
    let mut random = SplitMix64::new(5);
    for raw in [vec![0; 784], vec![255; 784], random.many(784, 0, 255)] {
        let raw: Vec<u8> = raw.iter().map(|&x| x as u8).collect();
        let exact: Vec<i128> = raw.iter().map(|&x| x.into()).collect();
        let (_, scores) = common::run_raw(model.file(), &exact);
        let mut arena = common::Arena::new(24_300, 0x55);
        let found = model.assign_raw(&raw, &mut arena).unwrap();
        assert!(found.scores().iter().map(|&s| i128::from(s)).eq(scores));
    }
}

/// Models with odd and even lengths, in which each layer is the one that needs the most memory once.
fn specs() -> impl Strategy<Value = Spec> {
    let shape = (1u16..7, 1u8..4, 1u8..3, 0u8..4, prop::bool::ANY);
    let counts = (1u16..30, any::<u64>(), 0..3usize);
    (3u16..9, 3u16..9, 1u16..4, prop::collection::vec(shape, 1..3), counts).prop_map(
        |(height, width, channels, shapes, (components, seed, dense))| {
            let image = [height, width, channels];
            let mut at = image;
            let mut image_layers = vec![];
            for (filters, kernel, stride, padding, is_leaky) in shapes {
                let follow = if is_leaky { Follow::LeakyRelu } else { Follow::Relu };
                let padding = [padding % kernel, kernel - 1, padding / 2 % kernel, 0];
                let shape = Convolution { filters, kernel: [kernel; 2], stride: [stride; 2], padding, follow };
                let layer = ImageLayer::Convolution(shape);
                if !layer.output(at).contains(&0) {
                    at = layer.output(at);
                    image_layers.push(layer);
                }
            }
            let input = image.map(usize::from).iter().product();
            let layers = [vec![], vec![(3, Follow::Interpolated)], vec![(41, Follow::Table), (2, Follow::Identity)]];
            let layers = layers[dense].clone();
            Spec { input, image, image_layers, layers, head: HeadSpec::Softmax, components, seed, ..Spec::default() }
        },
    )
}

proptest! {
    #[test]
    fn models_with_convolutions_give_the_exact_scores(spec in specs(), seed: u64) {
        let bytes = spec.build().unwrap();
        let model = Model::from_bytes(&bytes).unwrap();
        let mut random = SplitMix64::new(seed);
        let raw: Vec<i16> = (0..spec.input).map(|_| wild(&mut random, -32768, 32767) as i16).collect();
        let exact: Vec<i128> = raw.iter().map(|&x| x.into()).collect();
        let (_, scores) = common::run_raw(model.file(), &exact);
        for poison in [0, 0x7f] {
            let mut arena = common::Arena::new(model.arena_len(), poison);
            let found = model.assign_raw(&raw, &mut arena).unwrap();
            prop_assert!(found.scores().iter().map(|&s| i128::from(s)).eq(scores.iter().copied()));
        }
    }

    /// Whatever the loader accepts runs.
    #[test]
    fn mended_descriptions_that_load_run(seed: u64, at in 0..24usize, value in 0..12u8) {
        let shape = Convolution { filters: 3, kernel: [3, 2], stride: [1, 2], padding: [2, 1, 0, 1], follow: Follow::Relu };
        let spec = Spec { components: 5, clusters: 3, seed, ..spec([4, 6, 2], shape, seed) };
        let (mut description, blob) = spec.parts();
        let LayerRecord::Conv2d(layer) = &mut description.encoder[0] else { panic!() };
        match at {
            0..2 => layer.window.kernel[at] = value,
            2..4 => layer.window.stride[at - 2] = value,
            4..8 => layer.window.padding[at - 4] = value,
            8 => layer.window.height = value.into(),
            9 => layer.window.width = value.into(),
            10 => layer.window.channels = value.into(),
            11 => layer.filters.outputs = value.into(),
            _ => layer.padding_value = value as i8,
        }
        let Ok(bytes) = write(&description, &blob) else { return Ok(()) };
        let bytes: AlignedBytes = bytes;
        let model = Model::from_bytes(&bytes).unwrap();
        let raw = vec![100i16; spec.input];
        let (_, scores) = common::run_raw(model.file(), &vec![100; spec.input]);
        let mut arena = common::Arena::new(model.arena_len(), 1);
        let found = model.assign_raw(&raw, &mut arena).unwrap();
        prop_assert!(found.scores().iter().map(|&s| i128::from(s)).eq(scores));
    }
}
