//! Generated models: those of the benchmarks, and those whose parts are measured to estimate the time of any model.
//!
//! The build script of the firmware makes them, and the trainer's tests compare estimates with what was counted.

use edgemix_format::testing::{Convolution, Follow, HeadSpec, ImageLayer, PoolingSpec, Spec};
use edgemix_format::view::{Covariance, FramePooling, Pooling, Statistics};
use edgemix_format::write::{FilterSettings, SpectrumSettings, Taper};

/// Accelerometer and gyroscope: mean, deviation and eight bands of six channels.
fn accelerometer() -> SpectrumSettings {
    SpectrumSettings {
        instants: 128,
        channels: 6,
        fft: 128,
        frame: 128,
        hop: 128,
        taper: Taper::Hann,
        pooling: FramePooling::Mean,
        statistics: Statistics::MEAN | Statistics::DEVIATION,
        mean_fraction: 0,
        noise: 1.0 / 12.0,
        signals: (0..6).map(|channel| 1 << channel).collect(),
        edges: vec![1, 2, 3, 5, 8, 14, 23, 39, 65],
    }
}

/// Sections that damp what is fast, on each channel; one in `factor` instants is kept.
fn filter(instants: usize, channels: usize, factor: usize, sections: usize) -> FilterSettings {
    let section = [220_000_000, 440_000_000, 220_000_000, 400_000_000, -206_258_176];
    FilterSettings { instants, channels, factor, sections: vec![section; sections] }
}

fn mixture(dims: usize, components: u16, covariance: Covariance) -> Spec {
    Spec {
        input: dims,
        layers: vec![],
        head: HeadSpec::Mixture(covariance),
        components,
        clusters: components,
        ..Spec::default()
    }
}

/// The models whose instructions `cargo xtask bench` counts.
pub fn benchmarks() -> [(&'static str, Spec); 8] {
    // The autoencoder of MLPerf Tiny's anomaly detection. Its last layer has no activation.
    let widths = [128, 128, 128, 128, 8, 128, 128, 128, 128];
    let mut layers: Vec<_> = widths.map(|width| (width, Follow::Relu)).to_vec();
    layers.push((640, Follow::Identity));
    // DEPICT's encoder for MNIST.
    let first = Convolution { filters: 50, kernel: [4; 2], stride: [2; 2], padding: [0; 4], follow: Follow::LeakyRelu };
    let second = Convolution { kernel: [5; 2], padding: [2; 4], ..first };
    let depict = Spec {
        input: 28 * 28,
        image: [28, 28, 1],
        image_layers: [first, second].map(ImageLayer::Convolution).to_vec(),
        layers: vec![(10, Follow::Interpolated)],
        head: HeadSpec::Softmax,
        components: 10,
        ..Spec::default()
    };
    let head = HeadSpec::Autoencoders { latent: 10, is_variational: true };
    [
        ("pairs-10x64", Spec { input: 64, layers: vec![], head, components: 10, ..Spec::default() }),
        ("depict", depict),
        ("spectrum", Spec { spectrum: Some(accelerometer()), input: 60, ..mixture(60, 6, Covariance::Diagonal) }),
        (
            "filter",
            Spec {
                filter: Some(filter(512, 6, 4, 4)),
                spectrum: Some(accelerometer()),
                input: 60,
                ..mixture(60, 6, Covariance::Diagonal)
            },
        ),
        ("anomaly", Spec { input: 640, layers, ..mixture(640, 2, Covariance::Spherical) }),
        ("diagonal-8x16", mixture(16, 8, Covariance::Diagonal)),
        ("full-8x16", mixture(16, 8, Covariance::Full)),
        ("diagonal-100x10", mixture(10, 100, Covariance::Diagonal)),
    ]
}

/// The models whose parts `cargo xtask costs` measures: each operation in several sizes, apart from those of the benchmarks.
pub fn measured() -> Vec<(&'static str, Spec)> {
    let dense = |input, widths: &[usize], follow| {
        let mut layers: Vec<_> = widths.iter().map(|&width| (width, follow)).collect();
        layers.push((4, if follow == Follow::Table { Follow::Interpolated } else { Follow::Identity }));
        Spec { input, layers, ..mixture(4, 3, Covariance::Spherical) }
    };
    let images = |image: [u16; 3], image_layers: Vec<ImageLayer>| Spec {
        input: image.map(usize::from).into_iter().product(),
        image,
        image_layers,
        layers: vec![(6, Follow::Identity)],
        ..mixture(6, 4, Covariance::Diagonal)
    };
    let filters = |filters, kernel, stride, padding, follow| {
        ImageLayer::Convolution(Convolution { filters, kernel, stride: [stride; 2], padding: [padding; 4], follow })
    };
    let pool = |pooling, kernel, stride| {
        ImageLayer::Pooling(PoolingSpec { pooling, kernel: [kernel; 2], stride: [stride; 2], padding: [0; 4] })
    };
    let (relu, leaky, table) = (Follow::Relu, Follow::LeakyRelu, Follow::Table);
    let softmax = |dims, classes| Spec { head: HeadSpec::Softmax, ..mixture(dims, classes, Covariance::Spherical) };
    let pairs = |input, components, latent, is_variational| {
        let head = HeadSpec::Autoencoders { latent, is_variational };
        Spec { input, layers: vec![], head, components, ..Spec::default() }
    };
    let spectral = |settings: SpectrumSettings| {
        let features = settings.tables().expect("the settings are valid").spectrum().outputs();
        Spec { spectrum: Some(settings), ..mixture(features, 2, Covariance::Diagonal) }
    };
    let filtered = |filter: FilterSettings, settings| Spec { filter: Some(filter), ..spectral(settings) };
    let spectrum = |instants, channels: u16, fft, signals: Vec<u32>, edges, statistics| SpectrumSettings {
        instants,
        channels: channels.into(),
        fft,
        frame: fft,
        hop: fft / 2,
        signals,
        edges,
        statistics,
        ..accelerometer()
    };
    let (some, all) = (Statistics::MEAN | Statistics::DEVIATION, Statistics::ALL);
    vec![
        ("dense-relu", dense(37, &[96, 17, 50, 3, 33], relu)),
        ("dense-large", dense(200, &[128, 64, 10], relu)),
        ("dense-leaky", dense(64, &[40, 100, 12], leaky)),
        ("dense-table", dense(64, &[40, 100, 12], table)),
        ("dense-small", dense(5, &[2, 1, 3, 2, 2, 7], relu)),
        ("channels", Spec { channels: 6, ..dense(96, &[16], relu) }),
        ("conv-1", images([16, 16, 1], vec![filters(8, [3, 3], 1, 1, relu), filters(12, [3, 3], 2, 1, relu)])),
        ("conv-2", images([10, 10, 3], vec![filters(5, [5, 5], 1, 2, leaky), filters(16, [1, 1], 1, 0, relu)])),
        ("conv-3", images([64, 1, 6], vec![filters(16, [5, 1], 2, 0, relu), filters(8, [3, 1], 1, 0, table)])),
        ("conv-4", images([20, 20, 1], vec![filters(20, [4, 4], 2, 0, leaky)])),
        ("conv-5", images([6, 6, 8], vec![filters(40, [3, 3], 1, 1, relu), filters(24, [3, 3], 1, 0, leaky)])),
        ("max", images([16, 16, 4], vec![pool(Pooling::Max, 2, 2), pool(Pooling::Max, 3, 1)])),
        ("average", images([16, 16, 4], vec![pool(Pooling::Average, 2, 2), pool(Pooling::Average, 3, 1)])),
        ("spherical-4x3", mixture(3, 4, Covariance::Spherical)),
        ("spherical-20x10", mixture(10, 20, Covariance::Spherical)),
        ("diagonal-4x3", mixture(3, 4, Covariance::Diagonal)),
        ("diagonal-20x10", mixture(10, 20, Covariance::Diagonal)),
        ("diagonal-5x60", mixture(60, 5, Covariance::Diagonal)),
        ("full-4x3", mixture(3, 4, Covariance::Full)),
        ("full-20x10", mixture(10, 20, Covariance::Full)),
        ("full-3x32", mixture(32, 3, Covariance::Full)),
        ("softmax-4x3", softmax(3, 4)),
        ("softmax-20x10", softmax(10, 20)),
        ("softmax-5x60", softmax(60, 5)),
        ("pairs-3x20", pairs(20, 3, 4, false)),
        ("pairs-12x20", pairs(20, 12, 4, true)),
        ("pairs-4x100", pairs(100, 4, 8, false)),
        ("spectrum-1", spectral(spectrum(256, 3, 256, vec![1, 2, 4], vec![1, 4, 20, 129], some))),
        ("spectrum-2", spectral(spectrum(300, 1, 64, vec![1], vec![1, 2, 3, 5, 8, 13, 21, 33], some))),
        ("spectrum-3", spectral(spectrum(128, 3, 32, vec![1, 7], vec![1, 9, 17], all))),
        ("spectrum-4", spectral(spectrum(512, 2, 512, vec![1, 2, 3], vec![1, 257], all))),
        ("spectrum-5", spectral(spectrum(64, 4, 16, vec![1, 2, 4, 8, 15], vec![1, 3, 5, 9], some))),
        ("filter-1", filtered(filter(256, 3, 4, 4), spectrum(64, 3, 16, vec![1, 2, 4], vec![1, 3, 5, 9], some))),
        (
            "filter-2",
            filtered(filter(300, 1, 1, 2), spectrum(300, 1, 64, vec![1], vec![1, 2, 3, 5, 8, 13, 21, 33], some)),
        ),
        ("filter-3", filtered(filter(512, 3, 8, 6), spectrum(64, 3, 32, vec![1, 7], vec![1, 9, 17], some))),
        ("filter-4", filtered(filter(320, 3, 2, 1), spectrum(160, 3, 16, vec![7, 2], vec![1, 3, 5, 9], some))),
    ]
}
