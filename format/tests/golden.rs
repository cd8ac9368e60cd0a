//! Committed files of version 1: the writer still gives these bytes, the reader still reads them, and `docs/FORMAT.md`
//! says where things stand in them.

use edgemix_format::File;
use edgemix_format::header::HEADER_LEN;
use edgemix_format::testing::{Convolution, Follow, HeadSpec, ImageLayer, PoolingSpec, Spec};
use edgemix_format::view::{Covariance, FramePooling, Pooling, Statistics};
use edgemix_format::write::{AlignedBytes, FilterSettings, SpectrumSettings, Taper};
use std::collections::HashMap;
use std::path::Path;

const SPECIFICATION: &str = include_str!("../../docs/FORMAT.md");

/// Name, bytes and the numbers they were made of.
fn golden() -> [(&'static str, &'static [u8], Spec); 12] {
    let deep = vec![(7, Follow::Relu), (6, Follow::LeakyRelu), (5, Follow::Table), (3, Follow::Identity)];
    [
        ("full", include_bytes!("golden/full.emx"), Spec { input: 8, layers: deep, seed: 1, ..Spec::default() }),
        (
            "diagonal",
            include_bytes!("golden/diagonal.emx"),
            Spec {
                channels: 3,
                layers: vec![],
                head: HeadSpec::Mixture(Covariance::Diagonal),
                calibration: 0,
                seed: 2,
                ..Spec::default()
            },
        ),
        (
            "spherical",
            include_bytes!("golden/spherical.emx"),
            Spec { head: HeadSpec::Mixture(Covariance::Spherical), seed: 8, ..Spec::default() },
        ),
        (
            "softmax",
            include_bytes!("golden/softmax.emx"),
            Spec { layers: vec![(4, Follow::LeakyRelu)], head: HeadSpec::Softmax, seed: 4, ..Spec::default() },
        ),
        ("convolution", include_bytes!("golden/convolution.emx"), convolution()),
        (
            "autoencoders",
            include_bytes!("golden/autoencoders.emx"),
            Spec {
                input: 10,
                channels: 2,
                layers: vec![],
                head: HeadSpec::Autoencoders { latent: 3, is_variational: true },
                components: 4,
                seed: 8,
                ..Spec::default()
            },
        ),
        ("pooling", include_bytes!("golden/pooling.emx"), pooling()),
        ("filter", include_bytes!("golden/filter.emx"), filter()),
        ("spectrum", include_bytes!("golden/spectrum.emx"), spectrum()),
        ("held-out", include_bytes!("golden/held-out.emx"), Spec { held_out: 2, seed: 7, ..Spec::default() }),
        (
            "levels",
            include_bytes!("golden/levels.emx"),
            Spec { components: 7, clusters: 6, levels: vec![3, 2], seed: 31, ..Spec::default() },
        ),
        (
            "transitions",
            include_bytes!("golden/transitions.emx"),
            Spec { held_out: 1, transitions: true, seed: 25, ..Spec::default() },
        ),
    ]
}

/// DEPICT's encoder, small, with every padding of its own.
fn convolution() -> Spec {
    let first =
        Convolution { filters: 3, kernel: [3, 2], stride: [2, 1], padding: [1, 1, 2, 0], follow: Follow::LeakyRelu };
    let second = Convolution { filters: 4, kernel: [2, 3], stride: [1, 2], padding: [0; 4], follow: Follow::Table };
    Spec {
        input: 60,
        image: [5, 6, 2],
        channels: 2,
        image_layers: [first, second].map(ImageLayer::Convolution).to_vec(),
        layers: vec![(4, Follow::Interpolated)],
        head: HeadSpec::Softmax,
        seed: 5,
        ..Spec::default()
    }
}

/// A convolution between a maximum with padding and an average.
fn pooling() -> Spec {
    let max = PoolingSpec { pooling: Pooling::Max, kernel: [3, 2], stride: [1, 2], padding: [1, 0, 2, 1] };
    let middle = Convolution { filters: 3, kernel: [2; 2], stride: [1; 2], padding: [0; 4], follow: Follow::Relu };
    let average = PoolingSpec { pooling: Pooling::Average, kernel: [2, 1], stride: [2, 1], padding: [0; 4] };
    Spec {
        input: 60,
        image: [5, 6, 2],
        channels: 2,
        image_layers: vec![ImageLayer::Pooling(max), ImageLayer::Convolution(middle), ImageLayer::Pooling(average)],
        layers: vec![(4, Follow::Identity)],
        seed: 14,
        ..Spec::default()
    }
}

/// Three frames of a transform that is longer than they are; every statistic; a magnitude.
fn spectrum() -> Spec {
    let spectrum = SpectrumSettings {
        instants: 24,
        channels: 2,
        fft: 16,
        frame: 14,
        hop: 5,
        taper: Taper::Hann,
        pooling: FramePooling::Mean,
        statistics: Statistics::ALL,
        mean_fraction: 3,
        noise: 1.0 / 12.0,
        signals: vec![1, 2, 3],
        edges: vec![0, 1, 3, 6, 9],
    };
    Spec { spectrum: Some(spectrum), input: 27, channels: 27, seed: 20, ..Spec::default() }
}

/// A low pass and a high pass before the same spectrum: of 49 instants, every second one but for the last.
fn filter() -> Spec {
    let low = [220_000_000, 440_000_000, 220_000_000, 400_000_000, -206_258_176];
    let high = [900_000_000, -1_800_000_000, 900_000_000, 1_700_000_000, -750_000_000];
    let filter = FilterSettings { instants: 49, channels: 2, factor: 2, sections: vec![low, high] };
    Spec { filter: Some(filter), seed: 21, ..spectrum() }
}

#[test]
fn the_writer_gives_the_committed_bytes() {
    for (name, bytes, spec) in golden() {
        assert!(*spec.build().unwrap() == *bytes, "{name}.emx: the format changed, or the generator");
    }
}

/// `cargo test -p edgemix-format --test golden -- --ignored`: when the generator changes. The bytes of a released
/// version stay.
#[test]
#[ignore = "overwrites the committed files"]
fn write_the_golden_files() {
    for (name, _, spec) in golden() {
        let path = Path::new(env!("CARGO_MANIFEST_DIR")).join(format!("tests/golden/{name}.emx"));
        std::fs::write(path, &*spec.build().unwrap()).unwrap();
    }
}

/// The specification's header table: field to offset and number of bytes.
fn table() -> HashMap<&'static str, (usize, usize)> {
    let section = SPECIFICATION.split("## Header").nth(1).expect("no section on the header");
    let section = section.split("\n## ").next().unwrap();
    let rows = section.lines().filter_map(|line| {
        let cells: Vec<_> = line.split('|').map(str::trim).collect();
        let [_, offset, bytes, name, ..] = cells[..] else { return None };
        Some((name.trim_matches('`'), (offset.parse().ok()?, bytes.parse().ok()?)))
    });
    rows.collect()
}

fn field(bytes: &[u8], place: (usize, usize)) -> u64 {
    bytes[place.0..place.0 + place.1].iter().rev().fold(0, |value, &byte| value << 8 | u64::from(byte))
}

#[test]
fn the_specification_says_where_the_fields_stand() {
    let table = table();
    assert_eq!(table.len(), 15);
    assert_eq!(table.values().map(|(_, bytes)| bytes).sum::<usize>(), HEADER_LEN, "fields that overlap, or a gap");
    for (name, bytes, _) in golden() {
        let aligned = AlignedBytes::from(bytes);
        let header = File::from_bytes(&aligned).unwrap().header;
        let expected = [
            ("magic", u64::from(u32::from_le_bytes(*b"EMIX"))),
            ("major", 1),
            ("minor", u64::from(name == "transitions")),
            ("total_len", bytes.len() as u64),
            ("crc", u64::from(header.crc)),
            ("description_len", header.description_len.into()),
            ("blob_offset", header.blob_offset.into()),
            ("blob_len", header.blob_len.into()),
            ("arena_len", header.arena_len.into()),
            ("macs", header.macs),
            ("input_len", header.input_len.into()),
            ("latent_len", header.latent_len.into()),
            ("n_components", header.n_components.into()),
            ("n_clusters", header.n_clusters.into()),
            ("reserved", 0),
        ];
        for (what, value) in expected {
            assert_eq!(field(bytes, table[what]), value, "{what} of {name}.emx");
        }
    }
}

/// The checksum as the specification defines it, bit by bit.
#[test]
fn the_specification_defines_the_checksum() {
    let (start, len) = table()["crc"];
    for (name, bytes, _) in golden() {
        let mut crc = u32::MAX;
        for &byte in bytes[..start].iter().chain(&bytes[start + len..]) {
            crc ^= u32::from(byte);
            for _ in 0..8 {
                crc = if crc & 1 == 1 { crc >> 1 ^ 0xedb8_8320 } else { crc >> 1 };
            }
        }
        assert_eq!(field(bytes, (start, len)), u64::from(!crc), "{name}.emx");
    }
}
