//! Reads samples and labels: chooses the reader for a file, and checks what every reader must deliver.

use std::path::Path;

use edgemix_format::view::MAX_INPUTS;

use super::arrays::{numbers, read_npz, samples};
use super::columns::{Columns, TableColumns};
use super::dataset::Dataset;
use super::digits::digits;
use super::error::{ColumnProblem, ColumnRole, DataError, WindowingProblem, content};
use super::file_format::{FileFormat, foreign};
use super::memory::MemoryLimit;
use super::note::DataNote;
use super::samples::{Layout, Samples};
use super::source::Source;
use super::stream::Array;
use super::table::Read;
use super::{folder, idx, npy, parquet, text, windows};
use crate::base::arrays::changes;

/// Reads samples, and labels where the file has them. `digits` names the embedded set.
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
    Source::new(source).read()
}

impl Source {
    /// Reads the samples, and labels and groups where there are any, within a quarter of the machine's memory.
    ///
    /// # Errors
    /// See [`DataError`].
    pub fn read(&self) -> Result<Dataset, DataError> {
        self.read_within(MemoryLimit::default())
    }

    /// Reads the samples, and labels and groups where there are any. Samples that take more than `memory` stay in their
    /// file; where that is packed or text, they are unpacked once into a scratch file. They are the same samples, to the
    /// bit.
    ///
    /// ```
    /// use edgemix::data::{MemoryLimit, Source};
    ///
    /// let folder = tempfile::tempdir()?;
    /// let path = folder.path().join("x.csv");
    /// std::fs::write(&path, "1,2\n3,5\n4,4\n")?;
    /// let source = Source::new(path.to_string_lossy());
    /// // Six numbers of four bytes each, and room for one.
    /// let (held, stored) = (source.read()?.samples, source.read_within(MemoryLimit(4))?.samples);
    /// assert!(held.are_in_memory() && !stored.are_in_memory());
    /// assert_eq!(held, stored);
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    ///
    /// # Errors
    /// See [`DataError`].
    pub fn read_within(&self, memory: MemoryLimit) -> Result<Dataset, DataError> {
        let mut dataset = read_table(self, memory)?;
        if let Some(path) = &self.labels {
            dataset.labels = Some(read_labels(path, dataset.samples.n_samples())?);
        }
        let Some(window) = self.window else {
            // Windows that the file holds as such follow each other within a group.
            let Dataset { samples, labels, groups } = dataset;
            let breaks: Vec<usize> = groups.iter().flat_map(|groups| changes(groups)).collect();
            return Ok(Dataset { samples: samples.with_breaks(breaks), labels, groups });
        };
        let path = Path::new(&self.path);
        if dataset.samples.layout() != Layout::Table {
            return Err(DataError::Windowing { path: path.into(), problem: WindowingProblem::NotARecording });
        }
        let cut = windows::cut(path, &dataset, window, self.gaps)?;
        check(path, &cut)?;
        Ok(cut)
    }

    /// Reads samples and, if f32 is too coarse for one of their columns, once more with the origins that they want. Samples
    /// for a model take the origins of those that it was trained with.
    pub(super) fn centred(&self, read: impl Fn(&[f64]) -> Result<Read, DataError>) -> Result<Dataset, DataError> {
        let trained = self.trained.as_ref();
        let (found, wanted) = read(trained.map_or(&[], |trained| &trained.origins))?;
        let Some(origins) = wanted else { return Ok(found) };
        let columns = |samples: &Samples| -> Vec<(String, f64)> {
            let columns = (0..).zip(&origins).filter(|(_, origin)| **origin != 0.0);
            columns.map(|(c, &origin)| (samples.column_name(c), origin)).collect()
        };
        match trained {
            None => {
                drop(found);
                let Dataset { samples, labels, groups } = read(&origins)?.0;
                let note = DataNote::Origins { columns: columns(&samples) };
                Ok(Dataset { samples: samples.with_notes([note]), labels, groups })
            }
            // Nothing is known of the run.
            Some(trained) if trained.n_columns == 0 => {
                let Dataset { samples, labels, groups } = found;
                let names = columns(&samples).into_iter().map(|(name, _)| name).collect();
                Ok(Dataset { samples: samples.with_notes([DataNote::Coarse { names }]), labels, groups })
            }
            Some(_) => Ok(found),
        }
    }

    /// Refuses columns of labels and groups where the format has none.
    fn check_columns(&self, format: FileFormat) -> Result<(), DataError> {
        let columns = [
            (ColumnRole::Labels, &self.label_column),
            (ColumnRole::Groups, &self.group_column),
            (ColumnRole::Times, &self.time_column),
        ];
        let is_asked = |role, name: &Option<String>| {
            name.as_ref().is_some_and(|name| !name.is_empty()) && !self.optional_columns.contains(&role)
        };
        let asked = columns.into_iter().find(|&(role, name)| is_asked(role, name));
        match asked.filter(|_| !format.has_columns()) {
            Some((role, _)) => Err(self.no_column(role, ColumnProblem::ArrayOfItsOwn)),
            None => Ok(()),
        }
    }

    fn no_column(&self, role: ColumnRole, problem: ColumnProblem) -> DataError {
        DataError::Column { path: self.path.clone().into(), role, problem }
    }

    /// The samples of an array without the columns that are left out.
    fn without_dropped(&self, samples: Samples, memory: MemoryLimit) -> Result<Samples, DataError> {
        let is_table = samples.layout() == Layout::Table;
        if self.drop_columns.is_empty() || !is_table && self.optional_columns.contains(&ColumnRole::LeftOut) {
            return Ok(samples);
        }
        if !is_table {
            return Err(self.no_column(ColumnRole::LeftOut, ColumnProblem::NoColumns));
        }
        let table = TableColumns { names: &[], n: samples.n_features(), may_be_index: &|_| false };
        let columns = Columns::choose(Path::new(&self.path), &table, self)?;
        samples.keep_columns(&columns.features, memory)
    }
}

/// Reads a file as it is: a row is a sample.
fn read_table(source: &Source, memory: MemoryLimit) -> Result<Dataset, DataError> {
    let path = Path::new(&source.path);
    let format = FileFormat::from_name(path);
    if let Some(advice) = foreign(path).filter(|_| path.is_file()) {
        return Err(content(path, advice));
    }
    source.check_columns(format)?;
    let dataset = match format {
        _ if source.is_embedded() => {
            let Dataset { samples, labels, groups } = digits();
            let note = path.exists().then_some(DataNote::EmbeddedDigits);
            Dataset { samples: samples.with_notes(note), labels, groups }
        }
        FileFormat::Folder => folder::read(path, memory)?,
        FileFormat::Npz => source.centred(|origins| read_npz(path, memory, origins))?,
        FileFormat::Text => source.centred(|origins| text::read(path, source, memory, origins))?,
        FileFormat::Parquet => source.centred(|origins| parquet::read(path, source, memory, origins))?,
        FileFormat::Npy | FileFormat::Idx => source.centred(|origins| {
            let (samples, wanted) = samples(path, array(path, memory, origins)?)?;
            Ok((Dataset { samples, labels: None, groups: None }, wanted))
        })?,
    };
    let dataset = if format.has_columns() {
        dataset
    } else {
        Dataset { samples: source.without_dropped(dataset.samples, memory)?, ..dataset }
    };
    if !source.may_lack_values() {
        check(path, &dataset)?;
    }
    Ok(dataset)
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
/// See [`DataError`]. There must be `n_samples` labels.
pub fn read_labels(path: &Path, n_samples: usize) -> Result<Vec<u32>, DataError> {
    if !matches!(FileFormat::from_name(path), FileFormat::Npy | FileFormat::Idx) {
        return Err(DataError::NotLabels { path: path.into() });
    }
    numbers(path, array(path, MemoryLimit::default(), &[])?, n_samples, ColumnRole::Labels)
}

fn array(path: &Path, memory: MemoryLimit, origins: &[f64]) -> Result<Array, DataError> {
    let is_npy = FileFormat::from_name(path) == FileFormat::Npy;
    let array = if is_npy { npy::open(path, memory, origins) } else { idx::open(path, memory, origins) };
    array.map_err(|problem| problem.at(path))
}

/// Refuses samples that no model takes, whatever they were read from.
pub(super) fn check(path: &Path, dataset: &Dataset) -> Result<(), DataError> {
    let samples = &dataset.samples;
    if let Some((sample, feature, value)) = samples.survey().not_finite {
        return Err(DataError::NotFinite { path: path.into(), sample, feature, value });
    }
    if samples.n_features() > MAX_INPUTS {
        let n = samples.n_features();
        return Err(content(path, format!("a sample has {n} features: a model takes at most {MAX_INPUTS}")));
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use std::fs;
    use std::io::Write;

    use super::super::image_shape::ImageShape;
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
            assert_eq!((samples.n_samples(), samples.n_features(), samples.count()), (2, 4, Some(1.0)));
            assert_eq!(samples.image(), Some(ImageShape { channels: 1, height: 2, width: 2 }));
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
        assert_eq!(
            (&*dataset.samples.chunk(0..2).unwrap(), dataset.samples.count()),
            (&[1.5, 2.0, 3.0, 4.0][..], None)
        );
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
            (samples.n_features(), samples.image())
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
        let (_folder, path) = file("labels", &[0, 0, 8, 1, 0, 0, 0, 2, 4, 5]);
        let error = read_labels(Path::new(&path), 3).unwrap_err().to_string();
        assert!(error.contains("2 labels for 3 samples"), "{error}");
        assert!(read("no/such/file.npy").unwrap_err().to_string().contains("no/such/file.npy"));
    }

    #[test]
    fn a_batch_with_constant_columns_is_read() {
        let folder = tempfile::tempdir().unwrap();
        let at = |name: &str| folder.path().join(name).to_str().unwrap().to_owned();
        ndarray_npy::write_npy(at("x.npy"), &ndarray::array![[1.0, 2.0, 7.5], [3.0, 2.0, 7.5]]).unwrap();
        fs::write(at("x.csv"), "a,b,c\n1,2,7.5\n3,2,7.5\n").unwrap();
        for name in ["x.npy", "x.csv"] {
            let samples = read(&at(name)).unwrap().samples;
            assert_eq!((samples.n_features(), samples.constant_columns()), (3, vec![1, 2]), "{name}");
        }
    }
    #[test]
    fn a_file_that_is_read_in_place_and_changes_is_noticed() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("x.npy");
        let table = ndarray::Array2::from_shape_fn((50, 2), |(i, j)| (i * 3 % 7 + j) as f32);
        ndarray_npy::write_npy(&path, &table).unwrap();
        let samples = Source::new(path.to_str().unwrap()).read_within(MemoryLimit(8)).unwrap().samples;
        assert!(samples.check_unchanged().is_ok() && !samples.are_in_memory());
        let mut bytes = fs::read(&path).unwrap();
        let last = bytes.len() - 4;
        bytes[last..].copy_from_slice(&9.5f32.to_le_bytes());
        fs::write(&path, &bytes).unwrap();
        let error = samples.check_unchanged().unwrap_err().to_string();
        assert!(error.contains("x.npy: it has changed since it was read for the first time"), "{error}");
        fs::write(&path, &bytes[..last]).unwrap();
        assert!(matches!(samples.all(), Err(DataError::Changed { .. })));
    }

    #[test]
    fn files_of_other_programs_are_told_what_to_become() {
        for (name, message) in [
            ("x.xlsx", "save the sheet as CSV"),
            ("x.feather", "write it as Parquet"),
            ("x.JPG", "name the folder that holds the images"),
            ("x.mat", "numpy.save"),
        ] {
            let (_folder, path) = file(name, b"x");
            let error = read(&path).unwrap_err().to_string();
            assert!(error.contains(message), "{error}");
        }
    }
}
