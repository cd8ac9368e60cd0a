//! Text that is rewritten while it is read.

use std::io::{self, BufRead, Read};

/// What a text becomes.
pub(super) trait Rewrite {
    /// Consumes the next bytes of a text that has not ended, and appends what they become to `into`, if it is anything.
    fn next(&mut self, text: &mut impl BufRead, into: &mut Vec<u8>) -> io::Result<()>;
}

/// Reads what a text becomes.
pub(super) struct Rewritten<R, W> {
    text: R,
    rewrite: W,
    unread: Vec<u8>,
}

impl<R: BufRead, W: Rewrite> Rewritten<R, W> {
    pub(super) fn new(text: R, rewrite: W) -> Self {
        Self { text, rewrite, unread: vec![] }
    }
}

impl<R: BufRead, W: Rewrite> Read for Rewritten<R, W> {
    fn read(&mut self, into: &mut [u8]) -> io::Result<usize> {
        while self.unread.is_empty() && !self.text.fill_buf()?.is_empty() {
            self.rewrite.next(&mut self.text, &mut self.unread)?;
        }
        let n = into.len().min(self.unread.len());
        into[..n].copy_from_slice(&self.unread[..n]);
        self.unread.drain(..n);
        Ok(n)
    }
}
