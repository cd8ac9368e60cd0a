//! Which windows of a recording follow each other.

use std::ops::Range;

use super::samples::{Layout, Samples};

impl Samples {
    /// Windows that follow each other in a recording, without a gap and within one group: ranges of their indices. None for
    /// samples that are not windows of a recording.
    ///
    /// ```
    /// use edgemix::data::{Layout, Samples};
    ///
    /// let samples = Samples::new("r", (0..10).map(|x| x as f32).collect(), 2);
    /// assert!(samples.sequences().is_empty());
    /// let windows = samples.with_layout(Layout::Windows { channels: 1 }).with_groups(vec![0, 0, 0, 1, 1]);
    /// assert_eq!(windows.sequences(), [0..3, 3..5]);
    /// // A selection knows what is left of them.
    /// assert_eq!(windows.select(&[0, 2, 3, 4])?.sequences(), [0..1, 1..2, 2..4]);
    /// # Ok::<(), edgemix::data::DataError>(())
    /// ```
    pub fn sequences(&self) -> Vec<Range<usize>> {
        if !matches!(self.layout(), Layout::Windows { .. }) || self.n_samples() == 0 {
            return vec![];
        }
        let starts: Vec<usize> = std::iter::once(0).chain(self.breaks.iter().copied().filter(|&at| at > 0)).collect();
        let ends = starts.iter().copied().skip(1).chain([self.n_samples()]);
        starts.iter().copied().zip(ends).map(|(start, end)| start..end).collect()
    }

    /// The same samples, of which these, whose indices ascend, do not follow the one before them in time. What was known of
    /// others stays.
    pub(super) fn with_breaks(mut self, breaks: impl IntoIterator<Item = usize>) -> Self {
        let mut all: Vec<usize> = self.breaks.iter().copied().chain(breaks).collect();
        all.sort_unstable();
        all.dedup();
        self.breaks = all.into();
        self
    }

    /// The places in a selection before which samples are left out, or were missing before.
    pub(super) fn breaks_between(&self, indices: &[usize]) -> Vec<usize> {
        let follows = |&i: &usize| {
            indices[i - 1].checked_add(1) == Some(indices[i]) && self.breaks.binary_search(&indices[i]).is_err()
        };
        (1..indices.len()).filter(|i| !follows(i)).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_part_has_the_sequences_that_are_left_of_it() {
        let windows = Samples::new("r", vec![0.5; 8], 1).with_layout(Layout::Windows { channels: 1 });
        let windows = windows.with_breaks([2]).with_groups(vec![3, 3, 3, 3, 5, 5, 3, 3]);
        assert_eq!(windows.sequences(), [0..2, 2..4, 4..6, 6..8]);
        // The fourth window is held out.
        let part = windows.select(&[0, 1, 2, 4, 5, 6, 7]).unwrap();
        assert_eq!(part.sequences(), [0..2, 2..3, 3..5, 5..7]);
        assert_eq!(windows.select(&[7, 6]).unwrap().sequences(), [0..1, 1..2]);
        assert_eq!(windows.thinned(4).sequences().len(), 4);
    }
}
