//! From a raw window to integer features, before the encoder.
//!
//! Each front end has one implementation, in plain integer Rust, which every core and the trainer run.
//! `docs/FORMAT.md` defines it to the last bit.

mod fft;
mod filter;
mod log2;
mod moments;
mod signal;
mod spectrum;

use edgemix_format::view::{FrontEnd, front_end_scratch};
use edgemix_format::{FILTER, SPECTRUM};

use filter::Filtered;
pub(crate) use signal::{Counts, Parts, RawWindow, Values};

/// Computes the features of a window of raw counts with the front ends of a model, one after another. `window` has the
/// [`FrontEnd::inputs`] of the first, `features` has the [`FrontEnd::outputs`] of the last, and `scratch` has at least
/// [`front_end_scratch`] words. `None` if one of them has not, or if the front ends do not follow each other so.
///
/// ```
/// use edgemix_format::view::{FramePooling, FrontEnd, Statistics};
/// use edgemix_format::write::{SpectrumSettings, Taper};
/// use edgemix_runtime::front_ends;
///
/// // The mean and the energies of four bands of a square wave of 64 instants.
/// let settings = SpectrumSettings {
///     instants: 64,
///     channels: 1,
///     fft: 64,
///     frame: 64,
///     hop: 64,
///     taper: Taper::None,
///     pooling: FramePooling::Mean,
///     statistics: Statistics::MEAN,
///     mean_fraction: 0,
///     noise: 0.0,
///     signals: vec![1],
///     edges: vec![1, 8, 9, 24, 25],
/// };
/// let tables = settings.tables().unwrap();
/// let front_end = FrontEnd::Spectrum(tables.spectrum());
/// let window: Vec<i16> = (0..64).map(|t| if t / 4 % 2 == 0 { 1100 } else { 900 }).collect();
/// let mut features = vec![0; front_end.outputs()];
/// let mut scratch = vec![0; front_end.scratch()];
/// front_ends::run(&[front_end], &window, &mut features, &mut scratch).unwrap();
/// // The period is 8 instants: all energy is in bins 8 and 24, and there is nothing between. Energies are base-2
/// // logarithms of square counts in units of 2^-10; those two are 100^2 together.
/// assert_eq!(features[0], 1000);
/// let energy = |index: usize| (f64::from(features[index]) / 1024.0).exp2();
/// assert!((energy(2) + energy(4) - 1e4).abs() < 20.0);
/// assert!(energy(1) < 1e-2 && energy(3) < 1e-2);
/// ```
pub fn run(front_ends: &[FrontEnd], window: &[i16], features: &mut [i16], scratch: &mut [i32]) -> Option<()> {
    if window.len() != front_ends.first()?.inputs() || features.len() != front_ends.last()?.outputs() {
        return None;
    }
    apply(front_ends, &mut Counts(window), features, scratch)
}

/// The same for any source of counts.
pub(crate) fn apply(
    front_ends: &[FrontEnd],
    window: &mut dyn RawWindow,
    features: &mut [i16],
    scratch: &mut [i32],
) -> Option<()> {
    let scratch = scratch.get_mut(..front_end_scratch(front_ends))?;
    match front_ends {
        [FrontEnd::Spectrum(spectrum)] if SPECTRUM => spectrum::run(spectrum, window, features, scratch),
        [FrontEnd::Filter(filter), after @ ..] if FILTER => {
            let (pairs, scratch) = scratch.split_at_mut_checked(front_ends.first()?.scratch())?;
            let (pairs, _) = pairs.as_chunks_mut::<2>();
            let mut filtered = Filtered { filter, window, pairs };
            match after {
                [] => filtered.window(features),
                [FrontEnd::Spectrum(spectrum)] => spectrum::run(spectrum, &mut filtered, features, scratch)?,
                _ => return None,
            }
            Some(())
        }
        // Without their features, loading refuses such front ends.
        _ => None,
    }
}
