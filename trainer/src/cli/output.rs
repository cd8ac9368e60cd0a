//! Standard output: whoever reads it may go away before the end.

use std::io::{self, Write};

use super::CliError;

/// Writes text to standard output.
///
/// # Errors
/// If it can't be written; a reader who has seen enough is no error.
pub(super) fn show(text: &str) -> Result<(), CliError> {
    show_by(|out| out.write_all(text.as_bytes()).map_err(refused))
}

/// Writes what `write` writes to standard output, bit by bit.
///
/// # Errors
/// If it can't be written; a reader who has seen enough is no error.
pub(super) fn show_by(write: impl FnOnce(&mut dyn Write) -> Result<(), CliError>) -> Result<(), CliError> {
    let mut out = io::BufWriter::new(io::stdout().lock());
    match write(&mut out).and_then(|()| out.flush().map_err(refused)) {
        Err(CliError::Io { source, .. }) if source.kind() == io::ErrorKind::BrokenPipe => {
            // What the buffer still holds has no reader.
            let _ = out.into_parts();
            Ok(())
        }
        result => result,
    }
}

/// Standard output can't be written to.
pub(super) fn refused(error: io::Error) -> CliError {
    CliError::io("standard output".as_ref())(error)
}
