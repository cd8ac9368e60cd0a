//! Valid models made of random numbers, for tests and for seeds of a fuzzer. Feature `testing`.

use alloc::vec::Vec;

use crate::description::{
    Activation, Affine, Calibration, Covariance, Dense, Description, Fingerprint, Head, Input, Latent, Layer, Layers,
    Mixture, QuantileTable, Requantize, Softmax, WeightOrder,
};
use crate::write::{AlignedBytes, Blob, WriteError, write};

/// What a random model looks like.
#[derive(Clone, Debug, PartialEq)]
pub struct Spec {
    /// Lengths from the input to the latent; with one, the encoder has no layers.
    pub lengths: Vec<usize>,
    /// What follows each layer but the last: 0 nothing, 1 ReLU, 2 leaky ReLU, 3 a table.
    pub activation: u8,
    /// The covariances of a mixture; none for a softmax head.
    pub covariance: Option<Covariance>,
    /// Number of components.
    pub components: usize,
    /// Number of clusters, at most as many.
    pub clusters: usize,
    /// Of the random numbers.
    pub seed: u64,
}

/// SplitMix64 (Steele, Lea and Flood, 2014).
struct Random(u64);

impl Random {
    fn bits(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let z = (self.0 ^ self.0 >> 30).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        let z = (z ^ z >> 27).wrapping_mul(0x94d0_49bb_1331_11eb);
        z ^ z >> 31
    }

    fn between(&mut self, low: i64, high: i64) -> i64 {
        low + (self.bits() % (high - low + 1) as u64) as i64
    }

    fn many<T>(&mut self, n: usize, low: i64, high: i64, from: impl Fn(i64) -> T) -> Vec<T> {
        (0..n).map(|_| from(self.between(low, high))).collect()
    }
}

/// Writes a random model.
///
/// # Errors
/// As [`write`](crate::write::write), for a spec that no model can have.
pub fn model(spec: &Spec) -> Result<AlignedBytes, WriteError> {
    let mut random = Random(spec.seed);
    let mut blob = Blob::default();
    let inputs = spec.lengths.first().copied().unwrap_or(0);
    let mut encoder = Layers::new();
    for (index, pair) in spec.lengths.windows(2).enumerate() {
        let is_last = index + 2 == spec.lengths.len();
        let activation = if is_last { 0 } else { spec.activation };
        let layer = dense(pair[0], pair[1], activation, is_last, &mut random, &mut blob);
        encoder.push(Layer::Dense(layer)).map_err(|_| WriteError::TooLarge)?;
    }
    let dims = spec.lengths.last().copied().unwrap_or(0);
    let mut densities = random.many(5, -1_000_000, 1_000_000, |x| x as i32);
    densities.sort_unstable();
    let description = Description {
        name: "random",
        method: "testing",
        fingerprint: Fingerprint { data: [1; 8], config: [2; 8], seed: spec.seed, version: "0.1.0" },
        input: Input {
            len: inputs as u32,
            channels: 1,
            gain: blob.push(&[2.0f32]),
            offset: blob.push(&[-3.0f32]),
            count: 0.5,
            center: blob.push(&[3 * 256i32]),
            multiplier: blob.push(&[1i32 << 30]),
            shift: blob.push(&[38u8]),
        },
        encoder,
        latent: Latent { len: dims as u16, scale: 1e-3 },
        head: head(spec, dims, &mut random, &mut blob),
        calibration: Calibration::Marginal(QuantileTable {
            len: 5,
            log_densities: blob.push(&densities),
            levels: blob.push(&[10u16, 100, 1000, 10_000, 60_000]),
        }),
    };
    write(&description, &blob)
}

fn dense(inputs: usize, outputs: usize, kind: u8, is_last: bool, random: &mut Random, blob: &mut Blob) -> Dense {
    let requantize = |random: &mut Random, blob: &mut Blob| Requantize {
        multiplier: blob.push(&random.many(outputs, 1 << 30, i32::MAX.into(), |m| m as i32)),
        shift: blob.push(&random.many(outputs, 34, 42, |s| s as u8)),
    };
    Dense {
        inputs: inputs as u32,
        outputs: outputs as u32,
        order: WeightOrder::RowMajor,
        weights: blob.push(&random.many(inputs * outputs, -127, 127, |w| w as i8)),
        bias: blob.push(&random.many(outputs, -20_000, 20_000, |b| b as i32)),
        requantize: requantize(random, blob),
        activation: match kind {
            1 => Activation::Relu,
            2 => Activation::LeakyRelu(requantize(random, blob)),
            3 => Activation::Table(blob.push(&random.many(256, -128, 127, |y| y as i8))),
            _ => Activation::Identity,
        },
        output: Affine { scale: 0.1, zero_point: if is_last { 0 } else { random.between(-128, 127) as i8 } },
    }
}

fn head(spec: &Spec, dims: usize, random: &mut Random, blob: &mut Blob) -> Head {
    let k = spec.components;
    let Some(covariance) = spec.covariance else {
        return Head::Softmax(Softmax {
            n_classes: k as u16,
            coefficients: blob.push(&random.many(k * dims, -32767, 32767, |a| a as i16)),
            offsets: blob.push(&random.many(k, -1_000_000, 1_000_000, |b| b as i32)),
            shifts: blob.push(&random.many(k, 1, 20, |s| s as u8)),
        });
    };
    let (coefficients, shifts) = match covariance {
        Covariance::Spherical => (k, k),
        Covariance::Diagonal => (k * dims, k),
        Covariance::Full => (k * dims * (dims + 1) / 2, k * dims),
    };
    let clusters: Vec<u16> = (0..k).map(|component| (component % spec.clusters.max(1)) as u16).collect();
    Head::Mixture(Mixture {
        n_components: k as u16,
        n_clusters: spec.clusters as u16,
        covariance,
        coefficients: blob.push(&random.many(coefficients, -32767, 32767, |a| a as i16)),
        offsets: blob.push(&random.many(k * dims, -(1 << 29), 1 << 29, |b| b as i32)),
        shifts: blob.push(&random.many(shifts, 5, 14, |s| s as u8)),
        constants: blob.push(&random.many(k, -1_000_000, 1_000_000, |c| c as i32)),
        clusters: blob.push(&clusters),
    })
}
