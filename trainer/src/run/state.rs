//! What a directory contains: nothing, a run, or files that do not belong to a run.

use super::directory::RunDir;
use super::error::RunError;
use super::file::RunFile;

/// What a directory contains.
///
/// ```
/// use edgemix::run::{RunDir, RunFile, RunState};
///
/// let folder = tempfile::tempdir()?;
/// let run = RunDir::open(folder.path());
/// assert_eq!(run.state()?, RunState::Empty);
/// // A page of this name is not necessarily the report of a run.
/// std::fs::write(run.file(RunFile::Report), "<p>Annual report</p>")?;
/// assert_eq!(run.state()?, RunState::Foreign(RunFile::Report));
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum RunState {
    /// None of the files of a run.
    Empty,
    /// What is left of a run whose start or removal was interrupted.
    Remainder,
    /// A run, finished or not.
    Started,
    /// A file that a run would overwrite, and that is not part of a run.
    Foreign(RunFile),
}

impl RunDir {
    /// What the directory contains.
    ///
    /// # Errors
    /// [`RunError::Io`] if a file can't be read.
    pub fn state(&self) -> Result<RunState, RunError> {
        let record = self.record();
        if self.contains(RunFile::Settings) {
            return match (self.config(), record) {
                (Err(error @ RunError::Io { .. }), _) | (_, Err(error @ RunError::Io { .. })) => Err(error),
                (Ok(_), Ok(Some(_))) => Ok(RunState::Started),
                _ => Ok(RunState::Foreign(RunFile::Settings)),
            };
        }
        match record {
            Ok(Some(_)) => Ok(RunState::Remainder),
            Err(error @ RunError::Io { .. }) => Err(error),
            _ => {
                let found = RunFile::ALL.into_iter().find(|&file| self.contains(file));
                Ok(found.map_or(RunState::Empty, RunState::Foreign))
            }
        }
    }

    /// The run that a resumed training continues: the one that was to replace the run in this directory and was
    /// interrupted, if there is one, and else the run itself.
    ///
    /// # Errors
    /// [`RunError::Io`] if a file can't be read.
    pub fn unfinished(&self) -> Result<Self, RunError> {
        let next = self.replacement();
        Ok(if next.state()? == RunState::Started { next } else { self.clone() })
    }

    /// Removes a run that was to replace the one in this directory and was interrupted, if there is one.
    ///
    /// # Errors
    /// [`RunError::Io`].
    pub fn discard_replacement(&self) -> Result<(), RunError> {
        match self.replacement().state()? {
            RunState::Started | RunState::Remainder => self.replacement().clear(),
            RunState::Empty | RunState::Foreign(_) => Ok(()),
        }
    }

    /// Whether something was learned that would be lost if the run was started again.
    pub fn has_progress(&self) -> bool {
        [RunFile::Checkpoint, RunFile::Trained, RunFile::Model].into_iter().any(|file| self.contains(file))
    }
}

#[cfg(test)]
mod tests {
    use std::fs;

    use super::*;
    use crate::data::{self, DataRecord, Source};
    use crate::methods::FitConfig;

    #[test]
    fn a_run_is_told_from_its_remainder_and_from_files_that_are_not_its_own() {
        let folder = tempfile::tempdir().unwrap();
        let run = RunDir::create(folder.path()).unwrap();
        let write = |file, text: &str| fs::write(run.file(file), text).unwrap();
        for file in [RunFile::Model, RunFile::Report, RunFile::ClusterCount, RunFile::Settings, RunFile::Data] {
            write(file, "name = \"of another program\"");
            assert_eq!(run.state().unwrap(), RunState::Foreign(file));
            fs::remove_file(run.file(file)).unwrap();
        }
        let record = DataRecord::new(&Source::new("digits"), &data::digits().samples);
        run.write_start(&record, &FitConfig::default()).unwrap();
        assert_eq!(run.state().unwrap(), RunState::Started);
        fs::remove_file(run.file(RunFile::Settings)).unwrap();
        assert_eq!(run.state().unwrap(), RunState::Remainder);
        // Settings of another program, in a directory in which no run was started.
        fs::remove_file(run.file(RunFile::Data)).unwrap();
        write(RunFile::Settings, "seed = 3");
        assert_eq!(run.state().unwrap(), RunState::Foreign(RunFile::Settings));
    }
}
