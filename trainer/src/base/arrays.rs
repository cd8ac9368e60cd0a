//! Arrays on the host, and their way to a device and back.
//!
//! Sums whose bits matter go over slices in order: `ndarray`'s own `sum` and `dot` use several accumulators.

use std::slice::ChunksExact;

use burn::tensor::{Element, Tensor, TensorData, backend::Backend};
use ndarray::{Array2, ArrayView2};

/// The index of the greatest value; the first of equal ones, and 0 of none.
pub(crate) fn argmax<T: PartialOrd>(values: impl IntoIterator<Item = T>) -> usize {
    let greater = |best: (usize, T), next: (usize, T)| if next.1 > best.1 { next } else { best };
    values.into_iter().enumerate().reduce(greater).map_or(0, |(index, _)| index)
}

/// The rows of a matrix as slices, for loops in which strides would cost time.
///
/// # Panics
/// If the matrix is not in standard layout: row by row without gaps.
pub(crate) fn row_slices<T>(matrix: ArrayView2<'_, T>) -> ChunksExact<'_, T> {
    let columns = matrix.ncols().max(1);
    matrix.to_slice().expect("a matrix in standard layout").chunks_exact(columns)
}

/// One row of a matrix as a slice.
///
/// # Panics
/// If the matrix has no such row, or the row has gaps.
pub(crate) fn row_slice<T>(matrix: ArrayView2<'_, T>, row: usize) -> &[T] {
    matrix.index_axis_move(ndarray::Axis(0), row).to_slice().expect("a row without gaps")
}

/// Some rows of a matrix, in the order given and in standard layout.
pub(crate) fn select_rows(matrix: ArrayView2<f64>, rows: impl IntoIterator<Item = usize>) -> Array2<f64> {
    let columns = matrix.ncols();
    let values: Vec<f64> = rows.into_iter().flat_map(|row| row_slice(matrix, row)).copied().collect();
    from_rows(values, columns)
}

/// A matrix from its values, row by row.
///
/// # Panics
/// If the values are not whole rows.
pub(crate) fn from_rows<T>(values: Vec<T>, columns: usize) -> Array2<T> {
    Array2::from_shape_vec((values.len() / columns.max(1), columns), values).expect("whole rows")
}

/// A row-major matrix of `rows` rows, on a device and rounded to f32.
pub(crate) fn matrix<B: Backend>(values: &[f64], rows: usize, device: &B::Device) -> Tensor<B, 2> {
    let values: Vec<f32> = values.iter().map(|&x| x as f32).collect();
    let columns = values.len() / rows.max(1);
    // The backend's own type: a device's default type is that of the first backend that used it in this process.
    Tensor::from_data(TensorData::new(values, [rows, columns]), (device, B::FloatElem::dtype()))
}

/// A matrix on a device, rounded to f32.
pub(crate) fn to_tensor<B: Backend>(matrix: ArrayView2<f64>, device: &B::Device) -> Tensor<B, 2> {
    let values: Vec<f32> = matrix.iter().map(|&x| x as f32).collect();
    Tensor::from_data(TensorData::new(values, [matrix.nrows(), matrix.ncols()]), (device, B::FloatElem::dtype()))
}

/// A matrix on a device as one on the host.
pub(crate) fn to_array<B: Backend, T: Element>(tensor: Tensor<B, 2>) -> Array2<T> {
    let [_, columns] = tensor.dims();
    from_rows(tensor.into_data().iter::<T>().collect(), columns)
}

/// The elements of a tensor in row-major order.
pub(crate) fn elements<B: Backend, const R: usize>(tensor: Tensor<B, R>) -> Vec<f64> {
    tensor.into_data().iter::<f64>().collect()
}

/// The indices of values that differ from the one before.
pub(crate) fn changes(values: &[u32]) -> impl Iterator<Item = usize> {
    (1..values.len()).filter(|&i| values[i] != values[i - 1])
}

#[cfg(test)]
mod tests {
    use ndarray::array;

    use super::*;

    #[test]
    fn the_first_of_the_greatest_values_is_taken() {
        assert_eq!(argmax([1, 3, 2, 3]), 1);
        assert_eq!(argmax([f64::NEG_INFINITY; 3]), 0);
        assert_eq!(argmax::<u8>([]), 0);
    }

    #[test]
    fn a_matrix_comes_back_from_a_device_as_it_was() {
        let matrix = array![[1.0, 2.0, 3.0], [4.0, 5.0, 6.0]];
        let on_device = |view| to_tensor::<burn::backend::Flex>(view, &Default::default());
        assert_eq!(to_array::<_, f64>(on_device(matrix.view())), matrix);
        assert_eq!(to_array::<_, f64>(on_device(matrix.t())), matrix.t());
        assert_eq!(select_rows(matrix.view(), [1, 1]), array![[4.0, 5.0, 6.0], [4.0, 5.0, 6.0]]);
    }
}
