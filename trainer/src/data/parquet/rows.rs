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
