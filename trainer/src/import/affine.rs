//! Affine maps of a sample's features, in f64.

use ndarray::{Array1, Array2};

/// An affine map.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum Affine {
    /// `gain x + offset`, feature by feature.
    Diagonal { gain: Array1<f64>, offset: Array1<f64> },
    /// `weights x + bias`, with a row of weights for each output.
    Dense { weights: Array2<f64>, bias: Array1<f64> },
}

impl Affine {
    /// The map that changes none of `n` features.
    pub(super) fn identity(n: usize) -> Self {
        Self::Diagonal { gain: Array1::ones(n), offset: Array1::zeros(n) }
    }

    /// Number of features.
    pub(super) fn inputs(&self) -> usize {
        match self {
            Self::Diagonal { gain, .. } => gain.len(),
            Self::Dense { weights, .. } => weights.ncols(),
        }
    }

    /// Number of values that it gives.
    pub(super) fn outputs(&self) -> usize {
        match self {
            Self::Diagonal { gain, .. } => gain.len(),
            Self::Dense { bias, .. } => bias.len(),
        }
    }

    /// This map, and then `factor z + shift`, value by value.
    pub(super) fn then_scaled(self, factor: &Array1<f64>, shift: &Array1<f64>) -> Self {
        match self {
            Self::Diagonal { gain, offset } => Self::Diagonal { gain: gain * factor, offset: offset * factor + shift },
            Self::Dense { weights, bias } => {
                let weights = Array2::from_shape_fn(weights.raw_dim(), |(row, c)| weights[[row, c]] * factor[row]);
                Self::Dense { weights, bias: bias * factor + shift }
            }
        }
    }

    /// This map, and then `outer z + shift`.
    pub(super) fn then_projected(self, outer: &Array2<f64>, shift: &Array1<f64>) -> Self {
        let (weights, bias) = match self {
            Self::Diagonal { gain, offset } => (outer * &gain, outer.dot(&offset)),
            Self::Dense { weights, bias } => (outer.dot(&weights), outer.dot(&bias)),
        };
        Self::Dense { weights, bias: bias + shift }
    }

    /// The map of features from which `origins` were subtracted.
    pub(super) fn after_subtracting(self, origins: &Array1<f64>) -> Self {
        match self {
            Self::Diagonal { gain, offset } => Self::Diagonal { offset: offset + &gain * origins, gain },
            Self::Dense { weights, bias } => Self::Dense { bias: bias + weights.dot(origins), weights },
        }
    }

    /// What the map gives for a sample.
    pub(super) fn apply(&self, x: &Array1<f64>) -> Array1<f64> {
        match self {
            Self::Diagonal { gain, offset } => gain * x + offset,
            Self::Dense { weights, bias } => weights.dot(x) + bias,
        }
    }
}

#[cfg(test)]
mod tests {
    use ndarray::array;

    use super::*;

    #[test]
    fn maps_after_each_other_are_one() {
        let x = array![3.0, -1.0];
        let (factor, shift) = (array![2.0, 10.0], array![1.0, 0.5]);
        let scaled = Affine::identity(2).then_scaled(&factor, &shift);
        assert_eq!(scaled.apply(&x), array![7.0, -9.5]);
        let outer = array![[1.0, 1.0], [0.0, 2.0], [1.0, 0.0]];
        let projected = scaled.then_projected(&outer, &array![0.0, 1.0, 0.0]);
        assert_eq!(projected.apply(&x), array![-2.5, -18.0, 7.0]);
        assert_eq!((projected.inputs(), projected.outputs()), (2, 3));
        let again = projected.clone().then_scaled(&array![2.0, 1.0, -1.0], &Array1::zeros(3));
        assert_eq!(again.apply(&x), array![-5.0, -18.0, -7.0]);
        let both = projected.then_projected(&array![[1.0, 0.0, 1.0]], &array![0.5]);
        assert_eq!(both.apply(&x), array![5.0]);
        assert_eq!(both.after_subtracting(&array![1.0, 1.0]).apply(&array![2.0, -2.0]), array![5.0]);
    }
}
