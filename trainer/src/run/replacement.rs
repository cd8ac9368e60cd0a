//! A new run that replaces an old one is made beside it, in a hidden directory within the run's, and takes its place when it
//! is whole.
//!
//! The hidden directory has three names, one after the other. While the new run is made, it is `.edgemix-next`, and the
//! directory holds the old run. The first renaming makes the new run valid: `.edgemix-ready` holds all of it, and the files
//! of the old run that have no successor are removed. Once it is `.edgemix-moving`, its files take the places of the old
//! ones, one by one. Whenever the process ends, either run can be read whole ([`current`]), and the next writer completes the
//! replacement ([`complete`]).

use std::io;
use std::path::{Path, PathBuf};

use super::disk;
use super::file::RunFile;

const NEXT: &str = ".edgemix-next";
const READY: &str = ".edgemix-ready";
const MOVING: &str = ".edgemix-moving";

/// Where the new run is made.
pub(super) fn next(directory: &Path) -> PathBuf {
    directory.join(NEXT)
}

/// Where a file of the current run is.
pub(super) fn current(directory: &Path, file: RunFile) -> PathBuf {
    let ready = directory.join(READY);
    if ready.is_dir() {
        return ready.join(file.name());
    }
    let moving = directory.join(MOVING).join(file.name());
    if moving.exists() { moving } else { directory.join(file.name()) }
}

/// Puts the new run, which is whole, in the place of the old one.
pub(super) fn publish(directory: &Path) -> io::Result<()> {
    disk::sync(&next(directory).join(RunFile::Metrics.name()))?;
    disk::rename(&next(directory), &directory.join(READY))?;
    complete(directory)
}

/// Completes a replacement that was interrupted after the new run was whole. Only the holder of the lock may do this.
pub(super) fn complete(directory: &Path) -> io::Result<()> {
    let (ready, moving) = (directory.join(READY), directory.join(MOVING));
    if ready.is_dir() {
        for file in RunFile::ALL.iter().filter(|file| !ready.join(file.name()).exists()) {
            disk::remove_file(&directory.join(file.name()))?;
        }
        disk::rename(&ready, &moving)?;
    }
    if !moving.is_dir() {
        return Ok(());
    }
    for file in RunFile::ALL {
        let (from, to) = (moving.join(file.name()), directory.join(file.name()));
        if from.exists() {
            to.parent().map_or(Ok(()), disk::create_directories)?;
            disk::move_file(&from, &to)?;
        }
    }
    disk::remove_directory(&moving)
}
