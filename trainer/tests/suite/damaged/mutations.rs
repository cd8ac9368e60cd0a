//! Files that were damaged at random.

use std::fs::{self, File};
use std::io::{Seek, Write};
use std::panic::{self, AssertUnwindSafe, catch_unwind};
use std::path::Path;

use edgemix::data::Source;
use rand::rngs::StdRng;
use rand::{RngExt, SeedableRng};

use super::{limited, seeds};

/// How many files CI reads.
const FEW: u64 = 6000;

#[test]
fn damaged_files_are_refused_or_read() {
    let folder = tempfile::tempdir().unwrap();
    let last = folder.path().join("last").to_str().unwrap().to_owned();
    let count = std::env::var("EDGEMIX_MUTATIONS").unwrap_or_else(|_| FEW.to_string());
    let output =
        limited::run("damaged::mutations::damaged", &[("EDGEMIX_LAST", last.clone()), ("EDGEMIX_MUTATIONS", count)]);
    let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
    let last = fs::read_to_string(last).unwrap_or_default();
    assert!(
        output.status.success(),
        "case {last}: {}\n{}\n{}",
        output.status,
        text(&output.stdout),
        text(&output.stderr)
    );
    println!("{}", text(&output.stdout));
}

/// Reads damaged files, in a limited process.
#[test]
#[ignore = "runs in a process of its own"]
fn damaged() {
    assert!(limited::is_limited(), "it is run by damaged_files_are_refused_or_read");
    let number = |name: &str| std::env::var(name).ok().and_then(|text| text.parse().ok());
    let mut last = std::env::var_os("EDGEMIX_LAST").map(|path| File::create(path).unwrap());
    let count: u64 = number("EDGEMIX_MUTATIONS").unwrap_or(FEW);
    let only: Option<u64> = number("EDGEMIX_CASE");
    if only.is_none() {
        // Those of libraries are caught; EDGEMIX_CASE shows them.
        panic::set_hook(Box::new(|_| {}));
    }
    let seeds = seeds::all();
    let (mut read, mut panicked) = (0, vec![]);
    for case in only.map_or(0..count, |case| case..case + 1) {
        if let Some(last) = &mut last {
            last.rewind().and_then(|()| write!(last, "{case}")).unwrap();
        }
        let (name, bytes) = &seeds[case as usize % seeds.len()];
        let bytes = mutated(bytes, &mut StdRng::seed_from_u64(case));
        let folder = tempfile::tempdir().unwrap();
        fs::write(folder.path().join(name), &bytes).unwrap();
        match catch_unwind(AssertUnwindSafe(|| is_read(folder.path(), name))) {
            Ok(is_read) => read += u64::from(is_read),
            Err(_) => panicked.push(case),
        }
    }
    drop(panic::take_hook());
    println!("{read} of {count} damaged files were read; peak {} MiB of address space", limited::peak() >> 20);
    assert!(panicked.is_empty(), "EDGEMIX_CASE={panicked:?} panicked");
}

/// Whether a file is read: as training reads it, with columns of labels or without.
fn is_read(folder: &Path, name: &str) -> bool {
    let is_image = ["png", "jpg", "bmp", "tif", "webp"].iter().any(|ending| name.ends_with(ending));
    let path = if is_image { folder.to_owned() } else { folder.join(name) };
    let has_labels = name.ends_with("parquet") || name.contains("csv");
    let label_column = has_labels.then(|| "kind".to_owned());
    let source = Source { label_column, ..Source::new(path.to_str().unwrap()) };
    let plain = Source { label_column: None, ..source.clone() };
    [source, plain].iter().any(|source| source.read_within(limited::MEMORY).is_ok())
}

/// A file with up to four damages, and with the checksums that a reader would refuse it for mended.
fn mutated(bytes: &[u8], random: &mut StdRng) -> Vec<u8> {
    let mut bytes = bytes.to_vec();
    for _ in 0..random.random_range(1..=4) {
        damage(&mut bytes, random);
    }
    mend(&mut bytes);
    bytes
}

fn damage(bytes: &mut Vec<u8>, random: &mut StdRng) {
    let n = bytes.len();
    if n == 0 {
        return;
    }
    let at = random.random_range(0..n);
    let length = random.random_range(1..=16.min(n - at));
    match random.random_range(0..8) {
        0 => bytes[at] ^= 1 << random.random_range(0..8),
        1 => bytes[at] = random.random(),
        2 => bytes[at] = [0, 1, 0x7f, 0x80, 0xff, b',', b'"', b'\n'][random.random_range(0..8usize)],
        3 => bytes.truncate(at),
        4 => drop(bytes.drain(at..at + length)),
        5 => {
            let copy = bytes[at..at + length].to_vec();
            bytes.splice(at..at, copy);
        }
        6 => {
            let number: u32 =
                [0, 1, u32::MAX, i32::MAX as u32, 1 << 16, 1 << 24, 1 << 30][random.random_range(0..7usize)];
            let number = if random.random() { number.to_le_bytes() } else { number.to_be_bytes() };
            bytes.iter_mut().skip(at).zip(number).for_each(|(byte, new)| *byte = new);
        }
        _ => {
            // A long number of the variable length that Parquet's headers have.
            let number = [0xff, 0xff, 0xff, 0xff, random.random_range(0..16)];
            bytes.iter_mut().skip(at).zip(number).for_each(|(byte, new)| *byte = new);
        }
    }
}

/// Corrects the checksums of a PNG's chunks.
fn mend(bytes: &mut [u8]) {
    if !bytes.starts_with(b"\x89PNG\r\n\x1a\n") {
        return;
    }
    let mut at = 8;
    while let Some(length) = bytes.get(at..at + 4) {
        let length = u32::from_be_bytes(length.try_into().unwrap()) as usize;
        let end = at.saturating_add(8).saturating_add(length);
        let Some(contents) = bytes.get(at + 4..end) else { break };
        let mut sum = flate2::Crc::new();
        sum.update(contents);
        let sum = sum.sum().to_be_bytes();
        let Some(place) = bytes.get_mut(end..end + 4) else { break };
        place.copy_from_slice(&sum);
        at = end + 4;
    }
}
