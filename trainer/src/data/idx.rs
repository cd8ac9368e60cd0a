//! IDX files, plain or packed by gzip: 0, 0, element type, number of dimensions, big-endian lengths, elements.
//!
//! The format: <http://yann.lecun.com/exdb/mnist/>.

use std::fs::File;
use std::io::{BufReader, Read, Seek};
use std::path::Path;

use super::elements::Elements;
use super::error::{DataError, Refusal};
use super::memory::MemoryLimit;
use super::stream::{self, Array};
use super::values::Store;

const GZIP: [u8; 2] = [0x1f, 0x8b];

/// Reads a file, or leaves its numbers where they are if they are not packed and would take too much memory.
pub(super) fn open(path: &Path, memory: MemoryLimit) -> Result<Array, Refusal> {
    let io = DataError::io(path);
    let mut file = BufReader::new(File::open(path).map_err(&io)?);
    let mut start = vec![];
    file.by_ref().take(2).read_to_end(&mut start).map_err(&io)?;
    file.rewind().map_err(&io)?;
    if start == GZIP {
        return parse(flate2::read::MultiGzDecoder::new(file), memory);
    }
    let header = Header::read(&mut file)?;
    let store = stream::of_file(path, file, header.len(), header.elements, &header.shape, memory)?;
    Ok(header.array(store))
}

/// Reads a stream of a file's bytes.
fn parse(mut reader: impl Read, memory: MemoryLimit) -> Result<Array, Refusal> {
    let header = Header::read(&mut reader)?;
    let store = stream::read(reader, header.elements, &header.shape, memory)?;
    Ok(header.array(store))
}

struct Header {
    elements: Elements,
    shape: Vec<usize>,
}

impl Header {
    fn read(reader: &mut impl Read) -> Result<Self, Refusal> {
        let mut take = |n: usize| {
            let mut bytes = vec![];
            reader.by_ref().take(n as u64).read_to_end(&mut bytes).map(|_| bytes)
        };
        let damaged = |error: std::io::Error| Refusal::from(format!("it is damaged: {error}"));
        let [0, 0, kind, n_dims] = take(4).map_err(damaged)?[..] else {
            return Err(Refusal::from(
                "not an IDX file (it must start with two zero bytes), and its name does not end in .csv, .tsv, .npy, \
                 .npz or .parquet",
            ));
        };
        let lengths = take(4 * usize::from(n_dims)).map_err(damaged)?;
        if lengths.len() < 4 * usize::from(n_dims) {
            return Err(format!("truncated: its header names {n_dims} dimensions and ends before them").into());
        }
        let length = |b: &[u8]| b.iter().fold(0usize, |n, &byte| n << 8 | usize::from(byte));
        let name = match kind {
            0x08 => ">u1",
            0x09 => ">i1",
            0x0b => ">i2",
            0x0c => ">i4",
            0x0d => ">f4",
            0x0e => ">f8",
            _ => return Err(format!("its element type {kind:#04x} is not read: expected integers or floats").into()),
        };
        let elements = Elements::named(name).ok_or_else(|| Refusal::from(format!("no elements are called {name}")))?;
        Ok(Self { elements, shape: lengths.chunks_exact(4).map(length).collect() })
    }

    /// Bytes before the elements.
    fn len(&self) -> usize {
        4 + 4 * self.shape.len()
    }

    fn array(self, store: Store) -> Array {
        Array { shape: self.shape, store, are_integers: self.elements.kind.is_integer }
    }
}
