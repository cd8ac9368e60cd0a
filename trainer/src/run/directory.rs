//! The directory of a run.

mod bytes;

use std::fs;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use super::error::RunError;
use super::file::RunFile;
use super::model_file::ModelFile;
use super::{disk, metrics, replacement, settings, trained_file};
use crate::data::{DataRecord, Source};
use crate::methods::FitConfig;
use crate::trained::Trained;
use crate::training::EpochReport;

/// The directory of a run, which reads and writes the run's files by type.
///
/// ```
/// use edgemix::data::{self, DataRecord, Source};
/// use edgemix::run::{RunDir, RunFile, RunState};
/// use edgemix::methods::FitConfig;
/// use edgemix::training::{CheckpointStore, EpochReport};
///
/// let folder = tempfile::tempdir()?;
/// let mut run = RunDir::create(folder.path())?;
/// let record = DataRecord::new(&Source::new("digits"), &data::digits().samples);
/// run.write_start(&record, &FitConfig { seed: 3, ..FitConfig::default() })?;
/// assert_eq!(run.config()?.seed, 3);
///
/// let losses = vec![("reconstruction".into(), 0.5)];
/// run.append_metrics(&EpochReport { phase: "reconstruct".into(), epoch: 1, epochs: 9, losses, clusters: None })?;
/// run.save(b"the state after the epoch")?;
/// assert!(run.metrics()?.len() == 1 && run.contains(RunFile::Checkpoint));
///
/// // Nobody else can write to the directory, but anybody can read it.
/// assert!(RunDir::create(folder.path()).is_err());
/// assert_eq!(RunDir::open(folder.path()).state()?, RunState::Started);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Debug)]
pub struct RunDir {
    path: PathBuf,
    /// Whether this is the run that is made beside the one in the directory.
    is_replacement: bool,
    /// Held until the last clone is dropped.
    _lock: Option<Arc<fs::File>>,
}

impl RunDir {
    /// The directory at `path`, which is created if it does not exist. It is locked against other writers until this value
    /// and its clones are dropped. What a process left unfinished that was killed is completed or removed.
    ///
    /// # Errors
    /// [`RunError::Busy`] if another process holds the directory, [`RunError::NotADirectory`] if it is a file, and
    /// [`RunError::Io`] if it can't be created or locked.
    pub fn create(path: &Path) -> Result<Self, RunError> {
        if fs::metadata(path).is_ok_and(|found| !found.is_dir()) {
            return Err(RunError::NotADirectory { path: path.into() });
        }
        let lock = disk::create_directories(path)
            .and_then(|()| fs::OpenOptions::new().create(true).append(true).open(path.join(".lock")))
            .map_err(RunError::io(path))?;
        lock.try_lock().map_err(|error| match error {
            fs::TryLockError::WouldBlock => RunError::Busy { path: path.into() },
            fs::TryLockError::Error(source) => RunError::Lock { path: path.into(), source },
        })?;
        replacement::complete(path).map_err(RunError::io(path))?;
        let run = Self { path: path.into(), is_replacement: false, _lock: Some(Arc::new(lock)) };
        run.remove_temporaries()?;
        run.replacement().remove_temporaries()?;
        Ok(run)
    }

    /// The directory at `path`, for reading.
    pub fn open(path: &Path) -> Self {
        Self { path: path.into(), is_replacement: false, _lock: None }
    }

    /// Locks the directory, as [`create`](Self::create) does, if a file is to be written directly in it.
    ///
    /// # Errors
    /// The errors of [`create`](Self::create).
    pub fn lock_if_within(&self, out: &Path) -> Result<Option<Self>, RunError> {
        if !self.contains(RunFile::Settings) {
            return Ok(None);
        }
        let folder = out.parent().map(|folder| if folder.as_os_str().is_empty() { Path::new(".") } else { folder });
        match (folder.map(fs::canonicalize), fs::canonicalize(&self.path)) {
            (Some(Ok(folder)), Ok(path)) if folder == path => Self::create(&self.path).map(Some),
            _ => Ok(None),
        }
    }

    /// The run that is made beside the one in this directory, and that takes its place when it is whole
    /// ([`publish`](Self::publish)). Until then, it can be resumed.
    ///
    /// ```
    /// # use edgemix::data::{self, DataRecord, Source};
    /// use edgemix::run::{RunDir, RunState};
    /// # use edgemix::methods::FitConfig;
    ///
    /// let folder = tempfile::tempdir()?;
    /// let run = RunDir::create(folder.path())?;
    /// # let record = DataRecord::new(&Source::new("digits"), &data::digits().samples);
    /// run.write_start(&record, &FitConfig { seed: 3, ..FitConfig::default() })?;
    /// let next = run.replacement();
    /// next.write_start(&record, &FitConfig { seed: 4, ..FitConfig::default() })?;
    /// assert_eq!((run.config()?.seed, next.config()?.seed), (3, 4));
    /// let run = next.publish()?;
    /// assert_eq!((run.config()?.seed, run.replacement().state()?), (4, RunState::Empty));
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    #[must_use]
    pub fn replacement(&self) -> Self {
        Self { is_replacement: true, ..self.clone() }
    }

    /// Makes this run, which is whole, the one in the directory. If the process is killed meanwhile, either this run or the
    /// one before can be read whole, and the next writer completes what was begun.
    ///
    /// # Errors
    /// [`RunError::Io`].
    pub fn publish(self) -> Result<Self, RunError> {
        if self.is_replacement {
            replacement::publish(&self.path).map_err(RunError::io(&self.path))?;
        }
        Ok(Self { is_replacement: false, ..self })
    }

    /// The run that `path` belongs to: `path` itself if it is a directory, else the directory that contains the file.
    pub fn containing(path: &Path) -> Self {
        Self::open(if path.is_dir() { path } else { path.parent().unwrap_or(path) })
    }

    /// The path of the directory.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// The path of a file of the run, which need not exist.
    pub fn file(&self, file: RunFile) -> PathBuf {
        if self.is_replacement {
            replacement::next(&self.path).join(file.name())
        } else {
            replacement::current(&self.path, file)
        }
    }

    /// Whether the run has this file.
    pub fn contains(&self, file: RunFile) -> bool {
        self.file(file).exists()
    }

    /// Removes the files of the run, and no others.
    ///
    /// ```
    /// # use edgemix::data::{self, DataRecord, Source};
    /// use edgemix::run::{RunDir, RunState};
    /// # use edgemix::methods::FitConfig;
    ///
    /// let folder = tempfile::tempdir()?;
    /// let run = RunDir::create(folder.path())?;
    /// # let record = DataRecord::new(&Source::new("digits"), &data::digits().samples);
    /// run.write_start(&record, &FitConfig::default())?;
    /// std::fs::write(folder.path().join("notes.txt"), "mine")?;
    /// run.clear()?;
    /// assert_eq!(run.state()?, RunState::Empty);
    /// assert!(folder.path().join("notes.txt").exists());
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    ///
    /// # Errors
    /// [`RunError::Io`].
    pub fn clear(&self) -> Result<(), RunError> {
        RunFile::ALL.into_iter().try_for_each(|file| self.remove(file))?;
        if self.is_replacement {
            let next = replacement::next(&self.path);
            disk::remove_directory(&next).map_err(RunError::io(&next))?;
        }
        Ok(())
    }

    fn remove(&self, file: RunFile) -> Result<(), RunError> {
        let path = self.file(file);
        disk::remove_file(&path).map_err(RunError::io(&path))
    }

    /// Removes what processes that were killed have not renamed yet.
    fn remove_temporaries(&self) -> Result<(), RunError> {
        for file in [self.file(RunFile::Settings), self.file(RunFile::Checkpoint)] {
            let folder = file.parent().unwrap_or(&self.path);
            disk::remove_temporaries(folder).map_err(RunError::io(folder))?;
        }
        Ok(())
    }

    /// Writes what a run starts from: where its samples come from, and its settings.
    ///
    /// # Errors
    /// [`RunError::Io`], and [`RunError::Unwritable`] if the settings can't be written as TOML.
    pub fn write_start(&self, record: &DataRecord, config: &FitConfig) -> Result<(), RunError> {
        let data = toml::to_string(record).map_err(|error| RunError::Unwritable(error.to_string()))?;
        let settings = settings::settings_to_toml(config)?;
        // A run has started once its settings are there, so they are written last.
        self.write(RunFile::Data, data.as_bytes())?;
        self.write(RunFile::Settings, settings.as_bytes())
    }

    /// The settings.
    ///
    /// # Errors
    /// [`RunError::Io`], and [`RunError::Malformed`].
    pub fn config(&self) -> Result<FitConfig, RunError> {
        let path = self.file(RunFile::Settings);
        let config = settings::read_settings(&path)?;
        config.check_numbers().map_err(|error| RunError::malformed(&path, error))?;
        Ok(config)
    }

    /// The settings as text.
    ///
    /// # Errors
    /// [`RunError::Io`], and [`RunError::Malformed`] if the file is not text.
    pub fn config_text(&self) -> Result<String, RunError> {
        let path = self.file(RunFile::Settings);
        RunError::text(&path, fs::read(&path).map_err(RunError::io(&path))?)
    }

    /// Where the samples come from, and their fingerprint; `None` if a model file is not in the directory of a run.
    ///
    /// # Errors
    /// [`RunError::Io`], and [`RunError::Malformed`].
    pub fn record(&self) -> Result<Option<DataRecord>, RunError> {
        let path = self.file(RunFile::Data);
        let bytes = disk::read_if_there(&path).map_err(RunError::io(&path))?;
        let Some(bytes) = bytes else { return Ok(None) };
        toml::from_slice(&bytes).map(Some).map_err(|error| RunError::malformed(&path, error.message()))
    }

    /// Where the samples come from; `None` if a model file is not in the directory of a run.
    ///
    /// # Errors
    /// [`RunError::Io`], and [`RunError::Malformed`].
    pub fn source(&self) -> Result<Option<Source>, RunError> {
        Ok(self.record()?.map(|record| record.source))
    }

    /// Appends the report of an epoch to the metrics.
    ///
    /// # Errors
    /// [`RunError::Io`].
    pub fn append_metrics(&self, report: &EpochReport) -> Result<(), RunError> {
        metrics::append(&self.file(RunFile::Metrics), report)
    }

    /// Removes the metrics of a phase after its first `epochs` epochs, which a run that is resumed reports again.
    ///
    /// ```
    /// use edgemix::run::RunDir;
    /// use edgemix::training::EpochReport;
    ///
    /// let folder = tempfile::tempdir()?;
    /// let run = RunDir::create(folder.path())?;
    /// let report = |epoch| EpochReport { phase: "cluster".into(), epoch, epochs: 9, losses: vec![], clusters: None };
    /// (1..=3).try_for_each(|epoch| run.append_metrics(&report(epoch)))?;
    /// // The run is resumed from a checkpoint after the first epoch.
    /// run.truncate_metrics("cluster", 1)?;
    /// assert_eq!(run.metrics()?, [report(1)]);
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    ///
    /// # Errors
    /// [`RunError::Io`], and [`RunError::Malformed`] if a whole line is not a report.
    pub fn truncate_metrics(&self, phase: &str, epochs: usize) -> Result<(), RunError> {
        metrics::truncate(&self.file(RunFile::Metrics), phase, epochs)
    }

    /// The reports of all epochs, in order; empty if there are none yet.
    ///
    /// # Errors
    /// [`RunError::Io`], and [`RunError::Malformed`].
    pub fn metrics(&self) -> Result<Vec<EpochReport>, RunError> {
        metrics::read(&self.file(RunFile::Metrics))
    }

    /// Writes the trained model.
    ///
    /// # Errors
    /// [`RunError::Io`], and [`RunError::Trained`] if the model contradicts itself.
    pub fn write_trained(&self, trained: &Trained) -> Result<(), RunError> {
        let path = self.file(RunFile::Trained);
        let bytes = trained_file::write_trained(trained);
        self.write(RunFile::Trained, &bytes.map_err(|source| RunError::Trained { path, source })?)
    }

    /// The trained model in floating point.
    ///
    /// # Errors
    /// [`RunError::Io`], and [`RunError::Trained`].
    pub fn trained(&self) -> Result<Trained, RunError> {
        let path = self.file(RunFile::Trained);
        let bytes = fs::read(&path).map_err(|error| {
            let contains = |file| self.contains(file);
            RunError::io(&path)(error).about_missing_model(&self.path, contains)
        })?;
        trained_file::read_trained(&bytes).map_err(|source| RunError::Trained { path, source })
    }

    /// The quantised model.
    ///
    /// # Errors
    /// [`RunError::Io`], and [`RunError::Model`].
    pub fn model(&self) -> Result<ModelFile, RunError> {
        ModelFile::read(&self.path)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_directory_has_one_writer_at_a_time() {
        let folder = tempfile::tempdir().unwrap();
        let run = RunDir::create(folder.path()).unwrap();
        let clone = run.clone();
        drop(run);
        assert!(matches!(RunDir::create(folder.path()), Err(RunError::Busy { .. })));
        drop(clone);
        RunDir::create(folder.path()).unwrap();
    }

    #[test]
    fn settings_with_numbers_that_no_run_has_are_refused() {
        let folder = tempfile::tempdir().unwrap();
        let run = RunDir::open(folder.path());
        for text in ["holdout = 1", "holdout = 1e6", "finest-rate = 0.0", "batch-size = 0", "learning-rate = -1.0"] {
            fs::write(run.file(RunFile::Settings), text).unwrap();
            assert!(matches!(run.config(), Err(RunError::Malformed { .. })), "{text}");
        }
        fs::write(run.file(RunFile::Settings), "holdout = 0.2").unwrap();
        assert_eq!(run.config().unwrap().holdout, 0.2);
    }

    #[test]
    fn a_run_without_a_model_says_what_it_lacks() {
        let folder = tempfile::tempdir().unwrap();
        let run = RunDir::open(folder.path());
        assert!(matches!(run.model(), Err(RunError::Io { .. })));
        fs::write(run.file(RunFile::Settings), "seed = 3").unwrap();
        assert!(matches!(run.model(), Err(RunError::Unfinished { .. })));
        assert!(matches!(run.trained(), Err(RunError::Unfinished { .. })));
        fs::write(run.file(RunFile::Trained), "").unwrap();
        assert!(matches!(run.model(), Err(RunError::NotExported { .. })));
    }
}
