//! A sequence of numbers: in memory, or in a file from which they are read when they are needed.

use std::fs::File;
use std::io;
use std::path::PathBuf;
use std::sync::Arc;

use super::elements::Elements;
use super::error::DataError;
use super::origin::ArrayColumns;

/// A sequence of numbers.
pub(super) enum Store {
    /// In memory, all of them whole and from 0 to 255, as the pixels of most images are.
    Bytes(Vec<u8>),
    /// In memory.
    Memory(Vec<f32>),
    /// In a file.
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
            Self::Bytes(values) => values.len(),
            Self::Memory(values) => values.len(),
            Self::File(stored) => stored.len,
        }
    }

    /// Appends `count` numbers from number `start`.
    pub(super) fn read(&self, start: usize, count: usize, into: &mut Vec<f32>) -> Result<(), DataError> {
        match self {
            Self::Bytes(values) => into.extend(values[start..start + count].iter().map(|&x| f32::from(x))),
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
