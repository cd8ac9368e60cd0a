//! Why a run's directory, or a file in it, can't be used.

use std::io;
use std::path::{Path, PathBuf};

use edgemix_runtime::LoadError;
use thiserror::Error;

use super::trained_file::TrainedFileError;

/// Why a run's directory, or a file in it, can't be used.
///
/// ```
/// use edgemix::run::{RunDir, RunError};
///
/// let folder = tempfile::tempdir()?;
/// let error = RunDir::open(folder.path()).model().unwrap_err();
/// assert!(matches!(error, RunError::Io { .. }));
/// # Ok::<(), std::io::Error>(())
/// ```
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum RunError {
    /// A file can't be read or written.
    #[error("{}: {source}", path.display())]
    Io {
        /// The file or directory.
        path: PathBuf,
        /// The operating system's error.
        source: io::Error,
    },
    /// Another process holds the directory.
    #[error("{}: another process is writing to this directory", path.display())]
    Busy {
        /// The directory.
        path: PathBuf,
    },
    /// A text file does not have the expected contents.
    #[error("{}{}: {problem}", path.display(), line.map(|line| format!(":{line}")).unwrap_or_default())]
    Malformed {
        /// The file.
        path: PathBuf,
        /// The line, from 1, where it is known.
        line: Option<usize>,
        /// What was found, and what was expected.
        problem: String,
    },
    /// The settings can't be written as text.
    #[error("the settings can't be written as TOML: {0}")]
    Unwritable(String),
    /// The trained model can't be read.
    #[error("{}: {source}", path.display())]
    Trained {
        /// The file.
        path: PathBuf,
        /// What is wrong with it.
        source: TrainedFileError,
    },
    /// The quantised model can't be read.
    #[error("{}: {source}", path.display())]
    Model {
        /// The file.
        path: PathBuf,
        /// What is wrong with it.
        source: LoadError,
    },
}

impl RunError {
    /// Adds a path to an error of the operating system.
    pub(crate) fn io(path: &Path) -> impl FnOnce(io::Error) -> Self {
        let path = path.to_owned();
        move |source| Self::Io { path, source }
    }

    pub(super) fn malformed(path: &Path, problem: impl ToString) -> Self {
        Self::Malformed { path: path.to_owned(), line: None, problem: problem.to_string() }
    }
}
