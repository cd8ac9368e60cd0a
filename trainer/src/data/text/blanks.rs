//! Tables whose columns are separated by blanks: each run of them becomes one, so that it can be a delimiter.

use std::io::{self, BufRead, Read};

/// Text without blanks at the start and the end of lines, and with one blank for each run of them elsewhere, except
/// within quotation marks. Line breaks stay where they are.
pub(super) struct SingleBlanks<R> {
    text: R,
    /// Whether a run of blanks waits for something to separate.
    is_pending: bool,
    is_at_start: bool,
    is_quoted: bool,
    unread: Vec<u8>,
}

impl<R: BufRead> SingleBlanks<R> {
    pub(super) fn new(text: R) -> Self {
        Self { text, is_pending: false, is_at_start: true, is_quoted: false, unread: vec![] }
    }

    fn push(&mut self, byte: u8) {
        let is_end = matches!(byte, b'\n' | b'\r');
        if matches!(byte, b' ' | b'\t') && !self.is_quoted {
            self.is_pending = true;
            return;
        }
        if std::mem::take(&mut self.is_pending) && !self.is_at_start && !is_end {
            self.unread.push(b' ');
        }
        self.is_quoted ^= byte == b'"';
        self.is_at_start = is_end && !self.is_quoted;
        self.unread.push(byte);
    }
}

impl<R: BufRead> Read for SingleBlanks<R> {
    fn read(&mut self, into: &mut [u8]) -> io::Result<usize> {
        while self.unread.is_empty() {
            let part: Vec<u8> = self.text.fill_buf()?.to_vec();
            if part.is_empty() {
                break;
            }
            self.text.consume(part.len());
            part.into_iter().for_each(|byte| self.push(byte));
        }
        let n = into.len().min(self.unread.len());
        into[..n].copy_from_slice(&self.unread[..n]);
        self.unread.drain(..n);
        Ok(n)
    }
}

#[cfg(test)]
mod tests {
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
                SingleBlanks::new(text).read_to_string(&mut found).unwrap();
                assert_eq!(found, expected);
            }
        }
    }
}
