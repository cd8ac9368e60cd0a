//! Generated models for several tests.

use edgemix_format::testing::{Convolution, Follow, HeadSpec, ImageLayer, PoolingSpec, Spec};
use edgemix_format::view::{Covariance, FramePooling, Pooling, Statistics};
use edgemix_format::write::{FilterSettings, SpectrumSettings, Taper};
use proptest::prelude::*;

/// Any head.
fn kind() -> impl Strategy<Value = HeadSpec> {
    prop_oneof![
        Just(HeadSpec::Mixture(Covariance::Spherical)),
        Just(HeadSpec::Mixture(Covariance::Diagonal)),
        Just(HeadSpec::Mixture(Covariance::Full)),
        Just(HeadSpec::Softmax),
        (1u16..6, any::<bool>()).prop_map(|(latent, is_variational)| HeadSpec::Autoencoders { latent, is_variational }),
    ]
}

/// Any activation.
fn follow() -> impl Strategy<Value = Follow> {
    prop_oneof![Just(Follow::Identity), Just(Follow::Relu), Just(Follow::LeakyRelu), Just(Follow::Table)]
}

/// Any small layer on an image that is at least as large as its window.
fn image_layer() -> impl Strategy<Value = ImageLayer> {
    let along = || (1u8..4, 1u8..4, any::<prop::sample::Index>(), any::<prop::sample::Index>());
    let kind = prop_oneof![Just(None), Just(Some(Pooling::Max)), Just(Some(Pooling::Average))];
    (kind, 1u16..5, along(), along(), follow()).prop_map(|(kind, filters, rows, columns, follow)| {
        let padding = |(kernel, _, before, after): (u8, u8, prop::sample::Index, prop::sample::Index)| {
            [before, after].map(|p| p.index(kernel.into()) as u8)
        };
        let ([above, below], [left, right]) = (padding(rows), padding(columns));
        let (kernel, stride) = ([rows.0, columns.0], [rows.1, columns.1]);
        let padding = [above, left, below, right];
        match kind {
            None => ImageLayer::Convolution(Convolution { filters, kernel, stride, padding, follow }),
            Some(pooling) => {
                let padding = if pooling == Pooling::Max { padding } else { [0; 4] };
                ImageLayer::Pooling(PoolingSpec { pooling, kernel, stride, padding })
            }
        }
    })
}

/// Layers that fit one another, and the image that the first takes.
fn image_layers() -> impl Strategy<Value = ([u16; 3], Vec<ImageLayer>)> {
    let image = (3u16..8, 3u16..8, 1u16..4).prop_map(|(height, width, channels)| [height, width, channels]);
    (image, prop::collection::vec(image_layer(), 0..3)).prop_map(|(image, mut layers)| {
        let mut at = image;
        layers.retain(|layer| {
            let after = layer.output(at);
            let fits = after.iter().all(|&extent| extent > 0);
            at = if fits { after } else { at };
            fits
        });
        (image, layers)
    })
}

/// Any small valid model without a front end.
fn spec_of_samples() -> impl Strategy<Value = Spec> {
    let input = (1usize..5, 1usize..6).prop_map(|(channels, times)| (channels * times, channels));
    let layers = prop::collection::vec((1usize..12, follow()), 0..5);
    let counts = (1u16..9, any::<prop::sample::Index>(), 0u16..20, 0u16..4);
    let levels = prop::collection::btree_set(1u16..9, 0..4);
    let parts = (input, image_layers(), layers, kind(), (counts, levels), (any::<bool>(), any::<u64>()));
    parts.prop_map(
        |(
            (mut input, mut channels),
            (image, mut image_layers),
            mut layers,
            head,
            (counts, levels),
            (transitions, seed),
        )| {
            // Autoencoders take the sample.
            if matches!(head, HeadSpec::Autoencoders { .. }) {
                image_layers.clear();
                layers.clear();
            }
            if !image_layers.is_empty() {
                (input, channels) = (image.map(usize::from).iter().product(), image[2].into());
            }
            // Pooling cannot give the latent.
            if layers.is_empty() && image_layers.last_mut().is_some_and(|last| last.follow_mut().is_none()) {
                layers.push((3, Follow::Identity));
            }
            // Nor can a table, and a curve can give nothing else.
            let of_images = image_layers.iter_mut().map(ImageLayer::follow_mut);
            let mut follows: Vec<_> = of_images.chain(layers.iter_mut().map(|layer| Some(&mut layer.1))).collect();
            if let Some(Some(last)) = follows.pop()
                && *last == Follow::Table
            {
                *last = Follow::Interpolated;
            }
            let (components, clusters, calibration, held_out) = counts;
            let clusters = 1 + clusters.index(components.into()) as u16;
            let most = if matches!(head, HeadSpec::Mixture(_)) { clusters } else { components };
            let levels = levels.into_iter().rev().filter(|&level| level < most).collect();
            // A table has an entry.
            let held_out = if calibration > 0 { held_out } else { 0 };
            Spec {
                filter: None,
                spectrum: None,
                input,
                channels,
                image,
                image_layers,
                layers,
                head,
                components,
                clusters,
                calibration,
                held_out,
                levels,
                transitions,
                seed,
            }
        },
    )
}

/// Any small valid model, half of them with a spectrum, of which half have a filter before it.
pub(crate) fn spec() -> impl Strategy<Value = Spec> {
    let front_ends = (spectrum(), prop::option::of((1usize..5, 1usize..9)));
    (spec_of_samples(), prop::option::of(front_ends)).prop_map(|(spec, front_ends)| match front_ends {
        // Layers on images have a shape of their own.
        Some((spectrum, filter)) if spec.image_layers.is_empty() => {
            let input = spectrum.tables().expect("a valid spectrum").spectrum().outputs();
            let filter = filter.map(|(factor, n_sections)| FilterSettings {
                // Instants at the end that are not kept.
                instants: spectrum.instants * factor + factor / 2,
                channels: spectrum.channels,
                factor,
                sections: vec![[1 << 28, 1 << 28, 0, 1 << 28, 1 << 28]; n_sections - 1]
                    .into_iter()
                    .chain([[1 << 29, -(1 << 30), 1 << 29, 1 << 30, -(1 << 29)]])
                    .collect(),
            });
            Spec { filter, spectrum: Some(spectrum), input, channels: input, ..spec }
        }
        _ => spec,
    })
}

/// Any small spectrum.
fn spectrum() -> impl Strategy<Value = SpectrumSettings> {
    (2usize..40, 1usize..4, 4u32..6, 0u8..32, 1usize..20, 0usize..3).prop_map(
        |(instants, channels, log2, statistics, hop, pooling)| {
            let pooling = [FramePooling::Mean, FramePooling::Max, FramePooling::Each][pooling];
            let statistics = if pooling == FramePooling::Each { 0 } else { statistics };
            SpectrumSettings {
                instants,
                channels,
                fft: 1 << log2,
                frame: instants.min(13),
                hop,
                taper: if hop % 2 == 0 { Taper::Hann } else { Taper::None },
                pooling,
                statistics: Statistics::from_bits(statistics).expect("bits of statistics"),
                mean_fraction: hop as u8 % 9,
                noise: 0.25,
                signals: (0..channels as u32).map(|c| 1 << c | 1).collect(),
                edges: vec![0, 2, 5, 9],
            }
        },
    )
}
