//! Signed models: `docs/FORMAT.md` says where things stand in the trailer.

use edgemix_format::signature::{SignatureError, TRAILER_LEN, Trust, public_key, sign, verify};
use edgemix_format::testing::Spec;
use edgemix_format::write::AlignedBytes;
use edgemix_format::{File, Limits, LoadError};

const SPECIFICATION: &str = include_str!("../../docs/FORMAT.md");
const SECRET: [u8; 32] = [7; 32];

/// Offset, bytes and name of the fields of the specification's table.
fn fields() -> Vec<(usize, usize, &'static str)> {
    let section = SPECIFICATION.split("## Signature").nth(1).expect("no section on the signature");
    let section = section.split("\n## ").next().unwrap();
    let field = |line: &'static str| {
        let cells: Vec<_> = line.split('|').map(str::trim).collect();
        let [_, offset, bytes, name, ..] = cells[..] else { return None };
        Some((offset.parse().ok()?, bytes.parse().ok()?, name))
    };
    section.lines().filter_map(field).collect()
}

#[test]
fn the_specification_says_where_the_fields_stand() {
    let model = Spec::default().build().unwrap();
    let signed = sign(&model, &SECRET, 0x0102_0304).unwrap();
    let (start, trailer) = signed.split_at(model.len());
    assert_eq!(start, &*model);
    let mut end = 0;
    for (offset, bytes, name) in fields() {
        assert_eq!(offset, end, "fields that overlap, or a gap");
        end = offset + bytes;
        let field = &trailer[offset..end];
        match name {
            "magic" => assert_eq!(field, b"EMXS"),
            "version" => assert_eq!(field, [1, 0]),
            "counter" => assert_eq!(field, [4, 3, 2, 1]),
            "reserved" => assert!(field.iter().all(|&byte| byte == 0)),
            "signature" => assert_eq!(field.len(), 64),
            other => panic!("{other}"),
        }
    }
    assert_eq!((end, trailer.len()), (TRAILER_LEN, TRAILER_LEN));
}

#[test]
fn a_trailer_that_is_not_whole_is_none() {
    let model = Spec::default().build().unwrap();
    let signed = sign(&model, &SECRET, 3).unwrap();
    let key = public_key(&SECRET);
    let trust = Trust { key: &key, least_counter: 0, limits: Limits::NONE };
    for len in model.len()..signed.len() {
        assert_eq!(verify(&signed[..len], &trust), Err(SignatureError::NotSigned), "{len}");
    }
    let needed = model.len();
    let short = SignatureError::Load(LoadError::TooShort { needed, given: needed - 1 });
    assert_eq!(verify(&signed[..needed - 1], &trust), Err(short));
    // In a flash partition, other bytes follow.
    let longer = AlignedBytes::from(&[&signed[..], &[0xff; 100]].concat()[..]);
    assert_eq!(verify(&longer, &trust), Ok(3));
    assert!(File::from_bytes(&longer).is_ok());
}

#[test]
fn signing_again_replaces_the_trailer() {
    let signed = sign(&Spec::default().build().unwrap(), &SECRET, 3).unwrap();
    let again = sign(&signed, &[8; 32], 4).unwrap();
    assert_eq!(again.len(), signed.len());
    let key = public_key(&[8; 32]);
    assert_eq!(verify(&again, &Trust { key: &key, least_counter: 4, limits: Limits::NONE }), Ok(4));
}
