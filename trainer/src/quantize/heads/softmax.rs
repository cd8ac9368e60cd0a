//! Softmax heads.

use edgemix_format::description;
use edgemix_format::write::Blob;

use super::ensure_finite;
use super::rows::{self, HeadTensors, LOGITS, Row};
use crate::quantize::error::QuantizeError;
use crate::trained::Dense;

/// Quantises a linear layer on a latent with steps of `scale`.
pub(in crate::quantize) fn quantize(
    dense: &Dense,
    scale: f64,
    blob: &mut Blob,
) -> Result<description::SoftmaxRecord, QuantizeError> {
    ensure_finite("a weight", dense.weights.iter().map(|&w| w.into()))?;
    ensure_finite("a bias", dense.bias.iter().map(|&b| b.into()))?;
    let mut tensors = HeadTensors::default();
    for (class, (row, &bias)) in dense.weights.chunks_exact(dense.inputs).zip(&dense.bias).enumerate() {
        let coefficients = row.iter().map(|&w| f64::from(w) * scale).collect();
        let row = Row { coefficients, mean: &[], constant: bias.into() };
        let row = rows::quantize(&[row], LOGITS).ok_or(QuantizeError::SoftmaxOverflow { class })?;
        tensors.push(row, usize::MAX);
    }
    Ok(description::SoftmaxRecord {
        n_classes: dense.outputs as u16,
        coefficients: blob.push(&tensors.coefficients),
        offsets: blob.push(&tensors.offsets),
        shifts: blob.push(&tensors.shifts),
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::trained::Activation;

    #[test]
    fn a_class_that_does_not_fit_is_named() {
        let quantize = |bias: Vec<f32>, weight: f32| {
            let dense =
                Dense { inputs: 1, outputs: 2, weights: vec![1.0, weight], bias, activation: Activation::Identity };
            super::quantize(&dense, 1e-3, &mut Blob::default())
        };
        assert!(quantize(vec![0.0; 2], -1.0).is_ok());
        assert!(matches!(quantize(vec![0.0; 2], 1e6), Err(QuantizeError::SoftmaxOverflow { class: 1 })));
        assert!(matches!(quantize(vec![1e9, 0.0], 1.0), Err(QuantizeError::SoftmaxOverflow { class: 0 })));
        let error = quantize(vec![0.0; 2], f32::NAN).unwrap_err();
        assert_eq!(error.to_string(), "a weight of the head is NaN or infinite: training diverged");
    }
}
