//! NPY arrays and NPZ archives of them, as numpy writes them.
//!
//! The format: <https://numpy.org/doc/stable/reference/generated/numpy.lib.format.html>. Lengths are compared with what
//! is there before anything is allocated for them.

use std::fs::File;
use std::io::{BufReader, Read, Seek};
use std::path::Path;

use ndarray::ArrayD;
use zip::ZipArchive;
use zip::read::ZipFile;

use super::elements::Elements;
use super::error::{DataError, Unlocated};
use super::memory::MemoryLimit;
use super::stream::{Array, ArrayHeader};
use crate::base::text::listed;

const MAGIC: &[u8] = b"\x93NUMPY";

/// How many bytes a header may have: numpy's own have a few hundred.
const LONGEST_HEADER: usize = 1 << 20;

/// How messages about NPY files begin.
const WHAT: &str = "not a readable NPY file: ";

/// An archive of arrays.
pub(super) struct Npz<R>(ZipArchive<R>);

impl<R: Read + Seek> Npz<R> {
    /// Opens an archive.
    pub(super) fn new(reader: R) -> Result<Self, String> {
        ZipArchive::new(reader).map(Self).map_err(|error| format!("not an NPZ archive: {error}"))
    }

    /// The names of the arrays without `.npy`, in the order of the archive.
    pub(super) fn names(&self) -> Vec<String> {
        let mut names: Vec<String> = vec![];
        for index in 0..self.0.len() {
            let name = self.0.name_for_index(index).unwrap_or_default();
            names.push(name.strip_suffix(".npy").unwrap_or(name).into());
        }
        names
    }

    /// Reads one array.
    pub(super) fn array(&mut self, name: &str, memory: MemoryLimit, origins: &[f64]) -> Result<Array, Unlocated> {
        parse(self.entry(name)?, memory, origins).map_err(|problem| problem.before(&format!("array {name}: ")))
    }

    /// Reads one array of at most `most` numbers in f64.
    pub(super) fn wide_array(&mut self, name: &str, most: usize) -> Result<ArrayD<f64>, String> {
        let mut entry = self.entry(name)?;
        let array = Header::read(&mut entry).and_then(|(header, _)| header.0.read_wide(entry, most));
        array.map_err(|problem| format!("array {name}: {WHAT}{problem}"))
    }

    fn entry(&mut self, name: &str) -> Result<ZipFile<'_, R>, String> {
        let index = self.names().iter().position(|n| n == name);
        let index = index.ok_or_else(|| format!("it has no array {name}; it has {}", listed(&self.names())))?;
        self.0.by_index(index).map_err(|error| format!("array {name} can't be unpacked: {error}"))
    }
}

/// Reads the bytes of an NPY file from a stream.
fn parse(mut reader: impl Read, memory: MemoryLimit, origins: &[f64]) -> Result<Array, Unlocated> {
    let (header, _) = Header::read(&mut reader).map_err(|problem| format!("{WHAT}{problem}"))?;
    header.0.read(reader, memory, origins).map_err(|problem| problem.before(WHAT))
}

/// Reads a file, or leaves its numbers in the file if they take too much memory.
pub(super) fn open(path: &Path, memory: MemoryLimit, origins: &[f64]) -> Result<Array, Unlocated> {
    let mut file = BufReader::new(File::open(path).map_err(DataError::io(path))?);
    let (header, offset) = Header::read(&mut file).map_err(|problem| format!("{WHAT}{problem}"))?;
    header.0.read_or_leave(path, file, offset, memory, origins).map_err(|problem| problem.before(WHAT))
}

/// The header before the elements: `{'descr': '<f4', 'fortran_order': False, 'shape': (3, 4), }`.
struct Header(ArrayHeader);

impl Header {
    /// Reads the header. Also gives its length in bytes.
    fn read(reader: &mut impl Read) -> Result<(Self, usize), String> {
        let mut offset = 0;
        let mut take = |n: usize| {
            let mut bytes = vec![];
            offset += n;
            let read = reader.by_ref().take(n as u64).read_to_end(&mut bytes);
            read.map_err(|error| error.to_string()).map(|_| bytes)
        };
        if take(MAGIC.len())? != MAGIC {
            return Err("it does not start with \\x93NUMPY".into());
        }
        let cut_off = "its header is cut off: write the file again";
        let length = match take(2)?[..] {
            [1, _] => 2,
            [2 | 3, _] => 4,
            [major, minor] => return Err(format!("its version is {major}.{minor}: expected 1 to 3")),
            _ => return Err(cut_off.into()),
        };
        let length = take(length)?.iter().rev().fold(0, |length, &byte| length << 8 | usize::from(byte));
        if length > LONGEST_HEADER {
            return Err(format!("its header has {length} bytes: expected at most {LONGEST_HEADER}"));
        }
        let text = take(length)?;
        if text.len() < length || length == 0 {
            return Err(cut_off.into());
        }
        let text = std::str::from_utf8(&text).map_err(|_| "its header is not text")?;
        Ok((Self::parse(text)?, offset))
    }

    fn parse(text: &str) -> Result<Self, String> {
        let descr = field(text, "descr")?;
        let name = descr.strip_prefix(['\'', '"']).and_then(|rest| rest.split(['\'', '"']).next());
        let name = name.ok_or("its elements are records: expected one array of numbers")?;
        let elements = Elements::named(name).ok_or_else(|| unsupported(name))?;
        let shape = field(text, "shape")?;
        let inner = shape.strip_prefix('(').and_then(|rest| rest.split(')').next());
        let lengths = inner.into_iter().flat_map(|inner| inner.split(',')).map(str::trim).filter(|d| !d.is_empty());
        let lengths = lengths.map(str::parse).collect::<Result<Vec<usize>, _>>();
        let shape = inner.and(lengths.ok()).ok_or("its header has no readable shape")?;
        let is_fortran = field(text, "fortran_order")?.starts_with("True");
        Ok(Self(ArrayHeader { elements, is_fortran, shape }))
    }
}

/// What is wrong with elements of a type, and how numpy makes numbers of them.
fn unsupported(name: &str) -> String {
    let (what, advice) = match name.trim_start_matches(['<', '>', '|', '=']).chars().next() {
        Some('U' | 'S' | 'a' | 'T') => ("texts", "number them with np.unique(x, return_inverse=True)[1]"),
        Some('M' | 'm') => ("dates or times", "convert them with .astype('int64')"),
        Some('O') => ("Python objects", "convert them with .astype('float32')"),
        Some('c') => ("complex numbers", "store their real and imaginary parts as columns"),
        _ => return format!("elements of type {name} are not supported: convert them with .astype('float32')"),
    };
    format!("its elements are {what} (type {name}), and no numbers: {advice}")
}

/// The text after `'name':`.
fn field<'a>(text: &'a str, name: &str) -> Result<&'a str, String> {
    let found = ['\'', '"'].into_iter().find_map(|quote| {
        let (_, rest) = text.split_once(&format!("{quote}{name}{quote}"))?;
        rest.trim_start().strip_prefix(':').map(str::trim_start)
    });
    found.ok_or_else(|| format!("its header names no {name}"))
}

#[cfg(test)]
mod tests {
    use std::io::Write;

    use std::io::Cursor;

    use ndarray::{Array2, Array3};
    use ndarray_npy::WriteNpyExt;
    use proptest::prelude::*;
    use zip::write::SimpleFileOptions;

    use super::*;

    fn npy(descr: &str, fortran: &str, shape: &str, data: &[u8]) -> Vec<u8> {
        let header = format!("{{'descr': '{descr}', 'fortran_order': {fortran}, 'shape': {shape}, }}\n");
        [MAGIC, &[1, 0], &(header.len() as u16).to_le_bytes(), header.as_bytes(), data].concat()
    }

    /// Shape and numbers, and whether these are integers.
    type Found = (Vec<usize>, Vec<f32>, bool);

    /// What is read of a file's bytes, the same as a stream and as a file, in memory and not.
    fn parsed(bytes: &[u8]) -> Result<Found, String> {
        let found = |array: Result<Array, Unlocated>| {
            let array = array.map_err(|problem| problem.at("x.npy".as_ref()).to_string())?;
            let mut values = vec![];
            array.store.read(0, array.store.len(), &mut values).map_err(|error| error.to_string())?;
            Ok::<Found, String>((array.shape, values, array.are_integers))
        };
        let path = tempfile::NamedTempFile::with_suffix(".npy").unwrap();
        std::fs::write(path.path(), bytes).unwrap();
        let expected = found(parse(bytes, MemoryLimit(1 << 20), &[]));
        for memory in [MemoryLimit(0), MemoryLimit(16), MemoryLimit(1 << 20)] {
            let bits = |found: &Result<Found, String>| {
                let (shape, values, are_integers) = found.clone()?;
                Ok::<_, String>((shape, values.iter().map(|x| x.to_bits()).collect::<Vec<u32>>(), are_integers))
            };
            assert_eq!(bits(&found(parse(bytes, memory, &[]))), bits(&expected));
            assert_eq!(bits(&found(open(path.path(), memory, &[]))), bits(&expected));
        }
        expected
    }

    /// What another implementation writes.
    fn written<T: ndarray_npy::WritableElement + Clone, D: ndarray::Dimension>(array: &ndarray::Array<T, D>) -> Found {
        let mut bytes = vec![];
        array.write_npy(&mut bytes).unwrap();
        parsed(&bytes).unwrap()
    }

    #[test]
    fn half_precision_is_read_exactly() {
        let halves = [0x3c00u16, 0xc100, 0x0001, 0x7bff].map(u16::to_le_bytes).concat();
        let expected = [1.0, -2.5, 2f32.powi(-24), 65504.0];
        assert_eq!(parsed(&npy("<f2", "False", "(4,)", &halves)).unwrap(), (vec![4], expected.to_vec(), false));
        let big = npy(">f2", "False", "(1,)", &[0xc1, 0x00]);
        assert_eq!(parsed(&big).unwrap().1, [-2.5]);
    }

    #[test]
    fn what_another_implementation_writes_is_read_in_every_type() {
        macro_rules! check {
            ($($kind:ty),*) => {$(
                let array = Array2::from_shape_fn((3, 2), |(i, j)| (10 * i + j) as $kind);
                let (shape, values, are_integers) = written(&array);
                assert_eq!((shape, values), (vec![3, 2], vec![0.0, 1.0, 10.0, 11.0, 20.0, 21.0]));
                assert_eq!(are_integers, stringify!($kind).starts_with(['u', 'i']));
            )*};
        }
        check!(u8, i8, u16, i16, u32, i32, u64, i64, f32, f64);
        assert_eq!(written(&ndarray::array![-1i8, i8::MIN]).1, [-1.0, -128.0]);
        assert_eq!(written(&ndarray::array![true, false]).1, [1.0, 0.0]);
        assert!(written(&ndarray::array![f64::NAN]).1[0].is_nan());
    }

    #[test]
    fn both_orders_are_read() {
        let array = Array3::from_shape_fn((2, 3, 4), |(i, j, k)| (100 * i + 10 * j + k) as i16);
        let mut bytes = vec![];
        // A transposed view of an array in the other order is written with fortran_order.
        let columns = array.view().reversed_axes().as_standard_layout().reversed_axes().into_owned();
        columns.write_npy(&mut bytes).unwrap();
        assert!(String::from_utf8_lossy(&bytes).contains("'fortran_order': True"));
        assert_eq!(parsed(&bytes).unwrap(), written(&array));
        let big = npy(">u2", "False", "(2,)", &[1, 0, 0, 1]);
        assert_eq!(parsed(&big).unwrap().1, [256.0, 1.0]);
        assert_eq!(parsed(&npy("<u1", "False", "(2,)", &[3, 4])).unwrap().1, [3.0, 4.0]);
    }

    #[test]
    fn errors_say_what_is_wrong() {
        let huge = "(1099511627776, 1048576)";
        for (bytes, message) in [
            (b"hello".to_vec(), "does not start with"),
            (npy("<f4", "False", "(2, 2)", &[0; 15]), "shape [2, 2] of f4 (4 bytes each), but 15 bytes follow"),
            (npy("<f4", "False", huge, &[0; 16]), "but 16 bytes follow"),
            (npy("<f8", "False", "(18446744073709551615, 9)", &[]), "but 0 bytes follow"),
            (npy("<f16", "False", "(2,)", &[0; 32]), "type <f16 are not supported"),
            (npy("<c8", "False", "(2,)", &[0; 16]), "complex numbers (type <c8)"),
            (npy("<f4", "False", "(-2,)", &[]), "no readable shape"),
            (npy("<f4", "False", "5", &[]), "no readable shape"),
            (npy("<U5", "False", "(2,)", &[0; 40]), "its elements are texts (type <U5), and no numbers"),
            ([MAGIC, &[2, 0, 0, 0, 0, 0xc0]].concat(), "its header has 3221225472 bytes: expected at most 1048576"),
            ([MAGIC, &[9, 0, 0, 0]].concat(), "version is 9.0"),
            ([MAGIC, &[1, 0, 200, 0, b'{']].concat(), "header is cut off"),
            ([MAGIC, &[1, 0, 2, 0, b'{', b'}']].concat(), "names no descr"),
        ] {
            let error = parsed(&bytes).err().unwrap();
            assert!(error.contains(message), "{error}");
        }
    }

    proptest! {
        #[test]
        fn no_bytes_panic(noise in prop::collection::vec(any::<u8>(), 0..80), at in 0usize..90, byte: u8) {
            let _ = parsed(&noise);
            let mut bytes = npy("<i2", "True", "(2, 3)", &[7; 12]);
            let at = at % bytes.len();
            let _ = parsed(&bytes[..at]);
            bytes[at] = byte;
            let _ = parsed(&bytes);
        }
    }

    #[test]
    fn archives_are_read_stored_and_deflated() {
        for method in [zip::CompressionMethod::Stored, zip::CompressionMethod::Deflated] {
            let mut archive = zip::ZipWriter::new(Cursor::new(vec![]));
            for (name, value) in [("b", 7u8), ("a", 9)] {
                let options = SimpleFileOptions::default().compression_method(method);
                archive.start_file(format!("{name}.npy"), options).unwrap();
                archive.write_all(&npy("|u1", "False", "(3,)", &[value; 3])).unwrap();
            }
            let mut npz = Npz::new(archive.finish().unwrap()).unwrap();
            assert_eq!(npz.names(), ["b", "a"]);
            let mut values = vec![];
            npz.array("a", MemoryLimit(4), &[]).ok().unwrap().store.read(0, 3, &mut values).unwrap();
            assert_eq!(values, [9.0; 3]);
            let missing = npz.array("c", MemoryLimit(4), &[]).err().unwrap().at("x.npz".as_ref()).to_string();
            assert!(missing.contains("no array c; it has b, a"), "{missing}");
        }
    }
}
