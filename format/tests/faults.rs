//! One crafted file for every reason to refuse one, each with a right checksum.

use edgemix_format::description::{
    self, Activation, Autoencoders, Calibration, Conv2d, Dense, Description, Head, Layer, Mixture,
};
use edgemix_format::header::CRC_OFFSET;
use edgemix_format::testing::{Convolution, Follow, Kind, Spec};
use edgemix_format::view::Covariance;
use edgemix_format::write::{AlignedBytes, WriteError, mend, write};
use edgemix_format::{Fault, File, LoadError, Tensor};

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

#[test]
fn layers() {
    let at = |index, fault| LoadError::Layer { index, fault };
    let spec = spec();
    assert_eq!(described(&spec, |d| dense(d, 0).inputs += 1), at(0, Fault::Shape));
    assert_eq!(described(&spec, |d| dense(d, 1).outputs = 0), at(1, Fault::Shape));
    assert_eq!(described(&spec, |d| dense(d, 1).outputs = 65537), at(1, Fault::Shape));
    assert_eq!(described(&spec, |d| dense(d, 1).weights.len -= 1), at(1, Fault::Shape));
    assert_eq!(described(&spec, |d| dense(d, 2).weights.offset = 1 << 20), at(2, Fault::Tensor));
    assert_eq!(described(&spec, |d| dense(d, 2).output.scale = 0.0), at(2, Fault::Scale));
    assert_eq!(described(&spec, |d| dense(d, 2).output.zero_point = 1), at(2, Fault::Activation));
    assert_eq!(described(&spec, |d| d.encoder.truncate(2)), at(1, Fault::Activation));
    for bias in [1 << 30, -(1 << 30), i32::MIN] {
        assert_eq!(element(&spec, |d| dense_of(d, 1).bias, 4, bias), at(1, Fault::Bias));
    }
    let multiplier = element(&spec, |d| dense_of(d, 0).requantize.multiplier, 0, -1);
    assert_eq!(multiplier, at(0, Fault::Requantisation));
    let slope = |d: &Description| {
        let Activation::LeakyRelu(negative) = dense_of(d, 0).activation else { panic!("not leaky") };
        negative.shift
    };
    assert_eq!(element(&spec, slope, 4, 63u8), at(0, Fault::Requantisation));
    let short = described(&spec, |d| dense(d, 1).activation = Activation::Table(Tensor::new(0, 255)));
    assert_eq!(short, at(1, Fault::Shape));
}

#[test]
fn convolutions() {
    let shape =
        Convolution { filters: 4, kernel: [3, 2], stride: [2, 1], padding: [1, 0, 2, 1], follow: Follow::LeakyRelu };
    let layers = vec![(3, Follow::Interpolated)];
    let spec = Spec { input: 60, channels: 2, image: [5, 6, 2], convolutions: vec![shape], layers, ..Spec::default() };
    let at = |fault| LoadError::Layer { index: 0, fault };
    let altered = |alter: fn(&mut Conv2d)| described(&spec, |d| alter(conv2d(d)));
    assert_eq!(altered(|c| c.height += 1), at(Fault::Shape));
    assert_eq!(altered(|c| (c.height, c.width) = (60, 0)), at(Fault::Shape));
    assert_eq!(altered(|c| c.channels = 0), at(Fault::Shape));
    assert_eq!(altered(|c| c.filters = 0), at(Fault::Shape));
    assert_eq!(altered(|c| c.filters = 3), at(Fault::Shape));
    // 3 x 6 places of 65535 filters, and taps beyond the limit, do not get as far as their tensors.
    assert_eq!(altered(|c| (c.filters, c.weights.offset) = (u16::MAX, 1)), at(Fault::Shape));
    assert_eq!(altered(|c| c.kernel = [255, 255]), at(Fault::Shape));
    for i in 0..2 {
        assert_eq!(described(&spec, |d| conv2d(d).kernel[i] = 0), at(Fault::Shape));
        assert_eq!(described(&spec, |d| conv2d(d).stride[i] = 0), at(Fault::Shape));
    }
    // Places in the padding alone.
    for (i, kernel) in [3, 2, 3, 2].into_iter().enumerate() {
        assert_eq!(described(&spec, |d| conv2d(d).padding[i] = kernel), at(Fault::Shape));
    }
    assert_eq!(altered(|c| c.weights.len -= 1), at(Fault::Shape));
    assert_eq!(altered(|c| c.bias.len += 1), at(Fault::Shape));
    assert_eq!(altered(|c| c.weights.offset = 1 << 20), at(Fault::Tensor));
    assert_eq!(altered(|c| c.output.scale = f32::NAN), at(Fault::Scale));
    assert_eq!(element(&spec, |d| conv2d(&mut d.clone()).bias, 3, 1 << 30), at(Fault::Bias));
    let shift = |d: &Description| conv2d(&mut d.clone()).requantize.shift;
    assert_eq!(element(&spec, shift, 3, 0u8), at(Fault::Requantisation));
    // The next layer takes what the filters give: one column less.
    let narrow = described(&spec, |d| conv2d(d).padding[3] = 0);
    assert_eq!(narrow, LoadError::Layer { index: 1, fault: Fault::Shape });
}

#[test]
fn curves_end_the_encoder_and_stand_nowhere_else() {
    let curve = Tensor::new(0, 257);
    let at = |index, fault| LoadError::Layer { index, fault };
    let error = described(&spec(), |d| dense(d, 1).activation = Activation::Interpolated(curve));
    assert_eq!(error, at(1, Fault::Activation));
    let last = Spec { layers: vec![(3, Follow::Interpolated)], ..Spec::default() };
    assert!(last.build().is_ok());
    assert_eq!(described(&last, |d| dense(d, 0).output.zero_point = 1), at(0, Fault::Activation));
    let short = described(&last, |d| dense(d, 0).activation = Activation::Interpolated(Tensor::new(0, 256)));
    assert_eq!(short, at(0, Fault::Shape));
}

#[test]
fn latent() {
    let spec = spec();
    assert_eq!(described(&spec, |d| d.latent.len = 4), LoadError::Latent(Fault::Shape));
    assert_eq!(described(&spec, |d| d.latent.len = 0), LoadError::Latent(Fault::Shape));
    assert_eq!(described(&spec, |d| d.latent.scale = -0.5), LoadError::Latent(Fault::Scale));
    let wide = Spec { input: 1025, channels: 1, layers: vec![], ..Spec::default() };
    assert_eq!(wide.build(), Err(WriteError::Refused(LoadError::Latent(Fault::Shape))));
}

#[test]
fn heads() {
    let spec = spec();
    assert_eq!(described(&spec, |d| mixture(d).n_components = 0), LoadError::Head(Fault::Shape));
    assert_eq!(described(&spec, |d| mixture(d).n_components = 6), LoadError::Head(Fault::Shape));
    assert_eq!(described(&spec, |d| mixture(d).constants.offset |= 1), LoadError::Head(Fault::Tensor));
    assert_eq!(described(&spec, |d| mixture(d).n_clusters = 0), LoadError::Head(Fault::Cluster));
    assert_eq!(
        described(&spec, |d| mixture(d).n_clusters = 4),
        LoadError::Head(Fault::Cluster),
        "one without component"
    );
    assert_eq!(element(&spec, |d| mixture_of(d).clusters, 4, 3u16), LoadError::Head(Fault::Cluster));
    for shift in [4u8, 41] {
        let error = element(&spec, |d| mixture_of(d).shifts, 14, shift);
        assert_eq!(error, LoadError::Head(Fault::Requantisation));
    }
    for covariance in [Covariance::Spherical, Covariance::Diagonal] {
        let spec = with_head(Kind::Mixture(covariance));
        let error = element(&spec, |d| mixture_of(d).offsets, 14, 1 << 30);
        assert_eq!(error, LoadError::Head(Fault::Bias));
        for shift in [4u8, 32] {
            let error = element(&spec, |d| mixture_of(d).shifts, 4, shift);
            assert_eq!(error, LoadError::Head(Fault::Requantisation));
        }
    }

    let spec = with_head(Kind::Softmax);
    let softmax = |d: &Description| match &d.head {
        Head::Softmax(softmax) => *softmax,
        other => panic!("{other:?}"),
    };
    for shift in [0u8, 41] {
        assert_eq!(element(&spec, |d| softmax(d).shifts, 0, shift), LoadError::Head(Fault::Requantisation));
    }
    let none = Spec { components: 0, ..spec };
    assert_eq!(none.build(), Err(WriteError::Refused(LoadError::Head(Fault::Shape))));
}

fn pairs<'a>(description: &'a mut Description) -> &'a mut Autoencoders {
    let Head::Autoencoders(pairs) = &mut description.head else { panic!("no autoencoders") };
    pairs
}

fn rows(layer: &mut Layer) -> &mut Dense {
    let Layer::Dense(dense) = layer else { panic!("not dense") };
    dense
}

#[test]
fn autoencoders() {
    let head = Kind::Autoencoders { latent: 3, is_variational: true };
    let spec = Spec { head, layers: vec![], components: 4, ..Spec::default() };
    let fault = |fault| LoadError::Head(fault);
    let altered = |alter: fn(&mut Autoencoders)| described(&spec, |d| alter(pairs(d)));
    assert!(spec.build().is_ok());
    for latent in [0, 2, 4, 1025] {
        assert_eq!(described(&spec, |d| pairs(d).latent = latent), fault(Fault::Shape));
    }
    assert_eq!(altered(|p| p.n_members = 0), fault(Fault::Shape));
    assert_eq!(altered(|p| p.n_members = 5), fault(Fault::Shape));
    assert_eq!(altered(|p| p.stride += 8), fault(Fault::Shape));
    // Pairs beyond the blob.
    assert_eq!(altered(|p| p.stride = 1 << 20), fault(Fault::Tensor));
    assert_eq!(altered(|p| p.stride = u32::MAX - 15), fault(Fault::Tensor));
    assert_eq!(altered(|p| p.encoder.clear()), fault(Fault::Shape));
    assert_eq!(altered(|p| p.decoder.clear()), fault(Fault::Shape));
    assert_eq!(altered(|p| rows(&mut p.encoder[0]).inputs += 1), fault(Fault::Shape));
    assert_eq!(altered(|p| rows(&mut p.decoder[1]).outputs -= 1), fault(Fault::Shape));
    assert_eq!(altered(|p| p.constants.len = 3), fault(Fault::Shape));
    assert_eq!(altered(|p| p.error.multiplier.len = 3), fault(Fault::Shape));
    assert_eq!(altered(|p| p.mean_penalty.len = 255), fault(Fault::Shape));
    // Without its table, an encoder gives no log variances.
    assert_eq!(altered(|p| p.variance_penalty.len = 0), fault(Fault::Shape));
    let curve =
        |d: &mut Description| rows(&mut pairs(d).encoder[0]).activation = Activation::Interpolated(Tensor::new(0, 257));
    assert_eq!(described(&spec, curve), fault(Fault::Activation));
    assert_eq!(described(&spec, |d| d.latent.len = 3), LoadError::Latent(Fault::Shape));
    let layer =
        || Layer::Dense(dense_of(&Spec { layers: vec![(6, Follow::Identity)], ..Spec::default() }.parts().0, 0));
    assert!(matches!(
        described(&spec, |d| d.encoder.push(layer()).unwrap()),
        LoadError::Head(_) | LoadError::Layer { .. }
    ));

    let of = |d: &Description| pairs(&mut d.clone()).clone();
    for shift in [0u8, 57] {
        assert_eq!(element(&spec, |d| of(d).error.shift, 3, shift), fault(Fault::Requantisation));
    }
    assert_eq!(element(&spec, |d| of(d).error.multiplier, 0, -1), fault(Fault::Requantisation));
    // A bias of each pair, the last one too.
    for pair in 0..4 {
        let bias = |d: &Description| {
            let of = of(d);
            let mut bias = rows(&mut of.decoder.clone()[1]).bias;
            bias.offset += pair * of.stride;
            bias
        };
        assert_eq!(element(&spec, bias, 2, i32::MIN), fault(Fault::Bias), "pair {pair}");
    }
    // A reader of the first minor version's files knows no such head.
    let mut bytes = spec.build().unwrap();
    bytes.as_mut()[6] = 0;
    mend(bytes.as_mut());
    assert_eq!(load(&bytes), LoadError::Description { minor: 0 });
}

#[test]
fn calibration() {
    let spec = spec();
    assert_eq!(described(&spec, |d| table(d).len = 0), LoadError::Calibration(Fault::Shape));
    assert_eq!(described(&spec, |d| table(d).levels.len = 7), LoadError::Calibration(Fault::Shape));
    assert_eq!(described(&spec, |d| table(d).levels.offset = 1 << 30), LoadError::Calibration(Fault::Tensor));
    let thresholds = |d: &Description| table(&mut d.clone()).log_densities;
    assert_eq!(element(&spec, thresholds, 0, i32::MAX), LoadError::Calibration(Fault::Order));
    let levels = |d: &Description| table(&mut d.clone()).levels;
    assert_eq!(element(&spec, levels, 0, u16::MAX), LoadError::Calibration(Fault::Order));
}

fn held_out<'a>(description: &'a mut Description) -> &'a mut description::HeldOut {
    let Calibration::HeldOut(tables) = &mut description.calibration else { panic!("no tables") };
    tables
}

#[test]
fn tables_of_held_out_samples() {
    let spec = Spec { held_out: 2, calibration: 3, ..spec() };
    let fault = |fault| LoadError::Calibration(fault);
    let altered = |alter: fn(&mut description::HeldOut)| described(&spec, |d| alter(held_out(d)));
    assert!(spec.build().is_ok());
    assert_eq!(altered(|t| t.n_tables = 0), fault(Fault::Shape));
    assert_eq!(altered(|t| t.n_tables = 3), fault(Fault::Shape));
    assert_eq!(altered(|t| t.len = 5), fault(Fault::Shape));
    assert_eq!(altered(|t| t.tables.len = 2), fault(Fault::Shape));
    assert_eq!(altered(|t| t.samples.len = 1), fault(Fault::Shape));
    assert_eq!(altered(|t| t.levels.offset = 1 << 30), fault(Fault::Tensor));
    for scale in [0.0, -1.0, f32::NAN, f32::INFINITY] {
        assert_eq!(described(&spec, |d| held_out(d).inverse_temperature = scale), fault(Fault::Scale));
    }
    let of = |d: &Description| *held_out(&mut d.clone());
    assert_eq!(element(&spec, |d| of(d).tables, 2, 2u16), fault(Fault::Cluster), "no such table");
    // A table that is empty, one that ends before it begins, entries behind the last table.
    for (table, end) in [(0, 0u16), (1, 3), (1, 2), (1, 5), (1, 7), (1, u16::MAX)] {
        assert_eq!(element(&spec, |d| of(d).ends, table, end), fault(Fault::Shape), "{table} ends at {end}");
    }
    for first in [0, 3] {
        assert_eq!(element(&spec, |d| of(d).thresholds, first, i32::MAX), fault(Fault::Order));
        assert_eq!(element(&spec, |d| of(d).levels, first, u16::MAX), fault(Fault::Order));
    }
    // Between two tables nothing need ascend.
    assert!(File::from_bytes(&edited(&spec, |d| of(d).thresholds, 2, i32::MAX)).is_ok());
}
