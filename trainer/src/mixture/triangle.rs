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
    #[inline(always)]
    pub(super) fn add_products(&mut self, z: &[f64], weight: f64) {
        let mut rest = self.values.as_mut_slice();
        for (r, &x) in z.iter().enumerate() {
            let (row, after) = rest.split_at_mut(r + 1);
            let weighted = weight * x;
            row.iter_mut().zip(z).for_each(|(value, y)| *value += weighted * y);
            rest = after;
        }
    }

    /// Adds another triangle of the same size.
    pub(super) fn add(&mut self, other: &Self) {
        self.values.iter_mut().zip(&other.values).for_each(|(a, b)| *a += b);
    }
}

/// Numbers that are added at once.
const WIDTH: usize = 4;

/// The lower triangle of a sum of products, with rows that are padded to whole vectors.
pub(super) struct PaddedTriangle {
    /// Row after row, `stride` vectors each.
    values: Vec<[f64; WIDTH]>,
    /// The sample that is being added.
    sample: Vec<[f64; WIDTH]>,
    dims: usize,
}

impl PaddedTriangle {
    pub(super) fn zeros(dims: usize) -> Self {
        let stride = dims.div_ceil(WIDTH);
        Self { values: vec![[0.0; WIDTH]; dims * stride], sample: vec![[0.0; WIDTH]; stride], dims }
    }

    /// Adds `z z^T`.
    #[inline(always)]
    pub(super) fn add_products(&mut self, z: &[f64]) {
        self.sample.as_flattened_mut()[..self.dims].copy_from_slice(z);
        let stride = self.sample.len().max(1);
        for (r, (row, &x)) in self.values.chunks_exact_mut(stride).zip(z).enumerate() {
            for (values, y) in row[..=r / WIDTH].iter_mut().zip(&self.sample) {
                *values = std::array::from_fn(|i| values[i] + x * y[i]);
            }
        }
    }

    /// The same numbers without what pads them.
    pub(super) fn into_triangle(self) -> LowerTriangle {
        let stride = self.sample.len().max(1);
        let rows = self.values.chunks_exact(stride).enumerate();
        LowerTriangle { values: rows.flat_map(|(r, row)| &row.as_flattened()[..=r]).copied().collect() }
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

    #[test]
    fn padded_products_are_the_same_numbers() {
        for dims in 0..10 {
            let samples: Vec<Vec<f64>> =
                (0..3).map(|n| (0..dims).map(|d| (n * 7 + d) as f64 * 0.37 - 1.1).collect()).collect();
            let (mut plain, mut padded) = (LowerTriangle::zeros(dims), PaddedTriangle::zeros(dims));
            samples.iter().for_each(|z| plain.add_products(z, 1.0));
            samples.iter().for_each(|z| padded.add_products(z));
            assert_eq!(padded.into_triangle(), plain, "{dims}");
        }
    }
}
