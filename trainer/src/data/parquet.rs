//! Parquet tables, row group by row group.

use std::fs::File;
use std::path::Path;

use parquet::errors::ParquetError;
use parquet::file::reader::{FileReader, SerializedFileReader};
use parquet::record::{Field, Row};

use super::dataset::Dataset;
use super::error::{CellProblem, DataError, content};
use super::memory::MemoryLimit;
use super::note::DataNote;
use super::samples::Samples;
use super::source::Source;
use super::table::{CategoryColumn, Columns, sample_name};
use super::values::{Sink, Values};

/// Reads a table. Columns of labels and groups are not features.
pub(super) fn read(path: &Path, source: &Source, memory: MemoryLimit) -> Result<Dataset, DataError> {
    let damaged = |error: ParquetError| content(path, format!("not a readable Parquet file: {error}"));
    let file = File::open(path).map_err(DataError::io(path))?;
    let reader = SerializedFileReader::new(file).map_err(damaged)?;
    let schema = reader.metadata().file_metadata().schema();
    let names: Vec<&str> = schema.get_fields().iter().map(|field| field.name()).collect();
    let Columns { label, group, features, index } = Columns::choose(path, &names, names.len(), source)?;

    let (mut labels, mut groups) = (CategoryColumn::default(), CategoryColumn::default());
    let (mut sink, mut values) = (Sink::new(memory), vec![]);
    let mut are_integers = true;
    for (index, row) in reader.get_row_iter(None).map_err(damaged)?.enumerate() {
        let row = row.map_err(damaged)?;
        let refuse = |column: usize, problem: CellProblem| DataError::Value {
            path: path.into(),
            row: index,
            name: names[column].into(),
            problem,
        };
        values.clear();
        for &column in &features {
            let (value, is_integer) = number(field(&row, column)).map_err(|problem| refuse(column, problem))?;
            are_integers &= is_integer;
            values.push(value);
        }
        sink.push(&values)?;
        for (column, into) in [(label, &mut labels), (group, &mut groups)] {
            if let Some(column) = column {
                into.push(&word(field(&row, column)).map_err(|problem| refuse(column, problem))?);
            }
        }
    }
    if sink.len() == 0 {
        return Err(content(path, "it has no rows: expected samples"));
    }
    let samples = Samples::from_values(sample_name(path), Values::new(sink.finish()?, features.len()))?;
    let index = index.map(|c| DataNote::IndexColumn { name: names[c].into() });
    let samples = samples.with_notes(index.into_iter().chain(labels.note(false)).chain(groups.note(true)));
    let samples = samples.with_column_names(features.iter().map(|&c| names[c].to_owned()));
    Ok(Dataset {
        samples: if are_integers { samples.with_count(1.0) } else { samples },
        labels: label.map(|_| labels.finish()),
        groups: group.map(|_| groups.finish()),
    })
}

fn field(row: &Row, column: usize) -> &Field {
    row.get_column_iter().nth(column).map_or(&Field::Null, |(_, field)| field)
}

/// A finite number, and whether it was an integer of 32 bits.
fn number(field: &Field) -> Result<(f32, bool), CellProblem> {
    let (value, is_integer) = match *field {
        Field::Bool(x) => (f64::from(u8::from(x)), true),
        Field::Byte(x) => (x.into(), true),
        Field::Short(x) => (x.into(), true),
        Field::Int(x) => (x.into(), true),
        Field::Long(x) => (x as f64, i32::try_from(x).is_ok()),
        Field::UByte(x) => (x.into(), true),
        Field::UShort(x) => (x.into(), true),
        Field::UInt(x) => (x.into(), i32::try_from(x).is_ok()),
        Field::ULong(x) => (x as f64, i32::try_from(x).is_ok()),
        Field::Float16(x) => (f32::from(x).into(), false),
        Field::Float(x) => (x.into(), false),
        Field::Double(x) => (x, false),
        Field::Null => return Err(CellProblem::Missing),
        ref other => return Err(CellProblem::Text(text(other))),
    };
    let value = value as f32;
    if value.is_finite() { Ok((value, is_integer)) } else { Err(CellProblem::NotFinite(value.to_string())) }
}

/// A label or a group, as text.
fn word(field: &Field) -> Result<String, CellProblem> {
    match field {
        Field::Null => Err(CellProblem::Missing),
        other => Ok(text(other)),
    }
}

fn text(field: &Field) -> String {
    match field {
        Field::Str(text) => text.clone(),
        other => other.to_string(),
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use parquet::basic::Compression;
    use parquet::data_type::{ByteArray, ByteArrayType, DoubleType, Int32Type};
    use parquet::file::properties::WriterProperties;
    use parquet::file::writer::SerializedFileWriter;
    use parquet::schema::parser::parse_message_type;

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
        read(&path, &source, MemoryLimit(0)).map_err(|error| error.to_string())
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
        let damaged = read(path.path(), &Source::default(), MemoryLimit(0)).unwrap_err().to_string();
        assert!(damaged.contains("not a readable Parquet file"), "{damaged}");
    }
}
