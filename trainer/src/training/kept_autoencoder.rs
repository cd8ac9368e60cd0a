//! The autoencoder after its reconstruction, from which fits with another method or other settings can start.

use std::fmt::Write;
use std::io;

use serde::{Deserialize, Serialize};

use super::mismatch::{CheckpointMismatch, VERSION};
use super::plan::Plan;
use super::sealed::{seal, unseal};
use crate::data::InputRange;
use crate::nn::{HiddenActivation, LayerShape};

/// The weights of an autoencoder that has learned to reconstruct, and what they belong to.
#[derive(Serialize, Deserialize)]
pub(crate) struct KeptAutoencoder {
    version: String,
    data: [u8; 32],
    layers: String,
    /// Whether the encoder has log variances beside the means.
    pub(crate) is_variational: bool,
    /// The weights, as [`Optimized::weights`](crate::nn::Optimized::weights) writes them.
    #[serde(with = "serde_bytes")]
    pub(crate) weights: Vec<u8>,
}

impl KeptAutoencoder {
    /// The autoencoder with the plan's layers, trained on samples with this fingerprint.
    pub(crate) fn new(data: [u8; 32], plan: &Plan, is_variational: bool, weights: Vec<u8>) -> Self {
        Self { version: VERSION.into(), data, layers: spelt(plan), is_variational, weights }
    }

    pub(super) fn to_bytes(&self) -> io::Result<Vec<u8>> {
        seal(self)
    }

    /// Reads an autoencoder with the plan's layers that was trained on samples with this fingerprint. The error for any
    /// other says how it differs.
    pub(crate) fn from_bytes(bytes: &[u8], data: [u8; 32], plan: &Plan) -> Result<Self, CheckpointMismatch> {
        let kept: Self = unseal(bytes)?;
        if kept.data != data {
            return Err(CheckpointMismatch::Samples);
        }
        let wanted = spelt(plan);
        if kept.layers != wanted {
            return Err(CheckpointMismatch::Layers { found: kept.layers, wanted });
        }
        Ok(kept)
    }
}

/// Everything that determines the form of the layers.
fn spelt(plan: &Plan) -> String {
    let inputs = plan.encoder.first().map_or(0, LayerShape::inputs).to_string();
    let layers = plan.encoder.iter().fold(inputs, |mut text, layer| {
        // Writing to a string does not fail.
        let _ = match layer {
            LayerShape::Dense(dense) => write!(text, "-{}", dense.outputs),
            LayerShape::Convolution(convolution) => write!(text, "-{convolution:?}"),
            LayerShape::Pooling(pooling) => write!(text, "-{pooling:?}"),
        };
        text
    });
    let activation = match plan.activation {
        HiddenActivation::Auto => String::new(),
        activation => format!(" ({activation:?})"),
    };
    let range = match plan.input_range {
        InputRange::Auto => "",
        InputRange::Symmetric => " (inputs from -1 to 1)",
    };
    let weights = if plan.imported.is_some() { " (imported)" } else { "" };
    format!("{layers}{activation}{range}{weights}")
}
