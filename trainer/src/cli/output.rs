//! Standard output, whose reader may go away before the end, and standard error, which may be closed.
//!
//! What is written may come from a file, so that nothing in it may control the terminal.

use std::io::{self, Write};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Mutex, PoisonError};

use super::error::CliError;
use crate::base::text::printable;

/// What precedes each line of standard error, if several processes write to it.
static LABEL: Mutex<String> = Mutex::new(String::new());
static IS_SILENT: AtomicBool = AtomicBool::new(false);

/// Writes a line to standard error. A failure is ignored, since there is no other place to report it.
pub(super) fn tell(line: &str) {
    if IS_SILENT.load(Ordering::Acquire) {
        return;
    }
    let label = LABEL.lock().unwrap_or_else(PoisonError::into_inner).clone();
    let between = if label.is_empty() { "" } else { ": " };
    // In one piece, since other processes may write to the same place.
    let text: String = printable(line).lines().map(|line| format!("{label}{between}{line}\n")).collect();
    let _ = io::stderr().lock().write_all(text.as_bytes());
}

/// Puts a name before each line of standard error.
pub(super) fn label(name: &str) {
    *LABEL.lock().unwrap_or_else(PoisonError::into_inner) = name.to_owned();
}

/// Whether other processes write to standard error, too.
pub(super) fn is_labelled() -> bool {
    !LABEL.lock().unwrap_or_else(PoisonError::into_inner).is_empty()
}

/// Does work that is to say nothing.
pub(super) fn silently<T>(work: impl FnOnce() -> T) -> T {
    IS_SILENT.store(true, Ordering::Release);
    let done = work();
    IS_SILENT.store(false, Ordering::Release);
    done
}

/// Writes text to standard output. A reader that goes away early is not an error.
pub(super) fn show(text: &str) -> Result<(), CliError> {
    show_by(|out| out.write_all(printable(text).as_bytes()).map_err(output_error))
}

/// Writes to standard output piece by piece. A reader that goes away early is not an error.
pub(super) fn show_by(write: impl FnOnce(&mut dyn Write) -> Result<(), CliError>) -> Result<(), CliError> {
    let mut out = io::BufWriter::new(io::stdout().lock());
    match write(&mut out).and_then(|()| out.flush().map_err(output_error)) {
        Err(CliError::Output { source, .. }) if source.kind() == io::ErrorKind::BrokenPipe => {
            // The rest of the buffer is dropped, since nobody reads it.
            let _ = out.into_parts();
            Ok(())
        }
        result => result,
    }
}

/// An error of standard output.
pub(super) fn output_error(source: io::Error) -> CliError {
    CliError::Output { name: "standard output", source }
}
