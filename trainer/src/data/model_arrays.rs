//! Arrays of a model that another program wrote to an NPZ archive, in f64.

use std::fs::File;
use std::io::BufReader;
use std::path::{Path, PathBuf};

use ndarray::ArrayD;

use super::error::{DataError, content};
use super::npy::Npz;

/// The most numbers of an array: a quarter of a gigabyte.
const MOST: usize = 1 << 25;

/// An archive of a model's arrays, each of which is read when it is asked for.
pub(crate) struct ModelArrays {
    path: PathBuf,
    archive: Npz<BufReader<File>>,
    names: Vec<String>,
}

impl ModelArrays {
    /// Opens an archive.
    pub(crate) fn open(path: &Path) -> Result<Self, DataError> {
        let file = BufReader::new(File::open(path).map_err(DataError::io(path))?);
        let archive = Npz::new(file).map_err(|problem| content(path, problem))?;
        Ok(Self { path: path.into(), names: archive.names(), archive })
    }

    /// Whether there is an array of this name.
    pub(crate) fn contains(&self, name: &str) -> bool {
        self.names.iter().any(|own| own == name)
    }

    /// Reads an array, row-major.
    pub(crate) fn read(&mut self, name: &str) -> Result<ArrayD<f64>, DataError> {
        self.archive.wide_array(name, MOST).map_err(|problem| content(&self.path, problem))
    }
}

#[cfg(test)]
mod tests {
    use ndarray::{Array2, array};

    use super::*;

    #[test]
    fn arrays_are_read_in_f64_and_in_both_orders() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("m.npz");
        let mut archive = ndarray_npy::NpzWriter::new_compressed(File::create(&path).unwrap());
        let rows = array![[1.0, 0.1, 3.0], [1e300, -2.0, 0.3]];
        // A transposed view is written column by column.
        let columns: Array2<f64> = rows.t().as_standard_layout().into_owned().reversed_axes();
        archive.add_array("rows", &rows).unwrap();
        archive.add_array("columns", &columns).unwrap();
        archive.add_array("bytes", &array![3u8, 255]).unwrap();
        archive.finish().unwrap();
        let mut arrays = ModelArrays::open(&path).unwrap();
        for name in ["rows", "columns"] {
            assert_eq!(arrays.read(name).unwrap(), rows.clone().into_dyn(), "{name}");
        }
        assert_eq!(arrays.read("bytes").unwrap(), array![3.0, 255.0].into_dyn());
        assert!(arrays.contains("bytes") && !arrays.contains("bits"));
        let error = arrays.read("bits").unwrap_err().to_string();
        assert!(error.ends_with("it has no array bits; it has rows, columns, bytes"), "{error}");
    }

    #[test]
    fn a_shape_of_more_numbers_than_memory_is_refused_before_they_are_read() {
        use std::io::Write;
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("m.npz");
        let mut archive = zip::ZipWriter::new(File::create(&path).unwrap());
        let shapes = ["(1099511627776, 1099511627776)", "(33554433,)", "(9,)", "(1,)"];
        for (index, shape) in shapes.iter().enumerate() {
            archive.start_file(format!("{index}.npy"), zip::write::SimpleFileOptions::default()).unwrap();
            let header = format!("{{'descr': '<f8', 'fortran_order': False, 'shape': {shape}, }}\n");
            let length = (header.len() as u16).to_le_bytes();
            archive.write_all(&[b"\x93NUMPY\x01\x00", &length[..], header.as_bytes(), &[0; 16]].concat()).unwrap();
        }
        archive.finish().unwrap();
        let mut arrays = ModelArrays::open(&path).unwrap();
        let expected = ["at most 33554432 numbers", "at most 33554432 numbers", "another number", "another number"];
        for (index, expected) in expected.iter().enumerate() {
            let error = arrays.read(&index.to_string()).unwrap_err().to_string();
            assert!(error.contains(expected), "{error}");
        }
    }
}
