//! Samples that are made of other samples: some of them, some of their columns, windows of them, features of them.

use super::{Layout, Samples};
use crate::data::error::DataError;
use crate::data::memory::MemoryLimit;
use crate::data::sink::Sink;
use crate::data::values::Values;
use crate::data::window_start::WindowStart;

impl Samples {
    /// The samples with these indices, with a fingerprint of their own.
    ///
    /// ```
    /// use edgemix::data::Samples;
    ///
    /// let three = Samples::new("three", vec![1.0, 2.0, 3.0], 1);
    /// let two = three.select(&[2, 0])?;
    /// assert_eq!(*two.all()?, [3.0, 1.0]);
    /// assert_ne!(two.fingerprint(), three.fingerprint());
    /// # Ok::<(), edgemix::data::DataError>(())
    /// ```
    ///
    /// # Errors
    /// If the file that holds the values can't be read.
    ///
    /// # Panics
    /// If an index is `n_samples` or more.
    pub fn select(&self, indices: &[usize]) -> Result<Self, DataError> {
        let selected = Self::from_values(self.name.clone(), self.values.select(indices.iter().copied()))?;
        Ok(selected.like(self).with_breaks(self.breaks_between(indices)))
    }

    /// At most `most` samples, evenly spaced. They keep the name and the fingerprint of all samples.
    ///
    /// ```
    /// use edgemix::data::Samples;
    ///
    /// let seven = Samples::new("seven", (0..7).map(|x| x as f32).collect(), 1);
    /// let some = seven.thinned(3);
    /// assert_eq!(*some.all()?, [0.0, 3.0, 6.0]);
    /// assert_eq!(some.fingerprint(), seven.fingerprint());
    /// # Ok::<(), edgemix::data::DataError>(())
    /// ```
    #[must_use]
    pub fn thinned(&self, most: usize) -> Self {
        let step = self.n_samples().div_ceil(most.max(1)).max(1);
        if step == 1 {
            return self.clone();
        }
        let values = self.values.select((0..self.n_samples()).step_by(step));
        let breaks = (1..values.n_rows()).collect();
        Self { values, groups: None, starts: None, variations: None, breaks, ..self.clone() }
    }

    /// The same samples with these features only, in this order.
    pub(in crate::data) fn keep_columns(&self, columns: &[usize], memory: MemoryLimit) -> Result<Self, DataError> {
        let mut sink = Sink::new(memory);
        for block in self.blocks() {
            let rows = block?;
            let kept: Vec<f32> =
                rows.chunks_exact(self.n_features()).flat_map(|row| columns.iter().map(|&c| row[c])).collect();
            sink.push(&kept)?;
        }
        let values = Values::new(sink.finish()?, columns.len());
        let kept = Self::from_values(self.name.clone(), values)?.like(self);
        Ok(kept.with_column_names(columns.iter().map(|&column| self.column_name(column))))
    }

    /// Windows of `length` samples each that begin at these samples.
    pub(in crate::data) fn windows(&self, starts: &[usize], length: usize) -> Result<Self, DataError> {
        let windows = Self::from_values(self.name.clone(), self.values.windows(starts, length))?;
        let windows = windows.like(self).with_layout(Layout::Windows { channels: self.n_features() });
        let start = |&row: &usize| WindowStart { row, time: self.times.as_ref().map(|times| times[row]) };
        Ok(Self { starts: Some(starts.iter().map(start).collect()), ..windows })
    }

    /// Features of these samples, `n_features` of each, which `compute` returns for whole samples.
    pub(crate) fn computed(
        &self,
        n_features: usize,
        names: Vec<String>,
        compute: impl Fn(&[f32]) -> Vec<f32>,
    ) -> Result<Self, DataError> {
        let mut sink = Sink::new(MemoryLimit::default());
        for block in self.blocks() {
            sink.push(&compute(&block?))?;
        }
        let features = Self::from_values(self.name.clone(), Values::new(sink.finish()?, n_features))?;
        let groups = self.groups.clone();
        Ok(Self { groups, ..features.with_layout(Layout::Features).with_column_names(names) })
    }

    /// The same samples with what is known of others besides their values.
    fn like(self, other: &Self) -> Self {
        let (column_names, origins, notes) = (other.column_names.clone(), other.origins.clone(), other.notes.clone());
        let interval = other.interval;
        Self { layout: other.layout, count: other.count, column_names, origins, interval, notes, ..self }
    }
}
