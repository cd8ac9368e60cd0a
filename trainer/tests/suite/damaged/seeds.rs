//! A small file of every format, to be damaged.

use std::io::{Cursor, Write};
use std::sync::Arc;

use flate2::Compression;
use flate2::write::GzEncoder;
use image::{DynamicImage, ImageBuffer, ImageFormat, Luma, Rgb, Rgba};
use ndarray::{Array2, ShapeBuilder};
use ndarray_npy::{NpzWriter, WriteNpyExt};
use parquet::basic::Compression as Packing;
use parquet::data_type::{ByteArray, ByteArrayType, DoubleType, Int32Type};
use parquet::file::properties::{WriterProperties, WriterVersion};
use parquet::file::writer::SerializedFileWriter;
use parquet::schema::parser::parse_message_type;

/// The name of a file, and its bytes.
pub(crate) type Seed = (&'static str, Vec<u8>);

pub(crate) fn all() -> Vec<Seed> {
    [texts(), arrays(), tables(), images()].concat()
}

fn packed(bytes: &[u8]) -> Vec<u8> {
    let mut gzip = GzEncoder::new(vec![], Compression::fast());
    gzip.write_all(bytes).unwrap();
    gzip.finish().unwrap()
}

fn texts() -> Vec<Seed> {
    let rows: String = (0..8).map(|i| format!("{},{}.5,{},walk\n", i, i * 7 % 5, -i)).collect();
    let plain = format!("# made up\nuser,x,y,kind\n,g,g,\n{rows}");
    let german: String = (0..8).map(|i| format!("{i},5;1.{i}23,25;\"a b\"\n")).collect();
    vec![
        ("x.csv", plain.clone().into_bytes()),
        ("x.csv", german.into_bytes()),
        ("x.txt", rows.replace(',', "  ").into_bytes()),
        ("x.csv", [&[0xff, 0xfe][..], &plain.encode_utf16().flat_map(u16::to_le_bytes).collect::<Vec<u8>>()].concat()),
        ("x.csv.gz", packed(plain.as_bytes())),
    ]
}

fn arrays() -> Vec<Seed> {
    let npy = |array: &dyn Fn(&mut Vec<u8>)| {
        let mut bytes = vec![];
        array(&mut bytes);
        bytes
    };
    let table = Array2::from_shape_fn((6, 3), |(i, j)| (i * 7 % 5 + j) as f32);
    let wide = table.mapv(|x| 1.7e9 + f64::from(x) / 8.0);
    let columns = Array2::from_shape_fn((6, 3).f(), |(i, j)| (i + j) as i16);
    let mut archive = NpzWriter::new_compressed(Cursor::new(vec![]));
    archive.add_array("x", &table).unwrap();
    archive.add_array("y", &ndarray::array![0u8, 1, 0, 1, 0, 1]).unwrap();
    let idx = [&[0, 0, 8, 3, 0, 0, 0, 2, 0, 0, 0, 3, 0, 0, 0, 3][..], &(0..18).collect::<Vec<u8>>()].concat();
    vec![
        ("x.npy", npy(&|bytes| table.write_npy(bytes).unwrap())),
        ("x.npy", npy(&|bytes| wide.write_npy(bytes).unwrap())),
        ("x.npy", npy(&|bytes| columns.write_npy(bytes).unwrap())),
        ("x.npz", archive.finish().unwrap().into_inner()),
        ("x-idx3-ubyte", idx.clone()),
        ("x-idx3-ubyte.gz", packed(&idx)),
    ]
}

fn tables() -> Vec<Seed> {
    let versions = [WriterVersion::PARQUET_1_0, WriterVersion::PARQUET_2_0];
    let packings = [Packing::UNCOMPRESSED, Packing::SNAPPY, Packing::ZSTD(Default::default()), Packing::LZ4_RAW];
    let packings = packings.into_iter().chain([Packing::GZIP(Default::default())]);
    packings.flat_map(|packing| versions.map(|version| ("x.parquet", table(packing, version)))).collect()
}

/// Two row groups of `x int, kind text, y double`, the double of every other row missing unless it is a label.
fn table(packing: Packing, version: WriterVersion) -> Vec<u8> {
    let schema = "message table { required int32 x; required binary kind (STRING); optional double y; }";
    let schema = Arc::new(parse_message_type(schema).unwrap());
    let properties = WriterProperties::builder().set_compression(packing).set_writer_version(version).build();
    let mut writer = SerializedFileWriter::new(vec![], schema, Arc::new(properties)).unwrap();
    for group in 0..2 {
        let mut rows = writer.next_row_group().unwrap();
        let mut column = rows.next_column().unwrap().unwrap();
        let x: Vec<i32> = (0..20).map(|i| i * (group + 1) % 7).collect();
        column.typed::<Int32Type>().write_batch(&x, None, None).unwrap();
        column.close().unwrap();
        let mut column = rows.next_column().unwrap().unwrap();
        let kinds: Vec<ByteArray> = (0..20).map(|i| ["walk", "sit", "stand"][i % 3].into()).collect();
        column.typed::<ByteArrayType>().write_batch(&kinds, None, None).unwrap();
        column.close().unwrap();
        let mut column = rows.next_column().unwrap().unwrap();
        let y: Vec<f64> = (0..20).map(|i| f64::from(i) / 3.0).collect();
        column.typed::<DoubleType>().write_batch(&y, Some(&[1; 20]), None).unwrap();
        column.close().unwrap();
        rows.close().unwrap();
    }
    writer.into_inner().unwrap()
}

fn images() -> Vec<Seed> {
    let grey = DynamicImage::ImageLuma8(ImageBuffer::from_fn(9, 7, |x, y| Luma([(20 * x + y) as u8])));
    let color = DynamicImage::ImageRgb8(ImageBuffer::from_fn(9, 7, |x, y| Rgb([x as u8, 30 * y as u8, 200])));
    let deep = DynamicImage::ImageLuma16(ImageBuffer::from_fn(9, 7, |x, y| Luma([(3000 * x + y) as u16])));
    let icon = DynamicImage::ImageRgba8(ImageBuffer::from_fn(9, 7, |x, y| Rgba([9, 9, 9, (x * y * 4) as u8])));
    let file = |image: &DynamicImage, format| {
        let mut bytes = Cursor::new(vec![]);
        image.write_to(&mut bytes, format).unwrap();
        bytes.into_inner()
    };
    vec![
        ("x.png", file(&grey, ImageFormat::Png)),
        ("x.png", file(&icon, ImageFormat::Png)),
        ("x.png", file(&deep, ImageFormat::Png)),
        ("x.jpg", file(&grey, ImageFormat::Jpeg)),
        ("x.jpg", file(&color, ImageFormat::Jpeg)),
        ("x.bmp", file(&color, ImageFormat::Bmp)),
        ("x.tif", file(&deep, ImageFormat::Tiff)),
        ("x.webp", file(&icon, ImageFormat::WebP)),
    ]
}
