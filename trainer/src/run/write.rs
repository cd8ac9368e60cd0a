//! Files that are written whole or not at all.

use std::fs;
use std::io::{self, BufWriter, Write};
use std::path::Path;

use super::disk;

/// Writes a temporary file and renames it, so that at every moment either the complete old file or the complete new one
/// exists.
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
/// If `path` is a symbolic link, its target is replaced. A pipe or a device is written to directly.
///
/// # Errors
/// Any error of the file system.
pub fn write_whole(path: &Path, bytes: &[u8]) -> io::Result<()> {
    write_whole_by(path, |error| error, |out| out.write_all(bytes))
}

/// Writes a file as [`write_whole`] does, piece by piece. If `write` fails, the old file stays. Errors of the file system are
/// converted by `refused`.
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
/// Any error of `write` or of the file system.
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
    // This error is about the folder itself; the one below would name a temporary file.
    fs::metadata(folder).map_err(&refused)?;
    let file = disk::create_temporary(folder).map_err(unnamed).map_err(&refused)?;
    // The file itself is written to, since the errors of its wrapper name it.
    let mut out = BufWriter::new(file.as_file());
    write(&mut out)?;
    out.into_inner().map_err(|error| refused(error.into_error()))?;
    disk::persist(file, &target).map_err(refused)
}

/// Removes the name of the temporary file from an error, since it means nothing to the user.
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

    #[cfg(unix)]
    #[test]
    fn the_target_of_a_link_is_replaced_and_a_pipe_is_written_to() {
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
