//! Valid models of all shapes and sizes, which mutations start from.

use edgemix_format::testing::{Convolution, Follow, HeadSpec, ImageLayer, PoolingSpec, Spec, SplitMix64, costly};
use edgemix_format::view::{Covariance, FramePooling, Pooling, Statistics};
use edgemix_format::write::{AlignedBytes, FilterSettings, SpectrumSettings, Taper};

/// A model of `most` bytes or less. Most are small, which leaves the time to many; some are as large, and as costly, as
/// they can be.
pub fn base(random: &mut SplitMix64, most: usize) -> AlignedBytes {
    let is_large = random.next_u64().is_multiple_of(1024);
    if random.next_u64().is_multiple_of(64) {
        let bytes = if is_large { most } else { most / 256 };
        let mut models = costly(bytes.max(1000));
        let chosen = random.next_u64() as usize % models.len();
        return fitting(models.swap_remove(chosen).1, most);
    }
    let scale = if is_large { 40 } else { 1 };
    loop {
        // What does not fit together is drawn again.
        if let Ok(bytes) = spec(random, scale).build() {
            return fitting(bytes, most);
        }
    }
}

/// The bytes, or a small model if they are too many.
fn fitting(bytes: AlignedBytes, most: usize) -> AlignedBytes {
    if bytes.len() <= most { bytes } else { Spec::default().build().expect("the default is a model") }
}

/// A model whose sizes are some multiples of `scale`.
fn spec(random: &mut SplitMix64, scale: i32) -> Spec {
    let size = |random: &mut SplitMix64, most: i32| random.between(1, most * scale);
    let head = match random.between(0, 5) {
        0 => HeadSpec::Mixture(Covariance::Spherical),
        1 => HeadSpec::Mixture(Covariance::Diagonal),
        2 | 3 => HeadSpec::Mixture(Covariance::Full),
        4 => HeadSpec::Softmax,
        _ => HeadSpec::Autoencoders { latent: random.between(1, 5) as u16, is_variational: random.between(0, 1) == 1 },
    };
    let is_pairs = matches!(head, HeadSpec::Autoencoders { .. });
    let mut channels = random.between(1, 4) as usize;
    let mut input = channels * size(random, 6) as usize;
    let n_layers = if is_pairs { 0 } else { random.between(0, 4) };
    let layers: Vec<(usize, Follow)> =
        (0..n_layers).map(|i| (size(random, 12) as usize, follow(random, i + 1 == n_layers))).collect();
    let (mut image, mut image_layers) = ([0; 3], vec![]);
    if !layers.is_empty() && random.between(0, 2) == 0 {
        image = [size(random, 5) as u16 + 2, size(random, 5) as u16 + 2, channels as u16];
        input = image.iter().map(|&extent| usize::from(extent)).product();
        image_layers = (0..random.between(1, 2)).map(|_| image_layer(random)).collect();
    }
    let components = size(random, 8) as u16;
    // It takes the place of the sample where that has no shape of its own.
    let settings = (image_layers.is_empty() && random.between(0, 5) == 0).then(|| spectrum(random));
    let spectrum = settings.filter(|settings| match settings.tables() {
        Ok(tables) => {
            (input, channels) = (tables.spectrum().outputs(), 1);
            true
        }
        Err(_) => false,
    });
    // It gives the spectrum its window, or the encoder its sample.
    let filter = match &spectrum {
        Some(spectrum) if random.between(0, 1) == 0 => Some(filter(random, spectrum.instants, spectrum.channels)),
        None if image_layers.is_empty() && random.between(0, 7) == 0 => {
            let kept = size(random, 6) as usize;
            let alone = filter(random, kept, channels);
            (input, channels) = (alone.filter().outputs(), 1);
            Some(alone)
        }
        _ => None,
    };
    let clusters = random.between(1, components.into()) as u16;
    let mut levels: Vec<u16> = (0..random.between(0, 3)).map(|_| random.between(1, 9) as u16).collect();
    levels.sort_unstable();
    levels.dedup();
    levels.retain(|&level| level < clusters);
    levels.reverse();
    Spec {
        filter,
        spectrum,
        input,
        channels,
        image,
        image_layers,
        layers,
        head,
        components,
        clusters,
        calibration: random.between(0, 20) as u16,
        held_out: random.between(0, 3) as u16,
        levels,
        transitions: random.between(0, 2) == 0,
        seed: random.next_u64(),
    }
}

/// A filter that keeps so many instants. Its sections are stable.
fn filter(random: &mut SplitMix64, kept: usize, channels: usize) -> FilterSettings {
    const ONE: i32 = 1 << 30;
    let section = |random: &mut SplitMix64| {
        let [b0, b1, a1, a2] = [(); 4].map(|()| random.between(-ONE / 5, ONE / 5));
        let gain = if random.between(0, 1) == 0 { ONE - a1 - a2 } else { 0 };
        [b0, b1, gain - b0 - b1, a1, a2]
    };
    let factor = random.between(1, 4) as usize;
    let lost = random.between(0, factor as i32 - 1) as usize;
    let sections = (0..random.between(1, 4)).map(|_| section(random)).collect();
    FilterSettings { instants: kept * factor + lost, channels, factor, sections }
}

fn spectrum(random: &mut SplitMix64) -> SpectrumSettings {
    let fft = 16 << random.between(0, 2);
    let channels = random.between(1, 3) as usize;
    let mut edges: Vec<u16> = (0..random.between(0, 5)).map(|_| random.between(0, fft / 2 + 1) as u16).collect();
    edges.sort_unstable();
    edges.dedup();
    let pooling = match random.between(0, 2) {
        0 => FramePooling::Mean,
        1 => FramePooling::Max,
        _ => FramePooling::Each,
    };
    SpectrumSettings {
        instants: random.between(fft / 2, 3 * fft) as usize,
        channels,
        fft: fft as usize,
        frame: random.between(1, fft) as usize,
        hop: random.between(1, fft) as usize,
        taper: if random.between(0, 1) == 0 { Taper::None } else { Taper::Hann },
        pooling,
        statistics: Statistics::from_bits(random.between(0, 31) as u8).unwrap_or_default(),
        mean_fraction: random.between(0, 8) as u8,
        noise: f64::from(random.between(0, 12)) / 12.0,
        signals: (0..random.between(1, 3)).map(|_| random.between(1, (1 << channels) - 1) as u32).collect(),
        edges,
    }
}

fn follow(random: &mut SplitMix64, is_last: bool) -> Follow {
    match random.between(0, 3) {
        0 => Follow::Identity,
        1 => Follow::Relu,
        2 => Follow::LeakyRelu,
        _ if is_last => Follow::Interpolated,
        _ => Follow::Table,
    }
}

fn image_layer(random: &mut SplitMix64) -> ImageLayer {
    let mut pair = |most| [random.between(1, most) as u8, random.between(1, most) as u8];
    let (kernel, stride) = (pair(3), pair(3));
    let mut padding = || random.between(0, 1) as u8;
    let padding = [padding(), padding(), padding(), padding()];
    match random.between(0, 2) {
        0 => ImageLayer::Pooling(PoolingSpec { pooling: Pooling::Max, kernel, stride, padding }),
        1 => ImageLayer::Pooling(PoolingSpec { pooling: Pooling::Average, kernel, stride, padding: [0; 4] }),
        _ => {
            let (filters, follow) = (random.between(1, 5) as u16, follow(random, false));
            ImageLayer::Convolution(Convolution { filters, kernel, stride, padding, follow })
        }
    }
}
