//! Latents without an encoder: the scaled features, or their principal axes where there are many features.

use burn::tensor::Tensor;
use burn::tensor::backend::{AutodiffBackend, Backend};

use crate::base::arrays::{to_array, to_tensor};
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
    /// One linear layer.
    pub(in crate::methods) encoder: Vec<Layer>,
    /// `N x D`, of mean 0 and mean variance 1.
    pub(in crate::methods) z: Tensor<B, 2>,
}

impl<B: Backend> LinearLatents<B> {
    /// The latents of a fit's samples. Up to [`FULL`] features are kept as they are, since mixtures with full covariances
    /// are indifferent to rotations; more features are projected on their leading axes.
    pub(in crate::methods) fn of<A>(fit: &Fitting<'_, A>) -> Result<Self, FitError>
    where
        A: AutodiffBackend<InnerBackend = B>,
    {
        let inputs = fit.data.all()?;
        let features = fit.data.n_inputs();
        let most = (PRODUCTS / (features * features).max(1)).max(1000);
        let step = fit.data.n_samples().div_ceil(most).max(1);
        let values = to_array::<B, f64>(inputs.clone());
        let PrincipalAxes { mean, mut axes } =
            PrincipalAxes::fit(values.slice(ndarray::s![..;step, ..]), HELD, FULL.min(features));
        if features <= FULL {
            axes = (0..features).map(|d| unit(d, features)).collect();
        }
        let variance = |d: usize| {
            let square = |x: &f64| (x - mean[d]).powi(2);
            values.column(d).iter().map(square).sum::<f64>() / values.nrows().max(1) as f64
        };
        let total: f64 = (0..features).map(variance).sum();
        let deviation = (total / axes.len().max(1) as f64).sqrt().max(1e-6);
        let layer = layer(&mean, &axes, deviation);
        let device = inputs.device();
        let weights = ndarray::Array2::from_shape_fn((features, layer.outputs), |(i, o)| {
            f64::from(layer.weights[o * features + i])
        });
        let bias = ndarray::Array2::from_shape_fn((1, layer.outputs), |(_, o)| f64::from(layer.bias[o]));
        let z = inputs.matmul(to_tensor::<B>(weights.view(), &device)) + to_tensor::<B>(bias.view(), &device);
        Ok(Self { encoder: vec![Layer::Dense(layer)], z })
    }
}

fn unit(d: usize, dims: usize) -> Vec<f64> {
    (0..dims).map(|i| f64::from(u8::from(i == d))).collect()
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
