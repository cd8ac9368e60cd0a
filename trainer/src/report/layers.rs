//! The difference between the integers of each layer and the f32 values that they represent.

use edgemix_format::view::File;
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
pub(super) fn losses(trained: &Trained, file: &File, samples: &Samples) -> Result<Vec<Loss>, DataError> {
    if trained.encoder.is_empty() || trained.encoder.len() != file.encoder.len() {
        return Ok(vec![]);
    }
    let chosen = samples.thinned(SAMPLES);
    let chosen = chosen.all()?;
    let mut exact = trained.scaling.apply(&chosen);
    let channels = || file.input.gain.iter().zip(file.input.offset).cycle();
    let mut integers: Vec<i16> = chosen.iter().zip(channels()).map(|(x, (g, o))| int8(x * g + o)).collect();
    let mut all = vec![Loss::of(&exact, &dequantized(&integers, input_scheme(trained, file)))];
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

/// The scale and the zero point of the scaled input, from the gain and offset of a raw value.
fn input_scheme(trained: &Trained, file: &File) -> (f64, f64) {
    let (gain, offset) = (f64::from(trained.scaling.gain[0]), f64::from(trained.scaling.offset[0]));
    let scale = gain / f64::from(file.input.gain[0]);
    (scale, (f64::from(file.input.offset[0]) - offset / scale).round())
}

fn int8(steps: f32) -> i16 {
    (steps + 0.5).floor().clamp(i8::MIN.into(), i8::MAX.into()) as i16
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
