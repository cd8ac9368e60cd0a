//! What was decided while samples were read, for people to check.

use std::fmt;

use crate::base::text::{counted, listed, significant};

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
#[derive(Clone, Debug, PartialEq)]
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
    /// The line below the header holds the units of the columns.
    Units {
        /// The fields of the line.
        units: Vec<String>,
    },
    /// A text is not in UTF-8, and is read as Windows-1252.
    Western,
    /// Lines above the table begin with `#`.
    Comments {
        /// How many lines.
        lines: usize,
    },
    /// Numbers have a decimal comma.
    DecimalComma,
    /// Something stands between thousands.
    Thousands {
        /// What it is.
        mark: char,
    },
    /// A table to be assigned has columns that the model does not take.
    ColumnsLeftOut {
        /// Their names.
        names: Vec<String>,
    },
    /// A table to be assigned has its columns in another order than the one that the model was trained with.
    ColumnsReordered,
    /// A table to be assigned has no names of columns, and the one that the model was trained with had.
    ColumnsByPlace,
    /// The numbers of columns are so near to each other that something is subtracted from them.
    Origins {
        /// The name of each column, and what is subtracted.
        columns: Vec<(String, f64)>,
    },
    /// f32 can't tell the numbers of columns apart, and it is not known what a model subtracts from them.
    Coarse {
        /// The names of the columns.
        names: Vec<String>,
    },
    /// The numbers of columns rise from each row to the next, as times and indices do.
    Rising {
        /// The names of the columns.
        names: Vec<String>,
    },
    /// Rows without an entry in the column of labels or groups share one of their own.
    EmptyCategories {
        /// How many rows.
        rows: usize,
        /// Whether the column is that of the groups.
        are_groups: bool,
    },
    /// A recording has gaps, and is split there.
    Gaps {
        /// How often instants are missing.
        missing: usize,
        /// How many instants lack a value.
        incomplete: usize,
        /// The first instant after a gap or without a value, counted from 0.
        first: usize,
    },
    /// The times of a recording, of which no rate is known.
    Interval {
        /// The usual time from an instant to the next.
        interval: f64,
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
    /// Images are transparent in places.
    Transparent {
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
                write!(f, "the first line ({}) is read as a header", some(fields))
            }
            Self::Units { units } => {
                write!(f, "the line below the header ({}) is read as units and left out", some(units))
            }
            Self::Western => f.write_str("the text is not in UTF-8 and is read as Windows-1252"),
            Self::Comments { lines } => write!(f, "{lines} lines above the table begin with # and are left out"),
            Self::DecimalComma => f.write_str("numbers are read with a decimal comma"),
            Self::Thousands { mark } => write!(f, "{mark:?} is read as what stands between thousands"),
            Self::ColumnsLeftOut { names } => {
                write!(f, "columns that the model was not trained with are left out: {}", some(names))
            }
            Self::ColumnsReordered => f.write_str("columns are brought to the order in which the model was trained"),
            Self::ColumnsByPlace => {
                f.write_str("columns have no names here and are taken in the order in which the model was trained")
            }
            Self::Origins { columns } => {
                let listed: Vec<String> =
                    columns.iter().map(|(name, origin)| format!("{origin} from {name}")).collect();
                write!(
                    f,
                    "f32 is too coarse for some columns, so a number is subtracted ({}); the model and the chip take the \
                     differences",
                    some(&listed)
                )
            }
            Self::Coarse { names } => write!(
                f,
                "f32 is too coarse for some columns ({}): name the directory of the run, which knows what is subtracted",
                some(names)
            ),
            Self::Rising { names } => write!(
                f,
                "some columns rise from each row to the next ({}): leave them out if they are times or indices",
                some(names)
            ),
            Self::EmptyCategories { rows, are_groups } => {
                let (column, class) = if *are_groups { ("groups", "group") } else { ("labels", "class") };
                write!(f, "{rows} rows have no entry in the column of {column}; together they count as one {class}")
            }
            Self::Gaps { missing, incomplete, first } => write!(
                f,
                "the recording has {} and {} without all values, the first at row {first}: it is split there",
                counted(*missing, "gap"),
                counted(*incomplete, "instant")
            ),
            Self::Interval { interval } => {
                write!(f, "instants are {} apart in the column of times", significant(*interval))
            }
            Self::ShortParts { parts, length } => {
                write!(f, "{parts} parts of the recording are shorter than a window of {length} instants and left out")
            }
            Self::OtherArrays { used, ignored } => {
                write!(f, "the samples are read from array {used}; not read: {}", listed(ignored))
            }
            Self::FilesLeftOut { files, first } => {
                write!(f, "{files} files are not images of a supported format and left out, such as {first}")
            }
            Self::DeeperFolders { images } => {
                write!(f, "{images} images are in deeper folders; each counts to the class of the first folder")
            }
            Self::Transparent { images } => {
                write!(f, "{images} images are transparent in places and are laid over white")
            }
            Self::EmbeddedDigits => {
                f.write_str("digits names the set that the program contains; write ./digits for your own")
            }
        }
    }
}

/// The first of many fields.
fn some(fields: &[String]) -> String {
    let first = fields.iter().take(5).map(String::as_str).collect::<Vec<_>>().join(", ");
    if fields.len() > 5 { format!("{first}, ...") } else { first }
}
