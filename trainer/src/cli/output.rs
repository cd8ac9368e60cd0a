//! Standard output, whose reader may go away before the end, and standard error, which may be closed.
//!
//! What is written may come from a file, so that nothing in it may control the terminal.

use std::io::{self, Write};

use super::error::CliError;
use crate::base::text::printable;

/// Writes a line to standard error. A failure is ignored, since there is no other place to report it.
pub(super) fn tell(line: &str) {
    let _ = writeln!(io::stderr().lock(), "{}", printable(line));
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
