//! Writes and reads the decoder of a model, which files of earlier versions do not have.

use serde::{Deserialize, Serialize};

use super::error::TrainedFileError;
use super::layers;
use super::tensors::{TensorReader, TensorWriter};
use crate::data::Scaling;
use crate::trained::{Decoder, DecoderLayer, DecoderOutputs, Decoders, Head, Picture};

const FIELD: &str = "decoder";
const LEFT_OUT: &str = "decoder.left_out";
const VARIANCE: &str = "decoder.variance";

/// What the description says about the decoder, whose other numbers are tensors.
#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct DecoderDescription {
    variational: bool,
    outputs: DecoderOutputs,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    picture: Option<Picture>,
    /// Whether latents have a variance about the centres of k-means.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    of_kmeans: bool,
    networks: NetworksDescription,
}

#[derive(Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
enum NetworksDescription {
    Shared(Vec<DecoderLayer>),
    OfClusters(Vec<Vec<DecoderLayer>>),
    OfHead,
}

fn path(network: usize) -> String {
    format!("{FIELD}.{network}")
}

/// Adds the tensors of the decoder, and describes it.
pub(super) fn write(tensors: &mut TensorWriter, decoder: &Decoder) -> DecoderDescription {
    let Decoder { networks, is_variational, outputs, variance, left_out, picture } = decoder;
    if !left_out.is_empty() {
        tensors.add(LEFT_OUT, &[left_out.len()], left_out.iter().copied());
    }
    if let Some(variance) = variance {
        tensors.add(VARIANCE, &[1], [*variance]);
    }
    let networks = match networks {
        Decoders::Shared(own) => NetworksDescription::Shared(layers::write(tensors, &path(0), own)),
        Decoders::OfClusters(all) => {
            let all = all.iter().enumerate().map(|(k, own)| layers::write(tensors, &path(k), own));
            NetworksDescription::OfClusters(all.collect())
        }
        Decoders::OfHead => NetworksDescription::OfHead,
    };
    DecoderDescription {
        variational: *is_variational,
        outputs: *outputs,
        picture: *picture,
        of_kmeans: variance.is_some(),
        networks,
    }
}

/// Reads the decoder and checks it against the rest of the model, whose encoder takes `n_inputs` values.
pub(super) fn read(
    tensors: &TensorReader,
    description: DecoderDescription,
    head: &Head,
    scaling: &Scaling,
    n_inputs: usize,
) -> Result<Decoder, TrainedFileError> {
    let refused = |problem: String| Err(TrainedFileError::field(FIELD, problem));
    let DecoderDescription { variational, outputs, picture, of_kmeans, networks } = description;
    let networks = match networks {
        NetworksDescription::Shared(own) => Decoders::Shared(layers::read(tensors, &path(0), own)?),
        NetworksDescription::OfClusters(all) => {
            let all = all.into_iter().enumerate().map(|(k, own)| layers::read(tensors, &path(k), own));
            Decoders::OfClusters(all.collect::<Result<_, _>>()?)
        }
        NetworksDescription::OfHead => Decoders::OfHead,
    };
    let variance = if of_kmeans { Some(tensors.get::<f64>(VARIANCE, &[1])?[0]) } else { None };
    if variance.is_some_and(|variance| variance < 0.0) {
        return Err(TrainedFileError::field(VARIANCE, "is negative"));
    }
    let n_left_out = scaling.gain.iter().filter(|gain| **gain == 0.0).count();
    let left_out = if n_left_out > 0 { tensors.get(LEFT_OUT, &[n_left_out])? } else { vec![] };
    let decoder = Decoder { networks, is_variational: variational, outputs, variance, left_out, picture };
    if let Some(problem) = decoder.problem(head, n_inputs) {
        return refused(problem);
    }
    if let Some(Picture { shape, black, white }) = picture {
        let n_values =
            [shape.channels, shape.height, shape.width].iter().try_fold(1, |n: usize, &of| n.checked_mul(of));
        if n_values != Some(n_inputs) {
            return refused(format!("makes images of {shape:?}, but the model has {n_inputs} inputs"));
        }
        if !(black < white && black.is_finite() && white.is_finite()) {
            return refused(format!("has black at {black} and white at {white}, which are not a range"));
        }
    }
    if let DecoderOutputs::Logits(black) = outputs
        && !(black < 1.0 && black.is_finite())
    {
        return refused(format!("has probabilities of values from {black} to 1, which are not a range"));
    }
    Ok(decoder)
}
