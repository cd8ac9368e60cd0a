//! Arrays on the host, and their way to a device and back.

use burn::tensor::{Tensor, TensorData, backend::Backend};

/// The index of the greatest value; the first of equal ones, and 0 of none.
pub(crate) fn argmax<T: PartialOrd>(values: &[T]) -> usize {
    (1..values.len()).fold(0, |best, i| if values[i] > values[best] { i } else { best })
}

/// A row-major matrix of `rows` rows, on a device and rounded to f32.
pub(crate) fn matrix<B: Backend>(values: &[f64], rows: usize, device: &B::Device) -> Tensor<B, 2> {
    let values: Vec<f32> = values.iter().map(|&x| x as f32).collect();
    let columns = values.len() / rows.max(1);
    Tensor::from_data(TensorData::new(values, [rows, columns]), device)
}

/// The elements of a tensor in row-major order.
pub(crate) fn elements<B: Backend, const R: usize>(tensor: Tensor<B, R>) -> Vec<f64> {
    tensor.into_data().iter::<f64>().collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_first_of_the_greatest_values_is_taken() {
        assert_eq!(argmax(&[1, 3, 2, 3]), 1);
        assert_eq!(argmax(&[f64::NEG_INFINITY; 3]), 0);
        assert_eq!(argmax::<u8>(&[]), 0);
    }
}
