//! A run's directory: `config.toml`, `data.toml`, `metrics.jsonl`, `checkpoints/last.ckpt`, `clusters.json`, `sticks.json`,
//! `trained.bin`, `model.emx`, `report.html`. Every file appears whole or not at all.

use std::fs;
use std::io::{self, BufWriter, Write};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use crate::mixture::ClusterCountReport;
use crate::training::{CheckpointStore, EpochReport, Finding};

const METRICS: &str = "metrics.jsonl";
/// How the number of clusters was found.
const NUMBER: &str = "clusters.json";
/// What a Dirichlet process' sticks weighed.
const STICKS: &str = "sticks.json";

/// A run's directory.
///
/// ```
/// use edgemix::run::RunDir;
/// use edgemix::training::{CheckpointStore, EpochReport};
///
/// let folder = tempfile::tempdir()?;
/// let mut run = RunDir::create(folder.path())?;
/// let losses = vec![("reconstruction".into(), 0.5)];
/// run.append_metrics(&EpochReport { phase: "reconstruct".into(), epoch: 1, epochs: 9, losses, clusters: None })?;
/// run.save(b"the state after it")?;
/// assert!(run.file("checkpoints/last.ckpt").exists());
/// // Nobody else's while it is held.
/// assert!(RunDir::create(folder.path()).is_err());
/// # Ok::<(), std::io::Error>(())
/// ```
#[derive(Clone, Debug)]
pub struct RunDir {
    path: PathBuf,
    /// Held until the last clone is gone.
    _lock: Option<Arc<fs::File>>,
}

impl RunDir {
    /// The directory at `path`, created if it does not exist, and nobody else's as long as this value or a clone lives.
    /// See [`RunDir`] for an example.
    ///
    /// # Errors
    /// Whatever the file system says; [`io::ErrorKind::ResourceBusy`] if another program or value has it.
    pub fn create(path: &Path) -> io::Result<Self> {
        fs::create_dir_all(path.join("checkpoints"))?;
        let lock = fs::OpenOptions::new().create(true).append(true).open(path.join(".lock"))?;
        lock.try_lock().map_err(|error| match error {
            fs::TryLockError::WouldBlock => io::Error::new(
                io::ErrorKind::ResourceBusy,
                "another edgemix is at work in this directory: wait for it, or choose another one",
            ),
            fs::TryLockError::Error(error) => error,
        })?;
        Ok(Self { path: path.into(), _lock: Some(Arc::new(lock)) })
    }

    /// The directory at `path`, as it is, to be read.
    ///
    /// ```
    /// use edgemix::run::RunDir;
    ///
    /// let folder = tempfile::tempdir()?;
    /// let held = RunDir::create(folder.path())?;
    /// // Whoever only reads need not wait for it.
    /// assert!(!RunDir::open(folder.path()).is_started());
    /// std::fs::write(held.file("config.toml"), "seed = 3")?;
    /// assert!(RunDir::open(folder.path()).is_started());
    /// # Ok::<(), std::io::Error>(())
    /// ```
    pub fn open(path: &Path) -> Self {
        Self { path: path.into(), _lock: None }
    }

    /// Where a file of the run lies. See [`RunDir`] for an example.
    pub fn file(&self, name: &str) -> PathBuf {
        self.path.join(name)
    }

    /// Whether a run was started here. See [`RunDir::open`] for an example.
    pub fn is_started(&self) -> bool {
        self.file("config.toml").exists()
    }

    /// Forgets a run: its checkpoint, metrics and results.
    ///
    /// ```
    /// use edgemix::run::RunDir;
    ///
    /// let folder = tempfile::tempdir()?;
    /// let run = RunDir::create(folder.path())?;
    /// std::fs::write(run.file("config.toml"), "seed = 3")?;
    /// std::fs::write(run.file("notes.txt"), "mine")?;
    /// run.clear()?;
    /// assert!(!run.is_started() && run.file("notes.txt").exists());
    /// # Ok::<(), std::io::Error>(())
    /// ```
    ///
    /// # Errors
    /// Whatever the file system says.
    pub fn clear(&self) -> io::Result<()> {
        for name in [
            "checkpoints/last.ckpt",
            METRICS,
            "trained.bin",
            "model.emx",
            "report.html",
            NUMBER,
            STICKS,
            "data.toml",
            "config.toml",
        ] {
            match fs::remove_file(self.file(name)) {
                Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(error),
                _ => {}
            }
        }
        Ok(())
    }

    /// Appends an epoch's report to the metrics. See [`RunDir`] for an example.
    ///
    /// # Errors
    /// Whatever the file system says.
    pub fn append_metrics(&self, report: &EpochReport) -> io::Result<()> {
        let mut line = serde_json::to_vec(report)?;
        line.push(b'\n');
        fs::OpenOptions::new().create(true).append(true).open(self.file(METRICS))?.write_all(&line)
    }

    /// Keeps what a method found out beside the model.
    ///
    /// ```
    /// use edgemix::mixture::ClusterCountReport;
    /// use edgemix::run::RunDir;
    /// use edgemix::training::Finding;
    ///
    /// let folder = tempfile::tempdir()?;
    /// let found = ClusterCountReport { clusters: 3, components: 5, threshold: 0.25, curve: vec![], merges: vec![], seconds: 0.5 };
    /// RunDir::create(folder.path())?.keep_finding(&Finding::ClusterCount(found.clone()))?;
    /// assert_eq!(RunDir::open(folder.path()).number(), Some(found));
    /// # Ok::<(), std::io::Error>(())
    /// ```
    ///
    /// # Errors
    /// Whatever the file system says.
    pub fn keep_finding(&self, finding: &Finding) -> io::Result<()> {
        let (name, text) = match finding {
            Finding::ClusterCount(report) => (NUMBER, serde_json::to_vec_pretty(report)?),
            Finding::StickWeights(weights) => (STICKS, serde_json::to_vec(weights)?),
        };
        write_whole(&self.file(name), &text)
    }

    /// The weights of a Dirichlet process' sticks before any was pruned, largest first; empty where there are none.
    pub fn sticks(&self) -> Vec<f64> {
        fs::read(self.file(STICKS)).ok().and_then(|text| serde_json::from_slice(&text).ok()).unwrap_or_default()
    }

    /// How the number of clusters was found, if it was; nothing too where the file is another version's.
    pub fn number(&self) -> Option<ClusterCountReport> {
        serde_json::from_slice(&fs::read(self.file(NUMBER)).ok()?).ok()
    }

    /// Forgets the metrics of a phase after its first `epochs` epochs: a run that is taken up reports them again.
    /// Lines that stay, stay byte for byte; a last line that was cut off is dropped.
    ///
    /// ```
    /// use edgemix::run::RunDir;
    /// use edgemix::training::EpochReport;
    ///
    /// let folder = tempfile::tempdir()?;
    /// let run = RunDir::create(folder.path())?;
    /// let report = |epoch| EpochReport { phase: "cluster".into(), epoch, epochs: 9, losses: vec![], clusters: None };
    /// (1..=3).try_for_each(|epoch| run.append_metrics(&report(epoch)))?;
    /// // Taken up from a checkpoint after the first epoch.
    /// run.truncate_metrics("cluster", 1)?;
    /// assert_eq!(std::fs::read_to_string(run.file("metrics.jsonl"))?.lines().count(), 1);
    /// # Ok::<(), std::io::Error>(())
    /// ```
    ///
    /// # Errors
    /// Whatever the file system says; a whole line that is not a report is an error too.
    pub fn truncate_metrics(&self, phase: &str, epochs: usize) -> io::Result<()> {
        let path = self.file(METRICS);
        let text = match fs::read_to_string(&path) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(()),
            text => text?,
        };
        let mut kept = String::new();
        for line in text.split_inclusive('\n').filter(|line| line.ends_with('\n')) {
            let report: EpochReport = serde_json::from_str(line)?;
            if report.phase != phase || report.epoch <= epochs {
                kept.push_str(line);
            }
        }
        if kept == text { Ok(()) } else { write_whole(&path, kept.as_bytes()) }
    }
}

impl CheckpointStore for RunDir {
    fn save(&mut self, bytes: &[u8]) -> io::Result<()> {
        // The metrics of the epochs that a checkpoint stands for must not be lost after it.
        match fs::File::open(self.file(METRICS)) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => {}
            file => file?.sync_all()?,
        }
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
/// ```
/// let folder = tempfile::tempdir()?;
/// let path = folder.path().join("model.emx");
/// edgemix::run::write_whole(&path, b"old")?;
/// edgemix::run::write_whole(&path, b"new")?;
/// assert_eq!(std::fs::read(&path)?, b"new");
/// # Ok::<(), std::io::Error>(())
/// ```
///
/// A link stays, its target is replaced. What is no regular file, such as a pipe or a device, is written to.
///
/// # Errors
/// Whatever the file system says.
pub fn write_whole(path: &Path, bytes: &[u8]) -> io::Result<()> {
    write_whole_by(path, |error| error, |out| out.write_all(bytes))
}

/// The same of what `write` writes, bit by bit; if that fails, nothing changes. What the file system says goes through
/// `refused`.
///
/// ```
/// use std::io::{self, Write};
///
/// use edgemix::run::{write_whole, write_whole_by};
///
/// let folder = tempfile::tempdir()?;
/// let path = folder.path().join("clusters.csv");
/// write_whole(&path, b"old")?;
/// let fail = |out: &mut dyn Write| {
///     out.write_all(b"half of it")?;
///     Err(io::Error::other("no more"))
/// };
/// assert!(write_whole_by(&path, |error| error, fail).is_err());
/// assert_eq!(std::fs::read(&path)?, b"old");
/// # Ok::<(), io::Error>(())
/// ```
///
/// # Errors
/// Whatever `write` and the file system say.
pub fn write_whole_by<E>(
    path: &Path,
    refused: impl Fn(io::Error) -> E,
    write: impl FnOnce(&mut dyn Write) -> Result<(), E>,
) -> Result<(), E> {
    let target = match fs::metadata(path) {
        Ok(found) if !found.is_file() => {
            let mut out = BufWriter::new(fs::OpenOptions::new().write(true).open(path).map_err(&refused)?);
            write(&mut out)?;
            return out.flush().map_err(refused);
        }
        Ok(_) => fs::canonicalize(path).map_err(&refused)?,
        Err(_) => match fs::read_link(path) {
            Ok(target) => path.parent().unwrap_or(Path::new("")).join(target),
            Err(_) => path.into(),
        },
    };
    let folder = match target.parent() {
        Some(folder) if !folder.as_os_str().is_empty() => folder,
        _ => Path::new("."),
    };
    // Says what is wrong with the folder itself; the error below would name a temporary file.
    fs::metadata(folder).map_err(&refused)?;
    let mut builder = tempfile::Builder::new();
    // A temporary file is its owner's alone; this one is to be a file like any other, as the umask allows.
    #[cfg(unix)]
    builder.permissions(std::os::unix::fs::PermissionsExt::from_mode(0o666));
    let mut out = BufWriter::new(builder.tempfile_in(folder).map_err(unnamed).map_err(&refused)?);
    write(&mut out)?;
    let file = out.into_inner().map_err(|error| refused(error.into_error()))?;
    file.as_file().sync_all().map_err(&refused)?;
    file.persist(&target).map_err(|error| refused(error.error))?;
    Ok(())
}

/// An error without the name of a temporary file, which nobody asked for.
fn unnamed(error: io::Error) -> io::Error {
    use io::ErrorKind::{PermissionDenied, QuotaExceeded, ReadOnlyFilesystem, StorageFull};
    match error.kind() {
        kind @ (PermissionDenied | QuotaExceeded | ReadOnlyFilesystem | StorageFull) => kind.into(),
        _ => error,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn report(phase: &str, epoch: usize) -> EpochReport {
        // A loss whose shortest decimal form is long: read and written again it need not come back.
        let losses = vec![("reconstruction".into(), 4.717938721179962 / (epoch as f64 + 0.1))];
        EpochReport { phase: phase.into(), epoch, epochs: 5, losses, clusters: None }
    }

    #[test]
    fn metrics_of_a_run_taken_up_are_those_of_one_in_one_piece() {
        let folder = tempfile::tempdir().unwrap();
        let all: Vec<_> =
            (1..=5).map(|e| report("reconstruct", e)).chain((1..=5).map(|e| report("cluster", e))).collect();
        let whole = RunDir::create(&folder.path().join("whole")).unwrap();
        all.iter().for_each(|r| whole.append_metrics(r).unwrap());
        let expected = fs::read(whole.file(METRICS)).unwrap();
        // Killed after any number of epochs, in the middle of a line or not; taken up from an earlier epoch.
        for killed in 0..=10 {
            for position in 0..=killed {
                let run = RunDir::create(&folder.path().join(format!("{killed}-{position}"))).unwrap();
                all[..killed].iter().for_each(|r| run.append_metrics(r).unwrap());
                let mut file = fs::OpenOptions::new().create(true).append(true).open(run.file(METRICS)).unwrap();
                file.write_all(b"{\"phase\":\"clus").unwrap();
                let phases = if position < 5 {
                    vec![("reconstruct", position), ("cluster", 0)]
                } else {
                    vec![("cluster", position - 5)]
                };
                let mut rest = all[position..].iter();
                for (phase, first) in phases {
                    run.truncate_metrics(phase, first).unwrap();
                    rest.by_ref().take(5 - first).for_each(|r| run.append_metrics(r).unwrap());
                }
                assert!(fs::read(run.file(METRICS)).unwrap() == expected, "killed after {killed}, from {position}");
            }
        }
    }

    #[test]
    fn a_directory_has_one_user_at_a_time() {
        let folder = tempfile::tempdir().unwrap();
        let run = RunDir::create(folder.path()).unwrap();
        let clone = run.clone();
        drop(run);
        assert_eq!(RunDir::create(folder.path()).unwrap_err().kind(), io::ErrorKind::ResourceBusy);
        drop(clone);
        RunDir::create(folder.path()).unwrap();
    }

    #[cfg(unix)]
    #[test]
    fn links_stay_and_pipes_are_written_to() {
        use std::os::unix::fs::{FileTypeExt, symlink};
        let folder = tempfile::tempdir().unwrap();
        let at = |name: &str| folder.path().join(name);
        fs::write(at("target"), "old").unwrap();
        symlink("target", at("link")).unwrap();
        symlink("later", at("dangling")).unwrap();
        write_whole(&at("link"), b"new").unwrap();
        write_whole(&at("dangling"), b"made").unwrap();
        assert!(at("link").is_symlink() && at("dangling").is_symlink());
        assert_eq!((fs::read(at("target")).unwrap(), fs::read(at("later")).unwrap()), (b"new".into(), b"made".into()));

        let pipe = at("pipe");
        assert!(std::process::Command::new("mkfifo").arg(&pipe).status().unwrap().success());
        let reader = std::thread::spawn({
            let pipe = pipe.clone();
            move || fs::read(pipe).unwrap()
        });
        write_whole(&pipe, b"through").unwrap();
        assert_eq!(reader.join().unwrap(), b"through");
        assert!(fs::symlink_metadata(&pipe).unwrap().file_type().is_fifo());
    }

    #[test]
    fn a_file_is_replaced_whole_and_a_failure_leaves_nothing() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("file");
        write_whole(&path, b"old").unwrap();
        write_whole(&path, b"new and longer").unwrap();
        assert_eq!(fs::read(&path).unwrap(), b"new and longer");
        let error = write_whole(&path.join("below-a-file"), b"x").unwrap_err();
        assert_eq!(error.kind(), io::ErrorKind::NotADirectory);
        fs::create_dir(folder.path().join("taken")).unwrap();
        assert!(write_whole(&folder.path().join("taken"), b"x").is_err());
        assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 2, "a temporary file was left behind");
    }
}
