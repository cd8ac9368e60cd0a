//! Encoders that another program trained.

mod elementwise;
pub(super) mod problem;
mod stack;
mod starting;

use rayon::prelude::*;

pub(super) use elementwise::Elementwise;
pub use problem::LayerProblem;
pub(super) use stack::LayerStack;

use super::equalised::{Extents, equalised};
use super::error::ImportError;
use crate::base::arrays::from_rows;
use crate::data::{DataError, Samples, Scaling};
use crate::nn::{Architecture, LayerShape};
use crate::trained::{CHUNK, Dense, Layer, Trained};

/// An encoder that another program trained, for samples of a given form.
#[derive(Clone, Debug, PartialEq)]
pub struct ImportedEncoder {
    /// What it is, such as `encoder (ONNX)`.
    pub name: String,
    stack: LayerStack,
    /// The scaling of a sample, in f64 and in f32, and the layers of the encoder alone.
    map: Elementwise,
    scaling: Scaling,
    layers: Vec<Layer>,
    channels: usize,
}

impl ImportedEncoder {
    /// An encoder of these layers, for samples with so many channels side by side.
    pub(super) fn new(name: &str, stack: LayerStack, channels: usize) -> Result<Self, LayerProblem> {
        if stack.is_empty() {
            return Err(LayerProblem::NoLayers);
        }
        let (map, layers) = stack.clone().finish()?;
        Ok(Self { name: name.into(), scaling: map.scaling(channels), map, stack, layers, channels })
    }

    /// Number of values of a sample.
    pub fn n_features(&self) -> usize {
        self.stack.inputs()
    }

    /// Number of dimensions of a latent.
    pub fn n_dims(&self) -> usize {
        self.stack.outputs()
    }

    /// The layers, from the sample to the latent.
    pub fn layers(&self) -> &[Layer] {
        &self.layers
    }

    /// The sizes of the layers.
    pub fn shapes(&self) -> Vec<LayerShape> {
        self.layers.iter().map(LayerShape::from).collect()
    }

    /// The layers as they are spelt; none if they have no spelling.
    pub fn architecture(&self) -> Architecture {
        Architecture::of_shapes(&self.shapes())
    }

    /// The latents of whole samples, in f32.
    pub fn encode(&self, values: &[f32]) -> Vec<f32> {
        let forward = |values: &[f32]| {
            self.layers.iter().fold(self.scaling.apply(values), |values, layer| layer.forward(&values))
        };
        values.par_chunks(CHUNK * self.n_features().max(1)).flat_map_iter(forward).collect()
    }

    /// The latents of samples, as samples of their own in the same groups.
    ///
    /// # Errors
    /// [`DataError`] if the samples are in a file that can't be read.
    pub fn latents(&self, samples: &Samples) -> Result<Samples, DataError> {
        let names = (0..self.n_dims()).map(|i| format!("z{i}")).collect();
        samples.computed(self.n_dims(), names, |values| self.encode(values))
    }

    /// The model of this encoder and the clusters that were found in its latents. The samples decide how features are scaled
    /// before a first layer that is fully connected, which changes no cluster.
    ///
    /// # Errors
    /// [`ImportError::Latents`] if the clusters' scaling of the latents can't be a layer, and [`ImportError::Data`] if the samples
    /// are in a file that can't be read.
    pub fn with_clusters(&self, clusters: Trained, samples: &Samples) -> Result<Trained, ImportError> {
        let (map, mut encoder) = self.composed(&clusters).map_err(ImportError::Latents)?;
        let scaling = match encoder.first_mut() {
            Some(Layer::Dense(first)) => {
                let (scaling, layer) = equalised_first(first, &map, samples)?;
                *first = layer;
                scaling
            }
            _ => map.scaling(self.channels),
        };
        Ok(Trained { scaling, encoder, ..clusters })
    }

    /// The scaling of samples, and the encoder followed by what the clusters do to its latents.
    fn composed(&self, clusters: &Trained) -> Result<(Elementwise, Vec<Layer>), LayerProblem> {
        let wide = |values: &[f32]| values.iter().map(|&x| f64::from(x)).cycle().take(self.n_dims()).collect();
        let Scaling { gain, offset, .. } = &clusters.scaling;
        let mut stack = self.stack.clone();
        stack.scale(Elementwise { factor: wide(gain), shift: wide(offset) })?;
        for layer in &clusters.encoder {
            if let Layer::Dense(Dense { weights, bias, activation, .. }) = layer {
                let wide = |values: &[f32]| -> Vec<f64> { values.iter().map(|&x| x.into()).collect() };
                stack.dense(&wide(weights), &wide(bias))?;
                stack.activation(*activation)?;
            }
        }
        stack.finish()
    }
}

/// The scaling of features and the first layer, with the rounding of both in balance.
fn equalised_first(first: &Dense, map: &Elementwise, samples: &Samples) -> Result<(Scaling, Dense), DataError> {
    let mut weights = from_rows(first.weights.iter().map(|&w| f64::from(w)).collect(), first.inputs);
    let shift = ndarray::Array1::from(map.shift.clone());
    let bias: ndarray::Array1<f64> = first.bias.iter().map(|&b| f64::from(b)).collect();
    let bias = bias + weights.dot(&shift);
    for mut row in weights.rows_mut() {
        row.iter_mut().zip(&map.factor).for_each(|(weight, factor)| *weight *= factor);
    }
    let (scaling, layer) = equalised(&Extents::of(samples)?, weights, bias);
    Ok((scaling, Dense { activation: first.activation, ..layer }))
}
