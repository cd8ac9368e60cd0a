//! Lower triangles without the zeros above them, row after row in one piece of memory.

use ndarray::ArrayView2;

use crate::base::arrays::row_slices;

/// The lower triangle of a `D x D` matrix.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct LowerTriangle {
    values: Vec<f64>,
}

impl LowerTriangle {
    pub(super) fn zeros(dims: usize) -> Self {
        Self { values: vec![0.0; dims * (dims + 1) / 2] }
    }

    /// The lower triangle of a matrix in standard layout.
    pub(super) fn from_matrix(matrix: ArrayView2<f64>) -> Self {
        let rows = row_slices(matrix).enumerate();
        Self { values: rows.flat_map(|(r, row)| &row[..=r]).copied().collect() }
    }

    /// The rows, of 1, 2, ... D numbers.
    pub(super) fn rows(&self) -> impl Iterator<Item = &[f64]> {
        let mut rest = self.values.as_slice();
        (1..).map_while(move |length| {
            let (row, after) = rest.split_at_checked(length)?;
            rest = after;
            Some(row)
        })
    }

    /// The diagonal.
    pub(super) fn diagonal(&self) -> impl Iterator<Item = f64> {
        self.rows().filter_map(|row| row.last().copied())
    }

    /// Adds `weight z z^T`.
    pub(super) fn add_products(&mut self, z: &[f64], weight: f64) {
        let mut values = self.values.iter_mut();
        for (r, &x) in z.iter().enumerate() {
            z[..=r].iter().zip(&mut values).for_each(|(y, value)| *value += weight * x * y);
        }
    }

    /// Adds another triangle of the same size.
    pub(super) fn add(&mut self, other: &Self) {
        self.values.iter_mut().zip(&other.values).for_each(|(a, b)| *a += b);
    }
}

#[cfg(test)]
mod tests {
    use ndarray::array;

    use super::*;

    #[test]
    fn rows_grow_by_one_and_end_with_the_diagonal() {
        let triangle = LowerTriangle::from_matrix(array![[1.0, 0.0, 0.0], [2.0, 3.0, 0.0], [4.0, 5.0, 6.0]].view());
        assert!(triangle.rows().eq([&[1.0][..], &[2.0, 3.0], &[4.0, 5.0, 6.0]]));
        assert!(triangle.diagonal().eq([1.0, 3.0, 6.0]));
        assert_eq!(LowerTriangle::zeros(0).rows().count(), 0);
    }

    #[test]
    fn products_are_those_of_all_pairs_up_to_the_diagonal() {
        let mut triangle = LowerTriangle::zeros(2);
        triangle.add_products(&[2.0, 3.0], 0.5);
        triangle.add(&triangle.clone());
        assert!(triangle.rows().eq([&[4.0][..], &[6.0, 9.0]]));
    }
}
