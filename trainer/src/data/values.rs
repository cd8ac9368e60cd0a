//! The numbers of samples: in memory, or in a file from which they are read when they are needed.
//!
//! Rows may overlap, as windows of a recording do, and may be a selection of rows. Neither copies a number.

use std::borrow::Cow;
use std::fmt;
use std::fs::File;
use std::io::{self, BufWriter, Write};
use std::ops::Range;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use super::elements::Elements;
use super::error::DataError;
use super::memory::MemoryLimit;
use super::origin::ArrayColumns;

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

/// A sequence of numbers.
pub(super) enum Store {
    Memory(Vec<f32>),
    File(Stored),
}

/// Numbers in a file.
pub(super) struct Stored {
    /// The name of the file in messages.
    pub(super) path: PathBuf,
    pub(super) file: File,
    /// The byte at which the first number begins.
    pub(super) offset: u64,
    pub(super) elements: Elements,
    /// How many numbers.
    pub(super) len: usize,
    /// What is subtracted from the numbers of each column.
    pub(super) origins: Option<(ArrayColumns, Arc<[f64]>)>,
    /// Whether it is the user's file, which may change.
    pub(super) is_in_place: bool,
}

impl Store {
    pub(super) fn len(&self) -> usize {
        match self {
            Self::Memory(values) => values.len(),
            Self::File(stored) => stored.len,
        }
    }

    /// Appends `count` numbers from number `start`.
    pub(super) fn read(&self, start: usize, count: usize, into: &mut Vec<f32>) -> Result<(), DataError> {
        match self {
            Self::Memory(values) => into.extend_from_slice(&values[start..start + count]),
            Self::File(stored) => stored.read(start, count, into).map_err(|source| match source.kind() {
                io::ErrorKind::UnexpectedEof if stored.is_in_place => DataError::Changed { path: stored.path.clone() },
                _ => DataError::Io { path: stored.path.clone(), source },
            })?,
        }
        Ok(())
    }
}

impl Stored {
    fn read(&self, start: usize, count: usize, into: &mut Vec<f32>) -> io::Result<()> {
        let Some((columns, origins)) = &self.origins else {
            self.elements.decode(&self.bytes(start, count)?, into);
            return Ok(());
        };
        let mut wide = Vec::with_capacity(count);
        self.read_wide(start, count, &mut wide)?;
        into.extend(columns.columns_from(start).zip(wide).map(|(column, x)| (x - origins[column]) as f32));
        Ok(())
    }

    /// Appends numbers as the file has them, without regard to origins.
    pub(super) fn read_wide(&self, start: usize, count: usize, into: &mut Vec<f64>) -> io::Result<()> {
        self.elements.decode_wide(&self.bytes(start, count)?, into);
        Ok(())
    }

    fn bytes(&self, start: usize, count: usize) -> io::Result<Vec<u8>> {
        let width = self.elements.kind.width;
        let mut bytes = vec![0; count * width];
        read_exact_at(&self.file, &mut bytes, self.offset + (start * width) as u64)?;
        Ok(bytes)
    }
}

#[cfg(unix)]
fn read_exact_at(file: &File, bytes: &mut [u8], offset: u64) -> io::Result<()> {
    std::os::unix::fs::FileExt::read_exact_at(file, bytes, offset)
}

#[cfg(windows)]
fn read_exact_at(file: &File, mut bytes: &mut [u8], mut offset: u64) -> io::Result<()> {
    while !bytes.is_empty() {
        match std::os::windows::fs::FileExt::seek_read(file, bytes, offset)? {
            0 => return Err(io::ErrorKind::UnexpectedEof.into()),
            n => (bytes, offset) = (&mut bytes[n..], offset + n as u64),
        }
    }
    Ok(())
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
        matches!(*self.store, Store::Memory(_))
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

/// Collects numbers as they are read: in memory, or in a scratch file once they take too much memory.
pub(super) struct Sink {
    most: usize,
    len: usize,
    held: Vec<f32>,
    scratch: Option<BufWriter<File>>,
}

impl Sink {
    /// Collects in memory up to this limit.
    pub(super) fn new(memory: MemoryLimit) -> Self {
        Self { most: memory.values(), len: 0, held: vec![], scratch: None }
    }

    /// Appends numbers.
    pub(super) fn push(&mut self, values: &[f32]) -> Result<(), DataError> {
        self.len += values.len();
        if self.scratch.is_none() && self.len <= self.most {
            if self.len > self.held.capacity() {
                // No more than may be held.
                let capacity = self.len.max(2 * self.held.capacity()).min(self.most);
                self.held.reserve_exact(capacity - self.held.len());
            }
            self.held.extend_from_slice(values);
            return Ok(());
        }
        let held = std::mem::take(&mut self.held);
        self.spill(&held).and_then(|()| self.spill(values)).map_err(no_scratch)
    }

    /// The scratch file has no name: the system deletes it when the program ends, however it ends.
    fn spill(&mut self, values: &[f32]) -> io::Result<()> {
        let scratch = match &mut self.scratch {
            Some(scratch) => scratch,
            none => none.insert(BufWriter::with_capacity(1 << 20, tempfile::tempfile()?)),
        };
        values.iter().try_for_each(|x| scratch.write_all(&x.to_le_bytes()))
    }

    /// How many numbers were pushed so far.
    pub(super) fn len(&self) -> usize {
        self.len
    }

    /// All numbers that were pushed.
    pub(super) fn finish(self) -> Result<Store, DataError> {
        let Some(scratch) = self.scratch else {
            let mut values = self.held;
            values.shrink_to_fit();
            return Ok(Store::Memory(values));
        };
        let file = scratch.into_inner().map_err(|error| no_scratch(error.into_error()))?;
        let path = std::env::temp_dir();
        let (elements, len) = (Elements::f32(), self.len);
        Ok(Store::File(Stored { path, file, offset: 0, elements, len, origins: None, is_in_place: false }))
    }
}

fn no_scratch(source: io::Error) -> DataError {
    DataError::Scratch { folder: std::env::temp_dir(), source }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

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
