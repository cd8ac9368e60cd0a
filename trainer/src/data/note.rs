//! What was decided while samples were read, for people to check.

use std::fmt;

/// Something that a reader did that the user may not expect. None of it is an error.
///
/// ```
/// use edgemix::data::{DataNote, read};
///
/// let folder = tempfile::tempdir()?;
/// let path = folder.path().join("frame.csv");
/// // As pandas writes it with its index.
/// std::fs::write(&path, ",x,y\n0,1.5,2\n1,3.5,5\n")?;
/// let samples = read(&path.to_string_lossy())?.samples;
/// assert_eq!(samples.n_features(), 2);
/// assert_eq!(samples.notes(), [DataNote::IndexColumn { name: String::new() }]);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum DataNote {
    /// The index of a data frame is not a feature.
    IndexColumn {
        /// The name of the column.
        name: String,
    },
    /// The first line of a table holds numbers, and was read as a header.
    NumericHeader {
        /// The fields of the line.
        fields: Vec<String>,
    },
    /// Rows without an entry in the column of labels or groups share one of their own.
    EmptyCategories {
        /// How many rows.
        rows: usize,
        /// Whether the column is that of the groups.
        are_groups: bool,
    },
    /// Parts of a recording are shorter than a window.
    ShortParts {
        /// How many parts.
        parts: usize,
        /// Instants of a window.
        length: usize,
    },
    /// Several arrays of an archive could hold the samples.
    OtherArrays {
        /// The array that was read.
        used: String,
        /// Those that were not.
        ignored: Vec<String>,
    },
    /// Files of a folder of images were not read.
    FilesLeftOut {
        /// How many files.
        files: usize,
        /// The name of the first.
        first: String,
    },
    /// Images are in folders within the folders of the classes.
    DeeperFolders {
        /// How many images.
        images: usize,
    },
    /// `digits` names the embedded set although there is a file or folder with this name.
    EmbeddedDigits,
}

impl fmt::Display for DataNote {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::IndexColumn { name } => {
                write!(f, "column {name:?} is taken for the index of a data frame and left out; rename it to keep it")
            }
            Self::NumericHeader { fields } => {
                let line = fields.iter().take(5).map(String::as_str).collect::<Vec<_>>().join(", ");
                write!(f, "the first line ({line}{}) is read as a header", if fields.len() > 5 { ", ..." } else { "" })
            }
            Self::EmptyCategories { rows, are_groups } => {
                let (column, class) = if *are_groups { ("groups", "group") } else { ("labels", "class") };
                write!(f, "{rows} rows have no entry in the column of {column}; together they count as one {class}")
            }
            Self::ShortParts { parts, length } => {
                write!(f, "{parts} parts of the recording are shorter than a window of {length} instants and left out")
            }
            Self::OtherArrays { used, ignored } => {
                write!(f, "the samples are read from array {used}; not read: {}", ignored.join(", "))
            }
            Self::FilesLeftOut { files, first } => {
                write!(f, "{files} files are not images of a supported format and left out, such as {first}")
            }
            Self::DeeperFolders { images } => {
                write!(f, "{images} images are in deeper folders; each counts to the class of the first folder")
            }
            Self::EmbeddedDigits => {
                f.write_str("digits names the set that the program contains; write ./digits for your own")
            }
        }
    }
}
