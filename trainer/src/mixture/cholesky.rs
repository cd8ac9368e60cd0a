//! Cholesky factors of small symmetric matrices, in f64.
//!
//! `nalgebra` 0.34 and `faer` 0.24 sum in another order, so that with them no factor of ten and more dimensions keeps its
//! bits, and with the bits go the components that are found. On an AMD EPYC core a factor takes, including its copy:
//!
//! | D | here | nalgebra | faer |
//! |---|---|---|---|
//! | 2 | 0.06 us | 0.07 us | 0.29 us |
//! | 10 | 0.42 us | 0.33 us | 0.58 us |
//! | 50 | 14.7 us | 8.7 us | 7.5 us |

use ndarray::{Array2, ArrayView2};

use crate::base::arrays::{from_rows, row_slices};

/// The lower triangular `L` with `L L^T = matrix`, both `D x D`; `None` if the matrix is not positive definite.
///
/// Only the lower triangle of the matrix is read.
///
/// ```
/// use edgemix::mixture::cholesky::factor;
/// use ndarray::array;
///
/// assert_eq!(factor(array![[4.0, 2.0], [2.0, 5.0]].view()), Some(array![[2.0, 0.0], [1.0, 2.0]]));
/// assert_eq!(factor(array![[1.0, 2.0], [2.0, 1.0]].view()), None);
/// ```
pub fn factor(matrix: ArrayView2<f64>) -> Option<Array2<f64>> {
    let dims = matrix.nrows();
    let mut values = vec![0.0; dims * dims];
    for (r, entries) in matrix.rows().into_iter().enumerate() {
        let (above, rest) = values.split_at_mut(r * dims);
        let row = &mut rest[..dims];
        for (c, other) in above.chunks_exact(dims).enumerate() {
            let products: f64 = row[..c].iter().zip(other).map(|(a, b)| a * b).sum();
            row[c] = (entries[c] - products) / other[c];
        }
        let squares: f64 = row[..r].iter().map(|x| x * x).sum();
        let rest = entries[r] - squares;
        if rest <= 0.0 || !rest.is_finite() {
            return None;
        }
        row[r] = rest.sqrt();
    }
    Some(from_rows(values, dims))
}

/// The inverse of a lower triangular matrix, lower triangular too.
///
/// ```
/// use edgemix::mixture::cholesky::invert_lower;
/// use ndarray::array;
///
/// assert_eq!(invert_lower(array![[2.0, 0.0], [1.0, 2.0]].view()), array![[0.5, 0.0], [-0.25, 0.5]]);
/// ```
pub fn invert_lower(lower: ArrayView2<f64>) -> Array2<f64> {
    let lower = lower.as_standard_layout();
    let dims = lower.nrows();
    // One column of the inverse after the other.
    let mut columns = vec![0.0; dims * dims];
    for (c, column) in columns.chunks_exact_mut(dims.max(1)).enumerate() {
        column[c] = lower[[c, c]].recip();
        for (r, row) in row_slices(lower.view()).enumerate().skip(c + 1) {
            let products: f64 = row[c..r].iter().zip(&column[c..r]).map(|(l, x)| l * x).sum();
            column[r] = -products / row[r];
        }
    }
    from_rows(columns, dims).reversed_axes().as_standard_layout().into_owned()
}

/// `L^-1`, which whitens a Gaussian of covariance `matrix`, and the log of its determinant; `None` if the matrix is not
/// positive definite.
///
/// ```
/// use ndarray::array;
///
/// let (whitening, log_det) = edgemix::mixture::cholesky::whitening(array![[4.0, 2.0], [2.0, 5.0]].view()).unwrap();
/// assert_eq!(whitening, array![[0.5, 0.0], [-0.25, 0.5]]);
/// assert!((log_det - 0.25f64.ln()).abs() < 1e-12);
/// ```
pub fn whitening(matrix: ArrayView2<f64>) -> Option<(Array2<f64>, f64)> {
    let factor = factor(matrix)?;
    let log_det = factor.diag().iter().map(|x| -x.ln()).sum();
    Some((invert_lower(factor.view()), log_det))
}

#[cfg(test)]
mod tests {
    use ndarray::array;
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn whitening_turns_the_matrix_into_the_identity(
            dims in 1..6usize, entries in prop::collection::vec(-1.0..1.0f64, 36), ridge in 0.05..2.0f64,
        ) {
            let root = Array2::from_shape_fn((dims, dims), |(r, c)| entries[r * 6 + c]);
            let matrix = root.dot(&root.t()) + Array2::<f64>::eye(dims) * ridge;
            let (w, _) = whitening(matrix.view()).unwrap();
            let found = w.dot(&matrix).dot(&w.t());
            prop_assert!((found - Array2::<f64>::eye(dims)).iter().all(|x| x.abs() < 1e-9));
        }
    }

    #[test]
    fn an_indefinite_matrix_is_refused() {
        assert_eq!(factor(array![[1.0, 2.0], [2.0, 1.0]].view()), None);
        assert_eq!(factor(array![[f64::NAN]].view()), None);
    }
}
