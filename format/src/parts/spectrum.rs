//! The spectrum: statistics and band energies of each channel of a window.

use serde::{Deserialize, Serialize};

use crate::cursor::Cursor;
use crate::error::{Fault, ensure};
use crate::features::{Feature, SIGNAL_SHAPE};
use crate::limits::{MAX_FRAMES, MAX_INPUTS, MAX_INSTANTS};
use crate::plan::FrontEndMemory;
use crate::tensor::Tensor;

/// A spectrum as the description encodes it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct SpectrumRecord {
    /// Instants of a window, 1 to 32768.
    pub instants: u32,
    /// Channels of an instant, 1 to 32. Count `t * channels + c` of the window is that of channel `c` at instant `t`.
    pub channels: u16,
    /// The base-2 logarithm of the length of the Fourier transform: 4 to 10.
    pub log2_fft: u8,
    /// Instants of a frame, at most the length of the transform and the window's instants. The rest is zeros.
    pub frame: u16,
    /// Instants from the start of one frame to that of the next.
    pub hop: u16,
    /// What becomes of the energies of several frames.
    pub pooling: FramePooling,
    /// Which statistics there are beside the energies: the sum of the bits in [`Statistics`].
    pub statistics: Statistics,
    /// Fraction bits of a mean, 0 to 8.
    pub mean_fraction: u8,
    /// The variance of noise that is added to every signal, in units of 2^-16 square counts; below 2^24.
    pub variance_floor: u32,
    /// The energy of that noise in one bin, in units of 2^-32 square counts.
    pub bin_floor: u32,
    /// What is added to the logarithm of every energy, in units of 2^-15; below 2^20.
    pub level: u32,
    /// The channels of each signal, channel `c` being bit `c`. A signal of one channel is that channel, one of several
    /// is the magnitude of their vector.
    pub signals: Tensor<u32>,
    /// What each instant of a frame is multiplied by, in units of 2^-15; no elements for a frame that is not tapered.
    pub taper: Tensor<i16>,
    /// The first bin of each band, then the bin after the last band. No elements if there are no bands.
    pub edges: Tensor<u16>,
}

/// Statistics and band energies of each signal of a window. A signal is a channel, or the magnitude of several.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Spectrum<'a> {
    /// Instants of a window.
    pub instants: usize,
    /// Channels of an instant.
    pub channels: usize,
    /// The base-2 logarithm of the length of the Fourier transform.
    pub log2_fft: u8,
    /// Instants of a frame.
    pub frame: usize,
    /// Instants from the start of one frame to that of the next.
    pub hop: usize,
    /// What becomes of the energies of several frames.
    pub pooling: FramePooling,
    /// Which statistics there are beside the energies.
    pub statistics: Statistics,
    /// Fraction bits of a mean.
    pub mean_fraction: u8,
    /// The variance of noise that is added to every signal, in units of 2^-16 square counts.
    pub variance_floor: u32,
    /// The energy of that noise in one bin, in units of 2^-32 square counts.
    pub bin_floor: u32,
    /// What is added to the logarithm of every energy, in units of 2^-15.
    pub level: u32,
    /// The channels of each signal, as bits.
    pub signals: &'a [u32],
    /// What each instant of a frame is multiplied by, in units of 2^-15; empty for a frame that is not tapered.
    pub taper: &'a [i16],
    /// The first bin of each band, then the bin after the last band; empty if there are no bands.
    pub edges: &'a [u16],
}

/// What becomes of the energies of several frames.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
pub enum FramePooling {
    /// Their mean.
    Mean,
    /// The greatest of each band.
    Max,
    /// All of them are features: an image whose rows are frames, whose columns are bands, and whose channels are signals.
    /// There are no other statistics then.
    Each,
}

impl FramePooling {
    fn from_tag(tag: u32) -> Option<Self> {
        Some(match tag {
            0 => Self::Mean,
            1 => Self::Max,
            2 => Self::Each,
            _ => return None,
        })
    }
}

/// A set of statistics of a signal.
///
/// ```
/// use edgemix_format::view::Statistics;
///
/// let both = Statistics::MEAN | Statistics::DEVIATION;
/// assert!(both.contains(Statistics::MEAN) && !both.contains(Statistics::KURTOSIS));
/// assert_eq!((both.len(), both.bits(), Statistics::from_bits(3)), (2, 3, Some(both)));
/// assert_eq!(Statistics::from_bits(32), None);
/// ```
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
pub struct Statistics(u8);

impl Statistics {
    /// None.
    pub const NONE: Self = Self(0);
    /// The mean, in counts with fraction bits.
    pub const MEAN: Self = Self(1);
    /// The base-2 logarithm of the standard deviation.
    pub const DEVIATION: Self = Self(2);
    /// The base-2 logarithm of the crest factor: the greatest distance from the mean over the standard deviation.
    pub const CREST: Self = Self(4);
    /// The skewness: the third central moment over the third power of the standard deviation.
    pub const SKEWNESS: Self = Self(8);
    /// The base-2 logarithm of the kurtosis: the fourth central moment over the square of the variance.
    pub const KURTOSIS: Self = Self(16);
    /// Those that feature `signal-shape` is for: crest factor, skewness and kurtosis.
    pub const SHAPE: Self = Self(28);
    /// All of them.
    pub const ALL: Self = Self(31);

    /// The set with these bits; `None` if one of them is not a statistic's.
    pub const fn from_bits(bits: u8) -> Option<Self> {
        if bits & !Self::ALL.0 == 0 { Some(Self(bits)) } else { None }
    }

    /// The bits.
    pub const fn bits(self) -> u8 {
        self.0
    }

    /// Whether all of the others are in the set.
    pub const fn contains(self, others: Self) -> bool {
        self.0 & others.0 == others.0
    }

    /// Whether one of the others is in the set.
    pub const fn intersects(self, others: Self) -> bool {
        self.0 & others.0 != 0
    }

    /// Number of statistics.
    pub const fn len(self) -> usize {
        self.0.count_ones() as usize
    }

    /// Whether there are none.
    pub const fn is_empty(self) -> bool {
        self.0 == 0
    }
}

impl core::ops::BitOr for Statistics {
    type Output = Self;

    fn bitor(self, others: Self) -> Self {
        Self(self.0 | others.0)
    }
}

/// Decodes and checks a spectrum. Neighbouring fields are decoded as an array, which takes less code than one by one.
#[inline(never)]
pub(crate) fn decode<'a>(cursor: &mut Cursor<'a>, blob: &'a [u8]) -> Result<Spectrum<'a>, Fault> {
    let [instants, channels]: [u32; 2] = cursor.next()?;
    let log2_fft = cursor.next()?;
    let [frame, hop, pooling]: [u32; 3] = cursor.next()?;
    let [statistics, mean_fraction]: [u8; 2] = cursor.next()?;
    let [variance_floor, bin_floor, level]: [u32; 3] = cursor.next()?;
    let spectrum = Spectrum {
        instants: instants as usize,
        channels: channels as usize,
        log2_fft,
        frame: frame as usize,
        hop: hop as usize,
        pooling: FramePooling::from_tag(pooling).ok_or(Fault::Malformed)?,
        statistics: Statistics(statistics),
        mean_fraction,
        variance_floor,
        bin_floor,
        level,
        signals: elements(bytes(cursor, blob, 4)?)?,
        taper: elements(bytes(cursor, blob, 2)?)?,
        edges: elements(bytes(cursor, blob, 2)?)?,
    };
    spectrum.check()?;
    ensure(SIGNAL_SHAPE || !spectrum.statistics.intersects(Statistics::SHAPE), Fault::Disabled(Feature::SignalShape))?;
    Ok(spectrum)
}

/// The bytes of a tensor of any number of elements of `size` bytes: one function for all types of elements.
#[inline(never)]
fn bytes<'a>(cursor: &mut Cursor<'a>, blob: &'a [u8], size: u32) -> Result<&'a [u8], Fault> {
    let [offset, len]: [u32; 2] = cursor.next()?;
    let len = len.checked_mul(size).ok_or(Fault::TensorOutside)?;
    Tensor::<u8>::at(offset, len).resolve(blob, len as usize)
}

fn elements<T: bytemuck::AnyBitPattern>(bytes: &[u8]) -> Result<&[T], Fault> {
    bytemuck::try_cast_slice(bytes).map_err(|_| Fault::TensorAlignment)
}

/// Sizes are those of a spectrum that [`check`](Spectrum::check) accepts; no product of such a spectrum overflows. Others
/// may have any.
impl Spectrum<'_> {
    /// Checks the sizes, the limits and the elements of the tensors.
    ///
    /// # Errors
    /// What is wrong: see [`Fault`]. Readers refuse such a spectrum, and writers do not write it.
    pub fn check(&self) -> Result<(), Fault> {
        ensure((1..=MAX_INSTANTS).contains(&self.instants), Fault::Size)?;
        ensure((1..=32).contains(&self.channels) && self.inputs() <= MAX_INPUTS, Fault::Size)?;
        ensure((4..=10).contains(&self.log2_fft), Fault::Transform)?;
        ensure(self.frame > 0 && self.frame <= self.fft().min(self.instants), Fault::Frames)?;
        ensure(self.hop > 0 && self.frames() <= MAX_FRAMES, Fault::Frames)?;
        self.check_signals()?;
        ensure(Statistics::from_bits(self.statistics.0).is_some(), Fault::Statistics)?;
        ensure(self.pooling != FramePooling::Each || self.statistics.is_empty(), Fault::Statistics)?;
        ensure(self.mean_fraction <= 8, Fault::Shift)?;
        ensure(self.variance_floor < 1 << 24, Fault::Floor)?;
        ensure(self.level < 1 << 20, Fault::Floor)?;
        ensure(self.taper.is_empty() || self.taper.len() == self.frame, Fault::TensorLength)?;
        ensure(self.taper.iter().all(|&w| w >= 0), Fault::Taper)?;
        self.check_bands()?;
        ensure((1..=MAX_INPUTS).contains(&self.outputs()), Fault::Size)
    }

    fn check_signals(&self) -> Result<(), Fault> {
        let missing = !(u32::MAX >> (32 - self.channels as u32).min(31));
        let are_known = self.signals.iter().all(|&signal| signal != 0 && signal & missing == 0);
        ensure((1..=32).contains(&self.signals.len()) && are_known, Fault::Signals)
    }

    fn check_bands(&self) -> Result<(), Fault> {
        ensure(self.edges.is_sorted_by(|a, b| a < b) && self.edges.len() != 1, Fault::Bands)?;
        ensure(self.edges.last().is_none_or(|&last| usize::from(last) <= self.bins()), Fault::Bands)
    }

    /// Number of raw counts of one window.
    pub fn inputs(&self) -> usize {
        self.instants.wrapping_mul(self.channels)
    }

    /// Number of features of one window.
    pub fn outputs(&self) -> usize {
        self.signals.len().wrapping_mul(self.features_of_a_signal())
    }

    /// Number of features of one signal.
    pub fn features_of_a_signal(&self) -> usize {
        let frames = if self.pooling == FramePooling::Each { self.frames() } else { 1 };
        self.bands().wrapping_mul(frames).wrapping_add(self.statistics.len())
    }

    /// Length of the Fourier transform.
    pub fn fft(&self) -> usize {
        1 << self.log2_fft.min(15)
    }

    /// Number of bins that the transform of a real signal has.
    pub fn bins(&self) -> usize {
        self.fft() / 2 + 1
    }

    /// Number of bands.
    pub fn bands(&self) -> usize {
        self.edges.len().saturating_sub(1)
    }

    /// Number of frames of a window.
    pub fn frames(&self) -> usize {
        self.instants.saturating_sub(self.frame).checked_div(self.hop).unwrap_or(0).wrapping_add(1)
    }

    /// Scratch memory holds a frame's transform, the energies of a signal's bands, 64 bits each, and a signal.
    pub(crate) fn memory(&self) -> FrontEndMemory {
        let scratch = self.fft() + 2 * self.bands() + self.instants.div_ceil(2);
        FrontEndMemory { features: self.outputs(), scratch }
    }

    /// A square for each instant of a signal; for each frame the taper, four products for each butterfly of a complex
    /// transform of half the length that is not trivial, as many to make a real one of it, and the squares of its bins.
    pub(crate) fn macs(&self) -> u64 {
        // Below 2^27 within the limits.
        let frame = self.frame.wrapping_add(self.fft().wrapping_mul(usize::from(self.log2_fft.saturating_sub(1))));
        let frames = self.frames().wrapping_mul(frame);
        let mut total = 0usize;
        for signal in self.signals {
            let squares = if signal.is_power_of_two() { 1 } else { 1 + signal.count_ones() };
            total = total.wrapping_add(self.instants.wrapping_mul(squares as usize)).wrapping_add(frames);
        }
        total as u64
    }

    /// How often a channel is read for a signal.
    pub(crate) fn reads(&self) -> u64 {
        self.signals.iter().map(|signal| u64::from(signal.count_ones())).sum()
    }

    /// Bytes in the blob.
    pub(crate) fn flash(&self) -> usize {
        size_of_val(self.signals) + size_of_val(self.taper) + size_of_val(self.edges)
    }
}
