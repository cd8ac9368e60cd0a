//! Cholesky factors of small symmetric matrices, in f64.

/// The lower triangular `L` with `L L^T = matrix`, both `dims x dims` row-major; `None` if not positive definite.
///
/// ```
/// use edgemix::mixture::cholesky::factor;
///
/// assert_eq!(factor(&[4.0, 2.0, 2.0, 5.0], 2), Some(vec![2.0, 0.0, 1.0, 2.0]));
/// assert_eq!(factor(&[1.0, 2.0, 2.0, 1.0], 2), None);
/// ```
pub fn factor(matrix: &[f64], dims: usize) -> Option<Vec<f64>> {
    let mut l = vec![0.0; dims * dims];
    for r in 0..dims {
        for c in 0..=r {
            let products: f64 = (0..c).map(|i| l[r * dims + i] * l[c * dims + i]).sum();
            let rest = matrix[r * dims + c] - products;
            if r == c {
                if rest <= 0.0 || !rest.is_finite() {
                    return None;
                }
                l[r * dims + r] = rest.sqrt();
            } else {
                l[r * dims + c] = rest / l[c * dims + c];
            }
        }
    }
    Some(l)
}

/// The inverse of a lower triangular matrix, lower triangular too.
///
/// ```
/// use edgemix::mixture::cholesky::invert_lower;
///
/// assert_eq!(invert_lower(&[2.0, 0.0, 1.0, 2.0], 2), [0.5, 0.0, -0.25, 0.5]);
/// ```
pub fn invert_lower(l: &[f64], dims: usize) -> Vec<f64> {
    let mut inverse = vec![0.0; dims * dims];
    for c in 0..dims {
        inverse[c * dims + c] = l[c * dims + c].recip();
        for r in c + 1..dims {
            let products: f64 = (c..r).map(|i| l[r * dims + i] * inverse[i * dims + c]).sum();
            inverse[r * dims + c] = -products / l[r * dims + r];
        }
    }
    inverse
}

/// `L^-1`, which whitens a Gaussian of covariance `matrix`, and the log of its determinant.
///
/// ```
/// let (rows, log_det) = edgemix::mixture::cholesky::whitening(&[4.0, 2.0, 2.0, 5.0], 2).unwrap();
/// assert_eq!(rows, [0.5, 0.0, -0.25, 0.5]);
/// assert!((log_det - 0.25f64.ln()).abs() < 1e-12);
/// ```
pub fn whitening(matrix: &[f64], dims: usize) -> Option<(Vec<f64>, f64)> {
    let l = factor(matrix, dims)?;
    let log_det = (0..dims).map(|d| -l[d * dims + d].ln()).sum();
    Some((invert_lower(&l, dims), log_det))
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn whitening_turns_the_matrix_into_the_identity(
            dims in 1..6usize, entries in prop::collection::vec(-1.0..1.0f64, 36), ridge in 0.05..2.0f64,
        ) {
            let at = |r: usize, c: usize| entries[r * 6 + c];
            let product = |r: usize, c: usize| -> f64 {
                (0..dims).map(|i| at(r, i) * at(c, i)).sum::<f64>() + if r == c { ridge } else { 0.0 }
            };
            let matrix: Vec<f64> = (0..dims * dims).map(|i| product(i / dims, i % dims)).collect();
            let (w, _) = whitening(&matrix, dims).unwrap();
            for r in 0..dims {
                for c in 0..dims {
                    let sum: f64 = (0..dims)
                        .flat_map(|i| (0..dims).map(move |j| (i, j)))
                        .map(|(i, j)| w[r * dims + i] * matrix[i * dims + j] * w[c * dims + j])
                        .sum();
                    let expected = f64::from(u8::from(r == c));
                    prop_assert!((sum - expected).abs() < 1e-9);
                }
            }
        }
    }

    #[test]
    fn an_indefinite_matrix_is_refused() {
        assert_eq!(factor(&[1.0, 2.0, 2.0, 1.0], 2), None);
        assert_eq!(factor(&[f64::NAN], 1), None);
    }
}
