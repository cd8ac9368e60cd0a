//! The layers of an encoder, pushed one after the other as another program lists them.
//!
//! A model file has three kinds of layers, each with its activation. What other programs list besides is folded into them
//! where that changes nothing: normalisations and other factors into weights and biases, an activation after a maximum into
//! the layer before it. What can't be folded becomes a layer of its own.

use edgemix_format::description::MAX_LAYERS;
use edgemix_format::view::{MAX_INPUTS, MAX_LATENT};

use super::elementwise::Elementwise;
use super::problem::LayerProblem;
use crate::data::ImageShape;
use crate::trained::{Activation, Convolution, ConvolutionShape, Dense, Layer, Pooling, PoolingOperation, Window};

/// The layers so far, and what is to be done with their outputs.
#[derive(Clone, Debug, PartialEq)]
pub(in crate::import) struct LayerStack {
    /// Number of values of a sample.
    inputs: usize,
    /// The image that the current values form, channels side by side.
    image: Option<ImageShape>,
    /// What happens to a sample before the first layer.
    scaling: Elementwise,
    layers: Vec<Layer>,
    /// What happens to the current values before the next layer, if anything.
    pending: Option<Elementwise>,
}

impl LayerStack {
    /// No layers yet, for samples of so many values, which may form an image.
    pub(in crate::import) fn new(inputs: usize, image: Option<ImageShape>) -> Self {
        Self { inputs, image, scaling: Elementwise::identity(inputs), layers: vec![], pending: None }
    }

    /// Number of values of a sample.
    pub(in crate::import) fn inputs(&self) -> usize {
        self.inputs
    }

    /// Number of current values.
    pub(in crate::import) fn outputs(&self) -> usize {
        self.layers.last().map_or(self.inputs, Layer::outputs)
    }

    /// Whether there is no layer yet.
    pub(in crate::import) fn is_empty(&self) -> bool {
        self.layers.is_empty()
    }

    /// Multiplies each value by its factor and adds its shift.
    pub(in crate::import) fn scale(&mut self, map: Elementwise) -> Result<(), LayerProblem> {
        map.check_finite()?;
        let map = match self.pending.take() {
            Some(pending) => pending.then(&map),
            None => map,
        };
        match self.layers.last_mut() {
            Some(Layer::Dense(dense)) if dense.activation == Activation::Identity => {
                fold_into_rows(&mut dense.weights, &mut dense.bias, &map);
            }
            Some(Layer::Convolution(convolution))
                if convolution.activation == Activation::Identity && map.has_period(convolution.shape.filters) =>
            {
                fold_into_rows(&mut convolution.weights, &mut convolution.bias, &map);
            }
            _ => self.pending = Some(map),
        }
        self.check_last()
    }

    /// The numbers of the last layer, into which something was folded, must be finite.
    fn check_last(&self) -> Result<(), LayerProblem> {
        let is_finite = |values: &[f32]| values.iter().all(|value| value.is_finite());
        let is_sound = match self.layers.last() {
            Some(Layer::Dense(dense)) => is_finite(&dense.weights) && is_finite(&dense.bias),
            Some(Layer::Convolution(layer)) => is_finite(&layer.weights) && is_finite(&layer.bias),
            Some(Layer::Pooling(_)) | None => true,
        };
        if is_sound { Ok(()) } else { Err(LayerProblem::NotFinite) }
    }

    /// Adds a fully connected layer: `outputs x inputs` weights, row-major, and a bias for each output. Two linear layers in a
    /// row become one if that is no larger.
    pub(in crate::import) fn dense(&mut self, weights: &[f64], bias: &[f64]) -> Result<(), LayerProblem> {
        let (inputs, outputs) = (self.outputs(), bias.len());
        check_width(outputs)?;
        check_finite(weights.iter().chain(bias))?;
        let map = self.begin_layer();
        let (mut weights, mut bias) = (weights.to_vec(), bias.to_vec());
        if let Some(map) = map {
            absorb(&mut weights, &mut bias, inputs, &map);
        }
        if let Some(Layer::Dense(last)) = self.layers.last()
            && last.activation == Activation::Identity
            && outputs <= last.outputs
        {
            (weights, bias) = product(&weights, &bias, last);
            self.layers.pop();
        }
        let inputs = weights.len() / outputs.max(1);
        let (weights, bias) = (rounded(&weights)?, rounded(&bias)?);
        self.push(Layer::Dense(Dense { inputs, outputs, weights, bias, activation: Activation::Identity }))?;
        self.image = None;
        Ok(())
    }

    /// Adds a convolution of an image: `filters x rows x columns x channels` weights and a bias for each filter.
    pub(in crate::import) fn convolution(
        &mut self,
        input: ImageShape,
        window: Window,
        weights: &[f64],
        bias: &[f64],
    ) -> Result<(), LayerProblem> {
        check_finite(weights.iter().chain(bias))?;
        let shape = ConvolutionShape { input, filters: bias.len(), window };
        let output = shape.output().ok_or(LayerProblem::WindowTooLarge)?;
        check_width(output.n_values())?;
        self.image = Some(input);
        let (mut weights, mut bias) = (weights.to_vec(), bias.to_vec());
        // Zeros of the padding are neither multiplied nor shifted.
        let is_folded = |map: &Elementwise| {
            map.has_period(input.channels) && (window.padding == 0 || map.shift.iter().all(|&shift| shift == 0.0))
        };
        if !self.is_empty() && self.pending.as_ref().is_some_and(|map| !is_folded(map)) {
            self.add_pending_layer()?;
        }
        if let Some(map) = self.begin_layer() {
            absorb_channels(&mut weights, &mut bias, input.channels, &map);
        }
        let (weights, bias) = (rounded(&weights)?, rounded(&bias)?);
        self.push(Layer::Convolution(Convolution { shape, weights, bias, activation: Activation::Identity }))?;
        self.image = Some(output);
        Ok(())
    }

    /// Adds a pooling of an image.
    pub(in crate::import) fn pooling(
        &mut self,
        operation: PoolingOperation,
        input: ImageShape,
        window: Window,
    ) -> Result<(), LayerProblem> {
        let pooling = Pooling { operation, input, window };
        let output = pooling.output().ok_or(LayerProblem::WindowTooLarge)?;
        check_width(output.n_values())?;
        self.image = Some(input);
        let commutes = |map: &Elementwise| {
            let keeps_order = operation == PoolingOperation::Average || map.factor.iter().all(|&factor| factor > 0.0);
            keeps_order && map.has_period(input.channels)
        };
        if !self.is_empty() && self.pending.as_ref().is_some_and(|map| !commutes(map)) {
            self.add_pending_layer()?;
        }
        let after = self.begin_layer().map(|map| map.repeated(input.channels, output.n_values()));
        self.push(Layer::Pooling(pooling))?;
        self.image = Some(output);
        self.pending = after;
        Ok(())
    }

    /// Applies an activation to each value.
    pub(in crate::import) fn activation(&mut self, activation: Activation) -> Result<(), LayerProblem> {
        if self.pending.is_none() {
            // The greatest of several values stays the greatest under a function that never falls.
            let is_maximum =
                |layer: &&mut Layer| matches!(layer, Layer::Pooling(p) if p.operation == PoolingOperation::Max);
            let before = self.layers.iter_mut().rev().find(|layer| !is_maximum(layer));
            if let Some(own) = before.and_then(activation_of) {
                if *own == Activation::Identity {
                    *own = activation;
                    return Ok(());
                }
                if (*own, activation) == (Activation::Relu, Activation::Relu) {
                    return Ok(());
                }
            }
        }
        self.add_pending_layer()?;
        if let Some(own) = self.layers.last_mut().and_then(activation_of) {
            *own = activation;
        }
        Ok(())
    }

    /// The scaling of a sample, and the layers, of which the last is fully connected and linear.
    pub(in crate::import) fn finish(mut self) -> Result<(Elementwise, Vec<Layer>), LayerProblem> {
        let ends_linear =
            matches!(self.layers.last(), Some(Layer::Dense(Dense { activation: Activation::Identity, .. })));
        if self.pending.is_some() || !ends_linear {
            self.add_dense_pending_layer()?;
        }
        Ok((self.scaling, self.layers))
    }

    fn push(&mut self, layer: Layer) -> Result<(), LayerProblem> {
        if self.layers.len() == MAX_LAYERS {
            return Err(LayerProblem::TooManyLayers);
        }
        self.layers.push(layer);
        Ok(())
    }

    /// What is to be done with the values before a layer that is about to be added. Before the first layer, it is the scaling of
    /// the sample.
    fn begin_layer(&mut self) -> Option<Elementwise> {
        if !self.is_empty() {
            return self.pending.take();
        }
        if let Some(map) = self.pending.take() {
            self.scaling = map;
        }
        None
    }

    /// Makes what is pending a layer of its own.
    fn add_pending_layer(&mut self) -> Result<(), LayerProblem> {
        let map = self.pending.clone().unwrap_or_else(|| Elementwise::identity(self.outputs()));
        let Some(image) = self.image.filter(|image| map.has_period(image.channels)) else {
            return self.add_dense_pending_layer();
        };
        let map = self.begin_layer().unwrap_or_else(|| Elementwise::identity(image.n_values()));
        let channels = image.channels;
        let weights = (0..channels * channels).map(|i| diagonal(i, channels, &map)).collect::<Vec<f64>>();
        let shape = ConvolutionShape { input: image, filters: channels, window: Window::square(1, 1, 0) };
        let (weights, bias) = (rounded(&weights)?, rounded(&map.shift[..channels])?);
        self.push(Layer::Convolution(Convolution { shape, weights, bias, activation: Activation::Identity }))?;
        Ok(())
    }

    fn add_dense_pending_layer(&mut self) -> Result<(), LayerProblem> {
        let n = self.outputs();
        if n > MAX_LATENT {
            return Err(LayerProblem::TooWideToScale(n));
        }
        let map = self.begin_layer().unwrap_or_else(|| Elementwise::identity(n));
        let weights = (0..n * n).map(|i| diagonal(i, n, &map)).collect::<Vec<f64>>();
        let (weights, bias) = (rounded(&weights)?, rounded(&map.shift)?);
        let (inputs, outputs) = (n, n);
        self.push(Layer::Dense(Dense { inputs, outputs, weights, bias, activation: Activation::Identity }))?;
        Ok(())
    }
}

/// An element of a diagonal matrix of factors.
fn diagonal(index: usize, n: usize, map: &Elementwise) -> f64 {
    if index / n == index % n { map.factor[index % n] } else { 0.0 }
}

fn activation_of(layer: &mut Layer) -> Option<&mut Activation> {
    match layer {
        Layer::Dense(dense) => Some(&mut dense.activation),
        Layer::Convolution(convolution) => Some(&mut convolution.activation),
        Layer::Pooling(_) => None,
    }
}

/// A layer of so many values must fit a model file.
fn check_width(outputs: usize) -> Result<(), LayerProblem> {
    match outputs {
        0 => Err(LayerProblem::NoOutputs),
        1..=MAX_INPUTS => Ok(()),
        _ => Err(LayerProblem::TooWide(outputs)),
    }
}

fn check_finite<'a>(mut values: impl Iterator<Item = &'a f64>) -> Result<(), LayerProblem> {
    if values.all(|value| value.is_finite()) { Ok(()) } else { Err(LayerProblem::NotFinite) }
}

fn rounded(values: &[f64]) -> Result<Vec<f32>, LayerProblem> {
    let values: Vec<f32> = values.iter().map(|&x| x as f32).collect();
    if values.iter().all(|value| value.is_finite()) { Ok(values) } else { Err(LayerProblem::NotFinite) }
}

/// Rows of weights, and then a factor and a shift of each row's sum.
fn fold_into_rows(weights: &mut [f32], bias: &mut [f32], map: &Elementwise) {
    let inputs = weights.len() / bias.len().max(1);
    for (row, (factor, bias)) in weights.chunks_exact_mut(inputs.max(1)).zip(map.factor.iter().zip(bias.iter_mut())) {
        row.iter_mut().for_each(|weight| *weight = (f64::from(*weight) * factor) as f32);
        *bias = (f64::from(*bias) * factor) as f32;
    }
    bias.iter_mut().zip(&map.shift).for_each(|(bias, shift)| *bias = (f64::from(*bias) + shift) as f32);
}

/// A factor and a shift of each input, and then rows of weights.
pub(super) fn absorb(weights: &mut [f64], bias: &mut [f64], inputs: usize, map: &Elementwise) {
    for (row, bias) in weights.chunks_exact_mut(inputs.max(1)).zip(bias) {
        *bias += row.iter().zip(&map.shift).map(|(weight, shift)| weight * shift).sum::<f64>();
        row.iter_mut().zip(&map.factor).for_each(|(weight, factor)| *weight *= factor);
    }
}

/// The same for filters, whose weights of a pixel's channels lie side by side.
pub(super) fn absorb_channels(weights: &mut [f64], bias: &mut [f64], channels: usize, map: &Elementwise) {
    let per_filter = weights.len() / bias.len().max(1);
    let map = map.repeated(channels, per_filter);
    absorb(weights, bias, per_filter, &map);
}

/// The weights and biases of a linear layer and then these.
fn product(weights: &[f64], bias: &[f64], first: &Dense) -> (Vec<f64>, Vec<f64>) {
    let mut product = vec![0.0; bias.len() * first.inputs];
    let mut sums = bias.to_vec();
    for (row, (sum, out)) in
        weights.chunks_exact(first.outputs).zip(sums.iter_mut().zip(product.chunks_exact_mut(first.inputs)))
    {
        for (weight, (inner, bias)) in row.iter().zip(first.weights.chunks_exact(first.inputs).zip(&first.bias)) {
            *sum += weight * f64::from(*bias);
            out.iter_mut().zip(inner).for_each(|(out, inner)| *out += weight * f64::from(*inner));
        }
    }
    (product, sums)
}

#[cfg(test)]
mod tests;
