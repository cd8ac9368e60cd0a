//! What is known of the values of all samples: their ranges, and how many of them differ.

use std::collections::HashSet;

use super::error::DataError;
use super::far_values::near_ranges;
use super::samples::{Layout, Samples};
use super::survey::ValueRange;

impl Samples {
    /// The least and the greatest value of each column: of the features of a table or of images, of the channels of windows.
    pub(crate) fn column_limits(&self) -> Vec<(f32, f32)> {
        self.column_ranges().iter().map(|range| (range.least, range.greatest)).collect()
    }

    /// The same without values that are far from all others. If the samples can't be read, of all values.
    pub(crate) fn near_column_limits(&self) -> Vec<(f32, f32)> {
        let near = near_ranges(self).unwrap_or_else(|_| self.column_ranges());
        near.iter().map(|range| (range.least, range.greatest)).collect()
    }

    /// The columns that are the same in every sample, up to the rounding of f32: features of a table, channels of windows.
    /// None of a single sample, and none of images, in which a pixel may well be the same.
    ///
    /// ```
    /// use edgemix::data::Samples;
    ///
    /// let samples = Samples::new("pressures", vec![1.0, 101_325.0, 2.0, 101_325.01], 2);
    /// assert_eq!(samples.constant_columns(), [1]);
    /// ```
    pub fn constant_columns(&self) -> Vec<usize> {
        if self.n_samples() < 2 || self.image().is_some() {
            return vec![];
        }
        (0..).zip(self.column_ranges()).filter(|(_, range)| range.is_constant()).map(|(column, _)| column).collect()
    }

    /// Whether there are several samples, and no feature changes from one to another.
    pub(crate) fn are_all_equal(&self) -> bool {
        self.n_samples() > 1 && self.survey().ranges.iter().all(|range| range.is_constant())
    }

    /// Number of different samples, which is not counted beyond `enough`.
    ///
    /// # Errors
    /// [`DataError`] if the samples can't be read.
    pub(crate) fn count_different(&self, enough: usize) -> Result<usize, DataError> {
        let mut different = HashSet::new();
        for chunk in self.chunks(256) {
            for sample in chunk?.chunks_exact(self.n_features().max(1)) {
                different.insert(sample.iter().map(|x| x.to_bits()).collect::<Vec<u32>>());
                if different.len() >= enough {
                    return Ok(enough);
                }
            }
        }
        Ok(different.len())
    }

    /// The range of each column: of the features of a table or of images, of the channels of windows.
    pub(crate) fn column_ranges(&self) -> Vec<ValueRange> {
        let n_columns = match self.layout() {
            Layout::Table | Layout::Images(_) | Layout::Features => self.n_features(),
            Layout::Windows { channels } => channels,
        };
        let mut columns = vec![ValueRange::EMPTY; n_columns];
        for instant in self.survey().ranges.chunks(n_columns.max(1)) {
            columns.iter_mut().zip(instant).for_each(|(column, range)| *column = column.union(*range));
        }
        columns
    }

    /// The least of all values.
    ///
    /// ```
    /// let samples = edgemix::data::Samples::new("two", vec![3.0, -1.0, 2.0, 0.5], 2);
    /// assert_eq!((samples.least(), samples.greatest()), (-1.0, 3.0));
    /// ```
    pub fn least(&self) -> f32 {
        self.survey().range().least
    }

    /// The greatest of all values.
    pub fn greatest(&self) -> f32 {
        self.survey().range().greatest
    }
}
