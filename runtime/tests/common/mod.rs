//! The arithmetic of the specification, `docs/FORMAT.md`, in 128 bits. It was written from the document, not from the
//! code.
#![allow(dead_code, reason = "each test uses a part of it")]

pub(crate) mod filter;
pub(crate) mod spectrum;

use edgemix_format::testing::SplitMix64;
use edgemix_format::view::{
    Activation, Autoencoders, Conv2d, Covariance, Dense, File, FrontEnd, Head, Input, Layer, PairLayers, Pool2d,
    Pooling,
};

/// `(x * m + 2^(s-1)) >> s`.
pub(crate) fn round(x: i128, m: i32, s: u8) -> i128 {
    (x * i128::from(m) + (1i128 << (s - 1))) >> s
}

fn range(is_latent: bool) -> (i128, i128) {
    if is_latent { (-32768, 32767) } else { (-128, 127) }
}

/// The values of raw counts in the unit of the data.
pub(crate) fn values<C: Copy + Into<f32>>(file: &File, raw: &[C]) -> Vec<f32> {
    let channels = file.sample.origin.iter().zip(file.sample.count).cycle();
    raw.iter().zip(channels).map(|(&raw, (origin, count))| origin + raw.into() * count).collect()
}

/// The quantised values of a raw sample.
pub(crate) fn quantize_raw(input: &Input, is_latent: bool, raw: &[i128]) -> Vec<i128> {
    let (low, high) = range(is_latent);
    let element = |(i, raw): (usize, &i128)| {
        let c = i % input.center.len();
        let steps = round((raw << 15) - i128::from(input.center[c]), input.multiplier[c], input.shift[c]);
        (i128::from(input.zero_point) + steps).clamp(low, high)
    };
    raw.iter().enumerate().map(element).collect()
}

/// The output of any layer.
pub(crate) fn layer(layer: &Layer, is_last: bool, x: &[i128]) -> Vec<i128> {
    match layer {
        Layer::Dense(layer) => dense(layer, is_last, x),
        Layer::Conv2d(layer) => convolution(layer, is_last, x),
        Layer::Pool2d(layer) => pooling(layer, x),
    }
}

/// The output of pooling: of each channel under the window, the greatest value or the rounded average.
pub(crate) fn pooling(layer: &Pool2d, x: &[i128]) -> Vec<i128> {
    let window = &layer.window;
    let [height, width, channels] = [window.height, window.width, window.channels].map(i128::from);
    let [above, left, ..] = window.padding.map(i128::from);
    let mut output = vec![];
    for (row, column, c) in (0..window.rows() as i128)
        .flat_map(|row| (0..window.columns() as i128).map(move |column| (row, column)))
        .flat_map(|(row, column)| (0..channels).map(move |c| (row, column, c)))
    {
        let mut values = vec![];
        for (i, j) in (0..window.kernel[0].into()).flat_map(|i| (0..window.kernel[1].into()).map(move |j| (i, j))) {
            let r: i128 = row * i128::from(window.stride[0]) + i - above;
            let s: i128 = column * i128::from(window.stride[1]) + j - left;
            if (0..height).contains(&r) && (0..width).contains(&s) {
                values.push(x[((r * width + s) * channels + c) as usize]);
            }
        }
        let n = values.len() as i128;
        output.push(match layer.pooling {
            Pooling::Max => *values.iter().max().expect("a window covers a part of the image"),
            Pooling::Average => (2 * values.iter().sum::<i128>() + n).div_euclid(2 * n),
        });
    }
    output
}

/// The output of a dense layer.
pub(crate) fn dense(layer: &Dense, is_last: bool, x: &[i128]) -> Vec<i128> {
    let output = |i: usize| {
        let products = (0..layer.inputs).map(|j| i128::from(layer.weights[i * layer.inputs + j]) * x[j]);
        finish(layer, is_last, i, i128::from(layer.bias[i]) + products.sum::<i128>())
    };
    (0..layer.bias.len()).map(output).collect()
}

/// The output of a convolution.
pub(crate) fn convolution(layer: &Conv2d, is_last: bool, x: &[i128]) -> Vec<i128> {
    let window = &layer.window;
    let [kernel, stride] = [window.kernel, window.stride].map(|pair| pair.map(i32::from));
    let (height, width, channels) = (i32::from(window.height), i32::from(window.width), usize::from(window.channels));
    let element = |r: i32, s: i32, c: usize| {
        let is_inside = (0..height).contains(&r) && (0..width).contains(&s);
        if is_inside { x[(r * width + s) as usize * channels + c] } else { layer.padding_value.into() }
    };
    let (above, left) = (i32::from(window.padding[0]), i32::from(window.padding[1]));
    let mut output = vec![];
    let (rows, columns) = (window.rows() as i32, window.columns() as i32);
    for (row, column) in (0..rows).flat_map(|row| (0..columns).map(move |column| (row, column))) {
        for k in 0..layer.filters.bias.len() {
            let mut sum = i128::from(layer.filters.bias[k]);
            for i in 0..kernel[0] {
                for j in 0..kernel[1] {
                    for c in 0..channels {
                        let tap = (k as i32 * kernel[0] + i) * kernel[1] + j;
                        let weight = layer.filters.weights[tap as usize * channels + c];
                        sum +=
                            i128::from(weight) * element(row * stride[0] + i - above, column * stride[1] + j - left, c);
                    }
                }
            }
            output.push(finish(&layer.filters, is_last, k, sum));
        }
    }
    output
}

/// Output `i` from its sum.
fn finish(layer: &Dense, is_last: bool, i: usize, sum: i128) -> i128 {
    let (low, high) = range(is_last);
    let z = i128::from(layer.output.zero_point);
    let q = round(sum, layer.requantize.multiplier[i], layer.requantize.shift[i]);
    match layer.activation {
        Activation::Identity => (z + q).clamp(low, high),
        Activation::Relu => (z + q).clamp(z, high),
        Activation::LeakyRelu(slope) if sum < 0 => {
            (z + round(sum, slope.multiplier[i], slope.shift[i])).clamp(low, high)
        }
        Activation::LeakyRelu(_) => (z + q).clamp(low, high),
        Activation::Table(table) => i128::from(table[(q.clamp(-128, 127) + 128) as usize]),
        Activation::Interpolated(points) => {
            let c = q.clamp(-32768, 32767);
            let i = (c >> 8) + 128;
            let f = c - 256 * (i - 128);
            let [before, after] = [i, i + 1].map(|i| i128::from(points[i as usize]));
            (before * (256 - f) + after * f + 128) >> 8
        }
    }
}

/// The scores of a latent.
pub(crate) fn scores(head: &Head, z: &[i128]) -> Vec<i128> {
    let d = z.len();
    match head {
        Head::Softmax(softmax) => {
            let logit = |k: usize| {
                let products = (0..d).map(|c| i128::from(softmax.coefficients[k * d + c]) * z[c]);
                let sum = products.sum::<i128>() + i128::from(softmax.offsets[k]);
                (sum >> softmax.shifts[k]).clamp(-(1 << 31), (1 << 31) - 1)
            };
            (0..softmax.offsets.len()).map(logit).collect()
        }
        Head::Mixture(mixture) => {
            let coefficient = |i: usize| i128::from(mixture.coefficients[i]);
            let row = |k: usize, r: usize| {
                let offset = i128::from(mixture.offsets[k * d + r]);
                match mixture.covariance {
                    Covariance::Spherical => (coefficient(k) * z[r] + offset) >> mixture.shifts[k],
                    Covariance::Diagonal => (coefficient(k * d + r) * z[r] + offset) >> mixture.shifts[k],
                    Covariance::Full => {
                        let start = k * (d * (d + 1) / 2) + r * (r + 1) / 2;
                        let t = (0..=r).map(|c| coefficient(start + c) * z[c]).sum::<i128>();
                        ((t + offset) >> mixture.shifts[k * d + r]).clamp(-(1 << 26), 1 << 26)
                    }
                }
            };
            let score = |k: usize| {
                let squares = (0..d).map(|r| row(k, r).pow(2)).sum::<i128>();
                (i128::from(mixture.constants[k]) - ((squares + (1 << 11)) >> 12)).max(-(1 << 31))
            };
            (0..mixture.constants.len()).map(score).collect()
        }
        Head::Autoencoders(pairs) => (0..pairs.constants.len()).map(|pair| evidence(pairs, pair, z)).collect(),
    }
}

/// The score that an autoencoder gives a sample.
fn evidence(pairs: &Autoencoders, pair: usize, x: &[i128]) -> i128 {
    let through = |layers: PairLayers, x: &[i128]| layers.fold(x.to_vec(), |x, layer| self::layer(&layer, false, &x));
    let cost = |table: Option<&[i32; 256]>, q: &[i128]| -> i128 {
        table.map_or(0, |table| q.iter().map(|q| i128::from(table[(q + 128) as usize])).sum())
    };
    let latent = through(pairs.encoder(pair), x);
    let (means, variances) = latent.split_at(pairs.latent);
    let penalty = cost(pairs.mean_penalty, means) + cost(pairs.variance_penalty, variances);
    let error: i128 = through(pairs.decoder(pair), means).iter().zip(x).map(|(y, x)| (y - x).pow(2)).sum();
    let (m, s) = (i128::from(pairs.error.multiplier[pair]), pairs.error.shift[pair]);
    let distance = (error * m + (1 << (s - 1))) >> s;
    (i128::from(pairs.constants[pair]) - distance - penalty).clamp(-(1 << 31), (1 << 31) - 1)
}

/// The latent and the scores of a raw sample.
pub(crate) fn run_raw(file: &File, raw: &[i128]) -> (Vec<i128>, Vec<i128>) {
    let layers = file.encoder.len();
    let is_latent = layers == 0 && !matches!(file.head, Head::Autoencoders(_));
    let mut features = raw.to_vec();
    for front_end in &file.front_ends {
        features = match front_end {
            FrontEnd::Filter(filter) => filter::filtered(filter, &features),
            FrontEnd::Spectrum(spectrum) => spectrum::features(spectrum, &features),
        };
    }
    let mut values = quantize_raw(&file.input, is_latent, &features);
    for (i, layer) in file.encoder.iter().enumerate() {
        values = self::layer(layer, i + 1 == layers, &values);
    }
    let scores = scores(&file.head, &values);
    (values, scores)
}

/// An arena of exactly `len` bytes, aligned to 4 and not to more, full of `poison`.
pub(crate) struct Arena {
    bytes: Vec<u32>,
    len: usize,
}

impl Arena {
    pub(crate) fn new(len: usize, poison: u8) -> Self {
        Self { bytes: vec![u32::from_ne_bytes([poison; 4]); len.div_ceil(4)], len }
    }
}

impl AsMut<[u8]> for Arena {
    fn as_mut(&mut self) -> &mut [u8] {
        &mut bytemuck::cast_slice_mut(&mut self.bytes)[..self.len]
    }
}

/// A random number from `low` to `high`, one of the two in a quarter of the cases.
pub(crate) fn wild(random: &mut SplitMix64, low: i32, high: i32) -> i32 {
    match random.next_u64() % 8 {
        0 => low,
        1 => high,
        _ => random.between(low, high),
    }
}
