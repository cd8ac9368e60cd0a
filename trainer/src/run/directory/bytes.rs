//! Files of any kind in the directory of a run, read and written whole.

use std::io;

use serde::Serialize;
use serde::de::DeserializeOwned;

use super::RunDir;
use crate::run::disk;
use crate::run::error::RunError;
use crate::run::file::RunFile;
use crate::run::write::write_whole;
use crate::training::CheckpointStore;

impl RunDir {
    /// Replaces a file by a copy of another run's, or removes it if the other run has none.
    pub(crate) fn copy_from(&self, other: &Self, file: RunFile) -> Result<(), RunError> {
        let path = other.file(file);
        match disk::read_if_there(&path).map_err(RunError::io(&path))? {
            Some(bytes) => self.write(file, &bytes),
            None => self.remove(file),
        }
    }

    /// Reads a file of JSON; `None` if it does not exist.
    pub(crate) fn json<T: DeserializeOwned>(&self, file: RunFile) -> Result<Option<T>, RunError> {
        let path = self.file(file);
        let bytes = disk::read_if_there(&path).map_err(RunError::io(&path))?;
        let Some(bytes) = bytes else { return Ok(None) };
        serde_json::from_slice(&bytes).map(Some).map_err(|error| RunError::malformed(&path, error))
    }

    /// Writes a file of JSON.
    pub(crate) fn write_json(&self, file: RunFile, value: &impl Serialize) -> Result<(), RunError> {
        let text = serde_json::to_vec_pretty(value).map_err(|error| RunError::malformed(&self.file(file), error))?;
        self.write(file, &text)
    }

    /// Writes a file.
    pub(crate) fn write(&self, file: RunFile, bytes: &[u8]) -> Result<(), RunError> {
        let path = self.file(file);
        path.parent().map_or(Ok(()), disk::create_directories).map_err(RunError::io(&path))?;
        write_whole(&path, bytes).map_err(RunError::io(&path))
    }
}

impl CheckpointStore for RunDir {
    fn save(&mut self, bytes: &[u8]) -> io::Result<()> {
        // The metrics of the epochs before a checkpoint must reach the disk before the checkpoint does.
        disk::sync(&self.file(RunFile::Metrics))?;
        let path = self.file(RunFile::Checkpoint);
        path.parent().map_or(Ok(()), disk::create_directory)?;
        write_whole(&path, bytes)
    }

    fn load(&self) -> io::Result<Option<Vec<u8>>> {
        disk::read_if_there(&self.file(RunFile::Checkpoint))
    }

    fn save_autoencoder(&mut self, bytes: &[u8]) -> io::Result<()> {
        let path = self.file(RunFile::Autoencoder);
        path.parent().map_or(Ok(()), disk::create_directory)?;
        write_whole(&path, bytes)
    }

    fn load_autoencoder(&self) -> io::Result<Option<Vec<u8>>> {
        disk::read_if_there(&self.file(RunFile::Autoencoder))
    }
}
