//! What values the input, every layer and the latent take on the calibration samples.

use rayon::prelude::*;

use super::{QuantizeError, fixed::Affine};
use crate::data::Samples;
use crate::trained::{Activation, Autoencoders, CHUNK, Head, Layer, Trained};

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

/// What a layer gives before and after its activation.
pub(super) type Around = (Range, Range);

/// The ranges that quantisation needs.
#[derive(Clone, Debug)]
pub(super) struct Ranges {
    /// Of the network's input.
    pub(super) input: Range,
    /// Of each of the encoder's layers.
    pub(super) layers: Vec<Around>,
    /// Of the latent.
    pub(super) latent: Range,
    /// Of the layers of a head's autoencoders, all of them together: encoders, decoders.
    pub(super) pairs: Option<(Vec<Around>, Vec<Around>)>,
}

impl Range {
    fn of(values: &[f32]) -> Self {
        Self::of_part(values, 0, values.len())
    }

    /// Of a part of `total` values that begins at the value `first`.
    fn of_part(values: &[f32], first: usize, total: usize) -> Self {
        let (low, high) = values.iter().fold((f32::MAX, f32::MIN), |(low, high), &x| (low.min(x), high.max(x)));
        let step = total / JUDGED + 1;
        let judged = values.iter().copied().skip(first.wrapping_neg() % step).step_by(step).collect();
        Self { low: low.into(), high: high.into(), judged }
    }

    /// Of these values and those that follow them.
    fn extend(&mut self, other: Self) {
        self.low = self.low.min(other.low);
        self.high = self.high.max(other.high);
        self.judged.extend(other.judged);
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

    /// The int16 scheme of what a curve is read at.
    pub(super) fn wide(&self) -> Affine {
        Affine { scale: self.latent_scale(), zero_point: 0 }
    }

    /// The int16 step of the latent.
    pub(super) fn latent_scale(&self) -> f64 {
        let most = self.high.max(-self.low).max(f64::MIN_POSITIVE);
        most * LATENT_HEADROOM / f64::from(i16::MAX)
    }
}

/// Runs the f32 model over the samples.
pub(super) fn run(trained: &Trained, samples: &Samples) -> Result<Ranges, QuantizeError> {
    let expected = trained.encoder.first().map_or(trained.head.n_dims(), Layer::inputs);
    if samples.n_features() != expected {
        return Err(QuantizeError::Features { expected, found: samples.n_features() });
    }
    let inputs = trained.scaling.apply(&samples.all()?);
    let input = finite(&inputs, "the scaled input").map(Range::of)?;
    let layers = network(&trained.encoder, &inputs, samples.n_samples())?;
    let latent = layers.last().map_or(&input, |(_, latent)| latent).clone();
    let pairs = match &trained.head {
        Head::Autoencoders(autoencoders) => Some(pairs(autoencoders, &inputs, samples.n_samples())?),
        Head::Mixture(_) | Head::Softmax(_) => None,
    };
    Ok(Ranges { input, layers, latent, pairs })
}

/// What each layer gives, over `n` samples, some at a time.
fn network(layers: &[Layer], inputs: &[f32], n: usize) -> Result<Vec<Around>, QuantizeError> {
    let Some(width) = layers.first().map(Layer::inputs) else { return Ok(vec![]) };
    let parts = inputs.par_chunks(CHUNK * width.max(1)).enumerate();
    let parts = parts.map(|(index, inputs)| {
        let mut values = inputs.to_vec();
        let around = layers.iter().map(|layer| {
            let (first, total) = (index * CHUNK * layer.outputs(), n * layer.outputs());
            let linear = layer.linear(&values);
            values.clone_from(&linear);
            layer.activation().apply(&mut values);
            finite(&values, "a layer's output")?;
            Ok((Range::of_part(&linear, first, total), Range::of_part(&values, first, total)))
        });
        around.collect::<Result<Vec<Around>, QuantizeError>>()
    });
    Ok(together(parts.collect::<Result<Vec<_>, _>>()?))
}

/// The ranges of several runs through the same layers, or layers of the same shapes, as one.
fn together(runs: Vec<Vec<Around>>) -> Vec<Around> {
    let add = |mut sum: Vec<Around>, run: Vec<Around>| {
        for ((before, after), (more_before, more_after)) in sum.iter_mut().zip(run) {
            before.extend(more_before);
            after.extend(more_after);
        }
        sum
    };
    runs.into_iter().reduce(add).unwrap_or_default()
}

/// What the layers of autoencoders give: of all the encoders, of all the decoders.
fn pairs(autoencoders: &Autoencoders, inputs: &[f32], n: usize) -> Result<(Vec<Around>, Vec<Around>), QuantizeError> {
    let (mut encoders, mut decoders) = (vec![], vec![]);
    for pair in &autoencoders.pairs {
        encoders.push(network(&pair.encoder, inputs, n)?);
        decoders.push(network(&pair.decoder, &autoencoders.means(pair, inputs), n)?);
    }
    Ok((together(encoders), together(decoders)))
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
