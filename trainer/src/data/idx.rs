//! IDX files, plain or packed by gzip: 0, 0, element type, number of dimensions, big-endian lengths, elements.
//!
//! The format: <http://yann.lecun.com/exdb/mnist/>.

use std::fs::File;
use std::io::{BufReader, Read, Seek};
use std::path::Path;

use super::elements::Elements;
use super::error::{DataError, Unlocated};
use super::memory::MemoryLimit;
use super::stream::{Array, ArrayHeader};

const GZIP: [u8; 2] = [0x1f, 0x8b];

/// Reads a file, or leaves its numbers in the file if it is not packed and they take too much memory.
pub(super) fn open(path: &Path, memory: MemoryLimit, origins: &[f64]) -> Result<Array, Unlocated> {
    let io = DataError::io(path);
    let mut file = BufReader::new(File::open(path).map_err(&io)?);
    let mut start = vec![];
    file.by_ref().take(2).read_to_end(&mut start).map_err(&io)?;
    file.rewind().map_err(&io)?;
    if start == GZIP {
        let mut unpacked = flate2::read::MultiGzDecoder::new(file);
        return Header::read(&mut unpacked)?.0.read(unpacked, memory, origins);
    }
    let header = Header::read(&mut file)?;
    let offset = header.len();
    header.0.read_or_leave(path, file, offset, memory, origins)
}

struct Header(ArrayHeader);

impl Header {
    fn read(reader: &mut impl Read) -> Result<Self, Unlocated> {
        let mut take = |n: usize| {
            let mut bytes = vec![];
            reader.by_ref().take(n as u64).read_to_end(&mut bytes).map(|_| bytes)
        };
        let damaged = |error: std::io::Error| Unlocated::from(format!("it is damaged: {error}"));
        let [0, 0, kind, n_dims] = take(4).map_err(damaged)?[..] else {
            return Err(Unlocated::from(
                "not an IDX file, which starts with two zero bytes; the names of files in other formats end in .csv, .tsv, \
                 .txt, .npy, .npz or .parquet",
            ));
        };
        let lengths = take(4 * usize::from(n_dims)).map_err(damaged)?;
        if lengths.len() < 4 * usize::from(n_dims) {
            return Err(format!(
                "its header says {n_dims} dimensions and is cut off before them: write the file again"
            )
            .into());
        }
        let length = |b: &[u8]| b.iter().fold(0usize, |n, &byte| n << 8 | usize::from(byte));
        let name = match kind {
            0x08 => ">u1",
            0x09 => ">i1",
            0x0b => ">i2",
            0x0c => ">i4",
            0x0d => ">f4",
            0x0e => ">f8",
            _ => {
                return Err(
                    format!("elements of type {kind:#04x} are not supported: expected integers or floats").into()
                );
            }
        };
        let elements = Elements::named(name)
            .ok_or_else(|| Unlocated::from(format!("elements of type {name} are not supported")))?;
        let shape = lengths.chunks_exact(4).map(length).collect();
        Ok(Self(ArrayHeader { elements, shape, is_fortran: false }))
    }

    /// Number of bytes before the elements.
    fn len(&self) -> usize {
        4 + 4 * self.0.shape.len()
    }
}
