//! Where samples come from and how they are cut.

use std::path::PathBuf;

use serde::{Deserialize, Serialize};

use super::digits;
use super::error::ColumnRole;
use super::timing::Gaps;

/// Everything that decides which samples are read.
///
/// ```
/// use edgemix::data::{Source, Windowing};
///
/// let folder = tempfile::tempdir()?;
/// let path = folder.path().join("imu.csv");
/// let rows: String = (0..8).map(|t| format!("{},{},{}\n", t % 3, 7 - t, ["walk", "sit"][t / 4])).collect();
/// std::fs::write(&path, format!("x,y,kind\n{rows}"))?;
///
/// let source = Source {
///     label_column: Some("kind".into()),
///     window: Some(Windowing { length: 4, step: 2 }),
///     ..Source::new(path.to_string_lossy())
/// };
/// let dataset = source.read()?;
/// assert_eq!((dataset.samples.n_samples(), dataset.samples.n_features()), (3, 8));
/// assert_eq!(dataset.labels.as_ref().map(Vec::len), Some(3));
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
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
    /// The column of a CSV or Parquet file that holds the time of each instant of a recording, by name or index from 0.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub time_column: Option<String>,
    /// What becomes of a recording with gaps.
    #[serde(skip_serializing_if = "is_default")]
    pub gaps: Gaps,
    /// Columns of a table that are left out, by name or index from 0.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub drop_columns: Vec<String>,
    /// Whether the first line of a table in text is a header. Without it that is decided by what the line holds.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub header: Option<bool>,
    /// Which of the columns of labels and groups and those to leave out may be missing, as they may in samples that are to
    /// be assigned.
    #[serde(skip)]
    pub optional_columns: Vec<ColumnRole>,
    /// The columns of the model that the samples are for. Without it they are for training.
    #[serde(skip)]
    pub trained: Option<TrainedColumns>,
    /// How a recording is cut into windows. Without it each row is a sample.
    pub window: Option<Windowing>,
}

fn is_default(gaps: &Gaps) -> bool {
    *gaps == Gaps::default()
}

/// How a recording is cut into windows.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Windowing {
    /// Instants in a window.
    pub length: usize,
    /// Instants from the start of one window to the start of the next.
    pub step: usize,
}

/// The columns that a model was trained with, in its order: the features of a table, the channels of a recording.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct TrainedColumns {
    /// Number of columns; 0 if it is unknown.
    pub n_columns: usize,
    /// Their names, if they had any. Columns of a table are found by these.
    pub names: Vec<String>,
    /// What is subtracted from the values of each column, if anything is.
    pub origins: Vec<f64>,
}

impl Source {
    /// Whether instants of a recording may lack values, since no window will hold them.
    pub(super) fn may_lack_values(&self) -> bool {
        self.window.is_some() && self.gaps == Gaps::Split
    }

    /// A file, a folder or `digits`, read as it is.
    pub fn new(path: impl Into<String>) -> Self {
        Self { path: path.into(), ..Self::default() }
    }

    /// Whether the samples are the digits that the program holds, and no file.
    pub fn is_embedded(&self) -> bool {
        self.path == digits::NAME
    }
}

#[cfg(test)]
mod tests {
    use std::fs;

    use super::super::memory::MemoryLimit;
    use super::super::note::DataNote;
    use super::super::samples::Layout;
    use super::*;

    #[test]
    fn columns_of_arrays_are_dropped_by_index() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("x.npz");
        let mut archive = ndarray_npy::NpzWriter::new(fs::File::create(&path).unwrap());
        archive.add_array("x", &ndarray::array![[1i16, 2, 3], [4, 5, 6]]).unwrap();
        archive.add_array("y", &ndarray::array![1u8, 0]).unwrap();
        archive.finish().unwrap();
        let drop = |names: &[&str]| Source {
            drop_columns: names.iter().map(|&name| name.into()).collect(),
            ..Source::new(path.to_str().unwrap())
        };
        for memory in [MemoryLimit(0), MemoryLimit(1 << 20)] {
            let found = drop(&["1"]).read_within(memory).unwrap();
            assert_eq!((&*found.samples.all().unwrap(), found.samples.count()), (&[1.0, 3.0, 4.0, 6.0][..], Some(1.0)));
            assert_eq!(found.labels, Some(vec![1, 0]));
        }
        let error = |names: &[&str]| drop(names).read().unwrap_err().to_string();
        assert!(error(&["3"]).contains("column to leave out: there is no column 3: there are 3 columns"));
        assert!(error(&["why"]).contains("give an index from 0 to 2"));
        assert!(error(&["0", "1", "2"]).contains("no column is left"));
        let digits = Source { drop_columns: vec!["0".into()], ..Source::new("digits") };
        assert!(digits.read().unwrap_err().to_string().contains("not rows of a table"));
    }

    #[test]
    fn dropped_columns_are_no_features() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("x.csv");
        std::fs::write(&path, "t,x,remark,y\n0,1,a,2\n1,3,b,4\n").unwrap();
        let source = |names: &[&str]| Source {
            drop_columns: names.iter().map(|&name| name.into()).collect(),
            ..Source::new(path.to_str().unwrap())
        };
        let samples = source(&["t", "2"]).read().unwrap().samples;
        assert_eq!((&*samples.all().unwrap(), samples.n_features()), (&[1.0, 2.0, 3.0, 4.0][..], 2));
        assert!(source(&["t", "remarks"]).read().unwrap_err().to_string().contains("did you mean \"remark\"?"));
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
        let window = Some(Windowing { length: 3, step: 2 });
        let array = Source { window, ..Source::new(at("x.npy")) }.read().unwrap();
        assert_eq!((array.samples.n_samples(), array.samples.n_features()), (4, 6));
        assert_eq!((array.samples.layout(), array.samples.count()), (Layout::Windows { channels: 2 }, Some(1.0)));

        let text = Source { window, label_column: Some("1".into()), ..Source::new(at("x.csv")) };
        let whole = text.read().unwrap();
        assert_eq!(whole.samples, array.samples);
        assert_eq!(whole.labels, Some(vec![0, 0, 0, 1]));
        // By groups, the third window is not: it would cross from one to the other.
        let grouped = Source { label_column: None, group_column: Some("1".into()), ..text }.read().unwrap();
        assert_eq!(grouped.groups, Some(vec![0, 0, 1]));
        assert_eq!(grouped.samples.chunk(0..2).unwrap(), array.samples.chunk(0..2).unwrap());
    }

    #[test]
    fn no_window_spans_a_gap_whatever_the_format() {
        let folder = tempfile::tempdir().unwrap();
        let at = |name: &str| folder.path().join(name).to_str().unwrap().to_owned();
        // Instants 3 and 4 are missing; the seventh row, instant 8, lacks a value.
        let instants = [0, 1, 2, 5, 6, 7, 8, 9, 10, 11];
        let value = |t: i32| if t == 8 { f32::NAN } else { t as f32 };
        let rows: String = instants.map(|t| format!("{},{},{}\n", f64::from(t) * 0.5, value(t), 2 * t)).concat();
        std::fs::write(at("x.csv"), format!("time,x,y\n{rows}")).unwrap();
        std::fs::write(at("blank.csv"), format!("time,x,y\n{}", rows.replace("NaN", ""))).unwrap();
        let table = ndarray::Array2::from_shape_fn((10, 2), |(row, c)| value(instants[row]) * (c + 1) as f32);
        ndarray_npy::write_npy(at("x.npy"), &table).unwrap();
        let window = Some(Windowing { length: 3, step: 1 });
        let source = |name: &str, time: Option<&str>| Source {
            time_column: time.map(str::to_owned),
            gaps: Gaps::Split,
            window,
            ..Source::new(at(name))
        };
        let firsts = |source: Source, memory| {
            let samples = source.read_within(memory).unwrap().samples;
            let firsts: Vec<f32> = samples.chunks(1).map(|window| window.unwrap()[0]).collect();
            (firsts, samples.interval(), samples.count())
        };
        for memory in [MemoryLimit(1 << 20), MemoryLimit(0)] {
            for name in ["x.csv", "blank.csv"] {
                let (firsts, interval, count) = firsts(source(name, Some("time")), memory);
                assert_eq!((firsts, count), (vec![0.0, 5.0, 9.0], Some(1.0)), "{name}");
                assert!((interval.unwrap() - 0.5).abs() < 1e-9);
            }
            let array = firsts(source("x.npy", None), memory);
            assert_eq!(array, (vec![0.0, 1.0, 2.0, 5.0, 9.0], None, Some(1.0)));
        }
        let notes = source("x.csv", Some("time")).read().unwrap().samples.notes().to_vec();
        assert!(notes.contains(&DataNote::Gaps { missing: 1, incomplete: 1, first: 3 }), "{notes:?}");
        for refused in [source("x.csv", Some("time")), source("x.npy", None)] {
            assert!(Source { gaps: Gaps::Refuse, ..refused }.read().is_err());
        }
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
        let source = Source { window: Some(Windowing { length: 3, step: 2 }), ..Source::new(path.to_str().unwrap()) };
        let [held, stored] = [MemoryLimit(1 << 20), MemoryLimit(0)].map(|memory| source.read_within(memory).unwrap());
        assert!(held == stored && held.samples.are_in_memory() && !stored.samples.are_in_memory());
        assert_eq!(*stored.samples.all().unwrap(), *held.samples.all().unwrap());
        assert_eq!((held.labels, held.groups), (Some(vec![0, 1, 2]), Some(vec![4, 4, 9])));
        let first: Vec<f32> = table.iter().take(6).map(|&x| x.into()).collect();
        assert_eq!(*held.samples.chunk(0..1).unwrap(), first[..]);
    }

    #[test]
    fn what_is_no_recording_is_not_cut() {
        let window = Some(Windowing { length: 3, step: 2 });
        let error = Source { window, ..Source::new("digits") }.read().unwrap_err();
        assert!(error.to_string().contains("images or windows already"), "{error}");
        let error = Source { group_column: Some("user".into()), ..Source::new("x.npy") }.read().unwrap_err();
        assert!(error.to_string().contains("column of groups: only CSV and Parquet files"), "{error}");
    }
}
