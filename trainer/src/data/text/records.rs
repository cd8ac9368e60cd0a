//! The records of a table in text, one by one, and where in the file they are.

use std::fmt;
use std::io::{self, BufRead, BufReader, Cursor, Read};
use std::path::Path;

use csv::{ErrorKind, Reader, StringRecord, Trim};

use super::blanks::SingleBlanks;
use super::dialect::{Dialect, builder, without_semicolon};
use super::open::{open, unreadable};
use super::preamble::Preamble;
use super::rewritten::Rewritten;
use super::western::{self, Western};
use crate::data::error::{DataError, content};

/// How many bytes are examined to find out how a table is written.
const HEAD: u64 = 1 << 20;
/// How many bytes a line may have. Everything that is held in memory of a table is at most so much, times a small number.
pub(super) const LONGEST_LINE: usize = 4 << 20;
/// How many fields a line may have.
pub(super) const MOST_FIELDS: usize = 1 << 17;

/// The records of a table, from the first line below what stands above it.
pub(super) struct Records<'a> {
    path: &'a Path,
    reader: Reader<Limited<Box<dyn Read>>>,
    pub(super) preamble: Preamble,
    pub(super) dialect: Dialect,
    /// Whether the text is in Windows-1252.
    pub(super) is_western: bool,
}

impl<'a> Records<'a> {
    pub(super) fn open(path: &'a Path) -> Result<Self, DataError> {
        let unreadable = |error| unreadable(path, error);
        let mut text = open(path).map_err(unreadable)?;
        let mut head = vec![];
        text.by_ref().take(HEAD).read_to_end(&mut head).map_err(unreadable)?;
        let is_cut = head.len() as u64 == HEAD;
        let is_western = western::is_western(&head);
        if is_western {
            head = western::decoded(&head);
            text = Box::new(BufReader::new(Rewritten::new(text, Western)));
        }
        if head.trim_ascii_start().starts_with(b"<") {
            return Err(content(path, "it is a web page or XML, and no table: expected lines of numbers"));
        }
        let preamble = Preamble::of(&head);
        let rest = &head[preamble.bytes..];
        let dialect = Dialect::of(rest, is_cut, preamble.delimiter);
        head.drain(..preamble.bytes);
        let text = singled(Cursor::new(head).chain(text), &dialect);
        let reader = builder(dialect.delimiter).trim(Trim::None).from_reader(Limited { inner: text, left: 0 });
        Ok(Self { path, reader, preamble, dialect, is_western })
    }

    /// Reads the next record into `record`, whose memory is used again. False if there is none.
    pub(super) fn read(&mut self, record: &mut StringRecord) -> Result<bool, DataError> {
        self.reader.get_mut().left = LONGEST_LINE;
        let start = self.reader.position().clone();
        match self.reader.read_record(record) {
            Ok(false) => Ok(false),
            Ok(true) if record.len() > MOST_FIELDS => {
                let problem =
                    format!("line {} has {} fields: expected at most {MOST_FIELDS}", self.line(record), record.len());
                Err(content(self.path, problem))
            }
            Ok(true) => {
                // Trimming copies the record.
                if !is_trimmed(record) {
                    record.trim();
                }
                if self.dialect.has_semicolons {
                    *record = without_semicolon(record);
                }
                Ok(true)
            }
            Err(error) => {
                let byte = error.position().map_or(start.byte(), csv::Position::byte);
                Err(self.refused(error, byte))
            }
        }
    }

    fn refused(&self, error: csv::Error, byte: u64) -> DataError {
        match error.into_kind() {
            ErrorKind::Io(error) if error.get_ref().is_some_and(|inner| inner.is::<TooLong>()) => {
                let line = self.line_at(byte);
                let problem = format!(
                    "line {line} is longer than {} MiB: break it, or close the quotation mark that opens in it",
                    LONGEST_LINE >> 20
                );
                content(self.path, problem)
            }
            ErrorKind::Io(error) => unreadable(self.path, error),
            _ => {
                let line = self.line_at(byte);
                let problem = "is not UTF-8 text: expected a table in text; save it as CSV with UTF-8 encoding";
                content(self.path, format!("line {line} {problem}"))
            }
        }
    }

    /// The line, from 1, of a record.
    pub(super) fn line(&self, record: &StringRecord) -> u64 {
        self.line_at(record.position().map_or(0, csv::Position::byte))
    }

    fn line_at(&self, byte: u64) -> u64 {
        self.counted(byte).unwrap_or(0)
    }

    /// The line of the record at a byte. The position of a record is before the empty lines that precede it.
    fn counted(&self, byte: u64) -> io::Result<u64> {
        let mut text = open(self.path)?;
        if self.is_western {
            text = Box::new(BufReader::new(Rewritten::new(text, Western)));
        }
        io::copy(&mut text.by_ref().take(self.preamble.bytes as u64), &mut io::sink())?;
        let mut line = 1 + self.preamble.lines;
        let mut after_return = false;
        for (at, found) in (0..).zip(singled_bytes(text, &self.dialect)) {
            let found = found?;
            if at >= byte && !matches!(found, b'\n' | b'\r') {
                break;
            }
            line += u64::from(found == b'\r' || found == b'\n' && !after_return);
            after_return = found == b'\r';
        }
        Ok(line)
    }
}

/// Whether no field can have blanks around it: no byte is a blank, or begins a character that might be one.
fn is_trimmed(record: &StringRecord) -> bool {
    record.as_slice().bytes().all(|byte| (b'!'..=b'~').contains(&byte))
}

fn singled_bytes(text: impl BufRead + 'static, dialect: &Dialect) -> impl Iterator<Item = io::Result<u8>> {
    BufReader::new(singled(text, dialect)).bytes()
}

/// The text that the records are read from.
fn singled(text: impl BufRead + 'static, dialect: &Dialect) -> Box<dyn Read> {
    if dialect.delimiter == b' ' { Box::new(SingleBlanks::of(text)) } else { Box::new(text) }
}

/// Reads no more than `left` bytes.
struct Limited<R> {
    inner: R,
    left: usize,
}

impl<R: Read> Read for Limited<R> {
    fn read(&mut self, into: &mut [u8]) -> io::Result<usize> {
        let most = into.len().min(self.left);
        if most == 0 && !into.is_empty() {
            return Err(io::Error::other(TooLong));
        }
        let n = self.inner.read(&mut into[..most])?;
        self.left -= n;
        Ok(n)
    }
}

/// A record is longer than may be.
#[derive(Debug)]
struct TooLong;

impl fmt::Display for TooLong {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("the line is too long")
    }
}

impl std::error::Error for TooLong {}
