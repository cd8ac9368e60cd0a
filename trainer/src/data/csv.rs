//! Tables in text: fields separated by comma, semicolon or tab, with or without a header, plain or packed by gzip.

use std::fs::File;
use std::io::{self, BufRead, BufReader, Cursor, Read};
use std::path::Path;

use csv::{ErrorKind, Reader, ReaderBuilder, StringRecord, Trim};
use flate2::bufread::MultiGzDecoder;

use super::dataset::Dataset;
use super::error::{CellProblem, DataError, content};
use super::memory::MemoryLimit;
use super::note::DataNote;
use super::samples::Samples;
use super::source::Source;
use super::table::{CategoryColumn, Columns, sample_name};
use super::values::{Sink, Values};

/// How many bytes are examined to find the delimiter.
const HEAD: u64 = 1 << 20;
const BYTE_ORDER_MARK: &[u8] = b"\xef\xbb\xbf";

/// Reads a table. Columns of labels and groups are not features.
pub(super) fn read(path: &Path, source: &Source, memory: MemoryLimit) -> Result<Dataset, DataError> {
    let mut table = Records::open(path)?;
    let first = table.next()?.ok_or_else(|| content(path, "it is empty: expected lines of numbers"))?;
    let second = table.next()?;
    let is_numbered = is_numbered(&first, second.as_ref());
    let has_header = source.header.unwrap_or_else(|| is_numbered || is_header(&first, second.as_ref()));
    let names: Vec<&str> = if has_header { first.iter().collect() } else { vec![] };
    let Columns { label, group, features, index } = Columns::choose(path, &names, first.len(), source)?;

    let locator = Locator { path, names: &names };
    let (mut labels, mut groups) = (CategoryColumn::default(), CategoryColumn::default());
    let (mut sink, mut values) = (Sink::new(memory), vec![]);
    let mut are_integers = true;
    let ahead = (!has_header).then(|| first.clone()).into_iter().chain(second);
    for row in ahead.map(Ok).chain(std::iter::from_fn(|| table.next().transpose())) {
        let row = row?;
        locator.check_length(&row, first.len())?;
        values.clear();
        for &c in &features {
            let field = row.get(c).unwrap_or_default();
            are_integers &= field.parse::<i32>().is_ok();
            values.push(number(field).map_err(|problem| locator.cell(&row, c, problem))?);
        }
        sink.push(&values)?;
        for (column, words) in [(label, &mut labels), (group, &mut groups)] {
            column.into_iter().for_each(|c| words.push(row.get(c).unwrap_or_default()));
        }
    }
    if sink.len() == 0 {
        return Err(content(path, "it has a header and nothing below it: expected lines of numbers"));
    }
    let samples = Samples::from_values(sample_name(path), Values::new(sink.finish()?, features.len()))?;
    let numbered = (is_numbered && source.header.is_none()).then(|| names.iter().map(|&name| name.into()).collect());
    let samples = samples.with_notes(
        [
            numbered.map(|fields| DataNote::NumericHeader { fields }),
            index.map(|c| DataNote::IndexColumn { name: names[c].into() }),
            labels.note(false),
            groups.note(true),
        ]
        .into_iter()
        .flatten(),
    );
    let samples = match has_header {
        true => samples.with_column_names(features.iter().map(|&c| names[c].to_owned())),
        false => samples,
    };
    Ok(Dataset {
        samples: if are_integers { samples.with_count(1.0) } else { samples },
        labels: label.map(|_| labels.finish()),
        groups: group.map(|_| groups.finish()),
    })
}

/// The text of a file from its start, unpacked, without a byte order mark.
fn text(path: &Path) -> io::Result<Box<dyn BufRead>> {
    let file = BufReader::new(File::open(path)?);
    let is_packed = path.extension().is_some_and(|ending| ending == "gz");
    let mut text: Box<dyn BufRead> =
        if is_packed { Box::new(BufReader::new(MultiGzDecoder::new(file))) } else { Box::new(file) };
    if text.fill_buf()?.starts_with(BYTE_ORDER_MARK) {
        text.consume(BYTE_ORDER_MARK.len());
    }
    Ok(text)
}

/// The error for text that can't be read.
fn unreadable(path: &Path, error: io::Error) -> DataError {
    match error.kind() {
        io::ErrorKind::InvalidInput | io::ErrorKind::InvalidData | io::ErrorKind::UnexpectedEof => {
            content(path, format!("not a readable gzip file: {error}: pack it again, or drop .gz from the name"))
        }
        _ => DataError::io(path)(error),
    }
}

/// The records of a table, one by one.
struct Records<'a> {
    path: &'a Path,
    reader: Reader<Box<dyn Read>>,
}

impl<'a> Records<'a> {
    fn open(path: &'a Path) -> Result<Self, DataError> {
        let unreadable = |error| unreadable(path, error);
        let mut text = text(path).map_err(unreadable)?;
        let mut head = vec![];
        text.by_ref().take(HEAD).read_to_end(&mut head).map_err(unreadable)?;
        let delimiter = delimiter(&head);
        let text: Box<dyn Read> = Box::new(Cursor::new(head).chain(text));
        let mut builder = ReaderBuilder::new();
        builder.delimiter(delimiter).has_headers(false).flexible(true).trim(Trim::All);
        Ok(Self { path, reader: builder.from_reader(text) })
    }

    fn next(&mut self) -> Result<Option<StringRecord>, DataError> {
        let mut record = StringRecord::new();
        match self.reader.read_record(&mut record) {
            Ok(is_there) => Ok(is_there.then_some(record)),
            Err(error) => {
                let line = error.position().map_or(0, csv::Position::line);
                match error.into_kind() {
                    ErrorKind::Io(error) => Err(unreadable(self.path, error)),
                    _ => Err(content(
                        self.path,
                        format!(
                            "line {line} is not UTF-8 text: expected a table in text; save it as CSV with UTF-8 encoding"
                        ),
                    )),
                }
            }
        }
    }
}

/// The delimiter that cuts the first lines into the same number of fields, and into the most.
fn delimiter(bytes: &[u8]) -> u8 {
    // The last line may be cut off.
    let end = if (bytes.len() as u64) < HEAD { None } else { bytes.iter().rposition(|&b| b == b'\n') };
    let bytes = &bytes[..end.unwrap_or(bytes.len())];
    let lines: Vec<&[u8]> =
        bytes.split(|&b| b == b'\n').filter(|line| !line.trim_ascii().is_empty()).take(20).collect();
    let score = |delimiter: u8| {
        let count = |line: &&[u8]| line.iter().filter(|&&b| b == delimiter).count();
        let first = lines.first().map_or(0, count);
        (first > 0 && lines.iter().all(|line| count(line) == first), first)
    };
    // `max_by_key` takes the last of equals: the comma.
    [b'\t', b';', b','].into_iter().max_by_key(|&d| score(d)).unwrap_or(b',')
}

/// Whether the first line is a header: it has a word where the second has a number, or nothing but words.
fn is_header(first: &StringRecord, second: Option<&StringRecord>) -> bool {
    let is_word = |field: &str| !field.is_empty() && field.parse::<f64>().is_err();
    let below = |c: usize| second.and_then(|row| row.get(c)).is_some_and(|field| field.parse::<f64>().is_ok());
    first.iter().all(is_word) || first.iter().enumerate().any(|(c, field)| is_word(field) && below(c))
}

/// Whether the first line numbers the columns, or names them by years: three or more integers that count up by 1, which
/// the second line does not.
fn is_numbered(first: &StringRecord, second: Option<&StringRecord>) -> bool {
    let counts_up = |row: &StringRecord| {
        let integers: Option<Vec<i64>> =
            row.iter().skip_while(|field| field.is_empty()).map(|x| x.parse().ok()).collect();
        integers.is_some_and(|row| row.len() >= 3 && row.windows(2).all(|pair| pair[1].checked_sub(pair[0]) == Some(1)))
    };
    counts_up(first) && second.is_some_and(|second| !counts_up(second))
}

/// Finds where in the file a record is, for messages.
struct Locator<'a> {
    path: &'a Path,
    names: &'a [&'a str],
}

impl Locator<'_> {
    /// The error for the field `column`, from 0.
    fn cell(&self, row: &StringRecord, column: usize, problem: CellProblem) -> DataError {
        let line = self.line(row.position().map_or(0, csv::Position::byte)).unwrap_or(0);
        let name = self.names.get(column).map(|&name| name.into());
        DataError::Cell { path: self.path.into(), line, column: column + 1, name, problem }
    }

    /// The line, from 1, of the record at a byte. The position of a record is before the empty lines that precede it.
    fn line(&self, byte: u64) -> io::Result<u64> {
        let mut text = text(self.path)?;
        let mut line = 1;
        let mut before = BufReader::new(text.by_ref().take(byte));
        let mut part = vec![];
        while before.read_until(b'\n', &mut part)? > 0 {
            line += u64::from(part.ends_with(b"\n"));
            part.clear();
        }
        for b in text.bytes() {
            match b? {
                b'\n' => line += 1,
                b'\r' => {}
                _ => break,
            }
        }
        Ok(line)
    }

    fn check_length(&self, row: &StringRecord, expected: usize) -> Result<(), DataError> {
        if row.len() == expected {
            return Ok(());
        }
        let problem = CellProblem::FieldCount { found: row.len(), expected };
        Err(self.cell(row, row.len().min(expected), problem))
    }
}

fn number(field: &str) -> Result<f32, CellProblem> {
    match field.parse::<f32>() {
        Ok(x) if x.is_finite() => Ok(x),
        Ok(_) => Err(CellProblem::NotFinite(field.into())),
        Err(_) if field.is_empty() => Err(CellProblem::Missing),
        Err(_) if field.replacen(',', ".", 1).parse::<f32>().is_ok() => Err(CellProblem::DecimalComma(field.into())),
        Err(_) => Err(CellProblem::Text(field.into())),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parsed(text: &str, label: Option<&str>, group: Option<&str>) -> Result<Dataset, String> {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("x.csv");
        std::fs::write(&path, text).unwrap();
        let own = |name: Option<&str>| name.map(str::to_owned);
        let source = Source { label_column: own(label), group_column: own(group), ..Source::default() };
        read(&path, &source, MemoryLimit(8))
            .map_err(|error| error.to_string().rsplit('/').next().unwrap_or_default().to_owned())
    }

    #[test]
    fn header_and_delimiter_are_guessed() {
        for text in
            ["a,b\n1,2\n3,4\n", "1;2\n3;4", "a\tb\r\n1\t2\r\n3\t4\r\n", "\u{feff}a;b\n1;2\n\n3;4\n", "1, 2\n 3,4"]
        {
            let samples = parsed(text, None, None).unwrap().samples;
            assert_eq!((&*samples.all().unwrap(), samples.count()), (&[1.0, 2.0, 3.0, 4.0][..], Some(1.0)), "{text:?}");
        }
        let samples = parsed("1\n2.5\n", None, None).unwrap().samples;
        assert_eq!((samples.n_samples(), samples.n_features(), samples.count()), (2, 1, None));
    }

    #[test]
    fn a_header_of_numbers_is_found_and_can_be_denied() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("x.csv");
        for (text, fields) in [
            ("0,1,2\n0.5,3,7\n1.5,2,9\n", "0,1,2"),
            ("2019;2020;2021\n5;6;9\n7;7;7\n", "2019,2020,2021"),
            (",0,1,2\n0,5,3,7\n1,5,2,9\n", ",0,1,2"),
        ] {
            std::fs::write(&path, text).unwrap();
            let read = |header| read(&path, &Source { header, ..Source::default() }, MemoryLimit(80));
            let found = read(None).unwrap().samples;
            let fields = fields.split(',').map(str::to_owned).collect();
            assert_eq!((found.n_samples(), &found.notes()[0]), (2, &DataNote::NumericHeader { fields }), "{text}");
            assert_eq!(read(Some(true)).unwrap().samples.n_samples(), 2);
            if !text.starts_with(',') {
                assert_eq!(read(Some(false)).unwrap().samples.n_samples(), 3, "{text}");
            }
        }
        // Rows that count up are rows, and words are a header unless it is denied.
        std::fs::write(&path, "1,2,3\n4,5,6\n").unwrap();
        assert_eq!(read(&path, &Source::default(), MemoryLimit(80)).unwrap().samples.n_samples(), 2);
        std::fs::write(&path, "a,b,c\n4,5,6\n").unwrap();
        let denied = Source { header: Some(false), ..Source::default() };
        assert!(read(&path, &denied, MemoryLimit(80)).is_err());
    }

    #[test]
    fn an_index_is_left_out_unless_it_is_asked_for() {
        let found = parsed(",x,y\n4,1,2\n2,3,4\n", None, None).unwrap().samples;
        assert_eq!(*found.all().unwrap(), [1.0, 2.0, 3.0, 4.0]);
        assert_eq!(
            (found.column_name(1), found.notes()),
            ("y".into(), &[DataNote::IndexColumn { name: "".into() }][..])
        );
        let found = parsed("Unnamed: 0,x,y\n4,1,2\n2,3,4\n", Some("Unnamed: 0"), None).unwrap();
        assert_eq!((found.samples.n_features(), found.labels, found.samples.notes().len()), (2, Some(vec![4, 2]), 0));
    }

    #[test]
    fn groups_are_told_apart_as_text_and_missing_ones_are_noted() {
        let found = parsed("u,x\n1,1\n01,2\n+1,3\n,4\n1,5\n", None, Some("u")).unwrap();
        assert_eq!(found.groups, Some(vec![0, 1, 2, 3, 0]));
        assert_eq!(found.samples.notes(), [DataNote::EmptyCategories { rows: 1, are_groups: true }]);
    }

    #[test]
    fn samples_to_assign_may_lack_columns() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("x.csv");
        std::fs::write(&path, "x,y\n1,2\n3,4\n").unwrap();
        let (label_column, group_column) = (Some("kind".into()), Some("user".into()));
        let drop_columns = vec!["time".into(), "y".into()];
        let strict = Source { label_column, group_column, drop_columns, ..Source::default() };
        assert!(read(&path, &strict, MemoryLimit(80)).is_err());
        let found = read(&path, &Source { columns_are_optional: true, ..strict }, MemoryLimit(80)).unwrap();
        assert_eq!((&*found.samples.all().unwrap(), found.labels, found.groups), (&[1.0, 3.0][..], None, None));
    }

    #[test]
    fn labels_and_groups_are_no_features() {
        let text = "user,x,kind,y\nu2,1,walk,2\nu1,3,sit,4\nu2,5,walk,6\n";
        let found = parsed(text, Some("kind"), Some("0")).unwrap();
        assert_eq!(*found.samples.all().unwrap(), [1.0, 2.0, 3.0, 4.0, 5.0, 6.0]);
        assert_eq!((found.labels, found.groups), (Some(vec![0, 1, 0]), Some(vec![0, 1, 0])));
        // Words under words are no header.
        let found = parsed("1,walk\n2,sit\n", Some("1"), None).unwrap();
        assert_eq!((&*found.samples.all().unwrap(), found.labels), (&[1.0, 2.0][..], Some(vec![0, 1])));
        assert_eq!(parsed("x,y\n1,7\n2,5\n", Some("y"), None).unwrap().labels, Some(vec![7, 5]));
    }

    #[test]
    fn errors_name_line_and_column() {
        for (text, label, message) in [
            ("a,b\n1,2\n3\n", None, "x.csv:3:2: column \"b\": 1 field where the first line has 2"),
            ("1,2\n3,4,5\n", None, "x.csv:2:3: 3 fields where"),
            ("a,b\n1,2\n\n3,four\n", None, "x.csv:4:2: column \"b\": \"four\" is not a number"),
            ("1,2\nnan,4\n", None, "x.csv:2:1: nan is not a finite number"),
            ("1,2\n3,1e99\n", None, "x.csv:2:2: 1e99 is not a finite"),
            ("1,2\n3,\n", None, "x.csv:2:2: the value is missing"),
            ("", None, "x.csv: it is empty"),
            ("a,b\n", None, "x.csv: it has a header and nothing below"),
            ("size,b\n1,2\n", Some("sise"), "did you mean \"size\"?); the columns are size, b"),
            ("1,2\n3,4\n", Some("y"), "columns have no names here; give an index from 0 to 1"),
            ("1,2\n3,4\n", Some("2"), "there are 2 columns, counted from 0"),
            ("1\n3\n", Some("0"), "no column is left for features"),
        ] {
            let error = parsed(text, label, None).unwrap_err();
            assert!(error.contains(message), "{error}");
        }
    }
}
