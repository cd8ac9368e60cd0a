//! Spectra for comparing cores: all lengths of the transform, all poolings, quiet, loud and saturated windows, 504 of them.
//! They are the same on every machine, and the host's tests use this file as well.

use edgemix_runtime::front_ends;
use edgemix_runtime::view::{FramePooling, FrontEnd, Spectrum, Statistics};

use crate::cases::{Digest, Random};

/// The [`Digest`] of the features of all [`spectra`].
pub(crate) const SPECTRA: u32 = 0xb7cf_2a87;

const CHANNELS: usize = 3;
const MOST_INSTANTS: usize = 1400;
const MOST_FEATURES: usize = 3000;
const MOST_SCRATCH: usize = 2048;

struct Room {
    window: [i16; CHANNELS * MOST_INSTANTS],
    features: [i16; MOST_FEATURES],
    scratch: [i32; MOST_SCRATCH],
    taper: [i16; 1024],
}

/// Runs all spectra; `check` sees each of them with its window and features. Returns the digest of the features, or
/// `None` if one does not run.
pub(crate) fn spectra(mut check: impl FnMut(&Spectrum, &[i16], &[i16])) -> Option<u32> {
    let mut random = Random(4);
    let mut digest = Digest::START;
    let mut room = Room {
        window: [0; CHANNELS * MOST_INSTANTS],
        features: [0; MOST_FEATURES],
        scratch: [0; MOST_SCRATCH],
        taper: [0; 1024],
    };
    for log2_fft in 4..=10 {
        for (turn, pooling) in (0..).zip([FramePooling::Mean, FramePooling::Max, FramePooling::Each]) {
            for amplitude in [0, 1, 2, 20, 300, 5000, 20_000, 40_000] {
                room.fill(&mut random, amplitude);
                // Windows shorter than the transform, of its length, and longer.
                let fft = 1 << log2_fft;
                for (instants, frame, is_tapered) in
                    [(fft - 3, fft - 3, turn == 0), (fft, fft, true), (fft + fft / 3, fft - 1, turn == 1)]
                {
                    room.taper.fill_with(|| random.wild(0, 32767) as i16);
                    let spectrum = Spectrum {
                        instants,
                        channels: CHANNELS,
                        log2_fft,
                        frame,
                        hop: 1 + fft / 5,
                        pooling,
                        statistics: if turn == 2 { Statistics::NONE } else { Statistics::ALL },
                        mean_fraction: log2_fft % 9,
                        variance_floor: if turn == 1 { 0 } else { 1 << (log2_fft + 10) },
                        bin_floor: if turn == 1 { 0 } else { 12_345 << log2_fft },
                        level: 80_000,
                        signals: &[1, 2, 4, 7, 5],
                        taper: room.taper.get(..if is_tapered { frame } else { 0 })?,
                        edges: [&[0, 1, 2, 4, 9][..], &[1, 3, 9], &[0, 9]][turn],
                    };
                    spectrum.check().ok()?;
                    let window = room.window.get(..spectrum.inputs())?;
                    let features = room.features.get_mut(..spectrum.outputs())?;
                    front_ends::run(&[FrontEnd::Spectrum(spectrum)], window, features, &mut room.scratch)?;
                    check(&spectrum, window, features);
                    features.iter().for_each(|&feature| digest.add(i32::from(feature).to_le_bytes()));
                }
            }
        }
    }
    Some(digest.0)
}

impl Room {
    /// A level for each channel, noise and jumps of an amplitude, saturated where they do not fit.
    fn fill(&mut self, random: &mut Random, amplitude: i32) {
        let levels = [0; CHANNELS].map(|_: i32| random.wild(-32768, 32767));
        for instant in self.window.chunks_exact_mut(CHANNELS) {
            for (x, level) in instant.iter_mut().zip(levels) {
                *x = (level + random.wild(-amplitude, amplitude)).clamp(-32768, 32767) as i16;
            }
        }
    }
}
