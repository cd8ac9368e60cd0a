//! Arrays of numbers that are read from bytes, block by block.

use std::fs::File;
use std::io::{self, BufReader, Read};
use std::path::Path;

use ndarray::{Array1, Array2, ArrayView1, Order};

use super::elements::Elements;
use super::error::{DataError, Unlocated};
use super::memory::MemoryLimit;
use super::values::{Sink, Store, Stored};

/// Number of bytes that are read at once: a multiple of the width of every element type.
const BLOCK: usize = 1 << 18;

/// An array of numbers in row-major order: the last index runs fastest.
pub(super) struct Array {
    pub(super) shape: Vec<usize>,
    pub(super) store: Store,
    pub(super) are_integers: bool,
}

/// The number of elements of an array, unless it overflows.
fn n_elements(shape: &[usize]) -> Option<usize> {
    shape.iter().try_fold(1usize, |n, &d| n.checked_mul(d))
}

/// The elements of a file from the byte `offset` on: read into memory, or left in the file if they take too much memory.
pub(super) fn read_or_leave(
    path: &Path,
    file: BufReader<File>,
    offset: usize,
    elements: Elements,
    shape: &[usize],
    memory: MemoryLimit,
) -> Result<Store, Unlocated> {
    let length = file.get_ref().metadata().map_err(DataError::io(path))?.len();
    let ends = |n: &usize| n.checked_mul(elements.kind.width).and_then(|bytes| bytes.checked_add(offset));
    let is_whole = |n: &usize| ends(n).is_some_and(|end| end as u64 == length);
    match n_elements(shape).filter(is_whole) {
        Some(len) if len > memory.values() => {
            let offset = offset as u64;
            Ok(Store::File(Stored { path: path.into(), file: file.into_inner(), offset, elements, len }))
        }
        _ => read(file, elements, shape, memory),
    }
}

/// Reads the elements of an array. Fewer or more bytes than its shape says are an error.
pub(super) fn read(
    mut reader: impl Read,
    elements: Elements,
    shape: &[usize],
    memory: MemoryLimit,
) -> Result<Store, Unlocated> {
    let width = elements.kind.width;
    let expected = n_elements(shape).and_then(|n| n.checked_mul(width)).map(|bytes| bytes as u64);
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
            "its header says shape {shape:?} of {name} ({width} bytes each), but {found} bytes follow: write the file again"
        )
        .into());
    }
    Ok(sink.finish()?)
}

fn damaged(error: io::Error) -> Unlocated {
    format!("it is damaged: {error}").into()
}

/// Brings numbers of an array from column-major order, in which the first index runs fastest, to row-major order.
pub(super) fn row_major(columns: &Store, shape: &[usize], memory: MemoryLimit) -> Result<Store, DataError> {
    let mut sink = Sink::new(memory);
    let [n, ref rest @ ..] = *shape else { return sink.finish() };
    if columns.len() == 0 {
        return sink.finish();
    }
    // The column of each feature: an index array in column-major order, read in row-major order.
    let features: usize = rest.iter().product();
    let order = Array1::from_iter(0..features).into_shape_with_order((rest, Order::ColumnMajor));
    let order = order.expect("as many elements as the shape says");
    let rows = (memory.values() / 2 / features.max(1)).clamp(1, n.max(1));
    let mut column = vec![];
    for first in (0..n).step_by(rows) {
        let rows = rows.min(n - first);
        let mut block = Array2::zeros((rows, features));
        for (mut feature, &stored) in block.columns_mut().into_iter().zip(&order) {
            column.clear();
            columns.read(stored * n + first, rows, &mut column)?;
            feature.assign(&ArrayView1::from(&column));
        }
        sink.push(&block.into_raw_vec_and_offset().0)?;
    }
    sink.finish()
}
