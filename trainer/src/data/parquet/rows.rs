//! The rows of a Parquet file. Only the columns that are needed are decoded, many values of a column at a time.

use parquet::basic::Repetition;
use parquet::column::reader::{ColumnReader, ColumnReaderImpl};
use parquet::data_type::{ByteArray, DataType};
use parquet::errors::ParquetError;
use parquet::file::reader::FileReader;
use parquet::record::Field;
use parquet::schema::types::ColumnDescPtr;

/// How many values of a column are decoded at once.
const BATCH: usize = 4096;

/// The rows of a file, one by one.
pub(super) struct Rows<'a> {
    reader: &'a dyn FileReader,
    columns: Vec<Column>,
    /// For each column of the table its place in `columns`, if it is needed.
    places: Vec<Option<usize>>,
    next_group: usize,
    /// The row within the batches.
    at: usize,
    /// How many rows the batches have.
    n_rows: usize,
}

/// A column that is needed.
struct Column {
    leaf: usize,
    descriptor: ColumnDescPtr,
    /// That of the row group.
    reader: Option<ColumnReader>,
    batch: Vec<Field>,
}

/// The column of a table, by its index, that holds lists or records.
#[derive(Debug)]
pub(super) struct Nested(pub(super) usize);

impl<'a> Rows<'a> {
    /// Reads these columns of the table, by their index.
    pub(super) fn new(reader: &'a dyn FileReader, needed: impl Iterator<Item = usize>) -> Result<Self, Nested> {
        let schema = reader.metadata().file_metadata().schema_descr();
        let fields = schema.root_schema().get_fields();
        let (mut columns, mut places) = (vec![], vec![None; fields.len()]);
        for column in needed {
            let field = &fields[column];
            let is_list =
                field.get_basic_info().has_repetition() && field.get_basic_info().repetition() == Repetition::REPEATED;
            let leaf = (0..schema.num_columns()).find(|&leaf| schema.get_column_root_idx(leaf) == column);
            let Some(leaf) = leaf.filter(|_| field.is_primitive() && !is_list) else { return Err(Nested(column)) };
            places[column] = Some(columns.len());
            columns.push(Column { leaf, descriptor: schema.column(leaf), reader: None, batch: vec![] });
        }
        Ok(Self { reader, columns, places, next_group: 0, at: 0, n_rows: 0 })
    }

    /// Goes to the next row. False if there is none.
    pub(super) fn advance(&mut self) -> Result<bool, ParquetError> {
        self.at += 1;
        while self.at >= self.n_rows {
            self.n_rows = self.fill()?;
            self.at = 0;
            if self.n_rows == 0 && !self.begin_group()? {
                return Ok(false);
            }
        }
        Ok(true)
    }

    /// The value of a needed column in this row.
    pub(super) fn field(&self, column: usize) -> &Field {
        let place = self.places.get(column).copied().flatten();
        place.and_then(|place| self.columns[place].batch.get(self.at)).unwrap_or(&Field::Null)
    }

    /// Decodes the next values of each column and returns how many rows these are.
    fn fill(&mut self) -> Result<usize, ParquetError> {
        let mut n_rows = None;
        for column in &mut self.columns {
            column.fill()?;
            let found = column.batch.len();
            if *n_rows.get_or_insert(found) != found {
                return Err(ParquetError::General("its columns have different numbers of rows".into()));
            }
        }
        Ok(n_rows.unwrap_or(0))
    }

    /// Goes to the next row group. False if there is none.
    fn begin_group(&mut self) -> Result<bool, ParquetError> {
        if self.next_group == self.reader.num_row_groups() {
            return Ok(false);
        }
        let group = self.reader.get_row_group(self.next_group)?;
        for column in &mut self.columns {
            column.reader = Some(group.get_column_reader(column.leaf)?);
        }
        self.next_group += 1;
        Ok(true)
    }
}

impl Column {
    /// Decodes the next values: none at the end of the row group.
    fn fill(&mut self) -> Result<(), ParquetError> {
        self.batch.clear();
        let Self { descriptor, batch, .. } = self;
        match &mut self.reader {
            None => Ok(()),
            Some(ColumnReader::BoolColumnReader(reader)) => {
                fill(reader, descriptor, batch, infallible(Field::convert_bool))
            }
            Some(ColumnReader::Int32ColumnReader(reader)) => {
                fill(reader, descriptor, batch, infallible(Field::convert_int32))
            }
            Some(ColumnReader::Int64ColumnReader(reader)) => {
                fill(reader, descriptor, batch, infallible(Field::convert_int64))
            }
            Some(ColumnReader::Int96ColumnReader(reader)) => {
                fill(reader, descriptor, batch, infallible(Field::convert_int96))
            }
            Some(ColumnReader::FloatColumnReader(reader)) => {
                fill(reader, descriptor, batch, infallible(Field::convert_float))
            }
            Some(ColumnReader::DoubleColumnReader(reader)) => {
                fill(reader, descriptor, batch, infallible(Field::convert_double))
            }
            Some(ColumnReader::ByteArrayColumnReader(reader)) => {
                fill(reader, descriptor, batch, Field::convert_byte_array)
            }
            Some(ColumnReader::FixedLenByteArrayColumnReader(reader)) => {
                fill(reader, descriptor, batch, |column, value| {
                    Field::convert_byte_array(column, ByteArray::from(value))
                })
            }
        }
    }
}

/// A conversion that never fails as one that might.
fn infallible<T>(
    convert: impl Fn(&ColumnDescPtr, T) -> Field,
) -> impl Fn(&ColumnDescPtr, T) -> Result<Field, ParquetError> {
    move |column, value| Ok(convert(column, value))
}

/// Decodes the next values of a column.
fn fill<T: DataType>(
    reader: &mut ColumnReaderImpl<T>,
    column: &ColumnDescPtr,
    batch: &mut Vec<Field>,
    convert: impl Fn(&ColumnDescPtr, T::T) -> Result<Field, ParquetError>,
) -> Result<(), ParquetError> {
    let (mut levels, mut values) = (vec![], Vec::with_capacity(BATCH));
    let present = column.max_def_level();
    let (n_rows, ..) = reader.read_records(BATCH, Some(&mut levels), None, &mut values)?;
    if present == 0 {
        for value in values {
            batch.push(convert(column, value)?);
        }
        return Ok(());
    }
    let mut values = values.into_iter();
    for level in levels.into_iter().take(n_rows) {
        let value =
            (level == present).then(|| values.next().ok_or_else(|| ParquetError::General("values are missing".into())));
        batch.push(value.transpose()?.map_or(Ok(Field::Null), |value| convert(column, value))?);
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use parquet::data_type::{DoubleType, Int32Type};
    use parquet::file::properties::WriterProperties;
    use parquet::file::reader::SerializedFileReader;
    use parquet::file::writer::SerializedFileWriter;
    use parquet::schema::parser::parse_message_type;

    use super::*;

    /// `table` has a structure of two columns, then a list, a number that may be missing, and another number.
    const SCHEMA: &str = "message table {
        required group place { required double north; required double east; }
        required group steps (LIST) { repeated group list { required double element; } }
        optional int32 x;
        required double y;
    }";

    /// Row groups of these numbers of rows. In row `i`, `x` is `i` or missing if 3 divides `i`, and `y` is `i / 2`.
    fn file(groups: &[i32]) -> tempfile::NamedTempFile {
        let file = tempfile::NamedTempFile::with_suffix(".parquet").unwrap();
        let schema = Arc::new(parse_message_type(SCHEMA).unwrap());
        let properties = Arc::new(WriterProperties::default());
        let mut writer = SerializedFileWriter::new(file.reopen().unwrap(), schema, properties).unwrap();
        let mut first = 0;
        for n in groups {
            let rows: Vec<i32> = (first..first + n).collect();
            let numbers: Vec<f64> = rows.iter().map(|&i| f64::from(i) / 2.0).collect();
            let mut group = writer.next_row_group().unwrap();
            for _ in 0..2 {
                let mut column = group.next_column().unwrap().unwrap();
                column.typed::<DoubleType>().write_batch(&numbers, None, None).unwrap();
                column.close().unwrap();
            }
            // Two elements a row.
            let mut column = group.next_column().unwrap().unwrap();
            let elements = vec![1.5; 2 * rows.len()];
            let repetitions: Vec<i16> = [0, 1].repeat(rows.len());
            let definitions = vec![1; 2 * rows.len()];
            column.typed::<DoubleType>().write_batch(&elements, Some(&definitions), Some(&repetitions)).unwrap();
            column.close().unwrap();
            let mut column = group.next_column().unwrap().unwrap();
            let present: Vec<i32> = rows.iter().copied().filter(|i| i % 3 != 0).collect();
            let levels: Vec<i16> = rows.iter().map(|i| i16::from(i % 3 != 0)).collect();
            column.typed::<Int32Type>().write_batch(&present, Some(&levels), None).unwrap();
            column.close().unwrap();
            let mut column = group.next_column().unwrap().unwrap();
            column.typed::<DoubleType>().write_batch(&numbers, None, None).unwrap();
            column.close().unwrap();
            group.close().unwrap();
            first += n;
        }
        writer.close().unwrap();
        file
    }

    #[test]
    fn rows_keep_their_values_over_batches_and_groups_and_beside_nested_columns() {
        let batch = BATCH as i32;
        for groups in [vec![], vec![1], vec![0, 2, 0], vec![batch], vec![batch + 404, batch + 404, 1_000]] {
            let file = file(&groups);
            let reader = SerializedFileReader::new(file.reopen().unwrap()).unwrap();
            // In another order than the file's.
            let mut rows = Rows::new(&reader, [3, 2].into_iter()).unwrap();
            let mut index = 0;
            while rows.advance().unwrap() {
                let x = if index % 3 == 0 { Field::Null } else { Field::Int(index) };
                assert_eq!((rows.field(2), rows.field(3)), (&x, &Field::Double(f64::from(index) / 2.0)), "row {index}");
                assert_eq!((rows.field(0), rows.field(1)), (&Field::Null, &Field::Null), "they were not asked for");
                index += 1;
            }
            assert_eq!(index, groups.iter().sum::<i32>());
        }
    }

    #[test]
    fn structures_and_lists_are_refused_by_their_place_in_the_table() {
        let file = file(&[2]);
        let reader = SerializedFileReader::new(file.reopen().unwrap()).unwrap();
        let refused = |needed: [usize; 2]| Rows::new(&reader, needed.into_iter()).err().map(|Nested(column)| column);
        assert_eq!((refused([3, 0]), refused([1, 2]), refused([2, 3])), (Some(0), Some(1), None));
    }
}
