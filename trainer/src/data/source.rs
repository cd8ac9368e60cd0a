//! Where samples come from and how they are cut: kept with a run, so that its samples are found again.

use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};

use super::error::{DataError, content};
use super::{Dataset, Memory, Samples, files, windows};

/// All that decides which samples are read.
///
/// ```
/// use edgemix::data::{Record, Source, Window};
///
/// let folder = tempfile::tempdir()?;
/// let path = folder.path().join("imu.csv");
/// let rows: String = (0..8).map(|t| format!("{},{},{}\n", t % 3, 7 - t, ["walk", "sit"][t / 4])).collect();
/// std::fs::write(&path, format!("x,y,kind\n{rows}"))?;
///
/// let source = Source {
///     label_column: Some("kind".into()),
///     window: Some(Window { length: 4, step: 2 }),
///     ..Source::of(&path.to_string_lossy())
/// };
/// let dataset = source.read()?;
/// assert_eq!((dataset.samples.n_samples, dataset.samples.n_features), (3, 8));
/// assert_eq!(dataset.labels.as_ref().map(Vec::len), Some(3));
/// // What a run remembers of them.
/// assert_eq!(Record::new(&source, &dataset.samples).source, source);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields, rename_all = "kebab-case")]
pub struct Source {
    /// `digits`, a file (CSV, packed by gzip or not, Parquet, NPY, NPZ or IDX), or a folder of images.
    pub path: String,
    /// A file of labels, where the data have none.
    pub labels: Option<PathBuf>,
    /// The column of a CSV or Parquet file that holds labels, by name or index from 0.
    pub label_column: Option<String>,
    /// The column of a CSV or Parquet file that holds groups, by name or index from 0.
    pub group_column: Option<String>,
    /// Columns of a CSV or Parquet file that are left out, by name or index from 0.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub drop_columns: Vec<String>,
    /// How a recording is cut; none: each row is a sample.
    pub window: Option<Window>,
}

/// How a recording is cut. See [`Source`] for an example.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Window {
    /// Instants in a window.
    pub length: usize,
    /// Instants from one window's start to the next one's.
    pub step: usize,
}

impl Source {
    /// A file or the digits, without anything else. See [`Source`] for an example.
    pub fn of(path: &str) -> Self {
        Self { path: path.into(), ..Self::default() }
    }

    /// Reads the samples, and labels and groups where there are any, as [`Source::read_within`] does by default.
    /// See [`Source`] for an example.
    ///
    /// # Errors
    /// See [`DataError`].
    pub fn read(&self) -> Result<Dataset, DataError> {
        self.read_within(Memory::default())
    }

    /// The same, with so much memory for the samples: more of them stay in their file, or, where they are packed or
    /// text, are unpacked once into a scratch file. They are the same samples, to the bit.
    ///
    /// ```
    /// use edgemix::data::{Memory, Source};
    ///
    /// let folder = tempfile::tempdir()?;
    /// let path = folder.path().join("x.csv");
    /// std::fs::write(&path, "1,2\n3,5\n4,4\n")?;
    /// let source = Source::of(&path.to_string_lossy());
    /// // Six numbers of four bytes each, and room for one.
    /// let (held, stored) = (source.read()?.samples, source.read_within(Memory(4))?.samples);
    /// assert!(held.are_in_memory() && !stored.are_in_memory());
    /// assert_eq!(held, stored);
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    ///
    /// # Errors
    /// See [`DataError`].
    pub fn read_within(&self, memory: Memory) -> Result<Dataset, DataError> {
        let mut dataset = files::read_table(self, memory)?;
        if let Some(path) = &self.labels {
            dataset.labels = Some(files::read_labels(path, dataset.samples.n_samples)?);
        }
        let Some(window) = self.window else { return Ok(dataset) };
        let path = Path::new(&self.path);
        if dataset.samples.image.is_some() || dataset.samples.channels.is_some() {
            return Err(content(path, "--window: these are images or windows already: expected instants by channels"));
        }
        windows::cut(&dataset, window).map_err(|refusal| refusal.at(path))
    }
}

/// What a run remembers of its samples: `data.toml`. See [`Source`] for an example.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Record {
    /// SHA-256 of the samples, in hexadecimal digits.
    pub fingerprint: String,
    /// N.
    pub samples: usize,
    /// D.
    pub features: usize,
    /// Where they are.
    pub source: Source,
}

impl Record {
    /// Of samples that were read. See [`Source`] for an example.
    pub fn new(source: &Source, samples: &Samples) -> Self {
        let fingerprint = samples.fingerprint.iter().map(|byte| format!("{byte:02x}")).collect();
        Self { fingerprint, samples: samples.n_samples, features: samples.n_features, source: source.clone() }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn dropped_columns_are_no_features() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("x.csv");
        std::fs::write(&path, "t,x,remark,y\n0,1,a,2\n1,3,b,4\n").unwrap();
        let source = |names: &[&str]| Source {
            drop_columns: names.iter().map(|&name| name.into()).collect(),
            ..Source::of(path.to_str().unwrap())
        };
        let samples = source(&["t", "2"]).read().unwrap().samples;
        assert_eq!((&*samples.all().unwrap(), samples.n_features), (&[1.0, 2.0, 3.0, 4.0][..], 2));
        assert!(source(&["t", "remarks"]).read().unwrap_err().to_string().contains("did you mean \"remark\""));
    }

    #[test]
    fn a_recording_is_the_same_from_text_and_from_an_array() {
        let folder = tempfile::tempdir().unwrap();
        let at = |name: &str| folder.path().join(name).to_str().unwrap().to_owned();
        let table = ndarray::Array2::from_shape_fn((9, 2), |(t, c)| (t * 7 % 5 + c) as i16 - 2);
        ndarray_npy::write_npy(at("x.npy"), &table).unwrap();
        let rows: String =
            table.rows().into_iter().enumerate().map(|(t, r)| format!("{},{},{}\n", r[0], t / 6, r[1])).collect();
        std::fs::write(at("x.csv"), rows).unwrap();
        let window = Some(Window { length: 3, step: 2 });
        let array = Source { window, ..Source::of(&at("x.npy")) }.read().unwrap();
        assert_eq!((array.samples.n_samples, array.samples.n_features), (4, 6));
        assert_eq!((array.samples.channels, array.samples.count), (Some(2), Some(1.0)));

        let text = Source { window, label_column: Some("1".into()), ..Source::of(&at("x.csv")) };
        let whole = text.read().unwrap();
        assert_eq!(whole.samples, array.samples);
        assert_eq!(whole.labels, Some(vec![0, 0, 0, 1]));
        // By groups, the third window is not: it would cross from one to the other.
        let grouped = Source { label_column: None, group_column: Some("1".into()), ..text }.read().unwrap();
        assert_eq!(grouped.groups, Some(vec![0, 0, 1]));
        assert_eq!(grouped.samples.chunk(0..2).unwrap(), array.samples.chunk(0..2).unwrap());
    }

    #[test]
    fn an_archives_labels_and_groups_are_cut_with_its_recording_wherever_it_lies() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("x.npz");
        let table = ndarray::Array2::from_shape_fn((9, 2), |(t, c)| (t * 7 % 5 + c) as i16 - 2);
        let mut archive = ndarray_npy::NpzWriter::new_compressed(std::fs::File::create(&path).unwrap());
        archive.add_array("x", &table).unwrap();
        archive.add_array("labels", &ndarray::array![0u8, 0, 0, 1, 1, 1, 2, 2, 2]).unwrap();
        archive.add_array("users", &ndarray::array![4u8, 4, 4, 4, 4, 4, 9, 9, 9]).unwrap();
        archive.finish().unwrap();
        let source = Source { window: Some(Window { length: 3, step: 2 }), ..Source::of(path.to_str().unwrap()) };
        let [held, stored] = [Memory(1 << 20), Memory(0)].map(|memory| source.read_within(memory).unwrap());
        assert!(held == stored && held.samples.are_in_memory() && !stored.samples.are_in_memory());
        assert_eq!(*stored.samples.all().unwrap(), *held.samples.all().unwrap());
        assert_eq!((held.labels, held.groups), (Some(vec![0, 1, 2]), Some(vec![4, 4, 9])));
        let first: Vec<f32> = table.iter().take(6).map(|&x| x.into()).collect();
        assert_eq!(*held.samples.chunk(0..1).unwrap(), first[..]);
    }

    #[test]
    fn what_is_no_recording_is_not_cut() {
        let window = Some(Window { length: 3, step: 2 });
        let error = Source { window, ..Source::of("digits") }.read().unwrap_err();
        assert!(error.to_string().contains("images or windows already"), "{error}");
        let error = Source { group_column: Some("user".into()), ..Source::of("x.npy") }.read().unwrap_err();
        assert!(error.to_string().contains("--group-column: only CSV and Parquet files"), "{error}");
    }
}
