//! What is wrong with data, where, and what to do about it.

mod cell;
mod windowing;

use std::fmt;
use std::io;
use std::path::{Path, PathBuf};

use thiserror::Error;

pub use cell::CellProblem;
pub use windowing::WindowingProblem;

use crate::base::text::listed;

/// Why data can't be used. Every message names the file and says what was expected.
///
/// ```
/// use edgemix::data::{DataError, read};
///
/// let error = read("no/such/file.npy").unwrap_err();
/// assert!(matches!(error, DataError::Io { .. }));
/// assert!(error.to_string().starts_with("no/such/file.npy: "));
/// ```
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum DataError {
    /// The file can't be read.
    #[error("{path}: {source}")]
    Io {
        /// The file.
        path: PathBuf,
        /// Why.
        source: io::Error,
    },
    /// Labels are to be read from a file of a format that holds samples.
    #[error("{path}: labels are read from NPY and IDX files; the labels of a table are one of its columns")]
    NotLabels {
        /// The file.
        path: PathBuf,
    },
    /// Samples that take more memory than is allowed can't be written to a scratch file.
    #[error(
        "{folder}: {source}; the samples take more memory than is allowed, so they are written to a scratch file in this \
         folder: free some space there, or set TMPDIR to another folder"
    )]
    Scratch {
        /// The folder of scratch files.
        folder: PathBuf,
        /// Why.
        source: io::Error,
    },
    /// The file is not what its name or its first bytes say, or its contents can't be used.
    #[error("{path}: {problem}")]
    Content {
        /// The file.
        path: PathBuf,
        /// What was found, what was expected, what to do.
        problem: String,
    },
    /// A field of a table in text is not what it should be.
    #[error("{path}:{line}:{column}: {}{problem}", Named(name))]
    Cell {
        /// The file.
        path: PathBuf,
        /// The line, from 1.
        line: u64,
        /// The field in the line, from 1.
        column: usize,
        /// The column's name, if the file has a header.
        name: Option<String>,
        /// What was found.
        problem: CellProblem,
    },
    /// A value of a binary table is not what it should be.
    #[error("{path}: row {row}, column {name:?}: {problem}")]
    Value {
        /// The file.
        path: PathBuf,
        /// The row, from 0.
        row: usize,
        /// The column's name.
        name: String,
        /// What was found.
        problem: CellProblem,
    },
    /// A column that was asked for is not in the table.
    #[error("{path}: {role}: {problem}")]
    Column {
        /// The file.
        path: PathBuf,
        /// What the column was to be.
        role: ColumnRole,
        /// Why there is none.
        problem: ColumnProblem,
    },
    /// Columns that a model takes are not in the table.
    #[error(
        "{path}: it has no column {}, which the model was trained with; its columns are {}",
        missing.join(", "), columns.join(", ")
    )]
    MissingColumns {
        /// The file.
        path: PathBuf,
        /// The names of the columns.
        missing: Vec<String>,
        /// The names of the columns that there are.
        columns: Vec<String>,
    },
    /// A file that is read in place is not what it was.
    #[error("{path}: it has changed since it was read for the first time: keep it as it is while it is used")]
    Changed {
        /// The file.
        path: PathBuf,
    },
    /// A number is NaN or infinite.
    #[error("{path}: sample {sample}, feature {feature} is {value}: replace it or drop the sample")]
    NotFinite {
        /// The file.
        path: PathBuf,
        /// The sample, from 0.
        sample: usize,
        /// The feature, from 0.
        feature: usize,
        /// The number.
        value: f32,
    },
    /// All samples are the same.
    #[error("{name}: all samples are the same, so there is nothing to learn")]
    AllEqual {
        /// What the samples are called.
        name: String,
    },
    /// A recording can't be cut into windows.
    #[error("{path}: {problem}")]
    Windowing {
        /// The file.
        path: PathBuf,
        /// Why.
        problem: WindowingProblem,
    },
}

/// What a column of a table is used for, besides features.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ColumnRole {
    /// It holds labels.
    Labels,
    /// It holds groups.
    Groups,
    /// It holds the times of a recording.
    Times,
    /// It is left out.
    LeftOut,
}

impl ColumnRole {
    /// All of them.
    pub const ALL: [Self; 4] = [Self::Labels, Self::Groups, Self::Times, Self::LeftOut];
}

impl fmt::Display for ColumnRole {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Labels => "column of labels",
            Self::Groups => "column of groups",
            Self::Times => "column of times",
            Self::LeftOut => "column to leave out",
        })
    }
}

/// Why a column is not found.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
#[non_exhaustive]
pub enum ColumnProblem {
    /// No column has the name.
    #[error("no column is named {wanted:?}{}; the columns are {}", DidYouMean(nearest), listed(columns))]
    Name {
        /// The name that was asked for.
        wanted: String,
        /// The name of a column that is nearly the same.
        nearest: Option<String>,
        /// The names of all columns.
        columns: Vec<String>,
    },
    /// Several columns have the name.
    #[error("{wanted:?} is the name of the columns {}: rename them, or give the index of one", listed(columns))]
    Several {
        /// The name that was asked for.
        wanted: String,
        /// The indices of the columns, from 0.
        columns: Vec<String>,
    },
    /// There are fewer columns than the index says.
    #[error("there is no column {index}: there are {n_columns} columns, counted from 0")]
    Index {
        /// The index that was asked for.
        index: usize,
        /// How many columns there are.
        n_columns: usize,
    },
    /// Columns have no names.
    #[error("no column is named {wanted:?}: columns have no names here; give an index from 0 to {}", n_columns - 1)]
    NoNames {
        /// The name that was asked for.
        wanted: String,
        /// How many columns there are.
        n_columns: usize,
    },
    /// Samples of this kind are not made of columns.
    #[error("these samples are not rows of a table")]
    NoColumns,
    /// The labels, groups and times of arrays are arrays of their own.
    #[error("only CSV and Parquet files have columns of labels, groups or times")]
    ArrayOfItsOwn,
}

/// `column "x": `, if it has a name.
struct Named<'a>(&'a Option<String>);

impl fmt::Display for Named<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.as_ref().map_or(Ok(()), |name| write!(f, "column {name:?}: "))
    }
}

/// ` (did you mean "x"?)`, if a name is near.
struct DidYouMean<'a>(&'a Option<String>);

impl fmt::Display for DidYouMean<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.as_ref().map_or(Ok(()), |name| write!(f, " (did you mean {name:?}?)"))
    }
}

impl DataError {
    pub(crate) fn io(path: &Path) -> impl Fn(io::Error) -> Self {
        |source| Self::Io { path: path.into(), source }
    }
}

pub(super) fn content(path: &Path, problem: impl Into<String>) -> DataError {
    DataError::Content { path: path.into(), problem: problem.into() }
}

/// A problem found by code that does not know the name of the file.
#[derive(Debug)]
pub(super) enum Unlocated {
    Content(String),
    Located(DataError),
}

impl Unlocated {
    /// The problem, with the file.
    pub(super) fn at(self, path: &Path) -> DataError {
        match self {
            Self::Content(problem) => content(path, problem),
            Self::Located(error) => error,
        }
    }

    /// The problem, with the part of the file in front.
    pub(super) fn before(self, part: &str) -> Self {
        match self {
            Self::Content(problem) => Self::Content(format!("{part}{problem}")),
            error => error,
        }
    }
}

impl From<String> for Unlocated {
    fn from(problem: String) -> Self {
        Self::Content(problem)
    }
}

impl From<&str> for Unlocated {
    fn from(problem: &str) -> Self {
        Self::Content(problem.into())
    }
}

impl From<DataError> for Unlocated {
    fn from(error: DataError) -> Self {
        Self::Located(error)
    }
}
