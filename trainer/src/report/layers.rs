//! The difference between the integers of each layer and the f32 values that they represent.

use edgemix_format::view::Input;
use edgemix_runtime::Model;
use edgemix_runtime::kernels::{self, Width};

use crate::data::{DataError, Samples};
use crate::trained::Trained;

/// Largest number of samples that are compared; they are spread evenly over all.
const SAMPLES: usize = 256;

/// The size of a layer's f32 values, and that of the error.
pub(super) struct Loss {
    /// The root of the mean square of the f32 values.
    pub(super) signal: f64,
    /// The root of the mean square of the difference.
    pub(super) error: f64,
}

/// The error of the input, and then of each layer of the encoder; empty if the two encoders have different numbers of layers.
pub(super) fn losses(trained: &Trained, model: &Model, samples: &Samples) -> Result<Vec<Loss>, DataError> {
    let file = model.file();
    if trained.encoder.is_empty() || trained.encoder.len() != file.encoder.len() {
        return Ok(vec![]);
    }
    let chosen = samples.thinned(SAMPLES);
    let chosen = trained.features(&chosen.all()?).into_owned();
    let mut exact = trained.scaling.apply(&chosen);
    // Features are counts themselves.
    let raw = match &trained.front_end {
        Some(_) => chosen.iter().map(|&feature| feature as i16).collect(),
        None => counts(model, &chosen),
    };
    let mut integers: Vec<i16> = raw.chunks(file.input.len).flat_map(|raw| steps(&file.input, raw)).collect();
    let mut all = vec![Loss::of(&exact, &dequantized(&integers, input_scheme(trained, model)))];
    for (index, (layer, quantized)) in trained.encoder.iter().zip(&file.encoder).enumerate() {
        exact = layer.forward(&exact);
        let width = if index + 1 == file.encoder.len() { Width::Wide } else { Width::Narrow };
        integers = integers
            .chunks_mut(quantized.inputs())
            .flat_map(|input| {
                let mut output = vec![0; quantized.outputs()];
                kernels::run(quantized, width, input, &mut output, &mut vec![0; quantized.scratch()]);
                output
            })
            .collect();
        let scheme = quantized.output();
        let (scale, zero) = match width {
            Width::Narrow => (f64::from(scheme.scale), f64::from(scheme.zero_point)),
            Width::Wide => (f64::from(file.latent.scale), 0.0),
        };
        all.push(Loss::of(&exact, &dequantized(&integers, (scale, zero))));
    }
    Ok(all)
}

/// The raw counts of samples in the unit of the data.
fn counts(model: &Model, values: &[f32]) -> Vec<i16> {
    let mut counts = vec![0; values.len()];
    let length = model.input_len();
    for (sample, place) in values.chunks_exact(length).zip(counts.chunks_exact_mut(length)) {
        model.counts(sample, place).unwrap_or_else(|error| panic!("samples that were read are finite: {error}"));
    }
    counts
}

/// The integers that the first layer takes for the raw counts of a sample.
fn steps(input: &Input, counts: &[i16]) -> Vec<i16> {
    let channels = input.center.iter().zip(input.multiplier).zip(input.shift).cycle();
    let step = |(&raw, ((&center, &multiplier), &shift)): (&i16, ((&i32, &i32), &u8))| {
        let product = ((i64::from(raw) << 15) - i64::from(center)) * i64::from(multiplier);
        let steps = i64::from(input.zero_point) + ((product + (1 << (shift - 1))) >> shift);
        steps.clamp(i8::MIN.into(), i8::MAX.into()) as i16
    };
    counts.iter().zip(channels).map(step).collect()
}

/// The scale and the zero point of the scaled input, from what becomes of a raw count of the first feature that is not left
/// out.
fn input_scheme(trained: &Trained, model: &Model) -> (f64, f64) {
    let (sample, input) = (model.file().sample, model.file().input);
    let counts = if trained.front_end.is_some() { &[1.0][..] } else { sample.count };
    let gains = trained.scaling.gain.iter().cycle().zip(counts.iter().cycle());
    let steps = input.multiplier.iter().zip(input.shift);
    let scale =
        gains.zip(steps).find(|(_, (multiplier, _))| **multiplier > 0).map(|((&gain, &count), (&m, &shift))| {
            f64::from(gain) * f64::from(count) / (f64::from(m) * f64::from(15 - i32::from(shift)).exp2())
        });
    (scale.unwrap_or(1.0), input.zero_point.into())
}

fn dequantized(integers: &[i16], (scale, zero): (f64, f64)) -> Vec<f64> {
    integers.iter().map(|&q| (f64::from(q) - zero) * scale).collect()
}

impl Loss {
    fn of(exact: &[f32], found: &[f64]) -> Self {
        let root = |squares: f64| (squares / exact.len().max(1) as f64).sqrt();
        Self {
            signal: root(exact.iter().map(|&x| f64::from(x).powi(2)).sum()),
            error: root(exact.iter().zip(found).map(|(&x, y)| (f64::from(x) - y).powi(2)).sum()),
        }
    }
}
