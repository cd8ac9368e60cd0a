//! The text of a file from its start: unpacked, and as UTF-8 whatever Unicode encoding it has.

use std::fs::File;
use std::io::{self, BufRead, BufReader};
use std::path::Path;

use flate2::bufread::MultiGzDecoder;

use super::rewritten::{Rewrite, Rewritten};
use crate::data::error::{DataError, content};

const UTF_8_MARK: &[u8] = b"\xef\xbb\xbf";
const GZIP: &[u8] = &[0x1f, 0x8b];

/// Opens a text. Whether it is packed, and its encoding, are told by its first bytes.
pub(super) fn open(path: &Path) -> io::Result<Box<dyn BufRead>> {
    let mut file = BufReader::new(File::open(path)?);
    let is_packed = file.fill_buf()?.starts_with(GZIP);
    if !is_packed && path.extension().is_some_and(|ending| ending.eq_ignore_ascii_case("gz")) {
        return Err(io::Error::new(io::ErrorKind::InvalidData, "invalid gzip header"));
    }
    let mut text: Box<dyn BufRead> =
        if is_packed { Box::new(BufReader::new(MultiGzDecoder::new(file))) } else { Box::new(file) };
    let start = text.fill_buf()?;
    match Utf16::of(start) {
        Some((is_big, mark)) => {
            text.consume(mark);
            Ok(Box::new(BufReader::new(Rewritten::new(text, Utf16 { is_big }))))
        }
        None => {
            let mark = if start.starts_with(UTF_8_MARK) { UTF_8_MARK.len() } else { 0 };
            text.consume(mark);
            Ok(text)
        }
    }
}

/// The error for text that can't be read.
pub(super) fn unreadable(path: &Path, error: io::Error) -> DataError {
    match error.kind() {
        io::ErrorKind::InvalidInput | io::ErrorKind::InvalidData | io::ErrorKind::UnexpectedEof => {
            content(path, format!("not a readable gzip file: {error}: pack it again, or drop .gz from the name"))
        }
        _ => DataError::io(path)(error),
    }
}

/// Turns UTF-16 into UTF-8. What is not UTF-16 becomes U+FFFD.
struct Utf16 {
    is_big: bool,
}

impl Utf16 {
    /// Whether a text that starts like this is UTF-16: the byte order, and the length of the mark that says so. Without a
    /// mark, every other byte of a table's ASCII is zero.
    fn of(start: &[u8]) -> Option<(bool, usize)> {
        match start {
            [0xff, 0xfe, ..] => Some((false, 2)),
            [0xfe, 0xff, ..] => Some((true, 2)),
            [first, second, ..] if (*first == 0) != (*second == 0) => {
                let is_big = *first == 0;
                let upper = start[..start.len() & !1].iter().skip(usize::from(!is_big)).step_by(2).take(128);
                let zeros = upper.clone().filter(|&&byte| byte == 0).count();
                (start.len() >= 4 && 10 * zeros >= 9 * upper.len()).then_some((is_big, 0))
            }
            _ => None,
        }
    }

    fn unit(&self, text: &mut impl BufRead) -> io::Result<Option<u16>> {
        let mut bytes = [0; 2];
        for into in &mut bytes {
            let Some(&byte) = text.fill_buf()?.first() else { return Ok(None) };
            *into = byte;
            text.consume(1);
        }
        Ok(Some(if self.is_big { u16::from_be_bytes(bytes) } else { u16::from_le_bytes(bytes) }))
    }
}

impl Rewrite for Utf16 {
    /// Decodes some characters, whole ones.
    fn next(&mut self, text: &mut impl BufRead, into: &mut Vec<u8>) -> io::Result<()> {
        while into.len() < 1 << 12 {
            let Some(unit) = self.unit(text)? else { break };
            let units = match unit {
                0xd800..0xdc00 => [Some(unit), self.unit(text)?],
                _ => [Some(unit), None],
            };
            for found in char::decode_utf16(units.into_iter().flatten()) {
                let character = found.unwrap_or(char::REPLACEMENT_CHARACTER);
                into.extend_from_slice(character.encode_utf8(&mut [0; 4]).as_bytes());
            }
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use std::io::{Read, Write};

    use super::*;

    fn opened(bytes: &[u8]) -> String {
        let file = tempfile::NamedTempFile::new().unwrap();
        std::fs::write(file.path(), bytes).unwrap();
        let mut text = String::new();
        open(file.path()).unwrap().read_to_string(&mut text).unwrap();
        text
    }

    #[test]
    fn every_encoding_of_unicode_is_read_packed_or_not() {
        let text = format!("a,\u{b0},\u{1f600}\n{}", "1.5,2,3\n".repeat(2000));
        let little: Vec<u8> = text.encode_utf16().flat_map(u16::to_le_bytes).collect();
        let big: Vec<u8> = text.encode_utf16().flat_map(u16::to_be_bytes).collect();
        let with_mark = |mark: &[u8], bytes: &[u8]| [mark, bytes].concat();
        for bytes in [
            text.clone().into_bytes(),
            with_mark(UTF_8_MARK, text.as_bytes()),
            with_mark(&[0xff, 0xfe], &little),
            with_mark(&[0xfe, 0xff], &big),
            little,
            big,
        ] {
            assert_eq!(opened(&bytes), text);
            let mut packed = flate2::write::GzEncoder::new(vec![], flate2::Compression::fast());
            packed.write_all(&bytes).unwrap();
            assert_eq!(opened(&packed.finish().unwrap()), text);
        }
        assert_eq!(opened(b""), "");
        assert_eq!(opened(b"\0"), "\0");
        assert_eq!(opened(&[0xff, 0xfe, b'1', 0, 0x00, 0xd8]), "1\u{fffd}");
    }
}
