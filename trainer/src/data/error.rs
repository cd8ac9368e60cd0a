//! What is wrong with data, where, and what to do about it.

use std::io;
use std::path::{Path, PathBuf};

use thiserror::Error;

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
    /// What takes too much memory can't be put into a scratch file.
    #[error(
        "{folder}: {source}. The samples take more memory than --memory allows and no file of their own can be read in \
         place, so they are written here: free some room, set TMPDIR to another folder, or raise --memory"
    )]
    Scratch {
        /// The folder of scratch files.
        folder: PathBuf,
        /// Why.
        source: io::Error,
    },
    /// The file is not what its name or its first bytes say, or is of a kind that is not read.
    #[error("{path}: {problem}")]
    Content {
        /// The file.
        path: PathBuf,
        /// What was found, what was expected, what to do.
        problem: String,
    },
    /// A field of a table is not what it should be.
    #[error("{path}:{line}:{column}: {problem}")]
    Cell {
        /// The file.
        path: PathBuf,
        /// The line, from 1.
        line: u64,
        /// The field in the line, from 1.
        column: usize,
        /// What was found, what was expected, what to do.
        problem: String,
    },
}

impl DataError {
    pub(super) fn io(path: &Path) -> impl Fn(io::Error) -> Self {
        |source| Self::Io { path: path.into(), source }
    }
}

pub(super) fn content(path: &Path, problem: impl Into<String>) -> DataError {
    DataError::Content { path: path.into(), problem: problem.into() }
}

/// Why something is refused by who does not know which file it is in.
#[derive(Debug)]
pub(super) enum Refusal {
    Content(String),
    Data(DataError),
}

impl Refusal {
    /// The same, with the file.
    pub(super) fn at(self, path: &Path) -> DataError {
        match self {
            Self::Content(problem) => content(path, problem),
            Self::Data(error) => error,
        }
    }

    /// The same, with the part of the file.
    pub(super) fn before(self, part: &str) -> Self {
        match self {
            Self::Content(problem) => Self::Content(format!("{part}{problem}")),
            error => error,
        }
    }
}

impl From<String> for Refusal {
    fn from(problem: String) -> Self {
        Self::Content(problem)
    }
}

impl From<&str> for Refusal {
    fn from(problem: &str) -> Self {
        Self::Content(problem.into())
    }
}

impl From<DataError> for Refusal {
    fn from(error: DataError) -> Self {
        Self::Data(error)
    }
}
