//! Faults of front ends.

use edgemix_format::description::{FramePooling, FrontEndRecord, SpectrumRecord, Statistics};
use edgemix_format::view::front_end_macs;
use edgemix_format::write::{SpectrumSettings, Taper};

use super::*;

/// 20 instants of two channels, three frames of a transform of 16; two statistics and three bands of three signals.
pub(super) fn settings() -> SpectrumSettings {
    SpectrumSettings {
        instants: 20,
        channels: 2,
        fft: 16,
        frame: 12,
        hop: 4,
        taper: Taper::Hann,
        pooling: FramePooling::Max,
        statistics: Statistics::MEAN | Statistics::CREST,
        mean_fraction: 2,
        noise: 0.5,
        signals: vec![1, 2, 3],
        edges: vec![1, 2, 4, 9],
    }
}

pub(super) fn with_spectrum() -> Spec {
    Spec { spectrum: Some(settings()), input: 3 * (2 + 3), channels: 5, ..spec() }
}

fn spectrum<'a>(description: &'a mut Description) -> &'a mut SpectrumRecord {
    let FrontEndRecord::Spectrum(spectrum) = &mut description.front_ends[0] else { panic!("not a spectrum") };
    spectrum
}

fn spectrum_of(description: &Description) -> SpectrumRecord {
    let FrontEndRecord::Spectrum(spectrum) = description.front_ends[0] else { panic!("not a spectrum") };
    spectrum
}

fn altered(alter: impl FnOnce(&mut SpectrumRecord)) -> LoadError {
    described(&with_spectrum(), |description| alter(spectrum(description)))
}

#[test]
fn what_a_spectrum_is() {
    let bytes = with_spectrum().build().unwrap();
    let file = File::from_bytes(&bytes).unwrap();
    let front_end = &file.front_ends[0];
    assert_eq!((file.sample.len, file.input.len), (40, 15));
    assert_eq!((front_end.inputs(), front_end.outputs(), front_end.kind()), (40, 15, "spectrum"));
    // A transform of 16, three energies of two words, twenty instants of half a word.
    assert_eq!(front_end.scratch(), 16 + 6 + 10);
    // Squares, then three frames of 12 instants and 16 * 3 products, for three signals; two squares of the magnitude.
    assert_eq!(front_end_macs(&file.front_ends), 3 * (20 + 3 * (12 + 48)) + 20 * 2);
    assert_eq!(front_end.flash(), 3 * 4 + 12 * 2 + 4 * 2);
    assert_eq!(file.header.arena_len, 2 * 16 + 4 * 32);
}

#[test]
fn spectrum_sizes() {
    let faults = LoadError::FrontEnds;
    let (size, frames) = (faults(Fault::Size), faults(Fault::Frames));
    for instants in [0, 32769, u32::MAX] {
        assert_eq!(altered(|s| s.instants = instants), size);
    }
    for channels in [0, 33, u16::MAX] {
        assert_eq!(altered(|s| s.channels = channels), size);
    }
    assert_eq!(altered(|s| (s.instants, s.channels) = (32768, 3)), size);
    for log2_fft in [0, 3, 11, 32, 255] {
        assert_eq!(altered(|s| s.log2_fft = log2_fft), faults(Fault::Transform));
    }
    // Longer than the transform, than the window, and too many frames.
    for (instants, frame, hop) in [(20, 0, 4), (20, 17, 4), (11, 12, 4), (20, 12, 0), (12 + 256, 12, 1)] {
        assert_eq!(altered(|s| (s.instants, s.frame, s.hop) = (instants, frame, hop)), frames);
    }
    // 256 frames are allowed.
    let (mut most, blob) = with_spectrum().parts();
    (spectrum(&mut most).instants, spectrum(&mut most).hop) = (12 + 255, 1);
    most.sample.len = 2 * (12 + 255);
    assert!(write(&most, &blob).is_ok());
    assert_eq!(described(&with_spectrum(), |d| d.sample.len = 20), faults(Fault::Inputs));
    assert_eq!(described(&with_spectrum(), |d| d.input.len = 20), LoadError::Input(Fault::Inputs));
}

#[test]
fn spectrum_numbers() {
    let faults = LoadError::FrontEnds;
    assert_eq!(altered(|s| s.pooling = FramePooling::Each), faults(Fault::Statistics));
    assert_eq!(altered(|s| s.mean_fraction = 9), faults(Fault::Shift));
    assert_eq!(altered(|s| s.variance_floor = 1 << 24), faults(Fault::Floor));
    assert_eq!(altered(|s| s.level = 1 << 20), faults(Fault::Floor));
    let nothing = |s: &mut SpectrumRecord| (s.statistics, s.edges.len) = (Statistics::NONE, 0);
    assert_eq!(altered(nothing), faults(Fault::Size));
}

#[test]
fn spectrum_tensors() {
    let faults = LoadError::FrontEnds;
    let spec = with_spectrum();
    for len in [0, 33] {
        assert_eq!(altered(|s| s.signals.len = len), faults(Fault::Signals));
    }
    assert_eq!(altered(|s| s.taper.len = 11), faults(Fault::TensorLength));
    assert_eq!(altered(|s| s.edges.len = 1), faults(Fault::Bands));
    assert_eq!(altered(|s| s.signals.offset += 4), faults(Fault::TensorAlignment));
    assert_eq!(altered(|s| s.taper.offset = u32::MAX - 15), faults(Fault::TensorOutside));
    assert_eq!(altered(|s| s.edges.len = u32::MAX), faults(Fault::TensorOutside));
    for signal in [0, 4, -1] {
        assert_eq!(element(&spec, |d| spectrum_of(d).signals, 1, signal), faults(Fault::Signals));
    }
    assert_eq!(element(&spec, |d| spectrum_of(d).taper, 3, u16::MAX), faults(Fault::Taper));
    // Equal to the edge before, below it, after the last bin.
    for (index, edge) in [(1, 1u16), (2, 1), (3, 10), (3, u16::MAX)] {
        assert_eq!(element(&spec, |d| spectrum_of(d).edges, index, edge), faults(Fault::Bands));
    }
}

/// The numbers of poolings and statistics that no version defines, byte by byte.
#[test]
fn spectrum_of_a_later_version() {
    let bytes = with_spectrum().build().unwrap();
    let header = File::from_bytes(&bytes).unwrap().header;
    let (description, _) = with_spectrum().parts();
    let record = spectrum_of(&description);
    let start = (HEADER_LEN..HEADER_LEN + header.description_len as usize)
        .find(|&at| bytes[at..].starts_with(&[1, 0, 20, 2, 4, 12, 4, 1, 5, 2]))
        .expect("one front end, the first variant, its numbers in order");
    for (at, value, fault) in [(7, 3, Fault::Malformed), (8, 32, Fault::Statistics), (8, 255, Fault::Statistics)] {
        assert_eq!(load(&patched_at(&bytes, start + at, value)), LoadError::FrontEnds(fault), "{record:?}");
    }
    assert_eq!(load(&patched_at(&bytes, start, 3)), LoadError::FrontEnds(Fault::FrontEndCount));
    assert_eq!(load(&patched_at(&bytes, start + 1, 2)), LoadError::FrontEnds(Fault::UnknownVariant));
}

fn patched_at(bytes: &AlignedBytes, at: usize, value: u8) -> AlignedBytes {
    let mut bytes = bytes.clone();
    bytes.as_mut()[at] = value;
    mend(bytes.as_mut());
    bytes
}

#[test]
fn settings_that_are_no_spectrum() {
    let refused = |alter: &dyn Fn(&mut SpectrumSettings)| {
        let mut settings = settings();
        alter(&mut settings);
        settings.tables().expect_err("a fault was not found")
    };
    for fft in [0, 8, 17, 100, 2048] {
        assert_eq!(refused(&|s| s.fft = fft), Fault::Transform);
    }
    for noise in [-1.0, f64::NAN, f64::INFINITY, 1e9] {
        assert_eq!(refused(&|s| s.noise = noise), Fault::Floor, "{noise}");
    }
    assert_eq!(refused(&|s| s.frame = 0), Fault::Frames);
    assert_eq!(refused(&|s| s.signals.clear()), Fault::Signals);
    assert_eq!(refused(&|s| s.edges = vec![3, 3]), Fault::Bands);
    // The only weight of a Hann window of one instant is 0.
    assert_eq!(refused(&|s| s.frame = 1), Fault::Floor);
}
