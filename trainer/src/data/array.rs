//! Samples from an array in memory, as numpy has it.

use std::path::Path;

use super::arrays::samples;
use super::dataset::Dataset;
use super::elements::Elements;
use super::error::{DataError, content};
use super::files::check;
use super::memory::MemoryLimit;
use super::source::Source;
use super::stream::{Array, ArrayHeader};
use crate::base::arrays::changes;

/// An array in memory: its bytes are read where they are.
#[derive(Clone, Copy, Debug)]
pub struct ArrayBytes<'a> {
    /// The type of its elements as numpy names it, such as `<f8`.
    pub elements: &'a str,
    /// Its shape, that of samples: `N x D`, `N x height x width` or another one of docs/own-data.md.
    pub shape: &'a [usize],
    /// Whether the first index runs fastest, as in Fortran, and not the last one, as in C.
    pub is_fortran: bool,
    /// Its elements.
    pub bytes: &'a [u8],
}

impl ArrayBytes<'_> {
    fn read(&self, path: &Path, memory: MemoryLimit, origins: &[f64]) -> Result<Array, DataError> {
        let elements = Elements::named(self.elements).ok_or_else(|| {
            content(path, format!("elements of type {} are not supported: convert them to numbers", self.elements))
        })?;
        let header = ArrayHeader { elements, shape: self.shape.to_vec(), is_fortran: self.is_fortran };
        header.read(self.bytes, memory, origins).map_err(|problem| problem.at(path))
    }
}

impl Source {
    /// The samples of an array, read as they would be from an NPY file with this source's path. `names` are those of the
    /// columns of a table, if they have any, and `groups` has what each sample was taken from.
    ///
    /// ```
    /// use edgemix::data::{ArrayBytes, Source};
    ///
    /// let values = [1.0f32, 2.0, 3.0, 5.0];
    /// let bytes = values.map(f32::to_le_bytes).concat();
    /// let array = ArrayBytes { elements: "<f4", shape: &[2, 2], is_fortran: false, bytes: &bytes };
    /// let dataset = Source::new("table").read_array(array, &[], Some(vec![0, 1]))?;
    /// assert_eq!(*dataset.samples.all()?, values);
    /// let columns = ArrayBytes { is_fortran: true, ..array };
    /// assert_eq!(*Source::new("table").read_array(columns, &[], None)?.samples.all()?, [1.0, 3.0, 2.0, 5.0]);
    /// # Ok::<(), edgemix::data::DataError>(())
    /// ```
    ///
    /// # Errors
    /// [`DataError::Content`] if the type or shape is not that of samples or there is not one group for each, and
    /// [`DataError::NotFinite`] if a number is NaN or infinite.
    pub fn read_array(
        &self,
        array: ArrayBytes,
        names: &[String],
        groups: Option<Vec<u32>>,
    ) -> Result<Dataset, DataError> {
        let path = Path::new(&self.path);
        let memory = MemoryLimit::default();
        let dataset = self.centred(|origins| {
            let (samples, wanted) = samples(path, array.read(path, memory, origins)?)?;
            let samples = if names.is_empty() { samples } else { samples.with_column_names(names.iter().cloned()) };
            Ok((Dataset { samples, labels: None, groups: None }, wanted))
        })?;
        check(path, &dataset)?;
        let samples = dataset.samples;
        let (n, found) = (samples.n_samples(), groups.as_ref().map(Vec::len));
        if let Some(found) = found.filter(|&found| found != n) {
            return Err(content(
                path,
                format!("there are {found} groups for {n} samples: there must be one per sample"),
            ));
        }
        let breaks: Vec<usize> = groups.iter().flat_map(|groups| changes(groups)).collect();
        Ok(Dataset { samples: samples.with_breaks(breaks), labels: None, groups })
    }
}

/// Checks that values in memory, which are not read but taken where they are, could be samples.
///
/// ```
/// use edgemix::data::check_values;
///
/// assert!(check_values("table", &[1.0, 2.0], 1).is_ok());
/// let error = check_values("table", &[1.0, f32::NAN], 1).unwrap_err();
/// assert!(error.to_string().starts_with("table: sample 1, feature 0 is NaN"));
/// ```
///
/// # Errors
/// [`DataError::NotFinite`] if one of them is NaN or infinite.
pub fn check_values(name: &str, values: &[f32], n_features: usize) -> Result<(), DataError> {
    let Some(index) = values.iter().position(|x| !x.is_finite()) else { return Ok(()) };
    let (sample, feature) = (index / n_features.max(1), index % n_features.max(1));
    Err(DataError::NotFinite { path: name.into(), sample, feature, value: values[index] })
}

#[cfg(test)]
mod tests {
    use ndarray_npy::WriteNpyExt;

    use super::super::samples::Samples;
    use super::*;

    /// The same array in a file and in memory.
    fn both<T: ndarray_npy::WritableElement + Copy>(
        elements: &str,
        values: &[T],
        bytes: &[u8],
        shape: &[usize],
    ) -> [Samples; 2] {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("x.npy");
        let array = ndarray::ArrayD::from_shape_vec(shape, values.to_vec()).unwrap();
        array.write_npy(std::fs::File::create(&path).unwrap()).unwrap();
        let source = Source::new(path.to_str().unwrap());
        let array = ArrayBytes { elements, shape, is_fortran: false, bytes };
        [source.read().unwrap().samples, source.read_array(array, &[], None).unwrap().samples]
    }

    #[test]
    fn an_array_in_memory_is_read_as_its_file_is() {
        let images: Vec<u8> = (0..2 * 3 * 3).collect();
        // f32 is too coarse for the second column.
        let wide: Vec<f64> = (0..20).flat_map(|t| [f64::from(t), 1.7e9 + f64::from(t) * 0.25]).collect();
        let bytes: Vec<u8> = wide.iter().flat_map(|x| x.to_le_bytes()).collect();
        let windows: Vec<i16> = (0..2 * 8 * 2).collect();
        let counts: Vec<u8> = windows.iter().flat_map(|x| x.to_le_bytes()).collect();
        for [file, memory] in [
            both("|u1", &images, &images, &[2, 3, 3]),
            both("<f8", &wide, &bytes, &[20, 2]),
            both("<i2", &windows, &counts, &[2, 8, 2]),
        ] {
            assert_eq!(file, memory);
            assert_eq!((file.origins(), file.notes()), (memory.origins(), memory.notes()));
        }
    }

    #[test]
    fn what_is_no_array_of_samples_is_refused() {
        let read = |elements, shape: &[usize], bytes: &[u8], groups| {
            let array = ArrayBytes { elements, shape, is_fortran: false, bytes };
            Source::new("mine").read_array(array, &[], groups).unwrap_err().to_string()
        };
        assert!(read("<c16", &[1, 1], &[0; 16], None).starts_with("mine: elements of type <c16 are not supported"));
        assert!(read("<f4", &[2, 2], &[0; 15], None).contains("but 15 bytes follow"));
        assert!(read("|u1", &[0, 2], &[], None).contains("it is empty"));
        assert!(read("|u1", &[2, 1], &[1, 2], Some(vec![0])).contains("1 groups for 2 samples"));
        assert!(read("<f4", &[1, 1], &f32::INFINITY.to_le_bytes(), None).contains("sample 0, feature 0 is inf"));
    }
}
