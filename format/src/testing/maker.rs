//! The parts of a generated model, from a seed.

use alloc::vec;
use alloc::vec::Vec;

use super::{Convolution, Follow, HeadSpec, ImageLayer, PoolingSpec, Spec, SplitMix64};
use crate::blob::Blob;
use crate::description::{
    ActivationRecord, Affine, AutoencodersRecord, CalibrationRecord, Conv2dRecord, Covariance, DenseRecord,
    FrontEndRecord, HeadRecord, HeldOutRecord, HierarchyRecord, InputRecord, LayerRecord, LayerRecords, MixtureRecord,
    Pool2d, QuantileTableRecord, RequantizeRecord, SampleRecord, SoftmaxRecord, TransitionsRecord, WeightOrder, Window,
};
use crate::limits::BLOB_ALIGNMENT;
use crate::tensor::Tensor;
use crate::write::{FilterSettings, SpectrumSettings};

/// Draws numbers and keeps their tensors.
pub(super) struct Maker {
    pub(super) random: SplitMix64,
    pub(super) blob: Blob,
}

impl Maker {
    /// Counts are negative powers of two and origins whole numbers, so that f32 represents the value of every count exactly.
    pub(super) fn sample(&mut self, spec: &Spec) -> SampleRecord {
        let of_filter = spec.filter.as_ref().map(|filter| (filter.instants, filter.channels));
        let of_spectrum = spec.spectrum.as_ref().map(|spectrum| (spectrum.instants, spectrum.channels));
        let window = of_filter.or(of_spectrum);
        let (len, channels) =
            window.map_or((spec.input, spec.channels), |(instants, channels)| (instants * channels, channels));
        let origin: Vec<f32> = self.random.many(channels, -100, 100).iter().map(|&x| x as f32).collect();
        let count: Vec<f32> = self.random.many(channels, 0, 5).iter().map(|&k| 1.0 / (1 << k) as f32).collect();
        SampleRecord {
            len: len as u32,
            channels: channels as u32,
            origin: self.blob.push(&origin),
            count: self.blob.push(&count),
        }
    }

    /// Half a step to a count or more before a layer, 64 steps or more where the sample is the latent.
    pub(super) fn input(&mut self, spec: &Spec) -> InputRecord {
        let shift = if spec.is_latent() { 38u8 } else { 45 };
        let center = self.random.many(spec.channels, -(31 << 14), 31 << 14);
        let multiplier = self.random.many(spec.channels, 1 << 29, i32::MAX);
        InputRecord {
            len: spec.input as u32,
            channels: spec.channels as u32,
            center: self.blob.push(&center),
            multiplier: self.blob.push(&multiplier),
            shift: self.blob.push(&vec![shift; spec.channels]),
            zero_point: if spec.is_latent() { 0 } else { self.random.between(-40, 40) as i8 },
        }
    }

    /// # Panics
    /// If a reader would refuse the spectrum.
    pub(super) fn spectrum(&mut self, settings: &SpectrumSettings) -> FrontEndRecord {
        let tables = settings.tables().expect("a spectrum that a reader would refuse");
        FrontEndRecord::Spectrum(tables.push(&mut self.blob))
    }

    /// # Panics
    /// If a reader would refuse the filter.
    pub(super) fn filter(&mut self, settings: &FilterSettings) -> FrontEndRecord {
        let record = settings.push(&mut self.blob).expect("a filter that a reader would refuse");
        FrontEndRecord::Filter(record)
    }

    pub(super) fn encoder(&mut self, spec: &Spec) -> LayerRecords {
        let mut layers = LayerRecords::new();
        let mut push = |layer| assert!(layers.push(layer).is_ok(), "more layers than the format allows");
        let last = (spec.image_layers.len() + spec.layers.len()).saturating_sub(1);
        let mut image = spec.image;
        for (index, layer) in spec.image_layers.iter().enumerate() {
            let window = layer.window(image);
            push(match layer {
                ImageLayer::Convolution(shape) => LayerRecord::Conv2d(self.convolution(window, shape, index == last)),
                &ImageLayer::Pooling(PoolingSpec { pooling, .. }) => {
                    LayerRecord::Pool2d(Pool2d { pooling, window, output: self.int8() })
                }
            });
            image = layer.output(image);
        }
        let mut inputs = spec.flattened();
        for (&(outputs, follow), index) in spec.layers.iter().zip(spec.image_layers.len()..) {
            push(LayerRecord::Dense(self.dense(inputs, outputs, follow, index == last)));
            inputs = outputs;
        }
        layers
    }

    fn convolution(&mut self, window: Window, shape: &Convolution, is_last: bool) -> Conv2dRecord {
        let filters = self.dense(window.taps(), shape.filters.into(), shape.follow, is_last);
        Conv2dRecord { window, padding_value: self.random.between(-128, 127) as i8, filters }
    }

    fn dense(&mut self, inputs: usize, outputs: usize, follow: Follow, is_last: bool) -> DenseRecord {
        // A sum of products is some 2^13 times the root of their number: int8 is 2^6 or so, the latent 2^13.
        let spread = inputs.max(1).ilog2() as i32 / 2;
        let shift = 31 + spread + if is_last { -1 } else { 6 };
        let weights = self.random.i8s(inputs * outputs);
        let bias = self.random.many(outputs, -8000, 8000);
        DenseRecord {
            inputs: inputs as u32,
            outputs: outputs as u32,
            order: WeightOrder::RowMajor,
            weights: self.blob.push(&weights),
            bias: self.blob.push(&bias),
            requantize: self.requantize(outputs, 1 << 30, shift),
            activation: match follow {
                Follow::Identity => ActivationRecord::Identity,
                Follow::Relu => ActivationRecord::Relu,
                Follow::LeakyRelu => ActivationRecord::LeakyRelu(self.requantize(outputs, 1 << 27, shift)),
                Follow::Table => {
                    let table = self.random.i8s(256);
                    ActivationRecord::Table(self.blob.push(&table))
                }
                Follow::Interpolated => {
                    let points = self.random.i16s(257);
                    ActivationRecord::Interpolated(self.blob.push(&points))
                }
            },
            output: Affine {
                scale: self.random.between(1, 1000) as f32 / 1024.0,
                zero_point: if is_last { 0 } else { self.random.between(-128, 127) as i8 },
            },
        }
    }

    /// The scheme of int8 values.
    fn int8(&mut self) -> Affine {
        Affine { scale: self.random.between(1, 1000) as f32 / 1024.0, zero_point: self.random.between(-128, 127) as i8 }
    }

    fn requantize(&mut self, outputs: usize, least: i32, shift: i32) -> RequantizeRecord {
        let multiplier = self.random.many(outputs, least, least + (least - 1));
        let shift = self.random.u8s(outputs, shift, shift + 1);
        RequantizeRecord { multiplier: self.blob.push(&multiplier), shift: self.blob.push(&shift) }
    }

    pub(super) fn head(&mut self, spec: &Spec) -> HeadRecord {
        match spec.head {
            HeadSpec::Mixture(covariance) => HeadRecord::Mixture(self.mixture(spec, covariance)),
            HeadSpec::Autoencoders { latent, is_variational } => {
                HeadRecord::Autoencoders(self.autoencoders(spec, latent, is_variational))
            }
            HeadSpec::Softmax => {
                let classes = usize::from(spec.components);
                let coefficients = self.random.i16s(classes * spec.latent());
                let offsets = self.random.many(classes, -(1 << 28), 1 << 28);
                let shifts = self.random.u8s(classes, 9, 13);
                HeadRecord::Softmax(SoftmaxRecord {
                    n_classes: spec.components,
                    coefficients: self.blob.push(&coefficients),
                    offsets: self.blob.push(&offsets),
                    shifts: self.blob.push(&shifts),
                })
            }
        }
    }

    fn autoencoders(&mut self, spec: &Spec, latent: u16, is_variational: bool) -> AutoencodersRecord {
        let (dims, n) = (usize::from(latent), usize::from(spec.components));
        let n_latent = if is_variational { 2 * dims } else { dims };
        let hidden = dims + 5;
        let mut starts = vec![];
        let mut pairs = vec![];
        // One pair's shape is there even where none is.
        for _ in 0..n.max(1) {
            starts.push(self.blob.len().next_multiple_of(BLOB_ALIGNMENT));
            let mut network = |shapes: [(usize, usize, Follow); 2]| {
                shapes.map(|(inputs, outputs, follow)| LayerRecord::Dense(self.dense(inputs, outputs, follow, false)))
            };
            let encoder = network([(spec.input, hidden, Follow::LeakyRelu), (hidden, n_latent, Follow::Identity)]);
            let decoder = network([(dims, hidden, Follow::Table), (hidden, spec.input, Follow::Identity)]);
            pairs.push((LayerRecords::from_iter(encoder), LayerRecords::from_iter(decoder)));
        }
        let (encoder, decoder) = pairs.swap_remove(0);
        let constants = self.random.many(n, -(1 << 18), 1 << 18);
        let mut penalty = |len| {
            let table = self.random.many(len, 0, 1 << 16);
            self.blob.push(&table)
        };
        let n_steps = if is_variational { 256 } else { 0 };
        let (mean_penalty, variance_penalty) = (penalty(n_steps), penalty(n_steps));
        AutoencodersRecord {
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

    fn mixture(&mut self, spec: &Spec, covariance: Covariance) -> MixtureRecord {
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
        MixtureRecord {
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

    pub(super) fn calibration(&mut self, len: u16) -> CalibrationRecord {
        if len == 0 {
            return CalibrationRecord::None;
        }
        let (log_densities, levels) = self.table(len);
        CalibrationRecord::Marginal(QuantileTableRecord {
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

    /// The first clusters of a level have a parent each, the others any.
    ///
    /// # Panics
    /// If there are more levels than the format allows.
    pub(super) fn hierarchy(&mut self, spec: &Spec) -> HierarchyRecord {
        let (mut parents, mut below) = (vec![], spec.n_clusters());
        for &level in &spec.levels {
            let random = &mut self.random;
            let last = i32::from(level.max(1)) - 1;
            parents.extend((0..below).map(|i| if i < level { i } else { random.between(0, last) as u16 }));
            below = level;
        }
        let levels = heapless::Vec::from_slice(&spec.levels).expect("more levels than the format allows");
        // A tensor without elements takes no space.
        let parents = if parents.is_empty() { Tensor::new(0, 0) } else { self.blob.push(&parents) };
        HierarchyRecord { levels, parents }
    }

    /// Clusters that mostly last for several windows.
    pub(super) fn transitions(&mut self, spec: &Spec) -> TransitionsRecord {
        let n_clusters = usize::from(spec.n_clusters());
        let mut numbers =
            |most| self.random.many(n_clusters, 1, most).into_iter().map(|x| x as u16).collect::<Vec<_>>();
        let (renewals, mut shares) = (numbers(1 << 14), numbers((1 << 16) / n_clusters.max(2) as i32));
        // Together they are 1.
        let before: u32 = shares.iter().rev().skip(1).map(|&share| u32::from(share)).sum();
        if let Some(last) = shares.last_mut() {
            *last = ((1 << 16) - before).min(u16::MAX.into()) as u16;
        }
        TransitionsRecord { renewals: self.blob.push(&renewals), shares: self.blob.push(&shares) }
    }

    /// The first clusters have a table each, the others any.
    pub(super) fn held_out(&mut self, spec: &Spec) -> HeldOutRecord {
        let n_tables = spec.held_out;
        let n_clusters = spec.n_clusters();
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
        HeldOutRecord {
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
