//! Tables whose columns are separated by blanks: each run of them becomes one, so that it can be a delimiter.

use std::io::{self, BufRead};

use super::rewritten::{Rewrite, Rewritten};

/// Text without blanks at the start and the end of lines, and with one blank for each run of them elsewhere, except
/// within quotation marks. Line breaks stay where they are.
pub(super) struct SingleBlanks {
    /// Whether a run of blanks waits for something to separate.
    is_pending: bool,
    is_at_start: bool,
    is_quoted: bool,
}

impl SingleBlanks {
    /// Reads a text with single blanks.
    pub(super) fn of<R: BufRead>(text: R) -> Rewritten<R, Self> {
        Rewritten::new(text, Self { is_pending: false, is_at_start: true, is_quoted: false })
    }

    fn push(&mut self, byte: u8, into: &mut Vec<u8>) {
        let is_end = matches!(byte, b'\n' | b'\r');
        if matches!(byte, b' ' | b'\t') && !self.is_quoted {
            self.is_pending = true;
            return;
        }
        if std::mem::take(&mut self.is_pending) && !self.is_at_start && !is_end {
            into.push(b' ');
        }
        self.is_quoted ^= byte == b'"';
        self.is_at_start = is_end && !self.is_quoted;
        into.push(byte);
    }
}

impl Rewrite for SingleBlanks {
    fn next(&mut self, text: &mut impl BufRead, into: &mut Vec<u8>) -> io::Result<()> {
        let part = text.fill_buf()?;
        part.iter().for_each(|&byte| self.push(byte, into));
        let n = part.len();
        text.consume(n);
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use std::io::Read;

    use super::*;

    #[test]
    fn runs_of_blanks_become_one() {
        for (text, expected) in [
            ("  1  2\t 3 \r\n\n 4 5", "1 2 3\r\n\n4 5"),
            ("\"a  b\"  c\n", "\"a  b\" c\n"),
            ("   \n\t\n1", "\n\n1"),
            ("", ""),
        ] {
            for size in [1, 3, 100] {
                let mut found = String::new();
                let text = io::BufReader::with_capacity(size, text.as_bytes());
                SingleBlanks::of(text).read_to_string(&mut found).unwrap();
                assert_eq!(found, expected);
            }
        }
    }
}
