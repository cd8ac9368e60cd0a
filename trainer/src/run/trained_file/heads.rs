//! Writes and reads the head of a model.

use std::collections::BTreeSet;

use ndarray::{Array, Dim, Dimension, IntoDimension};
use serde::{Deserialize, Serialize};

use super::error::TrainedFileError;
use super::layers;
use super::tensors::{TensorReader, TensorWriter};
use crate::mixture::{Covariance, CovarianceType, Mixture};
use crate::trained::{Autoencoders, Head, Layer, Pair};

const WEIGHTS: &str = "mixture.log_weights";
const MEANS: &str = "mixture.means";
const COVARIANCE: &str = "mixture.covariance";
const CLUSTERS: &str = "mixture.clusters";
const SOFTMAX: &str = "softmax";
const PRECISION: &str = "autoencoders.precision";
const PRIOR: &str = "autoencoders.log_weights";

/// What the description says about the head, whose numbers are tensors.
#[derive(Serialize, Deserialize)]
#[serde(tag = "type", rename_all = "kebab-case", deny_unknown_fields)]
pub(super) enum HeadDescription {
    Mixture { covariance: CovarianceType },
    Softmax { layer: Layer },
    Autoencoders { variational: bool, pairs: Vec<PairDescription> },
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct PairDescription {
    encoder: Vec<Layer>,
    decoder: Vec<Layer>,
}

/// Adds the tensors of the head, and describes it.
pub(super) fn write(tensors: &mut TensorWriter, head: &Head) -> HeadDescription {
    match head {
        Head::Mixture(mixture) => write_mixture(tensors, mixture),
        Head::Softmax(dense) => {
            let layer = layers::write_layer(tensors, SOFTMAX, Layer::Dense(dense.clone()));
            HeadDescription::Softmax { layer }
        }
        Head::Autoencoders(autoencoders) => write_autoencoders(tensors, autoencoders),
    }
}

/// Reads the head.
pub(super) fn read(tensors: &TensorReader, head: HeadDescription) -> Result<Head, TrainedFileError> {
    Ok(match head {
        HeadDescription::Mixture { covariance } => Head::Mixture(read_mixture(tensors, covariance)?),
        HeadDescription::Softmax { layer } => Head::Softmax(layers::read_dense(tensors, SOFTMAX, layer)?),
        HeadDescription::Autoencoders { variational, pairs } => {
            Head::Autoencoders(read_autoencoders(tensors, variational, pairs)?)
        }
    })
}

fn write_mixture(tensors: &mut TensorWriter, mixture: &Mixture) -> HeadDescription {
    let (k, d) = (mixture.n_components(), mixture.n_dims());
    tensors.add(WEIGHTS, &[k], mixture.log_weights.iter().copied());
    tensors.add(MEANS, &[k, d], mixture.means.iter().copied());
    tensors.add(CLUSTERS, &[k], mixture.clusters.iter().copied());
    let covariance = match &mixture.covariance {
        Covariance::Spherical(variances) => {
            tensors.add(COVARIANCE, &[k], variances.iter().copied());
            CovarianceType::Spherical
        }
        Covariance::Diagonal(variances) => {
            tensors.add(COVARIANCE, &[k, d], variances.iter().copied());
            CovarianceType::Diagonal
        }
        Covariance::Full(covariances) => {
            tensors.add(COVARIANCE, &[k, d, d], covariances.iter().copied());
            CovarianceType::Full
        }
    };
    HeadDescription::Mixture { covariance }
}

fn read_mixture(tensors: &TensorReader, covariance: CovarianceType) -> Result<Mixture, TrainedFileError> {
    let [k, d] = tensors.shape(MEANS)?[..] else {
        return Err(TrainedFileError::field(MEANS, "expected a tensor of components by dimensions"));
    };
    if k == 0 || d == 0 {
        return Err(TrainedFileError::field(MEANS, format!("there are {k} components of {d} dimensions")));
    }
    let clusters: Vec<u16> = tensors.get(CLUSTERS, &[k])?;
    let distinct: BTreeSet<u16> = clusters.iter().copied().collect();
    if let Some((empty, _)) = distinct.iter().enumerate().find(|&(index, &cluster)| index != usize::from(cluster)) {
        return Err(TrainedFileError::field(CLUSTERS, format!("cluster {empty} has no component")));
    }
    let covariance = match covariance {
        CovarianceType::Spherical => Covariance::Spherical(tensors.get(COVARIANCE, &[k])?),
        CovarianceType::Diagonal => Covariance::Diagonal(array(tensors, COVARIANCE, [k, d])?),
        CovarianceType::Full => Covariance::Full(array(tensors, COVARIANCE, [k, d, d])?),
    };
    let (log_weights, means) = (tensors.get(WEIGHTS, &[k])?, array(tensors, MEANS, [k, d])?);
    Ok(Mixture { log_weights, means, covariance, clusters })
}

/// A tensor of this shape as an array.
fn array<const N: usize>(
    tensors: &TensorReader,
    name: &str,
    shape: [usize; N],
) -> Result<Array<f64, Dim<[usize; N]>>, TrainedFileError>
where
    [usize; N]: IntoDimension<Dim = Dim<[usize; N]>>,
    Dim<[usize; N]>: Dimension,
{
    let values = tensors.get(name, &shape)?;
    Array::from_shape_vec(shape, values).map_err(|error| TrainedFileError::field(name, error.to_string()))
}

fn write_autoencoders(tensors: &mut TensorWriter, autoencoders: &Autoencoders) -> HeadDescription {
    let Autoencoders { pairs, variational, precision, log_weights } = autoencoders;
    tensors.add(PRECISION, &[1], [*precision]);
    tensors.add(PRIOR, &[pairs.len()], log_weights.iter().copied());
    let pairs = pairs.iter().enumerate().map(|(k, pair)| PairDescription {
        encoder: layers::write(tensors, &pair_path(k, "encoder"), &pair.encoder),
        decoder: layers::write(tensors, &pair_path(k, "decoder"), &pair.decoder),
    });
    HeadDescription::Autoencoders { variational: *variational, pairs: pairs.collect() }
}

fn pair_path(pair: usize, part: &str) -> String {
    format!("autoencoders.{pair}.{part}")
}

fn read_autoencoders(
    tensors: &TensorReader,
    variational: bool,
    descriptions: Vec<PairDescription>,
) -> Result<Autoencoders, TrainedFileError> {
    let mut pairs: Vec<Pair> = vec![];
    for (k, pair) in descriptions.into_iter().enumerate() {
        let encoder = layers::read(tensors, &pair_path(k, "encoder"), pair.encoder)?;
        let decoder = layers::read(tensors, &pair_path(k, "decoder"), pair.decoder)?;
        pairs.push(Pair { encoder, decoder });
    }
    let sizes: Vec<[usize; 4]> = pairs.iter().map(sizes).collect();
    let Some(&[inputs, latent, dims, outputs]) = sizes.first() else {
        return Err(TrainedFileError::field("head.pairs", "there are no autoencoders"));
    };
    if let Some(k) = sizes.iter().position(|other| *other != sizes[0]) {
        let problem = format!("has sizes {:?}, but the first pair has {:?}", sizes[k], sizes[0]);
        return Err(TrainedFileError::field(format!("head.pairs.{k}"), problem));
    }
    let wanted = if variational { 2 * dims } else { dims };
    if dims == 0 || latent != wanted || inputs != outputs {
        let problem = format!(
            "the encoders map {inputs} to {latent} values and the decoders {dims} to {outputs}, but the encoders must \
             return {wanted} values, and the decoders {inputs}"
        );
        return Err(TrainedFileError::field("head.pairs", problem));
    }
    let log_weights = tensors.get(PRIOR, &[pairs.len()])?;
    let precision = tensors.get(PRECISION, &[1])?[0];
    Ok(Autoencoders { pairs, variational, precision, log_weights })
}

/// Inputs and outputs of the encoder, and of the decoder; 0 where there is no layer.
fn sizes(pair: &Pair) -> [usize; 4] {
    let ends = |layers: &[Layer]| [layers.first().map_or(0, Layer::inputs), layers.last().map_or(0, Layer::outputs)];
    let ([a, b], [c, d]) = (ends(&pair.encoder), ends(&pair.decoder));
    [a, b, c, d]
}
