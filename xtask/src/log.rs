//! The log of a firmware. The chip sends compressed frames; the texts are in the ELF file.

use std::fs;
use std::path::Path;

use anyhow::{Context, Result, bail, ensure};
use defmt_decoder::{DecodeError, Table};

/// A line for each frame: level and message.
pub(crate) fn decode(elf: &[u8], log: &[u8]) -> Result<Vec<String>> {
    let table = Table::parse(elf)?.context("the program has no defmt section")?;
    let mut decoder = table.new_stream_decoder();
    decoder.received(log);
    let mut lines = vec![];
    loop {
        match decoder.decode() {
            Ok(frame) => {
                let level = frame.level().map_or("print", |level| level.as_str());
                lines.push(format!("{level} {}", frame.display_message()));
            }
            Err(DecodeError::UnexpectedEof) => return Ok(lines),
            Err(DecodeError::Malformed) => bail!("frame {} of the log is malformed", lines.len() + 1),
        }
    }
}

/// Compares a log with the expected one in the file `path`, line by line; with `bless`, writes that file instead.
pub(crate) fn compare(lines: &[String], path: &Path, bless: bool) -> Result<()> {
    if bless {
        return fs::write(path, lines.join("\n") + "\n").with_context(|| path.display().to_string());
    }
    let expected = fs::read_to_string(path).with_context(|| path.display().to_string())?;
    let expected: Vec<&str> = expected.lines().collect();
    let hint = "`cargo xtask firmware --bless` accepts the new log";
    for (number, (line, expected)) in (1..).zip(lines.iter().zip(&expected)) {
        ensure!(line == expected, "{}:{number}: expected `{expected}`, found `{line}`; {hint}", path.display());
    }
    let (length, expected) = (lines.len(), expected.len());
    ensure!(length == expected, "{}: expected {expected} lines, found {length}; {hint}", path.display());
    Ok(())
}
