//! A run's directory: `config.toml`, `metrics.jsonl`, `checkpoints/last.ckpt`, `trained.bin`, `model.emx`. Every file
//! appears whole or not at all.

use std::fs;
use std::io::{self, Write};
use std::path::{Path, PathBuf};

use crate::training::{CheckpointStore, EpochReport};

/// A run's directory.
#[derive(Clone, Debug)]
pub struct RunDir(PathBuf);

impl RunDir {
    /// The directory at `path`, created if it does not exist.
    ///
    /// # Errors
    /// Whatever the file system says.
    pub fn create(path: &Path) -> io::Result<Self> {
        fs::create_dir_all(path.join("checkpoints"))?;
        Ok(Self(path.into()))
    }

    /// The directory at `path`, as it is.
    pub fn open(path: &Path) -> Self {
        Self(path.into())
    }

    /// Where a file of the run lies.
    pub fn file(&self, name: &str) -> PathBuf {
        self.0.join(name)
    }

    /// Whether a run was started here.
    pub fn is_started(&self) -> bool {
        self.file("config.toml").exists()
    }

    /// Forgets a run: its checkpoint, metrics and results.
    ///
    /// # Errors
    /// Whatever the file system says.
    pub fn clear(&self) -> io::Result<()> {
        for name in ["checkpoints/last.ckpt", "metrics.jsonl", "trained.bin", "model.emx", "config.toml"] {
            match fs::remove_file(self.file(name)) {
                Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(error),
                _ => {}
            }
        }
        Ok(())
    }

    /// Writes the reports of all epochs so far.
    ///
    /// # Errors
    /// Whatever the file system says.
    pub fn write_metrics(&self, reports: &[EpochReport]) -> io::Result<()> {
        let mut lines = Vec::new();
        for report in reports {
            serde_json::to_writer(&mut lines, report)?;
            lines.push(b'\n');
        }
        write_whole(&self.file("metrics.jsonl"), &lines)
    }

    /// The reports of the epochs so far.
    ///
    /// # Errors
    /// Whatever the file system says; a line that is not a report is an error too.
    pub fn read_metrics(&self) -> io::Result<Vec<EpochReport>> {
        let path = self.file("metrics.jsonl");
        if !path.exists() {
            return Ok(vec![]);
        }
        fs::read_to_string(path)?.lines().map(|line| serde_json::from_str(line).map_err(io::Error::from)).collect()
    }
}

impl CheckpointStore for RunDir {
    fn save(&mut self, bytes: &[u8]) -> io::Result<()> {
        write_whole(&self.file("checkpoints/last.ckpt"), bytes)
    }

    fn load(&self) -> io::Result<Option<Vec<u8>>> {
        match fs::read(self.file("checkpoints/last.ckpt")) {
            Ok(bytes) => Ok(Some(bytes)),
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
            Err(error) => Err(error),
        }
    }
}

/// Writes a file beside its place and renames it: at every moment the old one or the new one is there, whole.
///
/// # Errors
/// Whatever the file system says.
pub fn write_whole(path: &Path, bytes: &[u8]) -> io::Result<()> {
    let folder = match path.parent() {
        Some(folder) if !folder.as_os_str().is_empty() => folder,
        _ => Path::new("."),
    };
    let mut builder = tempfile::Builder::new();
    // A temporary file is its owner's alone; this one is to be a file like any other, as the umask allows.
    #[cfg(unix)]
    builder.permissions(std::os::unix::fs::PermissionsExt::from_mode(0o666));
    let mut file = builder.tempfile_in(folder)?;
    file.write_all(bytes)?;
    file.as_file().sync_all()?;
    file.persist(path).map_err(|error| error.error)?;
    Ok(())
}
