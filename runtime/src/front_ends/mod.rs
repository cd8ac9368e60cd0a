//! From a raw window to integer features, before the encoder.
//!
//! Each front end has one implementation, in plain integer Rust, which every core and the trainer run.
//! `docs/FORMAT.md` defines it to the last bit.

mod fft;
mod log2;
mod moments;
mod signal;
mod spectrum;

use edgemix_format::SPECTRUM;
use edgemix_format::view::FrontEnd;

pub(crate) use signal::{Counts, Parts, Source, Values};

/// Computes the features of a window of raw counts. `window` has [`FrontEnd::inputs`] elements, `features` has
/// [`FrontEnd::outputs`], and `scratch` has at least [`FrontEnd::scratch`]. `None` if one of them has not.
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
/// front_ends::run(&front_end, &window, &mut features, &mut scratch).unwrap();
/// // The period is 8 instants: all energy is in bins 8 and 24, and there is nothing between. Energies are base-2
/// // logarithms of square counts in units of 2^-10; those two are 100^2 together.
/// assert_eq!(features[0], 1000);
/// let energy = |index: usize| (f64::from(features[index]) / 1024.0).exp2();
/// assert!((energy(2) + energy(4) - 1e4).abs() < 20.0);
/// assert!(energy(1) < 1e-2 && energy(3) < 1e-2);
/// ```
pub fn run(front_end: &FrontEnd, window: &[i16], features: &mut [i16], scratch: &mut [i32]) -> Option<()> {
    if window.len() != front_end.inputs() || features.len() != front_end.outputs() {
        return None;
    }
    apply(front_end, &Counts(window), features, scratch)
}

/// The same for any source of counts.
pub(crate) fn apply(
    front_end: &FrontEnd,
    window: &dyn Source,
    features: &mut [i16],
    scratch: &mut [i32],
) -> Option<()> {
    match front_end {
        FrontEnd::Spectrum(spectrum) if SPECTRUM => spectrum::run(spectrum, window, features, scratch),
        // Without its feature, loading refuses such a front end.
        FrontEnd::Spectrum(_) => None,
    }
}
