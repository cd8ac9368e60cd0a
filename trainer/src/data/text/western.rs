//! Text in Windows-1252, which spreadsheets in Western Europe write.

use std::io::{self, BufRead};

use super::rewritten::Rewrite;

/// What Windows-1252 has in place of the control characters 0x80 to 0x9f of Latin-1.
const ADDED: [char; 32] = [
    '\u{20ac}', '\u{81}', '\u{201a}', '\u{192}', '\u{201e}', '\u{2026}', '\u{2020}', '\u{2021}', '\u{2c6}', '\u{2030}',
    '\u{160}', '\u{2039}', '\u{152}', '\u{8d}', '\u{17d}', '\u{8f}', '\u{90}', '\u{2018}', '\u{2019}', '\u{201c}',
    '\u{201d}', '\u{2022}', '\u{2013}', '\u{2014}', '\u{2dc}', '\u{2122}', '\u{161}', '\u{203a}', '\u{153}', '\u{9d}',
    '\u{17e}', '\u{178}',
];

/// Whether the start of a text is in an encoding other than UTF-8 and has the characters of a text.
pub(super) fn is_western(head: &[u8]) -> bool {
    // A character that is cut off at the end is none that is wrong.
    let is_utf_8 = std::str::from_utf8(head).map_or_else(|error| error.error_len().is_none(), |_| true);
    !is_utf_8 && !head.contains(&0)
}

/// The characters of bytes, as UTF-8.
pub(super) fn decoded(bytes: &[u8]) -> Vec<u8> {
    let character = |&byte: &u8| match byte {
        0x80..0xa0 => ADDED[usize::from(byte - 0x80)],
        byte => char::from(byte),
    };
    bytes.iter().map(character).collect::<String>().into_bytes()
}

/// Turns text into UTF-8.
pub(super) struct Western;

impl Rewrite for Western {
    fn next(&mut self, text: &mut impl BufRead, into: &mut Vec<u8>) -> io::Result<()> {
        let part = text.fill_buf()?;
        into.extend(decoded(part));
        let n = part.len();
        text.consume(n);
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use std::io::Read;

    use super::*;
    use crate::data::text::rewritten::Rewritten;

    #[test]
    fn what_is_no_utf_8_is_decoded() {
        assert!(is_western(b"T (\xb0C),x\n") && !is_western("T (\u{b0}C)".as_bytes()) && !is_western(b"\xff\0\xfe"));
        // The last character is cut off.
        assert!(!is_western(&"x\u{b0}".as_bytes()[..2]));
        let mut found = String::new();
        Rewritten::new(&b"1,5 \x80 \xb0"[..], Western).read_to_string(&mut found).unwrap();
        assert_eq!(found, "1,5 \u{20ac} \u{b0}");
    }
}
