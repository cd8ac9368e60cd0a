//! Samples and labels from files: which reader takes which, and what none of them lets pass.

use std::fs;
use std::io::Read;
use std::path::{Path, PathBuf};

use thiserror::Error;

use super::npy::{self, Npz};
use super::{Dataset, ImageShape, Samples, Source, csv, folder, parquet};

/// Why data can't be used. Every message names the file and says what was expected.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum DataError {
    /// The file can't be read.
    #[error("{path}: {source}")]
    Io {
        /// The file.
        path: PathBuf,
        /// Why.
        source: std::io::Error,
    },
    /// The file is not what its name or its first bytes say, or is of a kind that is not read.
    #[error("{path}: {problem}")]
    Content {
        /// The file.
        path: PathBuf,
        /// What was found, what was expected, what to do.
        problem: String,
    },
    /// A field of a table is not what it should be.
    #[error("{path}:{line}:{column}: {problem}")]
    Cell {
        /// The file.
        path: PathBuf,
        /// The line, from 1.
        line: u64,
        /// The field in the line, from 1.
        column: usize,
        /// What was found, what was expected, what to do.
        problem: String,
    },
}

/// Reads samples, and labels where the file has them; `digits` is the embedded set.
///
/// # Errors
/// See [`DataError`].
pub fn read(source: &str) -> Result<Dataset, DataError> {
    Source::of(source).read()
}

/// Reads a file as it is: a row is a sample.
pub(super) fn read_table(source: &Source) -> Result<Dataset, DataError> {
    let path = Path::new(&source.path);
    let ending = path.extension().and_then(|ending| ending.to_str()).unwrap_or("");
    let is_text = matches!(ending, "csv" | "tsv" | "txt");
    let is_table = is_text || matches!(ending, "parquet" | "pq");
    let columns = [("--label-column", &source.label_column), ("--group-column", &source.group_column)];
    for (flag, column) in columns {
        if !is_table && column.as_ref().is_some_and(|column| !column.is_empty()) {
            return Err(content(
                path,
                format!("{flag}: only CSV and Parquet files have columns with names; leave it away"),
            ));
        }
    }
    if source.path == "digits" {
        return Ok(super::digits());
    }
    let dataset = match ending {
        _ if path.is_dir() => folder::read(path)?,
        "npz" => read_npz(path)?,
        _ if is_text => csv::read(path, source)?,
        _ if is_table => parquet::read(path, source)?,
        "npy" => Dataset { samples: samples(path, array(path)?)?, labels: None, groups: None },
        _ => Dataset { samples: samples(path, idx(path)?)?, labels: None, groups: None },
    };
    check(path, &dataset)?;
    Ok(dataset)
}

/// Reads one label per sample from an NPY or IDX file.
///
/// # Errors
/// See [`DataError`]; another number of labels than `n_samples` is one.
pub fn read_labels(path: &Path, n_samples: usize) -> Result<Vec<u32>, DataError> {
    let is_npy = path.extension().is_some_and(|e| e == "npy");
    let labels = labels(path, if is_npy { array(path)? } else { idx(path)? })?;
    check_labels(path, labels.len(), n_samples)?;
    Ok(labels)
}

/// Numbers of any type, and whether they were integers.
pub(super) struct Numbers {
    pub(super) shape: Vec<usize>,
    pub(super) values: Vec<f64>,
    pub(super) are_integers: bool,
}

pub(super) fn content(path: &Path, problem: impl Into<String>) -> DataError {
    DataError::Content { path: path.into(), problem: problem.into() }
}

pub(super) fn whole(path: &Path) -> Result<Vec<u8>, DataError> {
    fs::read(path).map_err(|source| DataError::Io { path: path.into(), source })
}

fn array(path: &Path) -> Result<Numbers, DataError> {
    npy::parse(&whole(path)?).map_err(|problem| content(path, problem))
}

/// Arrays are told by their names.
fn read_npz(path: &Path) -> Result<Dataset, DataError> {
    let refused = |problem| content(path, problem);
    let mut archive = Npz::new(whole(path)?).map_err(refused)?;
    let names = archive.names();
    let named = |wanted: &[&str]| names.iter().find(|name| wanted.contains(&name.as_str())).cloned();
    let x = named(&["x", "X", "data", "images", "samples", "features", "windows"]);
    let x = x.or_else(|| (names.len() == 1).then(|| names[0].clone()));
    let x = x.ok_or_else(|| {
        let listed = names.join(", ");
        content(path, format!("which array holds the samples? It has {listed}; name it x, data, images or windows"))
    })?;
    let samples = samples(path, archive.array(&x).map_err(refused)?)?;
    let labels = match named(&["y", "labels", "label", "target", "targets"]) {
        Some(y) => Some(labels(path, archive.array(&y).map_err(refused)?)?),
        None => None,
    };
    let groups = match named(&["groups", "group", "users", "user", "subjects", "subject"]) {
        Some(g) => Some(self::labels(path, archive.array(&g).map_err(refused)?)?),
        None => None,
    };
    Ok(Dataset { samples, labels, groups })
}

/// An IDX file: 0, 0, element type, number of dimensions, big-endian lengths, elements.
fn idx(path: &Path) -> Result<Numbers, DataError> {
    let io = |source| DataError::Io { path: path.into(), source };
    let mut bytes = whole(path)?;
    if bytes.starts_with(&[0x1f, 0x8b]) {
        let mut unpacked = Vec::new();
        flate2::read::GzDecoder::new(&bytes[..]).read_to_end(&mut unpacked).map_err(io)?;
        bytes = unpacked;
    }
    let [0, 0, kind, n_dims, ref rest @ ..] = bytes[..] else {
        return Err(content(
            path,
            "not an IDX file (it must start with two zero bytes), and its name does not end in .csv, .tsv, .npy, .npz or .parquet",
        ));
    };
    let n_dims = usize::from(n_dims);
    let (lengths, data) = rest.split_at_checked(4 * n_dims).ok_or_else(|| {
        content(path, format!("truncated: its header names {n_dims} dimensions and ends before them"))
    })?;
    let length = |b: &[u8]| b.iter().fold(0usize, |n, &byte| n << 8 | usize::from(byte));
    let shape: Vec<usize> = lengths.chunks_exact(4).map(length).collect();
    type Element = (usize, bool, fn(&[u8]) -> f64);
    let (width, are_integers, element): Element = match kind {
        0x08 => (1, true, |b| b[0].into()),
        0x09 => (1, true, |b| (b[0] as i8).into()),
        0x0b => (2, true, |b| i16::from_be_bytes([b[0], b[1]]).into()),
        0x0c => (4, true, |b| i32::from_be_bytes([b[0], b[1], b[2], b[3]]).into()),
        0x0d => (4, false, |b| f32::from_be_bytes([b[0], b[1], b[2], b[3]]).into()),
        _ => {
            return Err(content(
                path,
                format!("IDX element type {kind:#04x} is not read: expected 08, 09, 0b, 0c or 0d"),
            ));
        }
    };
    let expected = shape.iter().try_fold(width, |n, &d| n.checked_mul(d));
    if expected != Some(data.len()) {
        return Err(content(
            path,
            format!("its header says shape {shape:?}, but {} bytes of elements follow", data.len()),
        ));
    }
    Ok(Numbers { shape, values: data.chunks_exact(width).map(element).collect(), are_integers })
}

/// `N x D`, or images `N x height x width` or `N x height x width x channels`, or windows `N x length x channels`, flattened.
fn samples(path: &Path, numbers: Numbers) -> Result<Samples, DataError> {
    let Numbers { shape, values, are_integers } = numbers;
    let [n, ref rest @ ..] = shape[..] else {
        return Err(content(path, "it holds a single number: expected samples by features"));
    };
    if rest.is_empty() || rest.len() > 3 {
        return Err(content(
            path,
            format!("its shape is {shape:?}: expected samples by features, or by height by width"),
        ));
    }
    let n_features: usize = rest.iter().product();
    if n == 0 || n_features == 0 {
        return Err(content(path, format!("it is empty: its shape is {shape:?}")));
    }
    let name = path.file_stem().and_then(|s| s.to_str()).unwrap_or("data");
    let samples = Samples::new(name, values.into_iter().map(|x| x as f32).collect(), n_features);
    let samples = if are_integers { samples.with_count(1.0) } else { samples };
    Ok(match *rest {
        // Squares of unsigned integers are images; a long window of few channels is not.
        [height, width] if height == width => samples.with_image(ImageShape { channels: 1, height, width }),
        // More instants than any image of so few columns has rows: a recording's windows.
        [length, channels] if length >= 4 * channels => samples.with_channels(channels),
        [height, width, channels @ (1 | 3 | 4)] => samples.with_image(ImageShape { channels, height, width }),
        _ => samples,
    })
}

fn labels(path: &Path, numbers: Numbers) -> Result<Vec<u32>, DataError> {
    if numbers.shape.len() != 1 {
        return Err(content(
            path,
            format!("the labels have shape {:?}: expected one number per sample", numbers.shape),
        ));
    }
    let label = |(i, &y): (usize, &f64)| {
        let fits = y >= 0.0 && y.fract() == 0.0 && y < 65536.0;
        if fits {
            Ok(y as u32)
        } else {
            Err(content(path, format!("label {i} is {y}: expected integers from 0 to 65535")))
        }
    };
    numbers.values.iter().enumerate().map(label).collect()
}

fn check_labels(path: &Path, found: usize, expected: usize) -> Result<(), DataError> {
    if found == expected {
        return Ok(());
    }
    Err(content(path, format!("it has {found} labels for {expected} samples: there must be one per sample")))
}

fn check(path: &Path, dataset: &Dataset) -> Result<(), DataError> {
    let samples = &dataset.samples;
    if let Some(at) = samples.values.iter().position(|x| !x.is_finite()) {
        let (row, column) = (at / samples.n_features, at % samples.n_features);
        return Err(content(
            path,
            format!("sample {row}, feature {column} is {}: replace it or drop the sample", samples.values[at]),
        ));
    }
    let is_table = samples.image.is_none() && samples.count.is_none();
    if is_table && samples.n_samples > 1 {
        let first = &samples.values[..samples.n_features];
        if let Some(feature) = (0..samples.n_features).find(|&d| samples.rows().all(|row| row[d] == first[d])) {
            return Err(content(
                path,
                format!("feature {feature} is {} in every sample: drop it, it says nothing", first[feature]),
            ));
        }
    }
    if let Some(groups) = dataset.groups.as_ref().filter(|groups| groups.len() != samples.n_samples) {
        let (found, expected) = (groups.len(), samples.n_samples);
        return Err(content(
            path,
            format!("it has {found} groups for {expected} samples: there must be one per sample"),
        ));
    }
    dataset.labels.as_ref().map_or(Ok(()), |labels| check_labels(path, labels.len(), samples.n_samples))
}

#[cfg(test)]
mod tests {
    use std::io::Write;

    use super::*;

    fn file(name: &str, bytes: &[u8]) -> (tempfile::TempDir, String) {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join(name);
        fs::write(&path, bytes).unwrap();
        let path = path.to_str().unwrap().to_owned();
        (folder, path)
    }

    fn images() -> Vec<u8> {
        let mut bytes = vec![0, 0, 8, 3, 0, 0, 0, 2, 0, 0, 0, 2, 0, 0, 0, 2];
        bytes.extend([0, 1, 2, 3, 4, 5, 6, 255]);
        bytes
    }

    #[test]
    fn idx_is_read_plain_and_gzipped() {
        let mut packed = flate2::write::GzEncoder::new(vec![], flate2::Compression::fast());
        packed.write_all(&images()).unwrap();
        for bytes in [images(), packed.finish().unwrap()] {
            let (_folder, path) = file("images-idx3-ubyte", &bytes);
            let samples = read(&path).unwrap().samples;
            assert_eq!(samples.values, [0.0, 1.0, 2.0, 3.0, 4.0, 5.0, 6.0, 255.0]);
            assert_eq!((samples.n_samples, samples.n_features, samples.count), (2, 4, Some(1.0)));
            assert_eq!(samples.image, Some(ImageShape { channels: 1, height: 2, width: 2 }));
        }
    }

    #[test]
    fn npy_and_npz_are_read_in_every_type() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("x.npy");
        ndarray_npy::write_npy(&path, &ndarray::array![[1i16, -2], [3, 4], [5, 7]]).unwrap();
        assert_eq!(read(path.to_str().unwrap()).unwrap().samples.values, [1.0, -2.0, 3.0, 4.0, 5.0, 7.0]);
        let path = folder.path().join("d.npz");
        let mut npz = ndarray_npy::NpzWriter::new(fs::File::create(&path).unwrap());
        npz.add_array("data", &ndarray::array![[1.5f64, 2.0], [3.0, 4.0]]).unwrap();
        npz.add_array("target", &ndarray::array![7i32, 0]).unwrap();
        npz.finish().unwrap();
        let dataset = read(path.to_str().unwrap()).unwrap();
        assert_eq!((dataset.samples.values, dataset.samples.count), (vec![1.5, 2.0, 3.0, 4.0], None));
        assert_eq!(dataset.labels, Some(vec![7, 0]));
    }

    #[test]
    fn four_dimensions_are_images_of_channels_and_three_are_windows() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("x.npy");
        let shape_of = |shape: &[usize]| {
            let values = ndarray::ArrayD::from_shape_fn(shape, |index| (index[0] + 3 * index[1]) as f32);
            ndarray_npy::write_npy(&path, &values).unwrap();
            let samples = read(path.to_str().unwrap()).unwrap().samples;
            (samples.n_features, samples.image)
        };
        assert_eq!(shape_of(&[2, 4, 5, 3]), (60, Some(ImageShape { channels: 3, height: 4, width: 5 })));
        assert_eq!(shape_of(&[2, 4, 3]), (12, None));
    }

    #[test]
    fn what_is_wrong_is_named() {
        let mut short = images();
        short.pop();
        let cases: [(&str, Vec<u8>, &str); 4] = [
            ("short", short, "its header says shape [2, 2, 2], but 7 bytes of elements follow"),
            ("text", b"hello".to_vec(), "not an IDX file"),
            ("bad.npy", b"hello".to_vec(), "not a readable NPY file"),
            ("bad.npz", b"hello".to_vec(), "not an NPZ archive"),
        ];
        for (name, bytes, message) in cases {
            let (_folder, path) = file(name, &bytes);
            let error = read(&path).unwrap_err().to_string();
            assert!(error.contains(message) && error.contains(name), "{error}");
        }
        let folder = tempfile::tempdir().unwrap();
        let write = |x: ndarray::Array2<f32>| {
            let path = folder.path().join("x.npy");
            ndarray_npy::write_npy(&path, &x).unwrap();
            read(path.to_str().unwrap()).unwrap_err().to_string()
        };
        assert!(write(ndarray::array![[1.0, 2.0], [3.0, f32::NAN]]).contains("sample 1, feature 1 is NaN"));
        assert!(write(ndarray::array![[1.0, 2.0], [3.0, 2.0]]).contains("feature 1 is 2 in every sample"));
        let (_folder, path) = file("labels", &[0, 0, 8, 1, 0, 0, 0, 2, 4, 5]);
        let error = read_labels(Path::new(&path), 3).unwrap_err().to_string();
        assert!(error.contains("2 labels for 3 samples"), "{error}");
        assert!(read("no/such/file.npy").unwrap_err().to_string().contains("no/such/file.npy"));
    }
}
