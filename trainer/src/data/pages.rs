//! The sizes of the pages of a Parquet file, which its library believes before it reads a page.
//!
//! The format: <https://parquet.apache.org/docs/file-format/data-pages/>, in the compact protocol of Thrift:
//! <https://github.com/apache/thrift/blob/master/doc/specs/thrift-compact-protocol.md>.

use std::fs::File;
use std::io::{self, BufReader, Read, Seek, SeekFrom};

use parquet::basic::Type;
use parquet::file::metadata::{ColumnChunkMetaData, ParquetMetaData};

/// How many bytes of pages may be in memory in any case: one page of each column.
const MOST: u64 = 128 << 20;
/// How deep structures may be nested.
const DEPTH: usize = 16;

/// Checks that what the pages say of themselves can be, and that one page of each column fits in `memory` bytes.
pub(super) fn check(file: &File, metadata: &ParquetMetaData, memory: u64) -> Result<(), String> {
    check_within(file, metadata, memory.max(MOST))
}

/// The same with `most` bytes for the pages.
fn check_within(file: &File, metadata: &ParquetMetaData, most: u64) -> Result<(), String> {
    let length = file.metadata().map_err(|error| error.to_string())?.len();
    let mut file = BufReader::with_capacity(1 << 12, file);
    for group in metadata.row_groups() {
        let (mut kept, mut packed) = (0u64, 0);
        for column in group.columns() {
            let pages = pages_of(&mut file, column, length)
                .map_err(|error| format!("the pages of column {} are damaged: {error}", column.column_path()))?;
            kept = kept.saturating_add(pages.kept());
            packed = pages.packed.max(packed);
        }
        let total = kept.saturating_add(packed);
        if total > most {
            let mib = |bytes| bytes >> 20;
            return Err(format!(
                "one page of each of its columns takes {} MiB, and {} may be used: allow more memory, or write it with smaller \
                 pages",
                mib(total),
                mib(most)
            ));
        }
    }
    Ok(())
}

/// The bytes that the largest pages of a column take.
#[derive(Default)]
struct Pages {
    /// A page of values, unpacked.
    values: u64,
    /// The dictionary, decoded.
    dictionary: u64,
    /// A page as it is in the file, until it is unpacked.
    packed: u64,
}

impl Pages {
    /// What stays in memory while the values are read.
    fn kept(&self) -> u64 {
        self.values.saturating_add(self.dictionary)
    }
}

/// The bytes of a value of a dictionary that is decoded, and whether the page stays, since the values point into it.
fn decoded(kind: Type) -> (u64, bool) {
    match kind {
        Type::BOOLEAN => (1, false),
        Type::INT32 | Type::FLOAT => (4, false),
        Type::INT64 | Type::DOUBLE => (8, false),
        Type::INT96 => (12, false),
        Type::BYTE_ARRAY | Type::FIXED_LEN_BYTE_ARRAY => (32, true),
    }
}

fn pages_of(file: &mut BufReader<&File>, column: &ColumnChunkMetaData, length: u64) -> io::Result<Pages> {
    let position = |at: i64| u64::try_from(at).map_err(|_| damaged("an offset is negative"));
    let start = column.dictionary_page_offset().filter(|&at| at > 0).unwrap_or(column.data_page_offset());
    let (mut at, size) = (position(start)?, position(column.compressed_size())?);
    let end = at.checked_add(size).filter(|&end| end <= length).ok_or_else(|| damaged("they end after the file"))?;
    let (value, stays) = decoded(column.column_type());
    let mut largest = Pages::default();
    while at < end {
        file.seek(SeekFrom::Start(at))?;
        let page = PageHeader::read(Compact { bytes: file.by_ref().take(end - at) })?;
        let left = end - at - page.length;
        if page.packed > left {
            return Err(damaged("one is longer than all of them"));
        }
        // A value of a dictionary takes at least an eighth of a byte.
        if page.dictionary_values > page.unpacked.saturating_mul(8) {
            return Err(damaged("a dictionary has more values than bytes"));
        }
        if page.dictionary_values > 0 {
            let bytes = value.saturating_mul(page.dictionary_values) + if stays { page.unpacked } else { 0 };
            largest.dictionary = largest.dictionary.max(bytes);
        }
        // A dictionary, too, is unpacked before it is decoded.
        largest.values = largest.values.max(page.unpacked);
        largest.packed = largest.packed.max(page.packed);
        at += page.length + page.packed;
    }
    Ok(largest)
}

fn damaged(problem: &str) -> io::Error {
    io::Error::new(io::ErrorKind::InvalidData, problem)
}

/// What a page says of itself.
#[derive(Debug, Default, PartialEq, Eq)]
struct PageHeader {
    unpacked: u64,
    packed: u64,
    dictionary_values: u64,
    /// Number of bytes of the header.
    length: u64,
}

impl PageHeader {
    fn read<R: Read>(mut fields: Compact<io::Take<R>>) -> io::Result<Self> {
        let before = fields.bytes.limit();
        let mut header = Self::default();
        let mut id = 0;
        while let Some(kind) = fields.field(&mut id)? {
            match (id, kind) {
                (2, INTEGER) => header.unpacked = fields.size()?,
                (3, INTEGER) => header.packed = fields.size()?,
                (7, STRUCTURE) => header.dictionary_values = fields.dictionary_values()?,
                _ => fields.skip(kind, DEPTH)?,
            }
        }
        header.length = before - fields.bytes.limit();
        Ok(header)
    }
}

const BYTE: u8 = 3;
const INTEGER: u8 = 5;
const DOUBLE: u8 = 7;
const BINARY: u8 = 8;
const LIST: u8 = 9;
const SET: u8 = 10;
const STRUCTURE: u8 = 12;

/// Reads the compact protocol.
struct Compact<R> {
    bytes: R,
}

impl<R: Read> Compact<io::Take<R>> {
    fn byte(&mut self) -> io::Result<u8> {
        let mut byte = [0];
        self.bytes.read_exact(&mut byte)?;
        Ok(byte[0])
    }

    fn varint(&mut self) -> io::Result<u64> {
        let mut value = 0;
        for shift in (0..64).step_by(7) {
            let byte = self.byte()?;
            value |= u64::from(byte & 0x7f) << shift;
            if byte & 0x80 == 0 {
                return Ok(value);
            }
        }
        Err(damaged("a number is too long"))
    }

    /// An integer that is not negative.
    fn size(&mut self) -> io::Result<u64> {
        let zigzag = self.varint()?;
        if zigzag & 1 == 0 { Ok(zigzag >> 1) } else { Err(damaged("a size is negative")) }
    }

    /// The kind of the next field of a structure, if there is one. `id` becomes the field's.
    fn field(&mut self, id: &mut i64) -> io::Result<Option<u8>> {
        let byte = self.byte()?;
        let (step, kind) = (byte >> 4, byte & 0x0f);
        if kind == 0 {
            return Ok(None);
        }
        *id = match step {
            0 => {
                let zigzag = self.varint()?;
                (zigzag >> 1) as i64 ^ -((zigzag & 1) as i64)
            }
            step => id.saturating_add(step.into()),
        };
        Ok(Some(kind))
    }

    /// The number of values, which is the first field of a dictionary's header.
    fn dictionary_values(&mut self) -> io::Result<u64> {
        let (mut id, mut values) = (0, 0);
        while let Some(kind) = self.field(&mut id)? {
            match (id, kind) {
                (1, INTEGER) => values = self.size()?,
                _ => self.skip(kind, DEPTH)?,
            }
        }
        Ok(values)
    }

    fn skip(&mut self, kind: u8, depth: usize) -> io::Result<()> {
        let depth = depth.checked_sub(1).ok_or_else(|| damaged("structures are nested too deep"))?;
        match kind {
            // The kind of a truth value is its value.
            1 | 2 => Ok(()),
            BYTE => self.pass(1),
            4 | INTEGER | 6 => self.varint().map(|_| ()),
            DOUBLE => self.pass(8),
            BINARY => {
                let length = self.varint()?;
                self.pass(length)
            }
            LIST | SET => {
                let byte = self.byte()?;
                let length = if byte >> 4 == 15 { self.varint()? } else { (byte >> 4).into() };
                let kind = byte & 0x0f;
                // In lists a truth value takes a byte.
                (0..length).try_for_each(|_| if kind <= 2 { self.pass(1) } else { self.skip(kind, depth) })
            }
            STRUCTURE => {
                let mut id = 0;
                while let Some(kind) = self.field(&mut id)? {
                    self.skip(kind, depth)?;
                }
                Ok(())
            }
            _ => Err(damaged("a field is of no known kind")),
        }
    }

    fn pass(&mut self, length: u64) -> io::Result<()> {
        let passed = io::copy(&mut self.bytes.by_ref().take(length), &mut io::sink())?;
        if passed == length { Ok(()) } else { Err(damaged("they are cut off")) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn header(bytes: &[u8]) -> Result<PageHeader, String> {
        PageHeader::read(Compact { bytes: bytes.take(bytes.len() as u64) }).map_err(|error| error.to_string())
    }

    #[test]
    fn sizes_are_found_behind_whatever_else_there_is() {
        // Type 2, 100 bytes unpacked, 60 packed, a dictionary of 12 values in encoding 0, and a list of two texts.
        let bytes =
            [0x15, 4, 0x15, 200, 1, 0x15, 120, 0x4c, 0x15, 24, 0x15, 0, 0, 0x29, 0x28, 1, b'a', 2, b'b', b'c', 0];
        let found = PageHeader { unpacked: 100, packed: 60, dictionary_values: 12, length: bytes.len() as u64 };
        assert_eq!(header(&bytes), Ok(found));
        for end in 0..bytes.len() {
            assert!(header(&bytes[..end]).is_err());
        }
    }

    #[test]
    fn a_page_is_not_counted_more_often_than_it_is_kept() {
        use std::sync::Arc;

        use parquet::data_type::DoubleType;
        use parquet::file::properties::WriterProperties;
        use parquet::file::reader::{FileReader, SerializedFileReader};
        use parquet::file::writer::SerializedFileWriter;
        use parquet::schema::parser::parse_message_type;

        const COLUMNS: u64 = 12;
        const ROWS: u64 = 10_000;
        let fields: String = (0..COLUMNS).map(|c| format!("required double c{c}; ")).collect();
        let schema = Arc::new(parse_message_type(&format!("message table {{ {fields} }}")).unwrap());
        let file = tempfile::tempfile().unwrap();
        let properties = Arc::new(WriterProperties::default());
        let mut writer = SerializedFileWriter::new(file.try_clone().unwrap(), schema, properties).unwrap();
        let mut rows = writer.next_row_group().unwrap();
        while let Some(mut column) = rows.next_column().unwrap() {
            let values: Vec<f64> = (0..ROWS).map(|row| row as f64 / 7.0).collect();
            column.typed::<DoubleType>().write_batch(&values, None, None).unwrap();
            column.close().unwrap();
        }
        rows.close().unwrap();
        writer.close().unwrap();
        let reader = SerializedFileReader::new(file.try_clone().unwrap()).unwrap();
        // The dictionary has all values; the page of values holds at most two bytes of each.
        let table = COLUMNS * ROWS * 8;
        let checked = |most| check_within(&file, reader.metadata(), most);
        assert_eq!(checked(5 * table / 2), Ok(()));
        let error = checked(table).unwrap_err();
        assert!(error.contains("allow more memory"), "{error}");
    }

    #[test]
    fn what_can_not_be_is_refused() {
        for (bytes, message) in [
            (&[0x25, 3][..], "a size is negative"),
            (&[0x18, 0xff, 0xff, 0xff, 0xff, 0x7f], "they are cut off"),
            (&[0x1f], "no known kind"),
            (&[0x1c; 40], "nested too deep"),
            (&[0x25, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff], "too long"),
        ] {
            let error = header(bytes).unwrap_err();
            assert!(error.contains(message), "{error}");
        }
    }
}
