//! NPY arrays and NPZ archives of them, as numpy writes them.
//!
//! The format: <https://numpy.org/doc/stable/reference/generated/numpy.lib.format.html>. Lengths are compared with what
//! is there before anything is allocated for them.

use std::io::{Cursor, Read};

use zip::ZipArchive;

use super::files::Numbers;

const MAGIC: &[u8] = b"\x93NUMPY";

/// The arrays of an archive, packed.
pub(super) struct Npz(ZipArchive<Cursor<Vec<u8>>>);

impl Npz {
    /// Opens an archive.
    pub(super) fn new(bytes: Vec<u8>) -> Result<Self, String> {
        ZipArchive::new(Cursor::new(bytes)).map(Self).map_err(|error| format!("not an NPZ archive: {error}"))
    }

    /// The arrays' names, without `.npy`, in the archive's order.
    pub(super) fn names(&self) -> Vec<String> {
        let mut names: Vec<String> = vec![];
        for index in 0..self.0.len() {
            let name = self.0.name_for_index(index).unwrap_or_default();
            names.push(name.strip_suffix(".npy").unwrap_or(name).into());
        }
        names
    }

    /// One array, unpacked.
    pub(super) fn array(&mut self, name: &str) -> Result<Numbers, String> {
        let damaged = |error: &dyn std::fmt::Display| format!("array {name} is damaged: {error}");
        let index = self.names().iter().position(|n| n == name);
        let index = index.ok_or_else(|| format!("it has no array {name}; it has {}", self.names().join(", ")))?;
        let mut entry = self.0.by_index(index).map_err(|error| damaged(&error))?;
        let mut bytes = vec![];
        entry.read_to_end(&mut bytes).map_err(|error| damaged(&error))?;
        parse(&bytes).map_err(|problem| format!("array {name}: {problem}"))
    }
}

/// Reads an NPY file's bytes.
pub(super) fn parse(bytes: &[u8]) -> Result<Numbers, String> {
    array(bytes).map_err(|problem| format!("not a readable NPY file: {problem}"))
}

fn array(bytes: &[u8]) -> Result<Numbers, String> {
    let rest = bytes.strip_prefix(MAGIC).ok_or("it does not start with \\x93NUMPY")?;
    let cut_off = "its header is cut off: write it again";
    let (length, rest) = match *rest {
        [1, _, a, b, ref rest @ ..] => (usize::from(u16::from_le_bytes([a, b])), rest),
        [2 | 3, _, a, b, c, d, ref rest @ ..] => (u32::from_le_bytes([a, b, c, d]) as usize, rest),
        [major, minor, ..] => return Err(format!("its version is {major}.{minor}: expected 1 to 3")),
        _ => return Err(cut_off.into()),
    };
    let (header, data) = rest.split_at_checked(length).ok_or(cut_off)?;
    let header = std::str::from_utf8(header).map_err(|_| "its header is not text")?;
    let Header { kind, is_big, is_fortran, shape } = Header::parse(header)?;
    let n = shape.iter().try_fold(1usize, |n, &d| n.checked_mul(d));
    if n.and_then(|n| n.checked_mul(kind.width)) != Some(data.len()) {
        let (name, width, found) = (kind.name, kind.width, data.len());
        return Err(format!(
            "its header says shape {shape:?} of {name} ({width} bytes each), but {found} bytes follow: write it again"
        ));
    }
    let mut element = [0; 8];
    let mut values: Vec<f64> = data
        .chunks_exact(kind.width)
        .map(|bytes| {
            element[..kind.width].copy_from_slice(bytes);
            if is_big {
                element[..kind.width].reverse();
            }
            (kind.value)(element)
        })
        .collect();
    if is_fortran && shape.len() > 1 {
        values = row_major(&values, &shape);
    }
    Ok(Numbers { shape, values, are_integers: kind.is_integer })
}

/// From column-major order: the first index runs fastest there, the last one here.
fn row_major(values: &[f64], shape: &[usize]) -> Vec<f64> {
    let mut index = vec![0usize; shape.len()];
    (0..values.len())
        .map(|_| {
            let at = index.iter().zip(shape).rev().fold(0, |at, (&i, &d)| at * d + i);
            for (i, &d) in index.iter_mut().zip(shape).rev() {
                *i += 1;
                if *i < d {
                    break;
                }
                *i = 0;
            }
            values[at]
        })
        .collect()
}

/// An element type, little-endian.
struct Kind {
    name: &'static str,
    width: usize,
    is_integer: bool,
    value: fn([u8; 8]) -> f64,
}

macro_rules! kinds {
    ($($name:literal $kind:ty, $is_integer:literal;)*) => {
        [$(Kind {
            name: $name,
            width: size_of::<$kind>(),
            is_integer: $is_integer,
            value: |b| {
                let mut exact = [0; size_of::<$kind>()];
                exact.copy_from_slice(&b[..size_of::<$kind>()]);
                <$kind>::from_le_bytes(exact) as f64
            },
        }),*]
    };
}

/// numpy's `bool` is one byte, 0 or 1.
static KINDS: [Kind; 11] = kinds! {
    "b1" u8, true;
    "u1" u8, true;
    "i1" i8, true;
    "u2" u16, true;
    "i2" i16, true;
    "u4" u32, true;
    "i4" i32, true;
    "u8" u64, true;
    "i8" i64, true;
    "f4" f32, false;
    "f8" f64, false;
};

/// What stands in front of the elements: `{'descr': '<f4', 'fortran_order': False, 'shape': (3, 4), }`.
struct Header {
    kind: &'static Kind,
    is_big: bool,
    is_fortran: bool,
    shape: Vec<usize>,
}

impl Header {
    fn parse(text: &str) -> Result<Self, String> {
        let descr = field(text, "descr")?;
        let name = descr.strip_prefix(['\'', '"']).and_then(|rest| rest.split(['\'', '"']).next());
        let name = name.ok_or("its elements are records: expected numbers, one array for the samples")?;
        let kind = KINDS.iter().find(|kind| name.trim_start_matches(['<', '>', '|', '=']) == kind.name);
        let kind = kind.ok_or_else(|| {
            format!("its element type {name} is not read: expected integers, f4 or f8; convert with .astype('float32')")
        })?;
        let shape = field(text, "shape")?;
        let inner = shape.strip_prefix('(').and_then(|rest| rest.split(')').next());
        let lengths = inner.into_iter().flat_map(|inner| inner.split(',')).map(str::trim).filter(|d| !d.is_empty());
        let lengths = lengths.map(str::parse).collect::<Result<Vec<usize>, _>>();
        let shape = inner.and(lengths.ok()).ok_or("its header has no readable shape")?;
        let is_fortran = field(text, "fortran_order")?.starts_with("True");
        Ok(Self { kind, is_big: name.starts_with('>'), is_fortran, shape })
    }
}

/// What stands after `'name':`.
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

    use ndarray::{Array, Array2, Array3};
    use ndarray_npy::WriteNpyExt;
    use proptest::prelude::*;
    use zip::write::SimpleFileOptions;

    use super::*;

    fn npy(descr: &str, fortran: &str, shape: &str, data: &[u8]) -> Vec<u8> {
        let header = format!("{{'descr': '{descr}', 'fortran_order': {fortran}, 'shape': {shape}, }}\n");
        [MAGIC, &[1, 0], &(header.len() as u16).to_le_bytes(), header.as_bytes(), data].concat()
    }

    /// What another implementation writes.
    fn written<T: ndarray_npy::WritableElement + Clone, D: ndarray::Dimension>(array: &Array<T, D>) -> Numbers {
        let mut bytes = vec![];
        array.write_npy(&mut bytes).unwrap();
        parse(&bytes).unwrap()
    }

    #[test]
    fn what_another_implementation_writes_is_read_in_every_type() {
        macro_rules! check {
            ($($kind:ty),*) => {$(
                let array = Array2::from_shape_fn((3, 2), |(i, j)| (10 * i + j) as $kind);
                let numbers = written(&array);
                assert_eq!((numbers.shape, numbers.values), (vec![3, 2], vec![0.0, 1.0, 10.0, 11.0, 20.0, 21.0]));
                assert_eq!(numbers.are_integers, stringify!($kind).starts_with(['u', 'i']));
            )*};
        }
        check!(u8, i8, u16, i16, u32, i32, u64, i64, f32, f64);
        assert_eq!(written(&ndarray::array![-1i8, i8::MIN]).values, [-1.0, -128.0]);
        assert_eq!(written(&ndarray::array![true, false]).values, [1.0, 0.0]);
        assert!(written(&ndarray::array![f64::NAN]).values[0].is_nan());
    }

    #[test]
    fn both_orders_are_read() {
        let array = Array3::from_shape_fn((2, 3, 4), |(i, j, k)| (100 * i + 10 * j + k) as i16);
        let mut bytes = vec![];
        // A transposed view of an array in the other order is written with fortran_order.
        let columns = array.view().reversed_axes().as_standard_layout().reversed_axes().into_owned();
        columns.write_npy(&mut bytes).unwrap();
        assert!(String::from_utf8_lossy(&bytes).contains("'fortran_order': True"));
        assert_eq!(parse(&bytes).unwrap().values, written(&array).values);
        let big = npy(">u2", "False", "(2,)", &[1, 0, 0, 1]);
        assert_eq!(parse(&big).unwrap().values, [256.0, 1.0]);
        assert_eq!(parse(&npy("<u1", "False", "(2,)", &[3, 4])).unwrap().values, [3.0, 4.0]);
    }

    #[test]
    fn what_is_wrong_is_named() {
        let huge = "(1099511627776, 1048576)";
        for (bytes, message) in [
            (b"hello".to_vec(), "does not start with"),
            (npy("<f4", "False", "(2, 2)", &[0; 15]), "shape [2, 2] of f4 (4 bytes each), but 15 bytes follow"),
            (npy("<f4", "False", huge, &[0; 16]), "but 16 bytes follow"),
            (npy("<f8", "False", "(18446744073709551615, 9)", &[]), "but 0 bytes follow"),
            (npy("<f2", "False", "(2,)", &[0; 4]), "type <f2 is not read"),
            (npy("<c8", "False", "(2,)", &[0; 16]), "type <c8 is not read"),
            (npy("<f4", "False", "(-2,)", &[]), "no readable shape"),
            (npy("<f4", "False", "5", &[]), "no readable shape"),
            ([MAGIC, &[9, 0, 0, 0]].concat(), "version is 9.0"),
            ([MAGIC, &[1, 0, 200, 0, b'{']].concat(), "header is cut off"),
            ([MAGIC, &[1, 0, 2, 0, b'{', b'}']].concat(), "names no descr"),
        ] {
            let error = parse(&bytes).err().unwrap();
            assert!(error.contains(message), "{error}");
        }
    }

    proptest! {
        #[test]
        fn no_bytes_panic(noise in prop::collection::vec(any::<u8>(), 0..80), at in 0usize..90, byte: u8) {
            let _ = parse(&noise);
            let mut bytes = npy("<i2", "True", "(2, 3)", &[7; 12]);
            let at = at % bytes.len();
            let _ = parse(&bytes[..at]);
            bytes[at] = byte;
            let _ = parse(&bytes);
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
            let bytes = archive.finish().unwrap().into_inner();
            let mut npz = Npz::new(bytes).unwrap();
            assert_eq!(npz.names(), ["b", "a"]);
            assert_eq!(npz.array("a").unwrap().values, [9.0; 3]);
            assert!(npz.array("c").err().unwrap().contains("no array c; it has b, a"));
        }
    }
}
