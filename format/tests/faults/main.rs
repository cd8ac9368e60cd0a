//! One crafted file for every reason to refuse one, each with a right checksum.

use edgemix_format::description::{
    ActivationRecord, AutoencodersRecord, CalibrationRecord, Conv2dRecord, DenseRecord, Description, HeadRecord,
    HeldOutRecord, LayerRecord, MixtureRecord, Pool2d, Pooling, QuantileTableRecord, TransitionsRecord,
};
use edgemix_format::header::{CRC_OFFSET, HEADER_LEN, MINOR};
use edgemix_format::testing::{Convolution, Follow, HeadSpec, ImageLayer, PoolingSpec, Spec};
use edgemix_format::view::Covariance;
use edgemix_format::write::{AlignedBytes, WriteError, mend, write};
use edgemix_format::{Fault, File, LoadError, Tensor};

mod encoder;
mod filter;
mod front_ends;
mod heads;

fn spec() -> Spec {
    let layers = vec![(5, Follow::LeakyRelu), (5, Follow::Table), (3, Follow::Identity)];
    Spec { input: 6, channels: 2, layers, ..Spec::default() }
}

fn with_head(head: HeadSpec) -> Spec {
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

fn dense<'a>(description: &'a mut Description, index: usize) -> &'a mut DenseRecord {
    let LayerRecord::Dense(dense) = &mut description.encoder[index] else { panic!("not dense") };
    dense
}

fn conv2d<'a>(description: &'a mut Description) -> &'a mut Conv2dRecord {
    let LayerRecord::Conv2d(layer) = &mut description.encoder[0] else { panic!("not a convolution") };
    layer
}

fn dense_of(description: &Description, index: usize) -> DenseRecord {
    dense(&mut description.clone(), index).clone()
}

fn mixture<'a>(description: &'a mut Description) -> &'a mut MixtureRecord {
    let HeadRecord::Mixture(mixture) = &mut description.head else { panic!("not a mixture") };
    mixture
}

fn mixture_of(description: &Description) -> MixtureRecord {
    *mixture(&mut description.clone())
}

fn table<'a>(description: &'a mut Description) -> &'a mut QuantileTableRecord {
    let CalibrationRecord::Marginal(table) = &mut description.calibration else { panic!("no table") };
    table
}

#[test]
fn header() {
    assert_eq!(load(b"EMIX"), LoadError::TooShort { needed: HEADER_LEN, given: 4 });
    assert_eq!(load(&patched(0, b"EMIY")), LoadError::Magic);
    assert_eq!(load(&patched(4, &[2, 0])), LoadError::Major { file: 2, reader: 1 });
    assert_eq!(load(&patched(4, &[0, 0])), LoadError::Major { file: 0, reader: 1 });

    let len = spec().build().unwrap().len();
    let longer = len as u32 + 16;
    assert_eq!(load(&patched(8, &longer.to_le_bytes())), LoadError::TooShort { needed: longer as usize, given: len });
    // Each length one step too small or too large for the others.
    let valid = spec().build().unwrap();
    let header = File::from_bytes(&valid).unwrap().header;
    let gap = header.blob_offset - HEADER_LEN as u32;
    let wrong = [
        (8, header.total_len - 1),
        (8, HEADER_LEN as u32),
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
        assert_eq!(load(&patched(offset, &value.to_le_bytes())), LoadError::Lengths, "{value} at {offset}");
    }
    // Lengths that add up, and a blob that does not start at a multiple of 16.
    let mut moved = patched(20, &(header.blob_offset + 8).to_le_bytes());
    moved.as_mut()[24..28].copy_from_slice(&(header.blob_len - 8).to_le_bytes());
    mend(moved.as_mut());
    assert_eq!(load(&moved), LoadError::Lengths);
    for reserved in 50..HEADER_LEN {
        assert_eq!(load(&patched(reserved, &[1])), LoadError::Reserved);
    }
    // Input length, latent length, components and clusters: the description says otherwise.
    for offset in [40, 44, 46, 48] {
        assert_eq!(load(&patched(offset, &[99])), LoadError::Counts, "at {offset}");
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
fn costs() {
    let valid = spec().build().unwrap();
    let computed = edgemix_format::arena_len(&valid);
    assert_eq!(load(&patched(28, &[4, 0, 0, 0])), LoadError::Arena { stored: 4, computed });
    let computed = edgemix_format::macs(&valid);
    // Six elements; 6 x 5 and 5 x 5 and 5 x 3 weights; five components of six coefficients and three squares each.
    assert_eq!(computed, 6 + 30 + 25 + 15 + 5 * (6 + 3));
    assert_eq!(load(&patched(32, &[7, 0])), LoadError::Macs { stored: 7, computed });
    assert_eq!(load(&patched(39, &[1])), LoadError::Macs { stored: computed + (1 << 56), computed });
}

#[test]
fn description_that_does_not_decode() {
    let malformed = LoadError::Description(Fault::Malformed);
    // A name longer than the description, and one that is not UTF-8.
    assert_eq!(load(&patched(HEADER_LEN, &[0xff, 0x7f])), malformed);
    assert_eq!(load(&patched(HEADER_LEN + 1, &[0xff])), malformed);
    // A later minor version's file whose name this one cannot read either.
    let mut bytes = patched(6, &[7]);
    bytes.as_mut()[HEADER_LEN + 1] = 0xff;
    mend(bytes.as_mut());
    assert_eq!(load(&bytes), malformed);
}

/// Numbers of variants that no part has, and more front ends than a model may have.
#[test]
fn unknown_variants() {
    let fingerprint = 1 + "generated".len() + 1 + "testing".len() + 16 + 1 + 1 + "0.0.0".len();
    // The sample: two lengths, and two tensors of an offset and a length.
    let at = HEADER_LEN + fingerprint + 6;
    let unknown = Fault::UnknownVariant;
    // The number of the first variant is then the input's length, 6.
    assert_eq!(load(&patched(at, &[1])), LoadError::FrontEnds(unknown));
    for n_front_ends in [3, 5, 127] {
        assert_eq!(load(&patched(at, &[n_front_ends])), LoadError::FrontEnds(Fault::FrontEndCount));
    }
    let valid = spec().build().unwrap();
    let header = File::from_bytes(&valid).unwrap().header;
    let mut seen = vec![];
    for place in at..HEADER_LEN + header.description_len as usize {
        let mut bytes = valid.clone();
        bytes.as_mut()[place] = 99;
        mend(bytes.as_mut());
        match File::from_bytes(&bytes).err() {
            Some(error @ (LoadError::Layer { fault, .. } | LoadError::Head(fault) | LoadError::Calibration(fault)))
                if fault == unknown =>
            {
                seen.push(error);
            }
            _ => {}
        }
    }
    // Several bytes of a part lead to the same fault.
    seen.dedup();
    let layers = (0..3).map(|index| LoadError::Layer { index, fault: unknown });
    let expected: Vec<_> = layers.chain([LoadError::Head(unknown), LoadError::Calibration(unknown)]).collect();
    assert_eq!(seen, expected);
}

#[test]
fn trailing_fields_are_those_of_a_later_minor_version() {
    // A spec whose description leaves padding before the blob: claim one byte of it.
    let (bytes, described) = (0..64)
        .find_map(|seed| {
            let bytes = Spec { calibration: (seed % 20) as u16 * 9, seed, ..spec() }.build().unwrap();
            let header = File::from_bytes(&bytes).unwrap().header;
            let end = HEADER_LEN as u32 + header.description_len;
            (end < header.blob_offset).then_some((bytes.clone(), header.description_len))
        })
        .unwrap();
    let mut later = bytes;
    later.as_mut()[16..20].copy_from_slice(&(described + 1).to_le_bytes());
    mend(later.as_mut());
    assert_eq!(load(&later), LoadError::TrailingBytes);
    later.as_mut()[6] = MINOR as u8 + 1;
    mend(later.as_mut());
    assert!(File::from_bytes(&later).is_ok());
}

#[test]
fn sample() {
    let faults = |fault| LoadError::Sample(fault);
    let spec = spec();
    assert_eq!(described(&spec, |d| d.sample.len = 0), faults(Fault::Size));
    assert_eq!(described(&spec, |d| d.sample.len = 65538), faults(Fault::Size));
    assert_eq!(described(&spec, |d| d.sample.channels = 0), faults(Fault::Channels));
    assert_eq!(described(&spec, |d| d.sample.channels = 4), faults(Fault::Channels));
    assert_eq!(described(&spec, |d| d.sample.origin.len = 3), faults(Fault::TensorLength));
    assert_eq!(described(&spec, |d| d.sample.count.len = 1), faults(Fault::TensorLength));
    assert_eq!(described(&spec, |d| d.sample.origin.offset += 4), faults(Fault::TensorAlignment));
    assert_eq!(described(&spec, |d| d.sample.origin.offset = u32::MAX - 15), faults(Fault::TensorOutside));
    assert_eq!(element(&spec, |d| d.sample.origin, 1, f32::NAN), faults(Fault::NotFinite));
    for count in [0.0, -1.0, f32::NAN, f32::INFINITY] {
        assert_eq!(element(&spec, |d| d.sample.count, 1, count), faults(Fault::Scale));
    }
}

#[test]
fn input() {
    let faults = |fault| LoadError::Input(fault);
    let spec = spec();
    assert_eq!(described(&spec, |d| d.input.len = 0), faults(Fault::Size));
    assert_eq!(described(&spec, |d| d.input.len = 65538), faults(Fault::Size));
    assert_eq!(described(&spec, |d| d.input.len /= 2), faults(Fault::Inputs));
    assert_eq!(described(&spec, |d| d.input.channels = 0), faults(Fault::Channels));
    assert_eq!(described(&spec, |d| d.input.channels = 4), faults(Fault::Channels));
    assert_eq!(described(&spec, |d| d.input.center.len = 3), faults(Fault::TensorLength));
    assert_eq!(element(&spec, |d| d.input.center, 1, (1 << 30) + 1), faults(Fault::Center));
    assert_eq!(element(&spec, |d| d.input.center, 1, i32::MIN), faults(Fault::Center));
    assert_eq!(element(&spec, |d| d.input.multiplier, 0, -1), faults(Fault::Multiplier));
    for shift in [0u8, 63] {
        assert_eq!(element(&spec, |d| d.input.shift, 1, shift), faults(Fault::Shift));
    }
}
