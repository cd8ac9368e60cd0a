//! Why a run's directory, or a file in it, can't be used.

use std::io;
use std::path::{Path, PathBuf};

use edgemix_runtime::LoadError;
use thiserror::Error;

use super::file::RunFile;
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
    /// The path of a directory is that of a file.
    #[error("{}: this is a file, and a run needs a directory", path.display())]
    NotADirectory {
        /// The file.
        path: PathBuf,
    },
    /// Another process holds the directory.
    #[error("{}: another process is writing to this directory", path.display())]
    Busy {
        /// The directory.
        path: PathBuf,
    },
    /// The file system can't keep other processes from writing to the directory, as some network file systems can't.
    #[error("{}: it can't be locked against other writers: {source}", path.display())]
    Lock {
        /// The directory.
        path: PathBuf,
        /// Why.
        source: io::Error,
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
    /// The run has no trained model yet: it was interrupted, or is still training.
    #[error("{}: the run is not finished: it has no trained model yet", path.display())]
    Unfinished {
        /// The directory.
        path: PathBuf,
    },
    /// The run has a trained model, but its export was refused.
    #[error("{}: the run has a trained model, but its export was refused", path.display())]
    NotExported {
        /// The directory.
        path: PathBuf,
    },
    /// The output would overwrite a file that the command reads.
    #[error("{}: this file is read by the command, which would overwrite it", path.display())]
    OverwritesInput {
        /// The file.
        path: PathBuf,
    },
    /// The output would overwrite a file of a run.
    #[error("{}: this file is part of the run in that directory, and would be overwritten", path.display())]
    OverwritesRun {
        /// The file.
        path: PathBuf,
    },
    /// The method has no preset of this name.
    #[error("{method} has no preset \"paper\": those that have one are {known}")]
    NoPreset {
        /// The method's name.
        method: &'static str,
        /// The names of the methods that have the preset.
        known: String,
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

    /// Says what a run lacks if the error is that one of its models is missing.
    pub(super) fn about_missing_model(self, directory: &Path, contains: impl Fn(RunFile) -> bool) -> Self {
        let is_missing = matches!(&self, Self::Io { source, .. } if source.kind() == io::ErrorKind::NotFound);
        if !is_missing || !contains(RunFile::Settings) {
            return self;
        }
        let path = directory.to_owned();
        if contains(RunFile::Trained) { Self::NotExported { path } } else { Self::Unfinished { path } }
    }

    /// The bytes of a file as text.
    pub(super) fn text(path: &Path, bytes: Vec<u8>) -> Result<String, Self> {
        String::from_utf8(bytes).map_err(|error| {
            let good = error.utf8_error().valid_up_to();
            let line = error.as_bytes()[..good].iter().filter(|&&byte| byte == b'\n').count() + 1;
            let problem = format!("byte {:#04x} is not UTF-8 text", error.as_bytes()[good]);
            Self::Malformed { path: path.to_owned(), line: Some(line), problem }
        })
    }

    pub(super) fn malformed(path: &Path, problem: impl ToString) -> Self {
        Self::Malformed { path: path.to_owned(), line: None, problem: problem.to_string() }
    }
}
