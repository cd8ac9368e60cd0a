//! Gains of features before a fully connected layer, chosen so that the rounding of both is in balance.

use ndarray::{Array1, Array2, ArrayView1, Axis};

use crate::data::{DataError, Samples, Scaling};
use crate::trained::{Activation, Dense};

/// Numbers in f32.
pub(super) fn rounded(values: &Array1<f64>) -> Vec<f32> {
    values.iter().map(|&x| x as f32).collect()
}

/// What the values of each feature are in all samples.
pub(super) struct Extents {
    least: Vec<f32>,
    greatest: Vec<f32>,
    mean: Array1<f64>,
}

impl Extents {
    pub(super) fn of(samples: &Samples) -> Result<Self, DataError> {
        let (n, width) = (samples.n_samples().max(1) as f64, samples.n_features());
        let (mut least, mut greatest) = (vec![f32::INFINITY; width], vec![f32::NEG_INFINITY; width]);
        let mut mean = Array1::zeros(width);
        for block in samples.blocks() {
            for sample in block?.chunks_exact(width.max(1)) {
                for (feature, &x) in sample.iter().enumerate() {
                    (least[feature], greatest[feature]) = (least[feature].min(x), greatest[feature].max(x));
                    mean[feature] += f64::from(x) / n;
                }
            }
        }
        Ok(Self { least, greatest, mean })
    }
}

/// A scaling and a layer that together map features as `weights x + bias` does.
///
/// Both the scaled features and the rows of weights are rounded to int8 in common steps. What a feature's gain adds to the
/// one, it takes from the other, so that its geometric mean serves both: the gain is the root of the greatest weight over the
/// greatest value (Xiao, Lin, Seznec, Wu, Demouth and Han, "SmoothQuant", 2023, equation 4, with alpha = 0.5). A feature that
/// is the same in every sample is left out, and keeps its value.
pub(super) fn equalised(extents: &Extents, weights: Array2<f64>, bias: Array1<f64>) -> (Scaling, Dense) {
    let Extents { least, greatest, mean } = extents;
    let gain = |feature: usize, column: ArrayView1<f64>| {
        let (least, greatest) = (f64::from(least[feature]), f64::from(greatest[feature]));
        let farthest = (greatest - mean[feature]).max(mean[feature] - least);
        let steepest = column.iter().fold(0f64, |most, w| most.max(w.abs()));
        if least < greatest { (steepest / farthest).sqrt() } else { 0.0 }
    };
    let gains: Array1<f64> = weights.columns().into_iter().enumerate().map(|(f, column)| gain(f, column)).collect();
    let inverse = gains.mapv(|gain| if gain > 0.0 { gain.recip() } else { 0.0 });
    let bias = bias + weights.dot(mean);
    let weights = weights * &inverse.insert_axis(Axis(0));
    let scaling = Scaling { gain: rounded(&gains), offset: rounded(&(-mean * &gains)), limits: None };
    let layer = Dense {
        inputs: weights.ncols(),
        outputs: weights.nrows(),
        weights: weights.iter().map(|&w| w as f32).collect(),
        bias: rounded(&bias),
        activation: Activation::Identity,
    };
    (scaling, layer)
}
