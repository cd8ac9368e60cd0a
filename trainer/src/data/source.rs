//! Where samples come from and how they are cut.

use std::path::PathBuf;

use serde::{Deserialize, Serialize};

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
    /// Columns of a table that are left out, by name or index from 0.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub drop_columns: Vec<String>,
    /// Whether the first line of a table in text is a header. Without it that is decided by what the line holds.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub header: Option<bool>,
    /// Whether the columns of labels and groups and those to leave out may be missing, as they may in samples that are to
    /// be assigned.
    #[serde(skip)]
    pub columns_are_optional: bool,
    /// How a recording is cut into windows. Without it each row is a sample.
    pub window: Option<Windowing>,
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

impl Source {
    /// A file, a folder or `digits`, read as it is.
    pub fn new(path: impl Into<String>) -> Self {
        Self { path: path.into(), ..Self::default() }
    }
}
