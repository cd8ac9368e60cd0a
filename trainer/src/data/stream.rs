//! Arrays of numbers that come as bytes, block by block.

use std::fs::File;
use std::io::{self, BufReader, Read};
use std::path::Path;

use super::elements::Elements;
use super::error::{DataError, Refusal};
use super::memory::MemoryLimit;
use super::values::{Sink, Store, Stored};

/// Bytes that are read at once; a multiple of every element's.
const BLOCK: usize = 1 << 18;

/// An array of numbers, the last index running fastest.
pub(super) struct Array {
    pub(super) shape: Vec<usize>,
    pub(super) store: Store,
    pub(super) are_integers: bool,
}

/// The number of an array's elements; none if that is more than can be counted.
fn count(shape: &[usize]) -> Option<usize> {
    shape.iter().try_fold(1usize, |n, &d| n.checked_mul(d))
}

/// Reads the elements that a file has from the byte `offset`, or leaves them there if they would take too much memory.
pub(super) fn of_file(
    path: &Path,
    file: BufReader<File>,
    offset: usize,
    elements: Elements,
    shape: &[usize],
    memory: MemoryLimit,
) -> Result<Store, Refusal> {
    let length = file.get_ref().metadata().map_err(DataError::io(path))?.len();
    let ends = |n: &usize| n.checked_mul(elements.kind.width).and_then(|bytes| bytes.checked_add(offset));
    let is_whole = |n: &usize| ends(n).is_some_and(|end| end as u64 == length);
    match count(shape).filter(is_whole) {
        Some(len) if len > memory.values() => {
            let offset = offset as u64;
            Ok(Store::File(Stored { path: path.into(), file: file.into_inner(), offset, elements, len }))
        }
        _ => read(file, elements, shape, memory),
    }
}

/// Reads an array's elements; anything but exactly them is refused.
pub(super) fn read(
    mut reader: impl Read,
    elements: Elements,
    shape: &[usize],
    memory: MemoryLimit,
) -> Result<Store, Refusal> {
    let width = elements.kind.width;
    let expected = count(shape).and_then(|n| n.checked_mul(width)).map(|bytes| bytes as u64);
    let mut sink = Sink::new(memory);
    let (mut bytes, mut values) = (vec![], vec![]);
    let mut found = 0;
    while expected.is_some_and(|expected| found < expected) {
        bytes.clear();
        values.clear();
        let most = expected.map_or(0, |expected| (expected - found).min(BLOCK as u64));
        let read = reader.by_ref().take(most).read_to_end(&mut bytes).map_err(damaged)? as u64;
        found += read;
        elements.decode(&bytes, &mut values);
        sink.push(&values)?;
        if read < most {
            break;
        }
    }
    found += io::copy(&mut reader, &mut io::sink()).map_err(damaged)?;
    if expected != Some(found) {
        let name = elements.kind.name;
        return Err(format!(
            "its header says shape {shape:?} of {name} ({width} bytes each), but {found} bytes follow: write it again"
        )
        .into());
    }
    Ok(sink.finish()?)
}

fn damaged(error: io::Error) -> Refusal {
    format!("it is damaged: {error}").into()
}

/// From column-major order: the first index runs fastest there, the last one here.
pub(super) fn row_major(columns: &Store, shape: &[usize], memory: MemoryLimit) -> Result<Store, DataError> {
    let [n, ref rest @ ..] = *shape else { return Sink::new(memory).finish() };
    if columns.len() == 0 {
        return Sink::new(memory).finish();
    }
    let features: usize = rest.iter().product();
    // In numbers, where the values of each feature begin, one behind another.
    let mut index = vec![0usize; rest.len()];
    let starts: Vec<usize> = (0..features)
        .map(|_| {
            let start = n * index.iter().zip(rest).rev().fold(0, |at, (&i, &d)| at * d + i);
            for (i, &d) in index.iter_mut().zip(rest).rev() {
                *i += 1;
                if *i < d {
                    break;
                }
                *i = 0;
            }
            start
        })
        .collect();
    let mut sink = Sink::new(memory);
    let rows = (memory.values() / 2 / features.max(1)).clamp(1, n.max(1));
    let mut column = vec![];
    for first in (0..n).step_by(rows) {
        let rows = rows.min(n - first);
        let mut block = vec![0.0; rows * features];
        for (feature, start) in starts.iter().enumerate() {
            column.clear();
            columns.read(start + first, rows, &mut column)?;
            column.iter().enumerate().for_each(|(row, &x)| block[row * features + feature] = x);
        }
        sink.push(&block)?;
    }
    sink.finish()
}
