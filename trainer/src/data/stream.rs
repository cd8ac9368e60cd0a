//! Arrays of numbers that are read from bytes, block by block.

use std::fs::File;
use std::io::{self, BufReader, Read};
use std::path::Path;

use ndarray::{Array1, Array2, ArrayD, ArrayView1, IxDyn, Order, ShapeBuilder};

use super::elements::Elements;
use super::error::{DataError, Unlocated};
use super::memory::MemoryLimit;
use super::origin::{self, ArrayColumns, Rounding};
use super::shape::n_columns;
use super::sink::Sink;
use super::store::{Store, Stored};

/// Number of bytes that are read at once: a multiple of the width of every element type.
const BLOCK: usize = 1 << 18;

/// What the header of an array says.
pub(super) struct ArrayHeader {
    pub(super) elements: Elements,
    pub(super) shape: Vec<usize>,
    /// Whether the first index runs fastest.
    pub(super) is_fortran: bool,
}

/// An array of numbers in row-major order: the last index runs fastest.
pub(super) struct Array {
    pub(super) shape: Vec<usize>,
    pub(super) store: Store,
    pub(super) are_integers: bool,
    /// What was subtracted from each column; none are 0.
    pub(super) origins: Vec<f64>,
    /// The origins with which the array should have been read.
    pub(super) wanted: Option<Vec<f64>>,
}

impl ArrayHeader {
    /// The number of elements, unless it overflows.
    fn n_elements(&self) -> Option<usize> {
        self.shape.iter().try_fold(1usize, |n, &d| n.checked_mul(d))
    }

    /// The columns, if the array is a table or windows of a recording, and f32 may be too coarse for it or origins are
    /// given.
    fn columns(&self, origins: &[f64]) -> Option<ArrayColumns> {
        let [_, rest @ ..] = &self.shape[..] else { return None };
        let n = n_columns(rest).filter(|&n| n > 0 && (origins.is_empty() || origins.len() == n))?;
        let is_wanted = self.elements.kind.is_wide || !origins.is_empty();
        is_wanted.then(|| ArrayColumns::new(&self.shape, n, self.is_fortran && self.shape.len() > 1))
    }

    /// Elements of the file from the byte `offset` on: read into memory, or left in the file if they take too much memory.
    pub(super) fn read_or_leave(
        self,
        path: &Path,
        file: BufReader<File>,
        offset: usize,
        memory: MemoryLimit,
        origins: &[f64],
    ) -> Result<Array, Unlocated> {
        let length = file.get_ref().metadata().map_err(DataError::io(path))?.len();
        let ends = |n: &usize| n.checked_mul(self.elements.kind.width).and_then(|bytes| bytes.checked_add(offset));
        let is_whole = |n: &usize| ends(n).is_some_and(|end| end as u64 == length);
        let Some(len) = self.n_elements().filter(is_whole).filter(|&len| len > memory.values()) else {
            return self.read(file, memory, origins);
        };
        origin::check(origins, self.shape.get(1..).and_then(n_columns).unwrap_or(0))?;
        let (elements, offset, path) = (self.elements, offset as u64, path.into());
        let file = file.into_inner();
        let mut stored = Stored { path, file, offset, elements, len, origins: None, is_in_place: true };
        let wanted = match self.columns(origins) {
            Some(columns) if !origins.is_empty() => {
                stored.origins = Some((columns, origins.into()));
                None
            }
            Some(columns) => stored.wanted_origins(columns)?,
            None => None,
        };
        self.array(Store::File(stored), memory, origins, wanted)
    }

    /// Reads the elements of the array. Fewer or more bytes than its shape says are an error.
    pub(super) fn read(self, mut reader: impl Read, memory: MemoryLimit, origins: &[f64]) -> Result<Array, Unlocated> {
        origin::check(origins, self.shape.get(1..).and_then(n_columns).unwrap_or(0))?;
        let width = self.elements.kind.width;
        let expected = self.n_elements().and_then(|n| n.checked_mul(width)).map(|bytes| bytes as u64);
        let mut converter = Converter::new(&self, origins);
        let mut sink = Sink::new(memory);
        let mut bytes = vec![];
        let mut found = 0;
        while expected.is_some_and(|expected| found < expected) {
            bytes.clear();
            let most = expected.map_or(0, |expected| (expected - found).min(BLOCK as u64));
            let read = reader.by_ref().take(most).read_to_end(&mut bytes).map_err(damaged)? as u64;
            found += read;
            sink.push(converter.convert(&bytes))?;
            if read < most {
                break;
            }
        }
        found += io::copy(&mut reader, &mut io::sink()).map_err(damaged)?;
        if expected != Some(found) {
            let (name, shape) = (self.elements.kind.name, &self.shape);
            return Err(format!(
                "its header says shape {shape:?} of {name} ({width} bytes each), but {found} bytes follow: write the file again"
            )
            .into());
        }
        let wanted = converter.wanted();
        self.array(sink.finish()?, memory, origins, wanted)
    }

    /// Reads the elements of an array of at most `most` numbers in f64. Fewer or more bytes than its shape says are an error.
    pub(super) fn read_wide(self, reader: impl Read, most: usize) -> Result<ArrayD<f64>, String> {
        let (shape, width) = (&self.shape, self.elements.kind.width);
        let n = self.n_elements().filter(|&n| n <= most);
        let n = n.ok_or_else(|| format!("its header says shape {shape:?}: expected at most {most} numbers"))?;
        let mut bytes = vec![];
        // One byte more would show that the array is longer than its header says.
        reader
            .take((n * width) as u64 + 1)
            .read_to_end(&mut bytes)
            .map_err(|error| format!("it is damaged: {error}"))?;
        if bytes.len() != n * width {
            return Err(format!(
                "its header says shape {shape:?} of {width} bytes each, but another number of bytes follows"
            ));
        }
        let mut values = Vec::with_capacity(n);
        self.elements.decode_wide(&bytes, &mut values);
        let array = ArrayD::from_shape_vec(IxDyn(shape).set_f(self.is_fortran), values);
        array.map(|array| array.as_standard_layout().into_owned()).map_err(|error| format!("shape {shape:?}: {error}"))
    }

    /// The array with these numbers, which are in the order of the file.
    fn array(
        self,
        store: Store,
        memory: MemoryLimit,
        origins: &[f64],
        wanted: Option<Vec<f64>>,
    ) -> Result<Array, Unlocated> {
        let origins = self.columns(origins).map_or(vec![], |_| origins.to_vec());
        let is_turned = self.is_fortran && self.shape.len() > 1;
        let store = if is_turned { row_major(&store, &self.shape, memory)? } else { store };
        Ok(Array { shape: self.shape, store, are_integers: self.elements.kind.is_integer, origins, wanted })
    }
}

/// Turns the bytes of elements into numbers, block by block.
struct Converter {
    elements: Elements,
    columns: Option<(ArrayColumns, Rounding)>,
    n_seen: usize,
    wide: Vec<f64>,
    values: Vec<f32>,
}

impl Converter {
    fn new(header: &ArrayHeader, origins: &[f64]) -> Self {
        let columns = header.columns(origins).map(|columns| (columns, Rounding::new(columns.n, origins)));
        Self { elements: header.elements, columns, n_seen: 0, wide: vec![], values: vec![] }
    }

    fn convert(&mut self, bytes: &[u8]) -> &[f32] {
        self.values.clear();
        match &mut self.columns {
            None => self.elements.decode(bytes, &mut self.values),
            Some((columns, rounding)) => {
                self.wide.clear();
                self.elements.decode_wide(bytes, &mut self.wide);
                let columns = columns.columns_from(self.n_seen);
                self.values.extend(columns.zip(&self.wide).map(|(column, &x)| rounding.round(column, x)));
                self.n_seen += self.wide.len();
            }
        }
        &self.values
    }

    fn wanted(&self) -> Option<Vec<f64>> {
        self.columns.as_ref().and_then(|(_, rounding)| rounding.wanted())
    }
}

impl Stored {
    /// The origins that the columns of a file want, which takes a pass over it.
    fn wanted_origins(&self, columns: ArrayColumns) -> Result<Option<Vec<f64>>, DataError> {
        let mut rounding = Rounding::new(columns.n, &[]);
        let mut wide = vec![];
        for start in (0..self.len).step_by(BLOCK / 8) {
            wide.clear();
            self.read_wide(start, (self.len - start).min(BLOCK / 8), &mut wide).map_err(DataError::io(&self.path))?;
            for (column, &x) in columns.columns_from(start).zip(&wide) {
                rounding.round(column, x);
            }
        }
        Ok(rounding.wanted())
    }
}

fn damaged(error: io::Error) -> Unlocated {
    format!("it is damaged: {error}").into()
}

/// Brings numbers of an array from column-major order, in which the first index runs fastest, to row-major order.
fn row_major(columns: &Store, shape: &[usize], memory: MemoryLimit) -> Result<Store, DataError> {
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
