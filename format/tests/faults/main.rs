//! One crafted file for every reason to refuse one, each with a right checksum.

use edgemix_format::description::{
    self, Activation, Autoencoders, Calibration, Conv2d, Dense, Description, Head, Layer, Mixture,
};
use edgemix_format::header::CRC_OFFSET;
use edgemix_format::testing::{Convolution, Follow, Kind, Spec};
use edgemix_format::view::Covariance;
use edgemix_format::write::{AlignedBytes, WriteError, mend, write};
use edgemix_format::{Fault, File, LoadError, Tensor};

mod encoder;
mod heads;

fn spec() -> Spec {
    let layers = vec![(5, Follow::LeakyRelu), (5, Follow::Table), (3, Follow::Identity)];
    Spec { input: 6, channels: 2, layers, ..Spec::default() }
}

fn with_head(head: Kind) -> Spec {
    Spec { head, ..spec() }
}

fn load(bytes: &[u8]) -> LoadError {
    File::from_bytes(bytes).expect_err("a crafted fault was not found")
}

/// A file with other bytes at an offset, mended.
fn patched(offset: usize, with: &[u8]) -> AlignedBytes {
    let mut bytes = spec().build().unwrap();
    bytes.as_mut()[offset..offset + with.len()].copy_from_slice(with);
    mend(bytes.as_mut());
    bytes
}

/// A file whose description was altered.
fn described(spec: &Spec, alter: impl FnOnce(&mut Description)) -> LoadError {
    let (mut description, blob) = spec.parts();
    alter(&mut description);
    match write(&description, &blob) {
        Err(WriteError::Refused(error)) => error,
        other => panic!("not refused: {other:?}"),
    }
}

/// A file with another element in a tensor is refused.
fn element<T>(
    spec: &Spec,
    tensor: impl FnOnce(&Description) -> Tensor<T>,
    index: usize,
    value: impl Into<Value>,
) -> LoadError {
    load(&edited(spec, tensor, index, value))
}

/// A file with another element in a tensor.
fn edited<T>(
    spec: &Spec,
    tensor: impl FnOnce(&Description) -> Tensor<T>,
    index: usize,
    value: impl Into<Value>,
) -> AlignedBytes {
    let (description, _) = spec.parts();
    let mut bytes = spec.build().unwrap();
    let blob = File::from_bytes(&bytes).unwrap().header.blob_offset as usize;
    let Value(value) = value.into();
    let at = blob + tensor(&description).offset as usize + index * value.len();
    bytes.as_mut()[at..at + value.len()].copy_from_slice(&value);
    mend(bytes.as_mut());
    bytes
}

/// An element's bytes.
struct Value(Vec<u8>);

macro_rules! value {
    ($($number:ty)*) => {$(
        impl From<$number> for Value {
            fn from(number: $number) -> Self {
                Self(number.to_le_bytes().to_vec())
            }
        }
    )*};
}
value!(u8 u16 i32 f32);

fn dense<'a>(description: &'a mut Description, index: usize) -> &'a mut Dense {
    let Layer::Dense(dense) = &mut description.encoder[index] else { panic!("not dense") };
    dense
}

fn conv2d<'a>(description: &'a mut Description) -> &'a mut Conv2d {
    let Layer::Conv2d(layer) = &mut description.encoder[0] else { panic!("not a convolution") };
    layer
}

fn dense_of(description: &Description, index: usize) -> Dense {
    dense(&mut description.clone(), index).clone()
}

fn mixture<'a>(description: &'a mut Description) -> &'a mut Mixture {
    let Head::Mixture(mixture) = &mut description.head else { panic!("not a mixture") };
    mixture
}

fn mixture_of(description: &Description) -> Mixture {
    *mixture(&mut description.clone())
}

fn table<'a>(description: &'a mut Description) -> &'a mut description::QuantileTable {
    let Calibration::Marginal(table) = &mut description.calibration else { panic!("no table") };
    table
}

#[test]
fn header() {
    assert_eq!(load(b"EMIX"), LoadError::TooShort { needed: 48, given: 4 });
    assert_eq!(load(&patched(0, b"EMIY")), LoadError::Magic);
    assert_eq!(load(&patched(4, &[2, 0])), LoadError::Major { file: 2, reader: 1 });
    assert_eq!(load(&patched(4, &[0, 0])), LoadError::Major { file: 0, reader: 1 });

    let len = spec().build().unwrap().len();
    let longer = len as u32 + 16;
    assert_eq!(load(&patched(8, &longer.to_le_bytes())), LoadError::TooShort { needed: longer as usize, given: len });
    // Each length one step too small or too large for the others.
    let valid = spec().build().unwrap();
    let header = File::from_bytes(&valid).unwrap().header;
    let gap = header.blob_offset - 48;
    let wrong = [
        (8, header.total_len - 1),
        (8, 48),
        (16, gap + 1),
        (16, u32::MAX),
        (20, header.blob_offset - 16),
        (20, header.blob_offset + 16),
        (20, header.blob_offset + 1),
        (20, u32::MAX - 15),
        (24, header.blob_len - 1),
        (24, header.blob_len + 1),
        (24, u32::MAX),
    ];
    for (offset, value) in wrong {
        assert_eq!(load(&patched(offset, &value.to_le_bytes())), LoadError::Header, "{value} at {offset}");
    }
    // Lengths that add up, and a blob that does not start at a multiple of 16.
    let mut moved = patched(20, &(header.blob_offset + 8).to_le_bytes());
    moved.as_mut()[24..28].copy_from_slice(&(header.blob_len - 8).to_le_bytes());
    mend(moved.as_mut());
    assert_eq!(load(&moved), LoadError::Header);
    for reserved in 42..48 {
        assert_eq!(load(&patched(reserved, &[1])), LoadError::Header);
    }
    // Input length, latent length, components and clusters: the description says otherwise.
    for offset in [32, 36, 38, 40] {
        assert_eq!(load(&patched(offset, &[99])), LoadError::Header, "at {offset}");
    }
}

#[test]
fn checksum() {
    let mut bytes = spec().build().unwrap();
    let computed = edgemix_format::checksum(&bytes).unwrap();
    bytes.as_mut()[CRC_OFFSET] ^= 1;
    assert_eq!(load(&bytes), LoadError::Checksum { stored: computed ^ 1, computed });
}

#[test]
fn arena() {
    let stored = 4;
    let computed = edgemix_format::arena_len(&spec().build().unwrap());
    assert_eq!(load(&patched(28, &[4, 0, 0, 0])), LoadError::Arena { stored, computed });
}

#[test]
fn description_that_does_not_decode() {
    // A name longer than the description, and one that is not UTF-8.
    assert_eq!(load(&patched(48, &[0xff, 0x7f])), LoadError::Description { minor: 0 });
    assert_eq!(load(&patched(49, &[0xff])), LoadError::Description { minor: 0 });
    // A later minor version's file with a part that is not known.
    let mut bytes = patched(6, &[7]);
    bytes.as_mut()[49] = 0xff;
    mend(bytes.as_mut());
    assert_eq!(load(&bytes), LoadError::Description { minor: 7 });
}

#[test]
fn trailing_fields_are_those_of_a_later_minor() {
    // A spec whose description leaves padding before the blob: claim one byte of it.
    let (bytes, described) = (0..64)
        .find_map(|seed| {
            let bytes = Spec { calibration: (seed % 20) as u16 * 9, seed, ..spec() }.build().unwrap();
            let header = File::from_bytes(&bytes).unwrap().header;
            let end = 48 + header.description_len;
            (end < header.blob_offset).then_some((bytes.clone(), header.description_len))
        })
        .unwrap();
    let mut later = bytes;
    later.as_mut()[16..20].copy_from_slice(&(described + 1).to_le_bytes());
    mend(later.as_mut());
    assert_eq!(load(&later), LoadError::Description { minor: 0 });
    for known in 1..=edgemix_format::MINOR {
        later.as_mut()[6] = known as u8;
        mend(later.as_mut());
        assert_eq!(load(&later), LoadError::Description { minor: known });
    }
    later.as_mut()[6] = edgemix_format::MINOR as u8 + 1;
    mend(later.as_mut());
    assert!(File::from_bytes(&later).is_ok());
}

#[test]
fn input() {
    let faults = |fault| LoadError::Input(fault);
    let spec = spec();
    assert_eq!(described(&spec, |d| d.input.len = 0), faults(Fault::Shape));
    assert_eq!(described(&spec, |d| d.input.len = 65538), faults(Fault::Shape));
    assert_eq!(described(&spec, |d| d.input.channels = 0), faults(Fault::Shape));
    assert_eq!(described(&spec, |d| d.input.channels = 4), faults(Fault::Shape));
    assert_eq!(described(&spec, |d| d.input.gain.len = 3), faults(Fault::Shape));
    assert_eq!(described(&spec, |d| d.input.gain.offset += 4), faults(Fault::Tensor));
    assert_eq!(described(&spec, |d| d.input.gain.offset = u32::MAX - 15), faults(Fault::Tensor));
    for count in [0.0, -1.0, f32::NAN, f32::INFINITY] {
        assert_eq!(described(&spec, |d| d.input.count = count), faults(Fault::Scale));
    }
    assert_eq!(element(&spec, |d| d.input.gain, 1, f32::NAN), faults(Fault::Scale));
    assert_eq!(element(&spec, |d| d.input.offset, 0, f32::INFINITY), faults(Fault::Scale));
    assert_eq!(element(&spec, |d| d.input.center, 1, 1 << 26), faults(Fault::Bias));
    assert_eq!(element(&spec, |d| d.input.center, 1, i32::MIN), faults(Fault::Bias));
    assert_eq!(element(&spec, |d| d.input.multiplier, 0, -1), faults(Fault::Requantisation));
    for shift in [0u8, 63] {
        assert_eq!(element(&spec, |d| d.input.shift, 1, shift), faults(Fault::Requantisation));
    }
}
