//! Writes the seed corpus, a small model for each kind of layer and head: `cargo run --release --bin seeds`.

use std::{fs, io};

use edgemix_format::testing::{Convolution, Follow, HeadSpec, ImageLayer, PoolingSpec, Spec};
use edgemix_format::view::{Covariance, FramePooling, Pooling, Statistics};
use edgemix_format::write::{FilterSettings, SpectrumSettings, Taper};

/// Frames shorter than the transform, and a magnitude.
fn spectrum() -> SpectrumSettings {
    SpectrumSettings {
        instants: 24,
        channels: 2,
        fft: 16,
        frame: 14,
        hop: 5,
        taper: Taper::Hann,
        pooling: FramePooling::Max,
        statistics: Statistics::ALL,
        mean_fraction: 1,
        noise: 0.5,
        signals: vec![1, 2, 3],
        edges: vec![0, 1, 4, 9],
    }
}

/// A section that lets constants pass and one that blocks them; every second of 49 instants is kept.
fn filter() -> FilterSettings {
    let low = [1 << 28, 1 << 28, 0, 1 << 28, 1 << 28];
    let high = [1 << 29, -(1 << 30), 1 << 29, 1 << 30, -(1 << 29)];
    FilterSettings { instants: 49, channels: 2, factor: 2, sections: vec![low, high] }
}

fn main() -> io::Result<()> {
    let heads = [
        ("spherical", HeadSpec::Mixture(Covariance::Spherical)),
        ("diagonal", HeadSpec::Mixture(Covariance::Diagonal)),
        ("full", HeadSpec::Mixture(Covariance::Full)),
        ("softmax", HeadSpec::Softmax),
    ];
    let encoders: [(&str, Vec<(usize, Follow)>); 3] = [
        ("bare", vec![]),
        ("relu", vec![(5, Follow::Relu), (3, Follow::Identity)]),
        ("table", vec![(4, Follow::Table), (5, Follow::LeakyRelu), (3, Follow::Identity)]),
    ];
    let image = Spec { input: 24, image: [4, 3, 2], ..Spec::default() };
    let first = Convolution { filters: 3, kernel: [3, 2], stride: [2, 1], padding: [1, 0, 2, 1], follow: Follow::Relu };
    let second = Convolution { filters: 2, kernel: [2, 2], stride: [1, 2], padding: [0; 4], follow: Follow::Table };
    let pooling = PoolingSpec { pooling: Pooling::Max, kernel: [2, 1], stride: [1, 2], padding: [0, 0, 1, 0] };
    let pairs = |is_variational| {
        let head = HeadSpec::Autoencoders { latent: 2, is_variational };
        Spec { head, layers: vec![], components: 3, ..Spec::default() }
    };
    let others = [
        (
            "pooling",
            Spec { image_layers: vec![ImageLayer::Pooling(pooling), ImageLayer::Convolution(first)], ..image.clone() },
        ),
        (
            "convolution-full",
            Spec { image_layers: [first, second].map(ImageLayer::Convolution).to_vec(), ..image.clone() },
        ),
        (
            "convolution-softmax",
            Spec {
                image_layers: vec![ImageLayer::Convolution(first)],
                layers: vec![(3, Follow::Interpolated)],
                head: HeadSpec::Softmax,
                ..image
            },
        ),
        ("filter", Spec { filter: Some(filter()), spectrum: Some(spectrum()), input: 3 * (5 + 3), ..Spec::default() }),
        ("spectrum", Spec { spectrum: Some(spectrum()), input: 3 * (5 + 3), ..Spec::default() }),
        ("held-out", Spec { held_out: 2, ..Spec::default() }),
        ("levels", Spec { components: 9, clusters: 9, levels: vec![5, 3, 2], ..Spec::default() }),
        ("transitions", Spec { transitions: true, ..Spec::default() }),
        ("autoencoders", pairs(false)),
        ("variational-autoencoders", pairs(true)),
    ];
    for target in ["load", "mended"] {
        let folder = format!("{}/corpus/{target}", env!("CARGO_MANIFEST_DIR"));
        fs::create_dir_all(&folder)?;
        for (head_name, head) in heads {
            for (encoder_name, layers) in &encoders {
                let spec = Spec { head, layers: layers.clone(), ..Spec::default() };
                let bytes = spec.build().map_err(io::Error::other)?;
                fs::write(format!("{folder}/{encoder_name}-{head_name}.emx"), &bytes[..])?;
            }
        }
        for (name, spec) in &others {
            let bytes = spec.build().map_err(io::Error::other)?;
            fs::write(format!("{folder}/{name}.emx"), &bytes[..])?;
        }
    }
    Ok(())
}
