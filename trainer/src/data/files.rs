//! Samples and labels from files: which reader takes which, and what none of them lets pass.

use std::fs::File;
use std::io::BufReader;
use std::path::Path;

use super::error::{DataError, content};
use super::npy::{self, Npz};
use super::stream::Array;
use super::table::name;
use super::values::Values;
use super::{Dataset, ImageShape, Memory, Samples, Source, csv, folder, idx, parquet};

/// Reads samples, and labels where the file has them; `digits` is the embedded set.
///
/// ```
/// let folder = tempfile::tempdir()?;
/// let path = folder.path().join("sizes.csv");
/// std::fs::write(&path, "width,height\n1,2\n3,5\n")?;
/// let dataset = edgemix::data::read(&path.to_string_lossy())?;
/// assert_eq!(*dataset.samples.all()?, [1.0, 2.0, 3.0, 5.0]);
/// assert_eq!(dataset.labels, None);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
///
/// # Errors
/// See [`DataError`].
pub fn read(source: &str) -> Result<Dataset, DataError> {
    Source::of(source).read()
}

/// Reads a file as it is: a row is a sample.
pub(super) fn read_table(source: &Source, memory: Memory) -> Result<Dataset, DataError> {
    let path = Path::new(&source.path);
    let kind = Kind::of(path);
    let is_named = |column: &Option<String>| column.as_ref().is_some_and(|column| !column.is_empty());
    let columns = [
        ("--label-column", is_named(&source.label_column)),
        ("--group-column", is_named(&source.group_column)),
        ("--drop-column", !source.drop_columns.is_empty()),
    ];
    for (flag, is_asked) in columns {
        if !matches!(kind, Kind::Text | Kind::Parquet) && is_asked {
            return Err(content(
                path,
                format!("{flag}: only CSV and Parquet files have columns with names; leave it away"),
            ));
        }
    }
    if source.path == "digits" {
        return Ok(super::digits());
    }
    let lone = |samples| Dataset { samples, labels: None, groups: None };
    let dataset = match kind {
        Kind::Folder => folder::read(path, memory)?,
        Kind::Npz => read_npz(path, memory)?,
        Kind::Text => csv::read(path, source, memory)?,
        Kind::Parquet => parquet::read(path, source, memory)?,
        Kind::Npy | Kind::Idx => lone(samples(path, array(path, memory)?)?),
    };
    check(path, &dataset)?;
    Ok(dataset)
}

/// What a path is, by its name.
enum Kind {
    Folder,
    /// CSV, packed by gzip or not.
    Text,
    Parquet,
    Npy,
    Npz,
    /// What its first bytes must say: IDX files have no ending.
    Idx,
}

impl Kind {
    fn of(path: &Path) -> Self {
        let ending = |path: &Path| path.extension().and_then(|ending| ending.to_str()).unwrap_or("").to_owned();
        let inner = if ending(path) == "gz" { path.with_extension("") } else { path.into() };
        match &*ending(path) {
            _ if path.is_dir() => Self::Folder,
            "npz" => Self::Npz,
            "npy" => Self::Npy,
            "parquet" | "pq" => Self::Parquet,
            _ if matches!(&*ending(&inner), "csv" | "tsv" | "txt") => Self::Text,
            _ => Self::Idx,
        }
    }
}

/// Reads one label per sample from an NPY or IDX file.
///
/// ```
/// use edgemix::data::read_labels;
///
/// let folder = tempfile::tempdir()?;
/// let path = folder.path().join("labels-idx1-ubyte");
/// // Bytes, one dimension, two of them.
/// std::fs::write(&path, [0u8, 0, 8, 1, 0, 0, 0, 2, 7, 3])?;
/// assert_eq!(read_labels(&path, 2)?, [7, 3]);
/// assert!(read_labels(&path, 3).is_err());
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
///
/// # Errors
/// See [`DataError`]; another number of labels than `n_samples` is one.
pub fn read_labels(path: &Path, n_samples: usize) -> Result<Vec<u32>, DataError> {
    let labels = labels(path, array(path, Memory::default())?)?;
    check_labels(path, labels.len(), n_samples)?;
    Ok(labels)
}

fn array(path: &Path, memory: Memory) -> Result<Array, DataError> {
    let array = if matches!(Kind::of(path), Kind::Npy) { npy::open(path, memory) } else { idx::open(path, memory) };
    array.map_err(|refusal| refusal.at(path))
}

/// Arrays are told by their names.
fn read_npz(path: &Path, memory: Memory) -> Result<Dataset, DataError> {
    let file = BufReader::new(File::open(path).map_err(DataError::io(path))?);
    let mut archive = Npz::new(file).map_err(|problem| content(path, problem))?;
    let names = archive.names();
    let named = |wanted: &[&str]| names.iter().find(|name| wanted.contains(&name.as_str())).cloned();
    let x = named(&["x", "X", "data", "images", "samples", "features", "windows"]);
    let x = x.or_else(|| (names.len() == 1).then(|| names[0].clone()));
    let x = x.ok_or_else(|| {
        let listed = names.join(", ");
        content(path, format!("which array holds the samples? It has {listed}; name it x, data, images or windows"))
    })?;
    let mut array = |name: &str| archive.array(name, memory).map_err(|refusal| refusal.at(path));
    let samples = samples(path, array(&x)?)?;
    let mut own = |names: &[&str]| named(names).map(|name| labels(path, array(&name)?)).transpose();
    let labels = own(&["y", "labels", "label", "target", "targets"])?;
    let groups = own(&["groups", "group", "users", "user", "subjects", "subject"])?;
    Ok(Dataset { samples, labels, groups })
}

/// `N x D`, or images `N x height x width` or `N x height x width x channels`, or windows `N x length x channels`, flattened.
fn samples(path: &Path, array: Array) -> Result<Samples, DataError> {
    let Array { shape, store, are_integers } = array;
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
    let samples = Samples::of(name(path), Values::new(store, n_features))?;
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

fn labels(path: &Path, array: Array) -> Result<Vec<u32>, DataError> {
    if array.shape.len() != 1 {
        return Err(content(path, format!("the labels have shape {:?}: expected one number per sample", array.shape)));
    }
    let mut values = vec![];
    array.store.read(0, array.store.len(), &mut values)?;
    let label = |(i, &y): (usize, &f32)| {
        let fits = y >= 0.0 && y.fract() == 0.0 && y < 65536.0;
        if fits {
            Ok(y as u32)
        } else {
            Err(content(path, format!("label {i} is {y}: expected integers from 0 to 65535")))
        }
    };
    values.iter().enumerate().map(label).collect()
}

fn check_labels(path: &Path, found: usize, expected: usize) -> Result<(), DataError> {
    if found == expected {
        return Ok(());
    }
    Err(content(path, format!("it has {found} labels for {expected} samples: there must be one per sample")))
}

fn check(path: &Path, dataset: &Dataset) -> Result<(), DataError> {
    let samples = &dataset.samples;
    if let Some((sample, feature, value)) = samples.survey.not_finite {
        return Err(content(
            path,
            format!("sample {sample}, feature {feature} is {value}: replace it or drop the sample"),
        ));
    }
    let is_table = samples.image.is_none() && samples.count.is_none();
    if let Some((feature, value)) = samples.survey.constant.filter(|_| is_table && samples.n_samples > 1) {
        return Err(content(path, format!("feature {feature} is {value} in every sample: drop it, it says nothing")));
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
    use std::fs;
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
            assert_eq!(*samples.chunk(0..2).unwrap(), [0.0, 1.0, 2.0, 3.0, 4.0, 5.0, 6.0, 255.0]);
            assert_eq!((samples.n_samples, samples.n_features, samples.count), (2, 4, Some(1.0)));
            assert_eq!(samples.image, Some(ImageShape { channels: 1, height: 2, width: 2 }));
        }
    }

    #[test]
    fn npy_and_npz_are_read_in_every_type() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("x.npy");
        ndarray_npy::write_npy(&path, &ndarray::array![[1i16, -2], [3, 4], [5, 7]]).unwrap();
        assert_eq!(
            read(path.to_str().unwrap()).unwrap().samples.chunk(0..3).unwrap().into_owned(),
            [1.0, -2.0, 3.0, 4.0, 5.0, 7.0]
        );
        let path = folder.path().join("d.npz");
        let mut npz = ndarray_npy::NpzWriter::new(fs::File::create(&path).unwrap());
        npz.add_array("data", &ndarray::array![[1.5f64, 2.0], [3.0, 4.0]]).unwrap();
        npz.add_array("target", &ndarray::array![7i32, 0]).unwrap();
        npz.finish().unwrap();
        let dataset = read(path.to_str().unwrap()).unwrap();
        assert_eq!((&*dataset.samples.chunk(0..2).unwrap(), dataset.samples.count), (&[1.5, 2.0, 3.0, 4.0][..], None));
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
            ("short", short, "its header says shape [2, 2, 2] of u1 (1 bytes each), but 7 bytes follow"),
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
