//! The parts of a generated model, from a seed.

use alloc::vec;
use alloc::vec::Vec;

use super::{Convolution, Follow, Kind, Spec, SplitMix64};
use crate::BLOB_ALIGNMENT;
use crate::description::{
    self, Activation, Affine, Autoencoders, Calibration, Conv2d, Covariance, Dense, Head, HeldOut, Input, Layer,
    Layers, Mixture, QuantileTable, Requantize, WeightOrder,
};
use crate::write::Blob;

/// Draws numbers and keeps their tensors.
pub(super) struct Maker {
    pub(super) random: SplitMix64,
    pub(super) blob: Blob,
}

impl Maker {
    /// `steps / 2^7` steps per count before a layer, `steps` where the sample is the latent; centers are half counts.
    /// Every product and sum of the f32 formula is then exact for 16-bit raw samples.
    pub(super) fn input(&mut self, spec: &Spec) -> Input {
        const COUNT: f32 = 1.0 / 16.0;
        let (per_step, shift) = if spec.is_latent() { (1.0, 31u8) } else { (1.0 / 128.0, 38u8) };
        let steps = self.random.many(spec.channels, 64, 127);
        let halves = self.random.many(spec.channels, -31, 31);
        let gain: Vec<f32> = steps.iter().map(|&m| m as f32 * per_step / COUNT).collect();
        let offset: Vec<f32> = steps.iter().zip(&halves).map(|(m, c)| (-m * c) as f32 * per_step / 2.0).collect();
        let center: Vec<i32> = halves.iter().map(|c| c * 128).collect();
        let multiplier: Vec<i32> = steps.iter().map(|m| m << 23).collect();
        Input {
            len: spec.input as u32,
            channels: spec.channels as u32,
            gain: self.blob.push(&gain),
            offset: self.blob.push(&offset),
            count: COUNT,
            center: self.blob.push(&center),
            multiplier: self.blob.push(&multiplier),
            shift: self.blob.push(&vec![shift; spec.channels]),
        }
    }

    pub(super) fn encoder(&mut self, spec: &Spec) -> Layers {
        let mut layers = Layers::new();
        let last = (spec.convolutions.len() + spec.layers.len()).saturating_sub(1);
        let mut image = spec.image;
        for (index, convolution) in spec.convolutions.iter().enumerate() {
            let layer = self.convolution(image, convolution, index == last);
            assert!(layers.push(Layer::Conv2d(layer)).is_ok(), "more layers than the format has room for");
            image = convolution.output(image);
        }
        let mut inputs = spec.convolved();
        for (&(outputs, follow), index) in spec.layers.iter().zip(spec.convolutions.len()..) {
            let dense = self.dense(inputs, outputs, follow, index == last);
            assert!(layers.push(Layer::Dense(dense)).is_ok(), "more layers than the format has room for");
            inputs = outputs;
        }
        layers
    }

    fn convolution(&mut self, [height, width, channels]: [u16; 3], shape: &Convolution, is_last: bool) -> Conv2d {
        let taps = shape.kernel.map(usize::from).into_iter().product::<usize>() * usize::from(channels);
        let rows = self.dense(taps, shape.filters.into(), shape.follow, is_last);
        Conv2d {
            height,
            width,
            channels,
            filters: shape.filters,
            kernel: shape.kernel,
            stride: shape.stride,
            padding: shape.padding,
            padding_value: self.random.between(-128, 127) as i8,
            order: rows.order,
            weights: rows.weights,
            bias: rows.bias,
            requantize: rows.requantize,
            activation: rows.activation,
            output: rows.output,
        }
    }

    fn dense(&mut self, inputs: usize, outputs: usize, follow: Follow, is_last: bool) -> Dense {
        // A sum of products is some 2^13 times the root of their number: int8 is 2^6 or so, the latent 2^13.
        let spread = inputs.max(1).ilog2() as i32 / 2;
        let shift = 31 + spread + if is_last { -1 } else { 6 };
        let weights = self.random.i8s(inputs * outputs);
        let bias = self.random.many(outputs, -8000, 8000);
        Dense {
            inputs: inputs as u32,
            outputs: outputs as u32,
            order: WeightOrder::RowMajor,
            weights: self.blob.push(&weights),
            bias: self.blob.push(&bias),
            requantize: self.requantize(outputs, 1 << 30, shift),
            activation: match follow {
                Follow::Identity => Activation::Identity,
                Follow::Relu => Activation::Relu,
                Follow::LeakyRelu => Activation::LeakyRelu(self.requantize(outputs, 1 << 27, shift)),
                Follow::Table => {
                    let table = self.random.i8s(256);
                    Activation::Table(self.blob.push(&table))
                }
                Follow::Interpolated => {
                    let points = self.random.i16s(257);
                    Activation::Interpolated(self.blob.push(&points))
                }
            },
            output: Affine {
                scale: self.random.between(1, 1000) as f32 / 1024.0,
                zero_point: if is_last { 0 } else { self.random.between(-128, 127) as i8 },
            },
        }
    }

    fn requantize(&mut self, outputs: usize, least: i32, shift: i32) -> Requantize {
        let multiplier = self.random.many(outputs, least, least + (least - 1));
        let shift = self.random.u8s(outputs, shift, shift + 1);
        Requantize { multiplier: self.blob.push(&multiplier), shift: self.blob.push(&shift) }
    }

    pub(super) fn head(&mut self, spec: &Spec) -> Head {
        match spec.head {
            Kind::Mixture(covariance) => Head::Mixture(self.mixture(spec, covariance)),
            Kind::Autoencoders { latent, is_variational } => {
                Head::Autoencoders(self.autoencoders(spec, latent, is_variational))
            }
            Kind::Softmax => {
                let classes = usize::from(spec.components);
                let coefficients = self.random.i16s(classes * spec.latent());
                let offsets = self.random.many(classes, -(1 << 28), 1 << 28);
                let shifts = self.random.u8s(classes, 9, 13);
                Head::Softmax(description::Softmax {
                    n_classes: spec.components,
                    coefficients: self.blob.push(&coefficients),
                    offsets: self.blob.push(&offsets),
                    shifts: self.blob.push(&shifts),
                })
            }
        }
    }

    fn autoencoders(&mut self, spec: &Spec, latent: u16, is_variational: bool) -> Autoencoders {
        let (dims, n) = (usize::from(latent), usize::from(spec.components));
        let n_latent = if is_variational { 2 * dims } else { dims };
        let hidden = dims + 5;
        let mut starts = vec![];
        let mut pairs = vec![];
        // One pair's shape is there even where none is.
        for _ in 0..n.max(1) {
            starts.push(self.blob.len().next_multiple_of(BLOB_ALIGNMENT));
            let mut network = |shapes: [(usize, usize, Follow); 2]| {
                shapes.map(|(inputs, outputs, follow)| Layer::Dense(self.dense(inputs, outputs, follow, false)))
            };
            let encoder = network([(spec.input, hidden, Follow::LeakyRelu), (hidden, n_latent, Follow::Identity)]);
            let decoder = network([(dims, hidden, Follow::Table), (hidden, spec.input, Follow::Identity)]);
            pairs.push((Layers::from_iter(encoder), Layers::from_iter(decoder)));
        }
        let (encoder, decoder) = pairs.swap_remove(0);
        let constants = self.random.many(n, -(1 << 18), 1 << 18);
        let mut penalty = |len| {
            let table = self.random.many(len, 0, 1 << 16);
            self.blob.push(&table)
        };
        let n_steps = if is_variational { 256 } else { 0 };
        let (mean_penalty, variance_penalty) = (penalty(n_steps), penalty(n_steps));
        Autoencoders {
            n_members: spec.components,
            latent,
            stride: starts.get(1).map_or(0, |second| second - starts[0]) as u32,
            encoder,
            decoder,
            constants: self.blob.push(&constants),
            error: self.requantize(n, 1 << 30, 30),
            mean_penalty,
            variance_penalty,
        }
    }

    fn mixture(&mut self, spec: &Spec, covariance: Covariance) -> Mixture {
        let (components, dims) = (usize::from(spec.components), spec.latent());
        let (coefficients, shifts) = match covariance {
            Covariance::Spherical => (components, components),
            Covariance::Diagonal => (components * dims, components),
            Covariance::Full => (components * (dims * (dims + 1) / 2), components * dims),
        };
        let coefficients = self.random.i16s(coefficients);
        let offsets = self.random.many(components * dims, -(1 << 28), 1 << 28);
        let shifts = self.random.u8s(shifts, 11, 15);
        let constants = self.random.many(components, -(1 << 18), 1 << 18);
        let named = i32::from(spec.clusters);
        let clusters: Vec<u16> = (0..i32::from(spec.components))
            .map(|k| if k < named { k } else { self.random.between(0, (named - 1).max(0)) } as u16)
            .collect();
        Mixture {
            n_components: spec.components,
            n_clusters: spec.clusters,
            covariance,
            coefficients: self.blob.push(&coefficients),
            offsets: self.blob.push(&offsets),
            shifts: self.blob.push(&shifts),
            constants: self.blob.push(&constants),
            clusters: self.blob.push(&clusters),
        }
    }

    pub(super) fn calibration(&mut self, len: u16) -> Calibration {
        if len == 0 {
            return Calibration::None;
        }
        let (log_densities, levels) = self.table(len);
        Calibration::Marginal(QuantileTable {
            len,
            log_densities: self.blob.push(&log_densities),
            levels: self.blob.push(&levels),
        })
    }

    /// Thresholds and p-values that ascend.
    fn table(&mut self, len: u16) -> (Vec<i32>, Vec<u16>) {
        let mut log_densities = self.random.many(len.into(), -(1 << 22), 1 << 18);
        let mut levels: Vec<u16> = (0..len).map(|_| self.random.next_u64() as u16).collect();
        log_densities.sort_unstable();
        levels.sort_unstable();
        (log_densities, levels)
    }

    /// The first clusters have a table each, the others any.
    pub(super) fn held_out(&mut self, spec: &Spec) -> HeldOut {
        let n_tables = spec.held_out;
        let n_clusters = match spec.head {
            Kind::Mixture(_) => spec.clusters,
            Kind::Softmax | Kind::Autoencoders { .. } => spec.components,
        };
        let last = i32::from(n_tables) - 1;
        let tables: Vec<u16> = (0..n_clusters)
            .map(|cluster| if cluster < n_tables { cluster } else { self.random.between(0, last) as u16 })
            .collect();
        let (mut thresholds, mut levels) = (vec![], vec![]);
        for _ in 0..n_tables {
            let table = self.table(spec.calibration);
            thresholds.extend(table.0);
            levels.extend(table.1);
        }
        let ends: Vec<u16> = (1..=n_tables).map(|table| table * spec.calibration).collect();
        let samples: Vec<u32> = self.random.many(n_tables.into(), 0, 3000).iter().map(|&n| n as u32).collect();
        HeldOut {
            n_tables,
            len: n_tables * spec.calibration,
            tables: self.blob.push(&tables),
            ends: self.blob.push(&ends),
            samples: self.blob.push(&samples),
            thresholds: self.blob.push(&thresholds),
            levels: self.blob.push(&levels),
            margin_weight: self.random.between(0, 8) as u8,
            inverse_temperature: self.random.between(1, 64) as f32 / 32.0,
        }
    }
}
