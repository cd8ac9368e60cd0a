//! Latents without an encoder: the scaled features, or their principal axes where there are many features.

use burn::tensor::Tensor;
use burn::tensor::backend::{AutodiffBackend, Backend};
use ndarray::{Array2, Axis};

use crate::base::arrays::{from_rows, to_array, to_tensor};
use crate::data::Scaling;
use crate::mixture::principal::PrincipalAxes;
use crate::mixture::subspace::FULL;
use crate::trained::{Activation, Dense, Layer};
use crate::training::{FitError, Fitting};

/// The share of the variance that the axes hold, if [`FULL`] axes can hold so much.
const HELD: f64 = 0.99;
/// The most products of two features that the axes are computed from.
const PRODUCTS: usize = 4_000_000_000;

/// A linear map of the features, and the latents that it gives all samples.
pub(in crate::methods) struct LinearLatents<B: Backend> {
    /// What comes before the encoder.
    pub(in crate::methods) scaling: Scaling,
    /// One linear layer, or none where the scaled features are the latents.
    pub(in crate::methods) encoder: Vec<Layer>,
    /// `N x D`, of mean 0 and mean variance 1.
    pub(in crate::methods) z: Tensor<B, 2>,
}

impl<B: Backend> LinearLatents<B> {
    /// The latents of a fit's samples. Up to [`FULL`] features are kept as they are, since mixtures with full covariances
    /// are indifferent to rotations; more features are projected on their leading axes.
    ///
    /// Features that are kept need no layer, so a chip takes them as int16, not as int8: clusters far apart do not cost the
    /// resolution that parts of a cluster need.
    pub(in crate::methods) fn of<A>(fit: &Fitting<'_, A>) -> Result<Self, FitError>
    where
        A: AutodiffBackend<InnerBackend = B>,
    {
        let inputs = fit.data.all()?;
        let values = to_array::<B, f64>(inputs.clone());
        let device = inputs.device();
        if fit.data.n_inputs() <= FULL {
            let mean = values.mean_axis(Axis(0)).map_or(vec![], |mean| mean.to_vec());
            let scaling = fit.data.scaling.standardised(&mean, deviation(&values, &mean, mean.len()));
            let z = from_rows(scaling.apply(&fit.data.samples().all()?), mean.len());
            return Ok(Self { scaling, encoder: vec![], z: to_tensor::<B>(z.mapv(f64::from).view(), &device) });
        }
        let features = fit.data.n_inputs();
        let most = (PRODUCTS / (features * features).max(1)).max(1000);
        let step = fit.data.n_samples().div_ceil(most).max(1);
        let PrincipalAxes { mean, axes } = PrincipalAxes::fit(values.slice(ndarray::s![..;step, ..]), HELD, FULL);
        let layer = layer(&mean, &axes, deviation(&values, &mean, axes.len()));
        let weights =
            Array2::from_shape_fn((features, layer.outputs), |(i, o)| f64::from(layer.weights[o * features + i]));
        let bias = Array2::from_shape_fn((1, layer.outputs), |(_, o)| f64::from(layer.bias[o]));
        let z = inputs.matmul(to_tensor::<B>(weights.view(), &device)) + to_tensor::<B>(bias.view(), &device);
        Ok(Self { scaling: fit.data.scaling.clone(), encoder: vec![Layer::Dense(layer)], z })
    }
}

/// What the features are divided by, so that the mean variance along so many axes is 1.
fn deviation(values: &Array2<f64>, mean: &[f64], axes: usize) -> f64 {
    let squares = values.rows().into_iter().map(|row| row.iter().zip(mean).map(|(x, m)| (x - m).powi(2)).sum::<f64>());
    let total = squares.sum::<f64>() / values.nrows().max(1) as f64;
    (total / axes.max(1) as f64).sqrt().max(1e-6)
}

/// `axes (x - mean) / deviation`.
fn layer(mean: &[f64], axes: &[Vec<f64>], deviation: f64) -> Dense {
    let along = |axis: &Vec<f64>| -> f64 { axis.iter().zip(mean).map(|(a, m)| a * m).sum() };
    Dense {
        inputs: mean.len(),
        outputs: axes.len(),
        weights: axes.iter().flatten().map(|a| (a / deviation) as f32).collect(),
        bias: axes.iter().map(|axis| (-along(axis) / deviation) as f32).collect(),
        activation: Activation::Identity,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_layer_subtracts_the_mean_and_projects_on_the_axes() {
        let layer = layer(&[1.0, 2.0], &[vec![0.6, 0.8], vec![0.8, -0.6]], 2.0);
        let z = layer.linear(&[1.0, 2.0, 1.6, 2.8]);
        for (z, expected) in z.iter().zip([0.0, 0.0, 0.5, 0.0]) {
            assert!((z - expected).abs() < 1e-6, "{z}");
        }
    }
}
