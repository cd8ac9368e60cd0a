//! Tables in text: fields separated by commas, semicolons, tabs, bars or blanks, with or without a header, plain or packed
//! by gzip.

mod blanks;
mod dialect;
mod heading;
mod number;
mod open;
mod preamble;
mod records;
mod rewritten;
mod western;

use std::path::Path;

use csv::StringRecord;

use self::dialect::Dialect;
use self::heading::Heading;
use self::number::{is_missing, is_number};
use self::records::Records;
use super::columns::{Columns, TableColumns};
use super::error::{CellProblem, DataError, content};
use super::memory::MemoryLimit;
use super::note::DataNote;
use super::source::Source;
use super::table::{Read, Table};

/// Reads a table. Columns of labels and groups are not features.
pub(super) fn read(path: &Path, source: &Source, memory: MemoryLimit, origins: &[f64]) -> Result<Read, DataError> {
    let mut records = Records::open(path)?;
    let Dialect { numbers, .. } = records.dialect;
    let sample = std::mem::take(&mut records.dialect.sample);
    if sample.is_empty() {
        return Err(content(path, "it is empty: expected lines of numbers"));
    }
    let comment = records.preamble.last_comment.as_deref().map(|line| fields(line, records.dialect.delimiter));
    let heading = Heading::of(&sample, source.header, comment.as_ref());
    let may_be_index = |c: usize| is_index(sample.iter().skip(heading.lines).map(|row| row.get(c).unwrap_or("")));
    let names: Vec<&str> = heading.names.iter().map(String::as_str).collect();
    let table = TableColumns { names: &names, n: heading.width, may_be_index: &may_be_index };
    let columns = Columns::choose(path, &table, source)?;
    let notes = notes(&records, &heading, source);

    let mut table = Table::new(columns, source, memory, origins).map_err(|problem| content(path, problem))?;
    let mut rows = Rows { path, records, heading: &heading };
    rows.skip(heading.lines)?;
    let mut row = StringRecord::new();
    while rows.read(&mut row)? {
        let row = &row;
        let refuse = |column, problem| rows.refused(row, column, problem);
        for at in 0..table.columns.features.len() {
            let c = table.columns.features[at];
            let field = row.get(c).unwrap_or_default();
            match numbers.number(field) {
                Ok(value) => table.push(value, table.are_integers && numbers.is_integer(field)),
                Err(problem) => table.push_missing(problem).map_err(|problem| refuse(c, problem))?,
            }
        }
        if let Some(c) = table.columns.time {
            let time = numbers.number(row.get(c).unwrap_or_default());
            table.times.push(time.map_err(|_| refuse(c, CellProblem::NoTime))?);
        }
        table.end_row(|c| Ok(row.get(c).unwrap_or_default().into()), refuse)?;
    }
    if table.is_empty() {
        return Err(content(path, "it has a header and nothing below it: expected lines of numbers"));
    }
    table.finish(path, &heading.names, notes)
}

/// The samples of a table, line by line.
struct Rows<'a> {
    path: &'a Path,
    records: Records<'a>,
    heading: &'a Heading,
}

impl Rows<'_> {
    /// Passes over the lines above the samples.
    fn skip(&mut self, lines: usize) -> Result<(), DataError> {
        let mut record = StringRecord::new();
        (0..lines).try_for_each(|_| self.records.read(&mut record).map(|_| ()))
    }

    /// Reads the next sample into `row`. False if there is none: empty lines at the end, of which nothing but the delimiters is
    /// left, are none.
    fn read(&mut self, row: &mut StringRecord) -> Result<bool, DataError> {
        if !self.records.read(row)? {
            return Ok(false);
        }
        if row.len() > 1 && row.iter().all(str::is_empty) {
            let mut later = StringRecord::new();
            while self.records.read(&mut later)? {
                if !later.iter().all(str::is_empty) {
                    return Err(self.refused(row, 0, CellProblem::Missing));
                }
            }
            return Ok(false);
        }
        self.check_length(row)?;
        Ok(true)
    }

    /// Each line has as many fields as there are columns, and may have an empty one after them.
    fn check_length(&self, row: &StringRecord) -> Result<(), DataError> {
        let (found, expected) = (row.len(), self.heading.width);
        if found == expected || found == expected + 1 && row.get(expected) == Some("") {
            return Ok(());
        }
        let spans_lines = row.iter().any(|field| field.contains('\n'));
        let problem = if row.get(0).is_some_and(|field| field.starts_with('#')) {
            CellProblem::Comment
        } else if spans_lines {
            CellProblem::Unclosed
        } else {
            CellProblem::FieldCount { found, expected }
        };
        Err(self.refused(row, found.min(expected), problem))
    }

    /// The error for the field `column`, from 0.
    fn refused(&self, row: &StringRecord, column: usize, problem: CellProblem) -> DataError {
        let line = self.records.line(row);
        let name = self.heading.names.get(column).cloned();
        DataError::Cell { path: self.path.into(), line, column: column + 1, name, problem }
    }
}

/// The fields of a line.
fn fields(line: &str, delimiter: u8) -> StringRecord {
    match delimiter {
        b' ' => line.split_whitespace().collect(),
        delimiter => line.split(char::from(delimiter)).map(str::trim).collect(),
    }
}

/// Whether a column without a name may be the index of a data frame: no two of its first entries are the same, and none is
/// missing or a number with a fraction.
fn is_index<'a>(entries: impl Iterator<Item = &'a str>) -> bool {
    let entries: Vec<&str> = entries.collect();
    let is_label = |field: &str| !is_missing(field) && (!is_number(field) || field.parse::<i64>().is_ok());
    entries.iter().enumerate().all(|(i, entry)| is_label(entry) && !entries[..i].contains(entry))
}

/// What was decided about the lines above the samples and the numbers.
fn notes(records: &Records, heading: &Heading, source: &Source) -> Vec<DataNote> {
    let Dialect { numbers, .. } = records.dialect;
    let is_guessed = heading.is_numeric && source.header.is_none();
    let western = records.is_western.then_some(DataNote::Western);
    let comments = records.preamble.comments;
    let numeric = is_guessed.then(|| DataNote::NumericHeader { fields: heading.names.clone() });
    let units = heading.units.as_ref().map(|units| DataNote::Units { units: units.clone() });
    let comments = (comments > 0).then_some(DataNote::Comments { lines: comments });
    let decimal_comma = numbers.has_decimal_comma.then_some(DataNote::DecimalComma);
    let thousands = numbers.group.map(|mark| DataNote::Thousands { mark });
    [western, comments, numeric, units, decimal_comma, thousands].into_iter().flatten().collect()
}

#[cfg(test)]
mod tests {
    use super::super::dataset::Dataset;
    use super::super::error::ColumnRole;
    use super::*;

    fn read(path: &Path, source: &Source, memory: MemoryLimit) -> Result<Dataset, DataError> {
        super::read(path, source, memory, &[]).map(|found| found.0)
    }

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
        let found =
            read(&path, &Source { optional_columns: ColumnRole::ALL.to_vec(), ..strict }, MemoryLimit(80)).unwrap();
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
            ("1,2\n3,1e99\n", None, "x.csv:2:2: 1e99 is too large"),
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
    /// The samples of a text, and the notes about it.
    fn found(text: &str) -> (Vec<f32>, String) {
        let samples = parsed(text, None, None).unwrap_or_else(|error| panic!("{text:?}: {error}")).samples;
        let notes = samples.notes().iter().map(|note| format!("{note}; ")).collect();
        (samples.all().unwrap().into_owned(), notes)
    }

    #[test]
    fn tables_are_read_as_programs_write_them() {
        let expected = [1.5, 2.25, -3.0, 1000.5];
        for (text, note) in [
            ("x,y\n1.5,2.25\n-3,1000.5\n", ""),
            ("x,y\r1.5,2.25\r-3,1000.5\r", ""),
            ("sep=;\nx;y\n1.5;2.25\n-3;1000.5\n", ""),
            ("# by imu-7\n\n# 25 Hz\nx,y\n1.5,2.25\n-3,1000.5\n", "2 lines above the table begin with #"),
            ("# x y\n1.5 2.25\n  -3   1000.5\n", "1 lines above"),
            ("x,y\n[g],[g]\n1.5,2.25\n-3,1000.5\n", "the line below the header ([g], [g]) is read as units"),
            ("x,y,\n1.5,2.25,\n-3,1000.5,\n", ""),
            ("x,y\n1.5,2.25,\n-3,1000.5,\n", ""),
            ("1.5,2.25,\n-3,1000.5,\n", ""),
            ("1.5,2.25;\n-3,1000.5;\n", ""),
            ("x|y\n1.5|2.25\n-3|1000.5\n", ""),
            ("x;y\n1,5;2,25\n-3;1000,5\n", "with a decimal comma"),
            ("x,y\n\"1,5\",\"2,25\"\n\"-3\",\"1.000,5\"\n", "with a decimal comma; '.' is read as what stands between"),
            ("x;y\n1.5;2.25\n-3;1,000.5\n", "',' is read as what stands between thousands"),
            ("x,y\n1.5,2.25\n-3,1000.5\n\n,\n,\n", ""),
            (",Unnamed: 0,x,y\n0,0,1.5,2.25\n1,1,-3,1000.5\n", "column \"Unnamed: 0\" is taken for the index"),
            ("\"x\" \"y\"\n\"1\" 1.5 2.25\n\"2\" -3 1000.5\n", "column \"\" is taken for the index"),
            (",y\n1.5,2.25\n-3,1000.5\n", ""),
        ] {
            let (values, notes) = found(text);
            assert_eq!(values, expected, "{text:?}");
            assert!(notes.contains(note) && (!note.is_empty() || notes.is_empty()), "{text:?}: {notes}");
        }
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("x.csv");
        std::fs::write(&path, b"T (\xb0C),kind\n1.5,caf\xe9\n2,bar\n").unwrap();
        let source = Source { label_column: Some("kind".into()), ..Source::default() };
        let western = read(&path, &source, MemoryLimit(80)).unwrap();
        assert_eq!(
            (western.samples.column_name(0), western.samples.notes()),
            ("T (\u{b0}C)".into(), &[DataNote::Western][..])
        );
        let times: String = (0..20).map(|t| format!("{},{}\n", 1000 + t, t % 3)).collect();
        assert!(found(&format!("t,x\n{times}")).1.starts_with("some columns rise from each row to the next (t)"));
        assert_eq!(found("x,moving\n1.5,True\n2,false\n").0, [1.5, 1.0, 2.0, 0.0]);
    }

    #[test]
    fn what_is_not_clear_has_a_sentence_of_its_own() {
        for (text, message) in [
            ("NA,1,2\n3,4,5\n", "x.csv:1:1: \"NA\" stands for a missing value"),
            (
                "time,x\n2024-01-01T00:00:05Z,1\n",
                "x.csv:2:1: column \"time\": \"2024-01-01T00:00:05Z\" is a date or a time",
            ),
            ("x;y\n1,234;2\n5,678;3\n", "\"1,234\" has a comma that may mean more than one thing"),
            ("x,y\n1,2\n# pause\n3,4\n", "x.csv:3:2: column \"y\": the line begins with #"),
            ("x,y\n1,2\n\"3,4\n5,6\n", "x.csv:3:2: column \"y\": the line goes on in the next"),
            ("x,y\n1,2\n,\n3,4\n", "x.csv:3:1: column \"x\": the value is missing"),
            ("<html><body>404</body></html>\n", "it is a web page or XML"),
            ("x,y\r1,2\r3,four\r", "x.csv:3:2: column \"y\": \"four\" is not a number"),
            ("\"x\n(g)\",y\n1,2\n3,four\n", "x.csv:4:2: column \"y\": \"four\""),
            ("# one\n\nx y\n1 2\n\n 3   four\n", "x.csv:6:2: column \"y\": \"four\""),
            ("x,y\n1,2\nmean,\n", "x.csv:3:1: column \"x\": \"mean\" is not a number"),
        ] {
            let error = parsed(text, None, None).unwrap_err();
            assert!(error.contains(message), "{text:?}: {error}");
        }
    }
}
