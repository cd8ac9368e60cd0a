//! The lines above a table: comments, and the line with which Excel is told the delimiter.

use super::number::is_spreadsheet_error;

/// What stands above a table.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Preamble {
    /// How many bytes of the text it takes.
    pub(super) bytes: usize,
    /// How many lines it takes.
    pub(super) lines: u64,
    /// How many of them are comments.
    pub(super) comments: usize,
    /// The last comment, if the table follows directly: programs such as numpy write the header as a comment.
    pub(super) last_comment: Option<String>,
    /// The delimiter, if a line `sep=;` says it.
    pub(super) delimiter: Option<u8>,
}

impl Preamble {
    /// Looks at the start of a text.
    pub(super) fn of(head: &[u8]) -> Self {
        let mut found = Self::default();
        while let Some(line) = line_at(&head[found.bytes..]) {
            let text = line.trim_ascii();
            match text {
                [] => found.last_comment = None,
                [b'#', comment @ ..] if !is_spreadsheet_error(&String::from_utf8_lossy(text)) => {
                    found.comments += 1;
                    found.last_comment = Some(String::from_utf8_lossy(comment.trim_ascii()).into_owned());
                }
                [b's' | b'S', b'e' | b'E', b'p' | b'P', b'=', mark] if found.delimiter.is_none() => {
                    found.delimiter = Some(*mark);
                }
                // The tab itself is trimmed.
                [b's' | b'S', b'e' | b'E', b'p' | b'P', b'='] if found.delimiter.is_none() => {
                    found.delimiter = Some(b'\t');
                }
                _ => break,
            }
            found.bytes += line.len();
            found.lines += 1;
        }
        found
    }
}

/// The first line with its end, which is `\n`, `\r\n` or `\r`.
fn line_at(text: &[u8]) -> Option<&[u8]> {
    let end = text.iter().position(|byte| matches!(byte, b'\n' | b'\r'));
    let end = end.map_or(text.len(), |end| end + if text[end..].starts_with(b"\r\n") { 2 } else { 1 });
    (end > 0).then(|| &text[..end])
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn comments_and_the_delimiters_line_are_above_the_table() {
        let found = |text: &str| {
            let Preamble { bytes, lines, comments, last_comment, delimiter } = Preamble::of(text.as_bytes());
            (text[bytes..].to_owned(), lines, comments, last_comment, delimiter)
        };
        assert_eq!(found("1,2\n# 3\n"), ("1,2\n# 3\n".into(), 0, 0, None, None));
        assert_eq!(found("# a\r\n\r\n# x, y\r\n1,2"), ("1,2".into(), 3, 2, Some("x, y".into()), None));
        assert_eq!(found("# a\r\r1\r2"), ("1\r2".into(), 2, 1, None, None));
        assert_eq!(found("sep=;\n1;2"), ("1;2".into(), 1, 0, None, Some(b';')));
        assert_eq!(found("SEP=\t\n1\t2").4, Some(b'\t'));
        assert_eq!(found("#N/A,1\n2,3").1, 0);
        assert_eq!(found("# all"), (String::new(), 1, 1, Some("all".into()), None));
        assert_eq!(found(""), (String::new(), 0, 0, None, None));
    }
}
