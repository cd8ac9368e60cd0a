//! Pooling against the document's arithmetic: every small shape, extremes, and whole models.

mod common;

use common::wild;
use edgemix_format::testing::{Convolution, Follow, ImageLayer, PoolingSpec, Spec, SplitMix64};
use edgemix_format::view::{Affine, Layer, Pool2d, Pooling, Window};
use edgemix_runtime::Model;
use edgemix_runtime::kernels::{self, Width};
use proptest::prelude::*;

/// The layer by kernel and by document.
fn check(layer: Pool2d, x: &[i16]) {
    let layer = Layer::Pool2d(layer);
    let exact: Vec<i128> = x.iter().map(|&x| x.into()).collect();
    let mut found = vec![i16::MIN + 1; layer.outputs()];
    kernels::run(&layer, Width::Narrow, &mut x.to_vec(), &mut found, &mut []);
    let found: Vec<i128> = found.into_iter().map(i128::from).collect();
    assert_eq!(found, common::layer(&layer, false, &exact), "{layer:?}");
}

fn layer(pooling: Pooling, window: Window) -> Pool2d {
    Pool2d { pooling, window, output: Affine { scale: 1.0, zero_point: 0 } }
}

/// Every kernel, stride and padding along one direction, with others along the other.
#[test]
fn every_small_shape() {
    let mut random = SplitMix64::new(41);
    let mut n_run = 0;
    for (kernel, stride, extent) in
        (1..=4u8).flat_map(|k| (1..=4u8).flat_map(move |s| (1..=7u16).map(move |extent| (k, s, extent))))
    {
        for (before, after) in (0..kernel).flat_map(|b| (0..kernel).map(move |a| (b, a))) {
            let [other, channels] = [random.between(1, 4) as u16, random.between(1, 5) as u16];
            let across = Window {
                height: extent,
                width: other,
                channels,
                kernel: [kernel, 1],
                stride: [stride, 2],
                padding: [before, 0, after, 0],
            };
            let along = Window {
                height: other,
                width: extent,
                kernel: [other as u8, kernel],
                stride: [1, stride],
                padding: [other as u8 - 1, before, 0, after],
                ..across
            };
            for window in [across, along] {
                if window.rows() == 0 || window.columns() == 0 {
                    continue;
                }
                let x: Vec<i16> = (0..window.inputs()).map(|_| wild(&mut random, -128, 127) as i16).collect();
                check(layer(Pooling::Max, window), &x);
                if window.padding == [0; 4] {
                    check(layer(Pooling::Average, window), &x);
                }
                n_run += 1;
            }
        }
    }
    assert!(n_run > 1000, "{n_run}");
}

/// Halves are rounded up, below zero too.
#[test]
fn averages_are_rounded_as_the_document_says() {
    let window = Window { height: 1, width: 2, channels: 1, kernel: [1, 2], stride: [1; 2], padding: [0; 4] };
    let pair = Layer::Pool2d(layer(Pooling::Average, window));
    for (mut x, expected) in [([1, 2], 2), ([-1, -2], -1), ([-128, -127], -127), ([127, 127], 127), ([-3, 2], 0)] {
        let mut found = [99];
        kernels::run(&pair, Width::Narrow, &mut x, &mut found, &mut []);
        assert_eq!(found, [expected], "{x:?}");
    }
}

/// The largest window, everything at its limit.
#[test]
fn the_limits_admit_no_overflow() {
    let window = Window { height: 255, width: 255, channels: 1, kernel: [255; 2], stride: [1; 2], padding: [0; 4] };
    for value in [-128, -1, 0, 127] {
        check(layer(Pooling::Average, window), &vec![value; 255 * 255]);
        check(layer(Pooling::Max, window), &vec![value; 255 * 255]);
    }
}

/// Pooling, a convolution and pooling again, as far as each fits.
fn specs() -> impl Strategy<Value = Spec> {
    let shape = (1u8..4, 1u8..4, 1u8..3, any::<bool>());
    let image = (3u16..9, 3u16..9, 1u16..4);
    (image, prop::collection::vec(shape, 1..4), any::<u64>()).prop_map(|((height, width, channels), shapes, seed)| {
        let image = [height, width, channels];
        let (mut at, mut image_layers) = (image, vec![]);
        for (index, (rows, columns, stride, is_max)) in shapes.into_iter().enumerate() {
            let (kernel, stride, padding) = ([rows, columns], [stride, 1], [0; 4]);
            let layer = match (index, is_max) {
                (1, _) => {
                    let follow = Follow::LeakyRelu;
                    ImageLayer::Convolution(Convolution { filters: 3, kernel, stride, padding, follow })
                }
                (_, true) => {
                    let padding = [rows - 1, 0, rows / 2, columns - 1];
                    ImageLayer::Pooling(PoolingSpec { pooling: Pooling::Max, kernel, stride, padding })
                }
                (_, false) => ImageLayer::Pooling(PoolingSpec { pooling: Pooling::Average, kernel, stride, padding }),
            };
            if !layer.output(at).contains(&0) {
                at = layer.output(at);
                image_layers.push(layer);
            }
        }
        let input = image.map(usize::from).iter().product();
        Spec { input, image, image_layers, layers: vec![(3, Follow::Identity)], seed, ..Spec::default() }
    })
}

proptest! {
    #[test]
    fn models_with_pooling_give_the_exact_scores(spec in specs(), seed: u64) {
        let bytes = spec.build().unwrap();
        let model = Model::from_bytes(&bytes).unwrap();
        let mut random = SplitMix64::new(seed);
        let raw: Vec<i16> = (0..spec.input).map(|_| wild(&mut random, -3000, 3000) as i16).collect();
        let exact: Vec<i128> = raw.iter().map(|&x| x.into()).collect();
        let (_, scores) = common::run_raw(model.file(), &exact);
        for poison in [0, 0x7f] {
            let mut arena = common::Arena::new(model.arena_len(), poison);
            let found = model.assign_raw(&raw, &mut arena).unwrap();
            prop_assert!(found.scores().iter().map(|&s| i128::from(s)).eq(scores.iter().copied()));
        }
    }
}
