//! How a table in text is written, found out from its first lines.

use csv::{ReaderBuilder, StringRecord, Trim};

use super::blanks::SingleBlanks;
use super::number::{NumberStyle, is_number};

/// What separates columns, the first of those that fit equally well first. A blank stands for a run of blanks.
const DELIMITERS: [u8; 5] = [b',', b';', b'\t', b'|', b' '];
/// How many lines are looked at.
const LINES: usize = 50;

/// How a table is written, and its first lines.
#[derive(Clone, Debug)]
pub(super) struct Dialect {
    pub(super) delimiter: u8,
    pub(super) numbers: NumberStyle,
    /// Whether each line ends with a semicolon that separates nothing.
    pub(super) has_semicolons: bool,
    /// The first lines as they were found.
    pub(super) sample: Vec<StringRecord>,
}

impl Dialect {
    /// Looks at the first bytes of a table. The last line is left out if `is_cut` and there are others.
    pub(super) fn of(head: &[u8], is_cut: bool, delimiter: Option<u8>) -> Self {
        let sampled = |delimiter| {
            let mut sample = sample(head, delimiter);
            if is_cut && sample.len() < LINES && sample.len() > 1 {
                sample.pop();
            }
            (delimiter, sample)
        };
        let candidates = DELIMITERS.into_iter().filter(|&mark| delimiter.is_none_or(|wanted| wanted == mark));
        let candidates = candidates.map(sampled).filter(|(_, sample)| sample.iter().any(|row| row.len() > 1));
        // `max_by` takes the last of equals.
        let best = candidates.rev().max_by(|(_, a), (_, b)| fit(a).partial_cmp(&fit(b)).expect("shares are finite"));
        let (delimiter, mut sample) = best.unwrap_or_else(|| sampled(delimiter.unwrap_or(b',')));
        let has_semicolons =
            delimiter != b';' && sample.iter().all(|row| row.iter().next_back().is_some_and(ends_in_semicolon));
        if has_semicolons {
            sample = sample.iter().map(without_semicolon).collect();
        }
        let numbers = NumberStyle::of(sample.iter().flatten());
        Self { delimiter, numbers, has_semicolons, sample }
    }
}

fn ends_in_semicolon(field: &str) -> bool {
    field.ends_with(';')
}

/// A record whose last field ends with a semicolon, without it.
pub(super) fn without_semicolon(record: &StringRecord) -> StringRecord {
    let last = record.len().saturating_sub(1);
    let fields = record.iter().enumerate().map(|(c, field)| match field.strip_suffix(';') {
        Some(field) if c == last => field.trim_end(),
        _ => field,
    });
    let mut without: StringRecord = fields.collect();
    without.set_position(record.position().cloned());
    without
}

/// A reader's settings for a table with this delimiter.
pub(super) fn builder(delimiter: u8) -> ReaderBuilder {
    let mut builder = ReaderBuilder::new();
    builder.delimiter(delimiter).has_headers(false).flexible(true).trim(Trim::All);
    builder
}

fn sample(head: &[u8], delimiter: u8) -> Vec<StringRecord> {
    let records = |reader: &mut dyn std::io::Read| {
        let mut reader = builder(delimiter).from_reader(reader);
        reader.byte_records().map_while(Result::ok).take(LINES).map(StringRecord::from_byte_record_lossy).collect()
    };
    if delimiter == b' ' { records(&mut SingleBlanks::of(head)) } else { records(&mut &*head) }
}

/// How well a delimiter fits: whether it cuts all lines below the first into the same number of fields, which share of
/// these are numbers, and how many fields there are.
fn fit(sample: &[StringRecord]) -> (bool, f64, usize) {
    let rows = if sample.len() > 1 { &sample[1..] } else { sample };
    let width = rows.first().map_or(0, width);
    let fields: Vec<&str> = rows.iter().flatten().filter(|field| !field.is_empty()).collect();
    let numbers = fields.iter().filter(|field| is_number(field.trim_end_matches(';'))).count();
    (rows.iter().all(|row| self::width(row) == width), numbers as f64 / fields.len().max(1) as f64, width)
}

/// Number of fields, without an empty one at the end.
fn width(row: &StringRecord) -> usize {
    row.len() - usize::from(row.len() > 1 && row.iter().next_back().is_some_and(str::is_empty))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn dialect(text: &str) -> (char, bool, Option<char>) {
        let Dialect { delimiter, numbers, .. } = Dialect::of(text.as_bytes(), false, None);
        (delimiter.into(), numbers.has_decimal_comma, numbers.group)
    }

    #[test]
    fn the_delimiter_is_the_one_that_leaves_numbers() {
        for (text, delimiter) in [
            ("a,b\n1,2\n3,4\n", ','),
            ("1;2\n3;4", ';'),
            ("a\tb\r\n1\t2\r\n3\t4\r\n", '\t'),
            ("x|y\n1|2\n3|4\n", '|'),
            (" 1.5  2\n-1  3.5e-2\n", ' '),
            ("acc x\tacc y\n1\t\n3\t4\n", '\t'),
            ("when,x,y\n2024-01-01 00:00:01,1,2\n2024-01-01 00:00:02,3,4\n", ','),
            ("kind;x\nwalk, slowly;1\nsit, still;2\n", ';'),
            ("1, 2\n 3,4", ','),
            ("1 | 2\n3 | 4\n", '|'),
            ("7,walk,0.5,1;\n8,sit,1.5,2;\n", ','),
            ("1\n2.5\n", ','),
            ("word\n", ','),
            ("", ','),
        ] {
            assert_eq!(dialect(text).0, delimiter, "{text:?}");
        }
    }

    #[test]
    fn decimal_commas_do_not_separate() {
        assert_eq!(dialect("1,5;2,25\n3,5;4,5\n"), (';', true, None));
        assert_eq!(dialect("a\tb\n1,5\t2\n3,5\t4\n"), ('\t', true, None));
        assert_eq!(dialect("a,b\n\"1,5\",\"2,5\"\n"), (',', true, None));
        assert_eq!(dialect("1,5 2,5\n3,5 4,5\n"), (' ', true, None));
        assert_eq!(dialect("a;b\n1.234,5;2\n"), (';', true, Some('.')));
        assert_eq!(dialect("a;b\n1,234.5;2\n"), (';', false, Some(',')));
    }
}
