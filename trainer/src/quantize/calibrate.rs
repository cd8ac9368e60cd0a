//! What values the input, every layer and the latent take on the calibration samples.

use super::{QuantizeError, fixed::Affine};
use crate::data::Samples;
use crate::trained::{Activation, Layer, Trained};

/// Clipping outliers is tried in this many steps of 2 % of the range.
const CLIPS: usize = 20;
/// Enough values to judge a clipping by.
const JUDGED: usize = 50_000;
/// The latent's int16 steps reach this much further than the calibration samples: new samples may lie outside.
const LATENT_HEADROOM: f64 = 2.0;

/// The values of a tensor over the calibration samples.
#[derive(Clone, Debug)]
pub(super) struct Range {
    low: f64,
    high: f64,
    /// Every n-th value: what a clipping is judged by.
    judged: Vec<f32>,
}

/// The ranges that quantisation needs.
#[derive(Clone, Debug)]
pub(super) struct Ranges {
    /// Of the network's input.
    pub(super) input: Range,
    /// Of each layer but the last: before and after its activation.
    pub(super) layers: Vec<(Range, Range)>,
    /// Of the latent.
    pub(super) latent: Range,
}

impl Range {
    fn of(values: &[f32]) -> Self {
        let (low, high) = values.iter().fold((f32::MAX, f32::MIN), |(low, high), &x| (low.min(x), high.max(x)));
        let judged = values.iter().copied().step_by(values.len() / JUDGED + 1).collect();
        Self { low: low.into(), high: high.into(), judged }
    }

    /// Makes room for a value.
    pub(super) fn include(&mut self, value: f64) {
        self.low = self.low.min(value);
        self.high = self.high.max(value);
    }

    /// The int8 scheme that spans every value.
    pub(super) fn affine(&self) -> Affine {
        Affine::spanning(self.low, self.high)
    }

    /// The int8 scheme with the least squared error, outliers clipped if that helps.
    pub(super) fn clipped(&self) -> Affine {
        let error = |affine: Affine| -> f64 {
            let errors = self.judged.iter().map(|&x| f64::from(x) - affine.dequantize(affine.quantize(x.into())));
            errors.map(|e| e * e).sum()
        };
        let clips = (0..CLIPS).map(|step| {
            let keep = 1.0 - 0.02 * step as f64;
            Affine::spanning(self.low * keep, self.high * keep)
        });
        let least = clips.map(|affine| (error(affine), affine)).min_by(|a, b| a.0.total_cmp(&b.0));
        least.map_or_else(|| self.affine(), |(_, affine)| affine)
    }

    /// The int16 step of the latent.
    pub(super) fn latent_scale(&self) -> f64 {
        let most = self.high.max(-self.low).max(f64::MIN_POSITIVE);
        most * LATENT_HEADROOM / f64::from(i16::MAX)
    }
}

/// Runs the f32 encoder over the samples.
pub(super) fn run(trained: &Trained, samples: &Samples) -> Result<Ranges, QuantizeError> {
    let expected = trained.encoder.first().map_or(trained.head.n_dims(), Layer::inputs);
    if samples.n_features != expected {
        return Err(QuantizeError::Features { expected, found: samples.n_features });
    }
    let mut values = trained.scaling.apply(samples);
    let input = finite(&values, "the scaled input").map(Range::of)?;
    let mut layers = Vec::new();
    for (index, layer) in trained.encoder.iter().enumerate() {
        let linear = layer.linear(&values);
        values = linear.clone();
        layer.activation().apply(&mut values);
        finite(&values, "a layer's output")?;
        if index + 1 < trained.encoder.len() {
            layers.push((Range::of(&linear), Range::of(&values)));
        }
    }
    Ok(Ranges { input, layers, latent: Range::of(&values) })
}

fn finite<'a>(values: &'a [f32], what: &'static str) -> Result<&'a [f32], QuantizeError> {
    if values.iter().all(|x| x.is_finite()) { Ok(values) } else { Err(QuantizeError::NotFinite { what }) }
}

/// The scheme of a layer's output: what a table gives is spanned whole, since its range is the function's own.
pub(super) fn output(activation: Activation, range: &Range) -> Affine {
    match activation {
        Activation::Tanh | Activation::Sigmoid => range.affine(),
        Activation::Identity | Activation::Relu | Activation::LeakyRelu(_) | Activation::Elu => range.clipped(),
    }
}
