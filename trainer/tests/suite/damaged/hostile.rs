//! Small files that claim or hold much.

use std::fs;
use std::io::Write;
use std::path::Path;
use std::sync::Arc;

use edgemix::data::Source;
use flate2::Compression;
use flate2::write::GzEncoder;
use image::{DynamicImage, GrayImage};
use parquet::basic::Compression as Packing;
use parquet::data_type::DoubleType;
use parquet::file::properties::{EnabledStatistics, WriterProperties};
use parquet::file::writer::SerializedFileWriter;
use parquet::schema::parser::parse_message_type;

use super::limited;

/// Each file, and what is said about it.
const CASES: [(&str, &str); 9] = [
    ("line.csv.gz", "line 1 is longer than 4 MiB"),
    ("quote.csv", "line 2 is longer than 4 MiB: break it, or close the quotation mark"),
    ("commas.csv", "line 1 has 1048577 fields: expected at most 131072"),
    ("wide.csv", "a sample has 70000 features: a model takes at most 65536"),
    ("pictures", "its size is 8000 x 8000, and a model takes at most 65536 values"),
    ("header.npy", "its header has 3221225472 bytes: expected at most 1048576"),
    ("header.npz", "its header has 3221225472 bytes: expected at most 1048576"),
    ("page.parquet", "one page of each of its columns takes 152 MiB, and 128 may be used: allow more memory, or"),
    ("labels.csv", "are too many or too long to be labels or groups"),
];

#[test]
fn small_files_that_hold_much_take_little_memory() {
    let folder = tempfile::tempdir().unwrap();
    write(folder.path());
    let variables = [("EDGEMIX_FOLDER", folder.path().to_str().unwrap().to_owned())];
    let output = limited::run("damaged::hostile::hostile", &variables);
    let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
    assert!(output.status.success(), "{}\n{}\n{}", output.status, text(&output.stdout), text(&output.stderr));
    println!("{}", text(&output.stdout));
}

/// Reads the files, in a limited process.
#[test]
#[ignore = "runs in a process of its own"]
fn hostile() {
    assert!(limited::is_limited(), "it is run by small_files_that_hold_much_take_little_memory");
    let folder = std::env::var("EDGEMIX_FOLDER").unwrap();
    for (name, expected) in CASES {
        let label_column = (name == "labels.csv").then(|| "1".to_owned());
        let source = Source { label_column, ..Source::new(Path::new(&folder).join(name).to_str().unwrap()) };
        let error = source.read_within(limited::MEMORY).unwrap_err().to_string();
        assert!(error.contains(expected), "{name}: {}", error.chars().take(1000).collect::<String>());
        println!("{name}: peak {} MiB of address space so far", limited::peak() >> 20);
    }
}

fn write(folder: &Path) {
    let write = |name: &str, bytes: &[u8]| fs::write(folder.join(name), bytes).unwrap();
    let mut gzip = GzEncoder::new(vec![], Compression::fast());
    (0..400).for_each(|_| gzip.write_all(&[b'1'; 1 << 20]).unwrap());
    write("line.csv.gz", &gzip.finish().unwrap());
    write("quote.csv", format!("a,b\n\"1,2\n{}", "3,4\n".repeat(2 << 20)).as_bytes());
    write("commas.csv", &[b','; 1 << 20]);
    write("wide.csv", format!("{}\n", vec!["1.5"; 70_000].join(",")).repeat(3).as_bytes());
    fs::create_dir(folder.join("pictures")).unwrap();
    let picture = DynamicImage::ImageLuma8(GrayImage::new(8000, 8000));
    picture.save(folder.join("pictures/0.png")).unwrap();
    for i in 1..24 {
        fs::hard_link(folder.join("pictures/0.png"), folder.join(format!("pictures/{i}.png"))).unwrap();
    }
    let header = b"\x93NUMPY\x02\x00\x00\x00\x00\xc0{";
    write("header.npy", header);
    let mut archive = zip::ZipWriter::new(fs::File::create(folder.join("header.npz")).unwrap());
    archive.start_file("x.npy", zip::write::SimpleFileOptions::default()).unwrap();
    archive.write_all(header).unwrap();
    (0..100).for_each(|_| archive.write_all(&[b' '; 1 << 20]).unwrap());
    archive.finish().unwrap();
    write("page.parquet", &page(20_000_000));
    let text = "x".repeat(1 << 20);
    let mut labels = std::io::BufWriter::new(fs::File::create(folder.join("labels.csv")).unwrap());
    (0..100).for_each(|i| writeln!(labels, "{i}.5,{i}{text}").unwrap());
}

/// A column of so many zeros in a single page, packed.
fn page(n: usize) -> Vec<u8> {
    let schema = Arc::new(parse_message_type("message table { required double x; }").unwrap());
    let properties = WriterProperties::builder()
        .set_compression(Packing::ZSTD(Default::default()))
        .set_dictionary_enabled(false)
        .set_statistics_enabled(EnabledStatistics::None)
        .set_data_page_size_limit(usize::MAX)
        .set_data_page_row_count_limit(usize::MAX)
        .set_write_batch_size(n)
        .build();
    let mut writer = SerializedFileWriter::new(vec![], schema, Arc::new(properties)).unwrap();
    let mut rows = writer.next_row_group().unwrap();
    let mut column = rows.next_column().unwrap().unwrap();
    column.typed::<DoubleType>().write_batch(&vec![0.0; n], None, None).unwrap();
    column.close().unwrap();
    rows.close().unwrap();
    writer.into_inner().unwrap()
}
