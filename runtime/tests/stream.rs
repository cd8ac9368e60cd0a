//! Windows of a stream are those that cutting the whole recording gives, however its counts come.

use edgemix_format::testing::{Spec, SplitMix64};
use edgemix_format::view::{FramePooling, Statistics};
use edgemix_format::write::{FilterSettings, SpectrumSettings, Taper};
use edgemix_runtime::{Model, Stream, StreamError, Workspace};
use proptest::prelude::*;

const CHANNELS: usize = 3;
const INSTANTS: usize = 20;
const LENGTH: usize = CHANNELS * INSTANTS;

/// Three bands of each channel and of their magnitude.
fn spectrum() -> SpectrumSettings {
    SpectrumSettings {
        instants: INSTANTS,
        channels: CHANNELS,
        fft: 16,
        frame: 16,
        hop: 4,
        taper: Taper::Hann,
        pooling: FramePooling::Mean,
        statistics: Statistics::MEAN,
        mean_fraction: 0,
        noise: 0.1,
        signals: vec![1, 2, 4, 7],
        edges: vec![1, 3, 9],
    }
}

/// Every second instant, without the mean.
fn filter() -> FilterSettings {
    let one = 1 << 30;
    let section = [one / 2, -one / 2, 0, one / 4, one / 8];
    FilterSettings { instants: INSTANTS, channels: CHANNELS, factor: 2, sections: vec![section; 2] }
}

/// A model with a spectrum, one with a filter before it, and one that takes counts.
fn models() -> [Spec; 3] {
    let bare = Spec { input: LENGTH, channels: CHANNELS, ..Spec::default() };
    let spectral = Spec { spectrum: Some(spectrum()), input: 12, channels: 12, ..Spec::default() };
    let of_half = SpectrumSettings { instants: INSTANTS / 2, frame: 8, ..spectrum() };
    let filtered = Spec { filter: Some(filter()), spectrum: Some(of_half), ..spectral.clone() };
    [spectral, filtered, bare]
}

proptest! {
    #[test]
    fn windows_are_those_of_the_recording(
        step in 1usize..50,
        blocks in prop::collection::vec((0usize..150, prop::option::weighted(0.1, 0u64..20)), 1..20),
        seed: u64,
    ) {
        let mut random = SplitMix64::new(seed);
        let mut stream = Stream::<i16, LENGTH>::new(CHANNELS, step).unwrap();
        let files = models().map(|spec| spec.build().unwrap());
        let mut workspace = [Workspace::<512>::new(), Workspace::<512>::new()];
        // Counts since the last gap, the number of their first instant, and how many of them stand before the next window.
        let (mut recording, mut first, mut next) = (Vec::<i16>::new(), 0u64, 0);
        for (length, gap) in blocks {
            let block: Vec<i16> = random.many(length, -3000, 3000).iter().map(|&x| x as i16).collect();
            recording.extend(&block);
            let mut rest = &block[..];
            while let Some(window) = stream.next_window(&mut rest) {
                let expected = &recording[next..next + LENGTH];
                prop_assert_eq!([window.older, window.newer].concat(), expected);
                prop_assert_eq!(window.start, first + (next / CHANNELS) as u64);
                for bytes in &files {
                    let model = Model::from_bytes(bytes).unwrap();
                    let [ring, whole] = workspace.each_mut();
                    let found = model.assign_window(&window, ring).unwrap();
                    let cut = model.assign_raw(expected, whole).unwrap();
                    prop_assert_eq!(found.scores(), cut.scores());
                }
                next += step * CHANNELS;
            }
            prop_assert!(rest.is_empty());
            prop_assert_eq!(next + LENGTH - recording.len(), stream.missing());
            if let Some(n_lost) = gap {
                stream.gap(n_lost);
                first += (recording.len() / CHANNELS) as u64 + n_lost;
                recording.clear();
                next = 0;
            }
        }
    }
}

#[test]
fn streams_that_make_no_sense_are_refused() {
    assert_eq!(Stream::<i16, 6>::new(0, 1).err(), Some(StreamError::Channels));
    assert_eq!(Stream::<i16, 6>::new(4, 1).err(), Some(StreamError::Channels));
    assert_eq!(Stream::<i16, 0>::new(1, 1).err(), Some(StreamError::Channels));
    assert_eq!(Stream::<u8, 6>::new(3, 0).err(), Some(StreamError::Step));
    assert_eq!(Stream::<u8, 6>::new(3, usize::MAX).err(), Some(StreamError::Step));
}
