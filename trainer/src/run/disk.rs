//! Every change that this layer makes to the disk, and reading what need not be there. In tests, the process can be ended
//! before any change.

use std::fs::{self, File};
use std::io;
use std::path::Path;

use tempfile::NamedTempFile;

/// The temporary files of this program begin with this.
pub(super) const TEMPORARY: &str = ".tmp-edgemix-";

/// The content of a file; `None` if it does not exist.
pub(super) fn read_if_there(path: &Path) -> io::Result<Option<Vec<u8>>> {
    match fs::read(path) {
        Err(error) if matches!(error.kind(), io::ErrorKind::NotFound | io::ErrorKind::NotADirectory) => Ok(None),
        bytes => bytes.map(Some),
    }
}

pub(super) fn rename(from: &Path, to: &Path) -> io::Result<()> {
    step();
    fs::rename(from, to)
}

/// Gives a file another place, which may be on another device if a directory is a link.
pub(super) fn move_file(from: &Path, to: &Path) -> io::Result<()> {
    match rename(from, to) {
        Err(error) if error.kind() == io::ErrorKind::CrossesDevices => copy_and_remove(from, to),
        moved => moved,
    }
}

/// Until the copy is whole and has its name, the file stays where it is.
fn copy_and_remove(from: &Path, to: &Path) -> io::Result<()> {
    let file = create_temporary(to.parent().unwrap_or(Path::new(".")))?;
    io::copy(&mut File::open(from)?, &mut file.as_file())?;
    persist(file, to)?;
    remove_file(from)
}

/// Removes a file that need not exist.
pub(super) fn remove_file(path: &Path) -> io::Result<()> {
    step();
    ignore_missing(fs::remove_file(path))
}

/// Removes a directory of this program, which need not exist, with everything in it.
pub(super) fn remove_directory(path: &Path) -> io::Result<()> {
    step();
    ignore_missing(fs::remove_dir_all(path))
}

pub(super) fn create_directories(path: &Path) -> io::Result<()> {
    step();
    fs::create_dir_all(path)
}

pub(super) fn create_temporary(folder: &Path) -> io::Result<NamedTempFile> {
    step();
    let mut builder = tempfile::Builder::new();
    builder.prefix(TEMPORARY);
    // Only the owner can read a temporary file by default; this one has the usual permissions, as the umask allows.
    #[cfg(unix)]
    builder.permissions(std::os::unix::fs::PermissionsExt::from_mode(0o666));
    builder.tempfile_in(folder)
}

/// Creates a directory in one that exists: if that was removed, nothing takes its place.
pub(super) fn create_directory(path: &Path) -> io::Result<()> {
    step();
    match fs::create_dir(path) {
        Err(error) if error.kind() == io::ErrorKind::AlreadyExists => Ok(()),
        created => created,
    }
}

/// Writes the file to the disk and gives it its name.
pub(super) fn persist(file: NamedTempFile, path: &Path) -> io::Result<()> {
    step();
    file.as_file().sync_all()?;
    step();
    file.persist(path).map(drop).map_err(|error| error.error)
}

pub(super) fn append(path: &Path, bytes: &[u8]) -> io::Result<()> {
    step();
    let mut file = fs::OpenOptions::new().create(true).append(true).open(path)?;
    io::Write::write_all(&mut file, bytes)
}

/// Writes to the disk what was appended to a file, which need not exist.
pub(super) fn sync(path: &Path) -> io::Result<()> {
    step();
    ignore_missing(File::open(path).and_then(|file| file.sync_all()))
}

/// Removes the temporary files in a directory, which need not exist.
pub(super) fn remove_temporaries(folder: &Path) -> io::Result<()> {
    let entries = match fs::read_dir(folder) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(()),
        entries => entries?,
    };
    for entry in entries {
        let entry = entry?;
        if entry.file_name().to_string_lossy().starts_with(TEMPORARY) {
            remove_file(&entry.path())?;
        }
    }
    Ok(())
}

fn ignore_missing(result: io::Result<()>) -> io::Result<()> {
    match result {
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(()),
        result => result,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_file_that_is_copied_to_another_device_replaces_the_one_there() {
        let folder = tempfile::tempdir().unwrap();
        let (from, to) = (folder.path().join("new"), folder.path().join("old"));
        fs::write(&from, "new").unwrap();
        fs::write(&to, "old").unwrap();
        copy_and_remove(&from, &to).unwrap();
        assert_eq!(fs::read_to_string(&to).unwrap(), "new");
        assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 1);
    }

    /// Most machines have memory as a second file system.
    #[cfg(target_os = "linux")]
    #[test]
    fn a_file_moves_to_another_device() {
        let (folder, other) = (tempfile::tempdir().unwrap(), tempfile::tempdir_in("/dev/shm").unwrap());
        let (from, to) = (folder.path().join("file"), other.path().join("file"));
        fs::write(&from, "contents").unwrap();
        move_file(&from, &to).unwrap();
        assert_eq!(fs::read_to_string(&to).unwrap(), "contents");
        assert!(!from.exists());
    }
}

#[cfg(not(test))]
fn step() {}

#[cfg(test)]
pub(crate) use test_kill::KILL_AT;
#[cfg(test)]
use test_kill::step;

#[cfg(test)]
mod test_kill {
    use std::sync::LazyLock;
    use std::sync::atomic::{AtomicUsize, Ordering};

    /// The environment variable with the number of changes after which a test's process ends.
    pub(crate) const KILL_AT: &str = "EDGEMIX_TEST_KILL_AT";

    static LIMIT: LazyLock<Option<usize>> = LazyLock::new(|| std::env::var(KILL_AT).ok()?.parse().ok());
    static STEPS: AtomicUsize = AtomicUsize::new(0);

    /// Ends the process like a signal does, without any destructor, if enough changes have been made.
    pub(super) fn step() {
        if LIMIT.is_some_and(|limit| STEPS.fetch_add(1, Ordering::Relaxed) >= limit) {
            std::process::abort();
        }
    }
}
