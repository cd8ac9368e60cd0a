//! Standard output: whoever reads it may go away before the end.

use std::io::{self, Write};

use super::CliError;

/// Writes text to standard output.
///
/// # Errors
/// If it can't be written; a reader who has seen enough is no error.
pub(super) fn show(text: &str) -> Result<(), CliError> {
    let mut out = io::stdout().lock();
    match out.write_all(text.as_bytes()).and_then(|()| out.flush()) {
        Err(error) if error.kind() != io::ErrorKind::BrokenPipe => Err(CliError::io("standard output".as_ref())(error)),
        _ => Ok(()),
    }
}
