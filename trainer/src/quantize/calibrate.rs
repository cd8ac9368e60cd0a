//! Runs the f32 model over the calibration samples and records the range of each tensor.

use rayon::prelude::*;

use super::error::QuantizeError;
use super::ranges::{LayerRanges, Range};
use crate::data::Samples;
use crate::trained::{Autoencoders, CHUNK, Layer, Trained};

/// The ranges of a model's tensors.
#[derive(Clone, Debug)]
pub(super) struct Ranges {
    /// The scaled samples.
    pub(super) input: Range,
    /// The encoder's layers.
    pub(super) layers: Vec<LayerRanges>,
    /// The latent.
    pub(super) latent: Range,
}

/// The joint ranges of all autoencoders of a head.
#[derive(Clone, Debug)]
pub(super) struct AutoencoderRanges {
    pub(super) encoder: Vec<LayerRanges>,
    pub(super) decoder: Vec<LayerRanges>,
}

/// Runs the encoder over samples.
pub(super) fn encoder(trained: &Trained, samples: &Samples) -> Result<Ranges, QuantizeError> {
    let inputs = scaled(trained, samples)?;
    let input = Range::new(&inputs, samples.n_features());
    let layers = network("encoder", &trained.encoder, &inputs, samples.n_samples())?;
    let latent = layers.last().map_or(&input, |last| &last.output).clone();
    Ok(Ranges { input, layers, latent })
}

/// Runs the autoencoders of a model's head over samples.
pub(super) fn autoencoders(
    trained: &Trained,
    autoencoders: &Autoencoders,
    samples: &Samples,
) -> Result<AutoencoderRanges, QuantizeError> {
    let inputs = scaled(trained, samples)?;
    let (mut encoders, mut decoders) = (vec![], vec![]);
    for pair in &autoencoders.pairs {
        encoders.push(network("encoder", &pair.encoder, &inputs, samples.n_samples())?);
        decoders.push(network("decoder", &pair.decoder, &autoencoders.means(pair, &inputs), samples.n_samples())?);
    }
    Ok(AutoencoderRanges { encoder: LayerRanges::join(encoders), decoder: LayerRanges::join(decoders) })
}

/// The scaled samples, `n_samples x inputs`.
fn scaled(trained: &Trained, samples: &Samples) -> Result<Vec<f32>, QuantizeError> {
    let expected = trained.n_values();
    if samples.n_features() != expected {
        return Err(QuantizeError::Features { expected, found: samples.n_features() });
    }
    let mut inputs = Vec::with_capacity(samples.n_samples() * trained.n_inputs());
    for block in samples.blocks() {
        inputs.extend(trained.inputs(&block?));
    }
    if are_finite(&inputs) { Ok(inputs) } else { Err(QuantizeError::SampleNotFinite) }
}

/// The ranges of each layer of a network over `n` samples, which pass through it in chunks.
fn network(name: &'static str, layers: &[Layer], inputs: &[f32], n: usize) -> Result<Vec<LayerRanges>, QuantizeError> {
    let Some(width) = layers.first().map(Layer::inputs) else { return Ok(vec![]) };
    let parts = inputs.par_chunks(CHUNK * width.max(1)).enumerate();
    let parts = parts.map(|(index, inputs)| {
        let mut values = inputs.to_vec();
        let ranges = layers.iter().enumerate().map(|(position, layer)| {
            let (first, total) = (index * CHUNK * layer.outputs(), n * layer.outputs());
            let preactivation = layer.preactivation(&values);
            values.clone_from(&preactivation);
            layer.activation().apply(&mut values);
            if !are_finite(&values) {
                return Err(QuantizeError::LayerNotFinite { network: name, layer: position });
            }
            Ok(LayerRanges {
                preactivation: Range::of_part(&preactivation, first, total, layer.outputs()),
                output: Range::of_part(&values, first, total, layer.outputs()),
            })
        });
        ranges.collect::<Result<Vec<LayerRanges>, QuantizeError>>()
    });
    Ok(LayerRanges::join(parts.collect::<Result<Vec<_>, _>>()?))
}

fn are_finite(values: &[f32]) -> bool {
    values.iter().all(|x| x.is_finite())
}
