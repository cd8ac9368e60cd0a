//! Tables in text: comma, semicolon or tab between the fields, with a header or without.

use std::path::Path;

use csv::{ReaderBuilder, StringRecord, Trim};

use super::files::{DataError, content, whole};
use super::table::{Columns, name, numbered};
use super::{Dataset, Samples, Source};

/// Reads a table; the columns of labels and groups are no features.
pub(super) fn read(path: &Path, source: &Source) -> Result<Dataset, DataError> {
    let bytes = whole(path)?;
    let bytes = bytes.strip_prefix(b"\xef\xbb\xbf").unwrap_or(&bytes);
    let records = records(path, bytes)?;
    let Some(first) = records.first() else { return Err(content(path, "it is empty: expected lines of numbers")) };
    let has_header = is_header(first, records.get(1));
    let rows = &records[usize::from(has_header)..];
    if rows.is_empty() {
        return Err(content(path, "it has a header and nothing below it: expected lines of numbers"));
    }
    let names: Vec<&str> = if has_header { first.iter().collect() } else { vec![] };
    let Columns { label, group, features } = Columns::chosen(path, &names, first.len(), source)?;

    let place = Place { path, bytes, names: &names };
    let mut values = Vec::with_capacity(rows.len() * features.len());
    let mut are_integers = true;
    for row in rows {
        place.check_length(row, first.len())?;
        for &c in &features {
            let field = row.get(c).unwrap_or_default();
            are_integers &= field.parse::<i32>().is_ok();
            values.push(number(field).map_err(|problem| place.refuse(row, c, problem))?);
        }
    }
    let samples = Samples::new(name(path), values, features.len());
    let column = |c: usize| rows.iter().map(move |row| row.get(c).unwrap_or_default());
    Ok(Dataset {
        samples: if are_integers { samples.with_count(1.0) } else { samples },
        labels: label.map(|c| numbered(column(c))),
        groups: group.map(|c| numbered(column(c))),
    })
}

fn records(path: &Path, bytes: &[u8]) -> Result<Vec<StringRecord>, DataError> {
    let mut reader = ReaderBuilder::new()
        .delimiter(delimiter(bytes))
        .has_headers(false)
        .flexible(true)
        .trim(Trim::All)
        .from_reader(bytes);
    let mut records = vec![];
    for record in reader.records() {
        records.push(record.map_err(|error| {
            let line = error.position().map_or(0, csv::Position::line);
            content(path, format!("line {line} is not UTF-8 text: is it a table in text, comma-separated?"))
        })?);
    }
    Ok(records)
}

/// The one that cuts the first lines into equally many fields, and into most.
fn delimiter(bytes: &[u8]) -> u8 {
    let lines: Vec<&[u8]> =
        bytes.split(|&b| b == b'\n').filter(|line| !line.trim_ascii().is_empty()).take(20).collect();
    let score = |delimiter: u8| {
        let count = |line: &&[u8]| line.iter().filter(|&&b| b == delimiter).count();
        let first = lines.first().map_or(0, count);
        (first > 0 && lines.iter().all(|line| count(line) == first), first)
    };
    // Of equals the last is taken: the comma.
    [b'\t', b';', b','].into_iter().max_by_key(|&d| score(d)).unwrap_or(b',')
}

/// A first line with a word where the second has a number, or with nothing but words.
fn is_header(first: &StringRecord, second: Option<&StringRecord>) -> bool {
    let is_word = |field: &str| !field.is_empty() && field.parse::<f64>().is_err();
    let below = |c: usize| second.and_then(|row| row.get(c)).is_some_and(|field| field.parse::<f64>().is_ok());
    first.iter().all(is_word) || first.iter().enumerate().any(|(c, field)| is_word(field) && below(c))
}

/// Where a field is, for messages.
struct Place<'a> {
    path: &'a Path,
    bytes: &'a [u8],
    names: &'a [&'a str],
}

impl Place<'_> {
    /// The field `column`, from 0, is not what it should be.
    fn refuse(&self, row: &StringRecord, column: usize, problem: String) -> DataError {
        // A record's position is before the empty lines that precede it.
        let at = row.position().map_or(0, |position| position.byte() as usize).min(self.bytes.len());
        let (before, rest) = self.bytes.split_at(at);
        let skipped = rest.iter().take_while(|b| matches!(b, b'\r' | b'\n'));
        let line = 1 + before.iter().chain(skipped).filter(|&&b| b == b'\n').count() as u64;
        let problem = self.names.get(column).map_or(problem.clone(), |name| format!("column {name:?}: {problem}"));
        DataError::Cell { path: self.path.into(), line, column: column + 1, problem }
    }

    fn check_length(&self, row: &StringRecord, expected: usize) -> Result<(), DataError> {
        if row.len() == expected {
            return Ok(());
        }
        let plural = if row.len() == 1 { "" } else { "s" };
        let first = format!("{} field{plural} where the first line has {expected}", row.len());
        Err(self.refuse(row, row.len().min(expected), format!("{first}: complete the line or drop it")))
    }
}

fn number(field: &str) -> Result<f32, String> {
    match field.parse::<f32>() {
        Ok(x) if x.is_finite() => Ok(x),
        Ok(_) => Err(format!("{field} is no finite number: replace it or drop the line")),
        Err(_) if field.is_empty() => Err("the field is empty: expected a number".into()),
        Err(_) => Err(format!(
            "{field:?} is no number (with a decimal point): keep text out with --label-column or --group-column"
        )),
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
        read(&path, &source).map_err(|error| error.to_string().rsplit('/').next().unwrap_or_default().to_owned())
    }

    #[test]
    fn header_and_delimiter_are_guessed() {
        for text in
            ["a,b\n1,2\n3,4\n", "1;2\n3;4", "a\tb\r\n1\t2\r\n3\t4\r\n", "\u{feff}a;b\n1;2\n\n3;4\n", "1, 2\n 3,4"]
        {
            let samples = parsed(text, None, None).unwrap().samples;
            assert_eq!((&samples.values[..], samples.count), (&[1.0, 2.0, 3.0, 4.0][..], Some(1.0)), "{text:?}");
        }
        let samples = parsed("1\n2.5\n", None, None).unwrap().samples;
        assert_eq!((samples.n_samples, samples.n_features, samples.count), (2, 1, None));
    }

    #[test]
    fn labels_and_groups_are_no_features() {
        let text = "user,x,kind,y\nu2,1,walk,2\nu1,3,sit,4\nu2,5,walk,6\n";
        let found = parsed(text, Some("kind"), Some("0")).unwrap();
        assert_eq!(found.samples.values, [1.0, 2.0, 3.0, 4.0, 5.0, 6.0]);
        assert_eq!((found.labels, found.groups), (Some(vec![0, 1, 0]), Some(vec![0, 1, 0])));
        // Words under words are no header.
        let found = parsed("1,walk\n2,sit\n", Some("1"), None).unwrap();
        assert_eq!((found.samples.values, found.labels), (vec![1.0, 2.0], Some(vec![0, 1])));
        assert_eq!(parsed("x,y\n1,7\n2,5\n", Some("y"), None).unwrap().labels, Some(vec![7, 5]));
    }

    #[test]
    fn what_is_wrong_is_named_by_line_and_column() {
        for (text, label, message) in [
            ("a,b\n1,2\n3\n", None, "x.csv:3:2: column \"b\": 1 field where the first line has 2"),
            ("1,2\n3,4,5\n", None, "x.csv:2:3: 3 fields where"),
            ("a,b\n1,2\n\n3,four\n", None, "x.csv:4:2: column \"b\": \"four\" is no number"),
            ("1,2\nnan,4\n", None, "x.csv:2:1: nan is no finite number"),
            ("1,2\n3,1e99\n", None, "x.csv:2:2: 1e99 is no finite"),
            ("1,2\n3,\n", None, "x.csv:2:2: the field is empty"),
            ("", None, "x.csv: it is empty"),
            ("a,b\n", None, "x.csv: it has a header and nothing below"),
            ("size,b\n1,2\n", Some("sise"), "did you mean \"size\"? There are size, b"),
            ("1,2\n3,4\n", Some("y"), "the file has no header: give an index from 0 to 1"),
            ("1,2\n3,4\n", Some("2"), "there are 2 columns, counted from 0"),
            ("1\n3\n", Some("0"), "no column is left for features"),
        ] {
            let error = parsed(text, label, None).unwrap_err();
            assert!(error.contains(message), "{error}");
        }
    }
}
