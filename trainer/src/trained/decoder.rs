//! What turns latents back into samples.

use rayon::prelude::*;
use serde::{Deserialize, Serialize};

use super::head::Head;
use super::layers::{CHUNK, DecoderLayer, forward_all};
use crate::data::ImageShape;

/// The decoder of a trained model, which a model file does not hold.
///
/// [`Trained::decode`](super::Trained::decode) computes samples with it, and [`Trained::draw`](super::Trained::draw) draws them.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Decoder {
    /// Its networks.
    pub networks: Decoders,
    /// Whether it was trained on noisy latents, as a variational one is: only then is what lies between the latents of samples
    /// decoded to samples, too.
    pub is_variational: bool,
    /// What the outputs of the networks are.
    pub outputs: DecoderOutputs,
    /// The variance of the latents about the centres of k-means, whose mixture has components of variance 1 whatever the
    /// latents are; `None` if the head's mixture describes the latents.
    pub variance: Option<f64>,
    /// The values of the columns that the scaling leaves out, in their order: those of the training samples, which all have the
    /// same.
    pub left_out: Vec<f32>,
    /// How decoded samples are drawn, if they are images.
    pub picture: Option<Picture>,
}

/// The networks of a decoder.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub enum Decoders {
    /// One for all clusters, of the latents that the head takes.
    Shared(Vec<DecoderLayer>),
    /// One for each cluster, whose latents have mean 0 and variance 1.
    OfClusters(Vec<Vec<DecoderLayer>>),
    /// Those of the head, which has an autoencoder for each cluster.
    OfHead,
}

/// What the outputs of a decoder are.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub enum DecoderOutputs {
    /// The scaled values of a sample.
    Values,
    /// Logits of the shares of the way from this scaled value to 1, as those of a decoder of Bernoulli probabilities.
    Logits(f32),
}

/// Images in the unit of the data.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct Picture {
    /// Their size.
    pub shape: ImageShape,
    /// The value that is black.
    pub black: f32,
    /// The value that is white, or the brightest of a colour.
    pub white: f32,
}

impl Decoder {
    /// The scaled samples, `N x inputs`, of `N x D` latents of a cluster. `head` is the model's head.
    pub(super) fn decode(&self, head: &Head, cluster: usize, latents: &[f32]) -> Vec<f32> {
        let mut values = match (&self.networks, head) {
            (Decoders::Shared(layers), _) => decoded(layers, latents),
            (Decoders::OfClusters(networks), _) => decoded(&networks[cluster], latents),
            (Decoders::OfHead, Head::Autoencoders(own)) => forward_all(&own.pairs[cluster].decoder, latents),
            (Decoders::OfHead, _) => vec![],
        };
        if let DecoderOutputs::Logits(black) = self.outputs {
            values.iter_mut().for_each(|x| *x = black + (1.0 - black) / (1.0 + (-*x).exp()));
        }
        values
    }

    /// Number of latent dimensions, D. `head` is the model's head.
    pub(super) fn n_dims(&self, head: &Head) -> usize {
        match (&self.networks, head) {
            (Decoders::Shared(layers), _) => layers.first().map_or(0, DecoderLayer::inputs),
            (Decoders::OfClusters(networks), _) => {
                networks.first().and_then(|layers| layers.first()).map_or(0, DecoderLayer::inputs)
            }
            (Decoders::OfHead, Head::Autoencoders(own)) => own.n_dims(),
            (Decoders::OfHead, _) => 0,
        }
    }

    /// Why the decoder does not belong to a model with this head, whose encoder takes so many values, if it does not.
    pub(crate) fn problem(&self, head: &Head, n_inputs: usize) -> Option<String> {
        let ends = |layers: &[DecoderLayer]| {
            (layers.first().map_or(0, DecoderLayer::inputs), layers.last().map_or(0, DecoderLayer::outputs))
        };
        let wrong = |(takes, gives): (usize, usize), wanted: usize| {
            (takes != wanted || gives != n_inputs || takes == 0).then(|| {
                format!("maps {takes} to {gives} values, but the model has {wanted} latents of {n_inputs} inputs")
            })
        };
        match (&self.networks, head) {
            (Decoders::OfHead, Head::Autoencoders(_)) => None,
            (Decoders::OfHead, _) => Some("is that of the head, which has no autoencoders".into()),
            (_, Head::Autoencoders(_)) => Some("is not that of the head, whose autoencoders have one each".into()),
            (Decoders::Shared(layers), _) => wrong(ends(layers), head.n_dims()),
            (Decoders::OfClusters(networks), _) if networks.len() != head.n_clusters() => {
                Some(format!("has {} networks for {} clusters", networks.len(), head.n_clusters()))
            }
            (Decoders::OfClusters(networks), _) => {
                let dims = self.n_dims(head);
                networks.iter().find_map(|layers| wrong(ends(layers), dims))
            }
        }
    }
}

/// The outputs of the last layer for `N x inputs` values of the first one.
fn decoded(layers: &[DecoderLayer], latents: &[f32]) -> Vec<f32> {
    let Some(first) = layers.first() else { return latents.to_vec() };
    let decode = |latents: &[f32]| layers.iter().fold(latents.to_vec(), |values, layer| layer.forward(&values));
    latents.par_chunks(CHUNK * first.inputs().max(1)).flat_map_iter(decode).collect()
}
