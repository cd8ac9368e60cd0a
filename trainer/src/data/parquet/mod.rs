//! Parquet tables, row group by row group.

mod rows;

use std::borrow::Cow;
use std::convert::Infallible;
use std::fs::File;
use std::path::Path;

use parquet::file::reader::{FileReader, SerializedFileReader};
use parquet::record::Field;

use self::rows::{Nested, Rows};
use super::columns::{Columns, TableColumns};
use super::error::{CellProblem, DataError, content};
use super::guard::guarded;
use super::memory::MemoryLimit;
use super::pages;
use super::source::Source;
use super::table::{Read, Table};

/// Reads a table. Columns of labels and groups are not features.
pub(super) fn read(path: &Path, source: &Source, memory: MemoryLimit, origins: &[f64]) -> Result<Read, DataError> {
    let damaged = |problem: String| match problem.contains("brotli") {
        true => content(path, "it is packed with brotli: write it with zstd, snappy or gzip"),
        false => content(path, format!("not a readable Parquet file: {problem}")),
    };
    let file = File::open(path).map_err(DataError::io(path))?;
    let pages = file.try_clone().map_err(DataError::io(path))?;
    let reader = guarded(|| SerializedFileReader::new(file)).map_err(damaged)?;
    pages::check(&pages, reader.metadata(), memory.0).map_err(damaged)?;
    let schema = reader.metadata().file_metadata().schema();
    let names: Vec<String> = schema.get_fields().iter().map(|field| field.name().to_owned()).collect();
    let borrowed: Vec<&str> = names.iter().map(String::as_str).collect();
    let columns = TableColumns { names: &borrowed, n: names.len(), may_be_index: &|_| false };
    let columns = Columns::choose(path, &columns, source)?;
    let mut table = Table::new(columns, source, memory, origins).map_err(|problem| content(path, problem))?;
    let refused = |row: usize, column: usize, problem: CellProblem| DataError::Value {
        path: path.into(),
        row,
        name: names[column].clone(),
        problem,
    };
    let Columns { features, label, group, time: times, .. } = &table.columns;
    let needed = features.iter().chain(label).chain(group).chain(times).copied();
    let mut rows = Rows::new(&reader, needed).map_err(|Nested(column)| refused(0, column, CellProblem::Nested))?;
    let mut index = 0;
    while guarded(|| rows.advance()).map_err(damaged)? {
        let refuse = |column: usize, problem: CellProblem| refused(index, column, problem);
        for at in 0..table.columns.features.len() {
            let c = table.columns.features[at];
            match number(rows.field(c)) {
                Ok((value, is_integer)) => table.push(value, is_integer),
                Err(problem) => table.push_missing(problem).map_err(|problem| refuse(c, problem))?,
            }
        }
        if let Some(c) = table.columns.time {
            table.times.push(time(rows.field(c)).ok_or_else(|| refuse(c, CellProblem::NoTime))?);
        }
        table.end_row(|c| Ok(word(rows.field(c))), refuse)?;
        index += 1;
    }
    if table.is_empty() {
        return Err(content(path, "it has no rows: expected samples"));
    }
    table.finish(path, &names, vec![])
}

/// A finite number, and whether it was an integer.
fn number(field: &Field) -> Result<(f64, bool), CellProblem> {
    let (value, is_integer) = match *field {
        Field::Bool(x) => (f64::from(u8::from(x)), true),
        Field::Byte(x) => (x.into(), true),
        Field::Short(x) => (x.into(), true),
        Field::Int(x) => (x.into(), true),
        Field::Long(x) => (x as f64, true),
        Field::UByte(x) => (x.into(), true),
        Field::UShort(x) => (x.into(), true),
        Field::UInt(x) => (x.into(), true),
        Field::ULong(x) => (x as f64, true),
        Field::Float16(x) => (f32::from(x).into(), false),
        Field::Float(x) => (x.into(), false),
        Field::Double(x) => (x, false),
        Field::Decimal(_) => (text(field).parse().map_err(|_| CellProblem::Text(text(field).into()))?, false),
        Field::Null => return Err(CellProblem::Missing),
        Field::Group(_) | Field::ListInternal(_) | Field::MapInternal(_) => return Err(CellProblem::Nested),
        Field::Date(_)
        | Field::TimeMillis(_)
        | Field::TimeMicros(_)
        | Field::TimestampMillis(_)
        | Field::TimestampMicros(_) => return Err(CellProblem::Time(text(field).into())),
        ref other => return Err(CellProblem::Text(text(other).into())),
    };
    if (value as f32).is_finite() {
        Ok((value, is_integer))
    } else {
        Err(CellProblem::beyond_f32(format!("{value:e}")))
    }
}

/// A time: a number as it is, a time stamp in seconds.
fn time(field: &Field) -> Option<f64> {
    match *field {
        Field::TimestampMillis(x) => Some(x as f64 / 1e3),
        Field::TimestampMicros(x) => Some(x as f64 / 1e6),
        ref other => number(other).ok().map(|(value, _)| value),
    }
}

/// A label or a group, as text; a missing one is empty, as it is in CSV.
fn word(field: &Field) -> Cow<'_, str> {
    if matches!(field, Field::Null) { "".into() } else { text(field) }
}

fn text(field: &Field) -> Cow<'_, str> {
    match field {
        Field::Str(text) => text.into(),
        // Dates that no calendar has are a panic.
        other => guarded(|| Ok::<_, Infallible>(other.to_string())).unwrap_or_else(|_| format!("{other:?}")).into(),
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use parquet::basic::Compression;
    use parquet::data_type::{ByteArray, ByteArrayType, DoubleType, Int32Type};
    use parquet::file::properties::WriterProperties;
    use parquet::file::writer::{SerializedColumnWriter, SerializedFileWriter};
    use parquet::schema::parser::parse_message_type;

    use super::super::dataset::Dataset;
    use super::super::note::DataNote;
    use super::*;

    /// Two row groups of `x int, kind text, y double`, the double missing where it is negative.
    fn file(path: &Path, compression: Compression, y: [f64; 2]) {
        let schema = "message table { required int32 x; required binary kind (STRING); optional double y; }";
        let schema = Arc::new(parse_message_type(schema).unwrap());
        let properties = Arc::new(WriterProperties::builder().set_compression(compression).build());
        let mut writer = SerializedFileWriter::new(File::create(path).unwrap(), schema, properties).unwrap();
        for (group, kinds) in [["walk", "sit"], ["sit", "stand"]].into_iter().enumerate() {
            let mut rows = writer.next_row_group().unwrap();
            let mut column = rows.next_column().unwrap().unwrap();
            let x = [10 * group as i32, 10 * group as i32 + 1];
            column.typed::<Int32Type>().write_batch(&x, None, None).unwrap();
            column.close().unwrap();
            let mut column = rows.next_column().unwrap().unwrap();
            column.typed::<ByteArrayType>().write_batch(&kinds.map(ByteArray::from), None, None).unwrap();
            column.close().unwrap();
            let mut column = rows.next_column().unwrap().unwrap();
            let levels = y.map(|y| i16::from(y >= 0.0));
            let present: Vec<f64> = y.into_iter().filter(|y| *y >= 0.0).collect();
            column.typed::<DoubleType>().write_batch(&present, Some(&levels), None).unwrap();
            column.close().unwrap();
            rows.close().unwrap();
        }
        writer.close().unwrap();
    }

    fn parsed(y: [f64; 2], compression: Compression, label: &str) -> Result<Dataset, String> {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("x.parquet");
        file(&path, compression, y);
        let source = Source { label_column: Some(label.into()), ..Source::default() };
        read(&path, &source, MemoryLimit(0), &[]).map(|found| found.0).map_err(|error| error.to_string())
    }

    #[test]
    fn every_row_group_is_read_however_it_is_packed() {
        let packings = [
            Compression::UNCOMPRESSED,
            Compression::SNAPPY,
            Compression::LZ4_RAW,
            Compression::GZIP(Default::default()),
            Compression::ZSTD(Default::default()),
        ];
        for packing in packings {
            let found = parsed([0.5, 2.5], packing, "kind").unwrap();
            assert_eq!(*found.samples.all().unwrap(), [0.0, 0.5, 1.0, 2.5, 10.0, 0.5, 11.0, 2.5], "{packing}");
            assert_eq!((found.labels, found.samples.count()), (Some(vec![0, 1, 1, 2]), None));
        }
    }

    #[test]
    fn errors_name_row_and_column() {
        let error = |y, label| parsed(y, Compression::SNAPPY, label).unwrap_err();
        let missing = error([1.0, -1.0], "kind");
        assert!(missing.contains("x.parquet: row 1, column \"y\": the value is missing"), "{missing}");
        let text = error([1.0, 1.0], "x");
        assert!(text.contains("row 0, column \"kind\": \"walk\" is not a number"), "{text}");
        assert!(error([1.0, 1.0], "kin").contains("did you mean \"kind\"?"));
        assert!(error([1.0, f64::INFINITY], "kind").contains("inf is not a finite number"));
        let path = tempfile::NamedTempFile::with_suffix(".parquet").unwrap();
        std::fs::write(path.path(), b"PAR1 this is none").unwrap();
        let damaged = read(path.path(), &Source::default(), MemoryLimit(0), &[]).unwrap_err().to_string();
        assert!(damaged.contains("not a readable Parquet file"), "{damaged}");
    }
    /// A table of one column with two values, of which the second may be missing.
    fn column(field: &str, write: impl FnOnce(&mut SerializedColumnWriter<'_>)) -> tempfile::NamedTempFile {
        let file = tempfile::NamedTempFile::with_suffix(".parquet").unwrap();
        let schema = Arc::new(parse_message_type(&format!("message table {{ {field} }}")).unwrap());
        let properties = Arc::new(WriterProperties::default());
        let mut writer = SerializedFileWriter::new(file.reopen().unwrap(), schema, properties).unwrap();
        let mut rows = writer.next_row_group().unwrap();
        let mut column = rows.next_column().unwrap().unwrap();
        write(&mut column);
        column.close().unwrap();
        rows.close().unwrap();
        writer.close().unwrap();
        file
    }

    #[test]
    fn decimals_are_numbers_and_times_and_lists_are_not() {
        let found = |file: &tempfile::NamedTempFile| {
            let found = read(file.path(), &Source::default(), MemoryLimit(0), &[]);
            let values = found.map(|found| found.0.samples.all().unwrap().into_owned());
            values.map_err(|error| error.to_string())
        };
        let decimal = column("required int32 d (DECIMAL(9, 4));", |column| {
            column.typed::<Int32Type>().write_batch(&[12_345, -5], None, None).unwrap();
        });
        assert_eq!(found(&decimal).unwrap(), [1.2345, -0.0005]);
        let date = column("required int32 d (DATE);", |column| {
            column.typed::<Int32Type>().write_batch(&[19_723, 19_724], None, None).unwrap();
        });
        assert!(found(&date).unwrap_err().contains("row 0, column \"d\": \"2024-01-01\" is a date or a time"));
        let list = column("required group e (LIST) { repeated group list { required double element; } }", |column| {
            column.typed::<DoubleType>().write_batch(&[1.0, 2.0], Some(&[1, 1]), Some(&[0, 0])).unwrap();
        });
        assert!(found(&list).unwrap_err().contains("column \"e\": it holds lists or structures"));
    }

    #[test]
    fn labels_that_are_missing_are_noted() {
        let schema = "message table { required double x; optional binary kind (STRING); }";
        let file = tempfile::NamedTempFile::with_suffix(".parquet").unwrap();
        let schema = Arc::new(parse_message_type(schema).unwrap());
        let properties = Arc::new(WriterProperties::default());
        let mut writer = SerializedFileWriter::new(file.reopen().unwrap(), schema, properties).unwrap();
        let mut rows = writer.next_row_group().unwrap();
        let mut column = rows.next_column().unwrap().unwrap();
        column.typed::<DoubleType>().write_batch(&[1.0, 2.5, 4.0], None, None).unwrap();
        column.close().unwrap();
        let mut column = rows.next_column().unwrap().unwrap();
        column.typed::<ByteArrayType>().write_batch(&["walk".into()], Some(&[0, 1, 0]), None).unwrap();
        column.close().unwrap();
        rows.close().unwrap();
        writer.close().unwrap();
        let source = Source { label_column: Some("kind".into()), ..Source::default() };
        let found = read(file.path(), &source, MemoryLimit(0), &[]).unwrap().0;
        assert_eq!(found.labels, Some(vec![0, 1, 0]));
        assert_eq!(found.samples.notes(), [DataNote::EmptyCategories { rows: 2, are_groups: false }]);
    }
}
