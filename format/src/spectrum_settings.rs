//! Making a spectrum from the numbers that people choose. Feature `alloc`.

use alloc::vec::Vec;

use crate::blob::Blob;
use crate::description::SpectrumRecord;
use crate::error::Fault;
use crate::parts::spectrum::{FramePooling, Spectrum, Statistics};

/// What a spectrum computes, as people choose it. [`tables`](Self::tables) makes the integers of the file.
///
/// ```
/// use edgemix_format::view::{FramePooling, Statistics};
/// use edgemix_format::write::{SpectrumSettings, Taper};
///
/// // 128 instants of three channels; eight bands of each channel and of the magnitude of all three.
/// let settings = SpectrumSettings {
///     instants: 128,
///     channels: 3,
///     fft: 128,
///     frame: 128,
///     hop: 64,
///     taper: Taper::Hann,
///     pooling: FramePooling::Mean,
///     statistics: Statistics::MEAN | Statistics::DEVIATION,
///     mean_fraction: 0,
///     noise: 1.0 / 12.0,
///     signals: vec![0b001, 0b010, 0b100, 0b111],
///     edges: vec![1, 2, 3, 5, 8, 14, 23, 39, 65],
/// };
/// let tables = settings.tables().unwrap();
/// assert_eq!((tables.spectrum().inputs(), tables.spectrum().outputs()), (128 * 3, 4 * (2 + 8)));
/// ```
#[derive(Clone, Debug, PartialEq)]
pub struct SpectrumSettings {
    /// Instants of a window.
    pub instants: usize,
    /// Channels of an instant.
    pub channels: usize,
    /// Length of the Fourier transform: a power of two from 16 to 1024.
    pub fft: usize,
    /// Instants of a frame, at most those of the transform and of the window. The rest of the transform is zeros.
    pub frame: usize,
    /// Instants from the start of one frame to that of the next.
    pub hop: usize,
    /// What each frame is multiplied by.
    pub taper: Taper,
    /// What becomes of the energies of several frames.
    pub pooling: FramePooling,
    /// Statistics of each signal, beside the energies.
    pub statistics: Statistics,
    /// Fraction bits of a mean, 0 to 8: more of them resolve small means, but a mean saturates at int16.
    pub mean_fraction: u8,
    /// The variance of white noise, in square counts, that is added to every variance and, in its share, to every energy.
    /// It keeps the logarithm of a silent channel finite: 1/12 is the noise of rounding to counts. Below 256, and below the length of the transform for most tapers.
    pub noise: f64,
    /// The channels of each signal, channel `c` being bit `c`: one channel, or the magnitude of several.
    pub signals: Vec<u32>,
    /// The first bin of each band, then the bin after the last band; empty for no bands.
    pub edges: Vec<u16>,
}

/// What each frame is multiplied by.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Taper {
    /// Nothing.
    None,
    /// The periodic Hann window, `sin^2(pi i / frame)`.
    Hann,
}

/// A spectrum with its tables.
#[derive(Clone, Debug, PartialEq)]
pub struct SpectrumTables {
    signals: Vec<u32>,
    taper: Vec<i16>,
    edges: Vec<u16>,
    /// Its tensors are empty.
    bare: Spectrum<'static>,
}

impl SpectrumSettings {
    /// The spectrum as integers.
    ///
    /// # Errors
    /// What a reader would refuse.
    pub fn tables(&self) -> Result<SpectrumTables, Fault> {
        let is_power = self.fft.is_power_of_two() && (16..=1024).contains(&self.fft);
        crate::error::ensure(is_power, Fault::Transform)?;
        let taper: Vec<i16> = match self.taper {
            Taper::None => Vec::new(),
            Taper::Hann => hann(self.frame),
        };
        let squares: f64 = taper.iter().map(|&w| f64::from(w) * f64::from(w) / f64::from(1 << 30)).sum();
        let power = if taper.is_empty() { self.frame as f64 } else { squares };
        let n = self.fft as f64;
        let floor = |value: f64, unit: f64| {
            let floor = value * unit + 0.5;
            crate::error::ensure((0.0..=f64::from(u32::MAX)).contains(&floor), Fault::Floor)?;
            Ok(floor as u32)
        };
        let bare = Spectrum {
            instants: self.instants,
            channels: self.channels,
            log2_fft: self.fft.ilog2() as u8,
            frame: self.frame,
            hop: self.hop,
            pooling: self.pooling,
            statistics: self.statistics,
            mean_fraction: self.mean_fraction,
            variance_floor: floor(self.noise, f64::from(1 << 16))?,
            // White noise of variance v has the energy `v * sum of w^2` in a bin of the transform.
            bin_floor: floor(self.noise * power / (n * n), 4_294_967_296.0)?,
            level: level(2.0 * n / power),
            signals: &[],
            taper: &[],
            edges: &[],
        };
        let tables = SpectrumTables { signals: self.signals.clone(), taper, edges: self.edges.clone(), bare };
        tables.spectrum().check()?;
        Ok(tables)
    }
}

impl SpectrumTables {
    /// The spectrum as a reader sees it, for computing features without a file.
    pub fn spectrum(&self) -> Spectrum<'_> {
        Spectrum { signals: &self.signals, taper: &self.taper, edges: &self.edges, ..self.bare }
    }

    /// Appends the tables to a blob and gives the record that refers to them.
    pub fn push(&self, blob: &mut Blob) -> SpectrumRecord {
        let bare = &self.bare;
        SpectrumRecord {
            // Tables were checked, so the numbers fit.
            instants: bare.instants as u32,
            channels: bare.channels as u16,
            log2_fft: bare.log2_fft,
            frame: bare.frame as u16,
            hop: bare.hop.min(u16::MAX.into()) as u16,
            pooling: bare.pooling,
            statistics: bare.statistics,
            mean_fraction: bare.mean_fraction,
            variance_floor: bare.variance_floor,
            bin_floor: bare.bin_floor,
            level: bare.level,
            signals: blob.push(&self.signals),
            taper: blob.push(&self.taper),
            edges: blob.push(&self.edges),
        }
    }
}

/// The periodic Hann window in units of 2^-15. Basic operations alone, so that every host gives the same bits.
fn hann(frame: usize) -> Vec<i16> {
    let element = |i: usize| {
        // sin is symmetric around pi / 2.
        let sine = sine(core::f64::consts::PI * i.min(frame - i) as f64 / frame as f64);
        (32768.0 * sine * sine + 0.5).min(32767.0) as i16
    };
    (0..frame).map(element).collect()
}

/// The sine of an angle from 0 to pi / 2, by its Taylor series up to x^23.
fn sine(x: f64) -> f64 {
    (1..12).rev().fold(1.0, |sum, k| 1.0 - sum * x * x / f64::from(2 * k * (2 * k + 1))) * x
}

/// The base-2 logarithm of a number that is at least 1, in units of 2^-15, rounded: digit by digit.
fn level(mut x: f64) -> u32 {
    let mut whole = 0;
    while x >= 2.0 && whole < 31 {
        x /= 2.0;
        whole += 1;
    }
    let mut digits: u32 = whole;
    for _ in 0..16 {
        x *= x;
        digits <<= 1;
        if x >= 2.0 {
            x /= 2.0;
            digits |= 1;
        }
    }
    digits.div_ceil(2)
}

#[cfg(test)]
mod tests {
    extern crate std;

    use super::*;

    #[test]
    fn logarithms_and_sines_are_those_of_the_standard_library() {
        for i in 0..1000 {
            let x = 1.0 + f64::from(i) * 0.37;
            assert!((f64::from(level(x)) / 32768.0 - x.log2()).abs() < 3e-5, "{x}");
            let angle = f64::from(i) / 1000.0 * core::f64::consts::FRAC_PI_2;
            assert!((sine(angle) - angle.sin()).abs() < 1e-15, "{angle}");
        }
    }

    #[test]
    fn the_hann_window_is_periodic() {
        assert_eq!(hann(4), [0, 16384, 32767, 16384]);
        for frame in 1..70 {
            let expected = |i| (core::f64::consts::PI * f64::from(i) / f64::from(frame)).sin().powi(2) * 32768.0;
            assert!(hann(frame as usize).iter().zip(0..).all(|(&w, i)| (f64::from(w) - expected(i)).abs() <= 1.0));
        }
    }
}
