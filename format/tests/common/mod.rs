//! Generated models for several tests.

use edgemix_format::testing::{Convolution, Follow, HeadSpec, ImageLayer, PoolingSpec, Spec};
use edgemix_format::view::{Covariance, Pooling};
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

/// Any small valid model.
pub(crate) fn spec() -> impl Strategy<Value = Spec> {
    let input = (1usize..5, 1usize..6).prop_map(|(channels, times)| (channels * times, channels));
    let layers = prop::collection::vec((1usize..12, follow()), 0..5);
    let counts = (1u16..9, any::<prop::sample::Index>(), 0u16..20, 0u16..4);
    let parts = (input, image_layers(), layers, kind(), counts, any::<u64>());
    parts.prop_map(|((mut input, mut channels), (image, mut image_layers), mut layers, head, counts, seed)| {
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
        // A table has an entry.
        let held_out = if calibration > 0 { held_out } else { 0 };
        Spec { input, channels, image, image_layers, layers, head, components, clusters, calibration, held_out, seed }
    })
}
