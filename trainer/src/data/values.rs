//! The numbers of samples as rows. Rows may overlap, as windows of a recording do, and may be a selection of rows. Neither copies
//! a number.

use std::borrow::Cow;
use std::fmt;
use std::ops::Range;
use std::path::Path;
use std::sync::Arc;

use super::error::DataError;
use super::store::Store;

/// A matrix whose rows have `width` numbers each.
#[derive(Clone)]
pub(super) struct Values {
    store: Arc<Store>,
    rows: RowStarts,
    width: usize,
}

/// Where in the store each row begins.
#[derive(Clone)]
enum RowStarts {
    /// So many rows, one directly after another.
    Contiguous(usize),
    /// Row `i` begins at number `.0[i]`.
    At(Arc<[usize]>),
}

impl Values {
    /// The rows of `width` numbers each that a store holds.
    pub(super) fn new(store: Store, width: usize) -> Self {
        let rows = RowStarts::Contiguous(store.len().checked_div(width).unwrap_or(0));
        Self { store: Arc::new(store), rows, width }
    }

    /// Number of rows.
    pub(super) fn n_rows(&self) -> usize {
        match &self.rows {
            RowStarts::Contiguous(n) => *n,
            RowStarts::At(starts) => starts.len(),
        }
    }

    /// Number of numbers in a row.
    pub(super) fn width(&self) -> usize {
        self.width
    }

    /// The user's file from which the numbers are read when they are needed, if they are.
    pub(super) fn path_in_place(&self) -> Option<&Path> {
        match &*self.store {
            Store::File(stored) if stored.is_in_place => Some(&stored.path),
            _ => None,
        }
    }

    /// Whether the numbers are in memory.
    pub(super) fn is_in_memory(&self) -> bool {
        !matches!(*self.store, Store::File(_))
    }

    /// The rows with these indices.
    pub(super) fn select(&self, rows: impl Iterator<Item = usize>) -> Self {
        self.at(rows.map(|row| self.start(row)).collect(), self.width)
    }

    /// Windows of `length` consecutive rows that begin at these rows. Each window becomes one row.
    pub(super) fn windows(&self, starts: &[usize], length: usize) -> Self {
        self.at(starts.iter().map(|&row| self.start(row)).collect(), length * self.width)
    }

    fn at(&self, starts: Arc<[usize]>, width: usize) -> Self {
        Self { store: self.store.clone(), rows: RowStarts::At(starts), width }
    }

    fn start(&self, row: usize) -> usize {
        match &self.rows {
            RowStarts::Contiguous(_) => row * self.width,
            RowStarts::At(starts) => starts[row],
        }
    }

    /// Some consecutive rows, row-major; borrowed where they are contiguous in memory.
    pub(super) fn chunk(&self, rows: Range<usize>) -> Result<Cow<'_, [f32]>, DataError> {
        let RowStarts::Contiguous(_) = self.rows else { return self.gather(rows).map(Cow::Owned) };
        let (start, count) = (rows.start * self.width, rows.len() * self.width);
        match &*self.store {
            Store::Memory(values) => Ok(Cow::Borrowed(&values[start..start + count])),
            store => {
                let mut values = Vec::with_capacity(count);
                store.read(start, count, &mut values)?;
                Ok(Cow::Owned(values))
            }
        }
    }

    /// The rows with these indices, row-major.
    pub(super) fn gather(&self, rows: impl ExactSizeIterator<Item = usize>) -> Result<Vec<f32>, DataError> {
        let mut values = Vec::with_capacity(rows.len() * self.width);
        for row in rows {
            self.store.read(self.start(row), self.width, &mut values)?;
        }
        Ok(values)
    }
}

impl fmt::Debug for Values {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let place = if self.is_in_memory() { "in memory" } else { "in a file" };
        write!(f, "{} x {} {place}", self.n_rows(), self.width)
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::data::memory::MemoryLimit;
    use crate::data::sink::Sink;

    /// `0, 1, 2, ...`, held in memory or not.
    fn store(len: usize, memory: MemoryLimit) -> Store {
        let mut sink = Sink::new(memory);
        let values: Vec<f32> = (0..len).map(|x| x as f32).collect();
        values.chunks(7).for_each(|part| sink.push(part).unwrap());
        sink.finish().unwrap()
    }

    proptest! {
        #[test]
        fn rows_are_the_same_wherever_they_lie(
            n in 1usize..30, width in 1usize..5, length in 1usize..4, picks in prop::collection::vec(any::<usize>(), 0..9),
        ) {
            let held = Values::new(store(n * width, MemoryLimit(1 << 20)), width);
            let stored = Values::new(store(n * width, MemoryLimit(8)), width);
            prop_assert!(held.is_in_memory());
            prop_assert_eq!(stored.is_in_memory(), n * width <= 2);
            let picks: Vec<usize> = picks.iter().map(|pick| pick % n).collect();
            let starts: Vec<usize> = (0..n).filter(|start| start + length <= n).collect();
            for (held, stored) in [
                (held.clone(), stored.clone()),
                (held.select(picks.iter().copied()), stored.select(picks.iter().copied())),
                (held.windows(&starts, length), stored.windows(&starts, length)),
            ] {
                let n = held.n_rows();
                prop_assert_eq!(n, stored.n_rows());
                for range in [0..n, 0..n / 2, n / 3..n] {
                    let expected = held.gather(range.clone()).unwrap();
                    prop_assert_eq!(&*held.chunk(range.clone()).unwrap(), &expected[..]);
                    prop_assert_eq!(&*stored.chunk(range.clone()).unwrap(), &expected[..]);
                    prop_assert_eq!(stored.gather(range).unwrap(), expected);
                }
            }
            for (row, &pick) in held.select(picks.iter().copied()).chunk(0..picks.len()).unwrap().chunks(width).zip(&picks) {
                prop_assert_eq!(row[0], (pick * width) as f32);
            }
        }
    }

    #[test]
    fn a_file_that_became_shorter_is_an_error() {
        let Store::File(stored) = store(100, MemoryLimit(0)) else { panic!("it is in memory") };
        stored.file.set_len(200).unwrap();
        let values = Values::new(Store::File(stored), 10);
        assert!(values.chunk(0..5).is_ok());
        assert!(matches!(values.chunk(4..6), Err(DataError::Io { .. })));
    }
}
