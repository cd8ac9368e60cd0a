//! Statistics and band energies of each signal of a window.

use edgemix_format::SIGNAL_SHAPE;
use edgemix_format::view::{FramePooling, Spectrum, Statistics};

use super::fft::{self, Complex, half};
use super::log2::log2;
use super::moments::Moments;
use super::signal::{Mean, Source, Sums};
use crate::kernels::wide::square;

/// Fraction bits of the greatest scale of a centred signal.
const MOST_FRACTION: u32 = 20;
/// Bits of a centred signal in block scale, beside its sign.
const BITS: u32 = 26;

/// Computes the features. `None` if a slice is shorter than the spectrum says.
pub(super) fn run(
    spectrum: &Spectrum,
    window: &mut dyn Source,
    features: &mut [i16],
    scratch: &mut [i32],
) -> Option<()> {
    let (transform, rest) = scratch.split_at_mut_checked(spectrum.fft())?;
    let (sums, rest) = rest.split_at_mut_checked(2 * spectrum.bands())?;
    let (transform, _) = transform.as_chunks_mut::<2>();
    let (sums, _) = sums.as_chunks_mut::<2>();
    let rest: &mut [i16] = bytemuck::cast_slice_mut(rest);
    let signal = rest.get_mut(..spectrum.instants)?;
    let first_of = |index: usize| match spectrum.pooling {
        FramePooling::Mean | FramePooling::Max => index * spectrum.features_of_a_signal(),
        FramePooling::Each => index,
    };
    for (index, &mask) in spectrum.signals.iter().enumerate() {
        window.signal(spectrum.channels, mask, signal);
        let centred = Centred::of(signal)?;
        let places = features.get_mut(first_of(index)..)?;
        let (places, bands) = places.split_at_mut_checked(spectrum.statistics.len())?;
        statistics(spectrum, &centred, signal, places);
        energies(spectrum, &centred, signal, transform, sums, bands);
    }
    Some(())
}

/// A signal's mean and block scale.
struct Centred {
    sums: Sums,
    mean: Mean,
    /// A centred signal has so many fraction bits.
    fraction: u32,
}

impl Centred {
    fn of(signal: &[i16]) -> Option<Self> {
        let sums = Sums::of(signal)?;
        let fraction = (BITS - sums.bits.min(BITS)).min(MOST_FRACTION);
        Some(Self { mean: sums.mean(), fraction, sums })
    }

    /// The base-2 logarithm of the standard deviation, in units of 2^-10.
    fn log2_deviation(&self, floor: u32) -> i32 {
        let n = self.sums.n.get();
        // Times n^2. The floor of a short window has fraction bits, for which its variance has space.
        let floor = u64::from(floor) * u64::from(n * n);
        let variance = self.sums.scaled_variance();
        let (variance, bits) = if n < 256 { ((variance << 16) + floor, 16) } else { (variance + (floor >> 16), 0) };
        (log2(variance) - 2 * log2(n.into()) - (bits << 15) + (1 << 5)) >> 6
    }

    /// The moments of the signal with 12 bits of it.
    #[inline(never)]
    fn moments(&self, spectrum: &Spectrum, signal: &[i16]) -> Moments {
        let bits = self.sums.bits.min(16);
        // From 9 to 15.
        let shift = (bits + self.fraction).saturating_sub(11);
        let half = (1 << shift) >> 1;
        let center = self.center();
        let floor = (u64::from(spectrum.variance_floor) << 14) >> (2 * bits);
        Moments::of(signal.iter().map(|&x| (center(x) + half) >> shift), floor)
    }

    /// `x` less the mean in block scale: below 2^27.
    #[inline(always)]
    fn center(&self) -> impl Fn(i16) -> i32 + use<> {
        let shift = self.fraction;
        let fraction = (self.mean.fraction << 4) >> (MOST_FRACTION - shift);
        // The difference is exact although each of the terms may overflow.
        let mean = (self.mean.whole << shift).wrapping_add(fraction as i32);
        move |x| (i32::from(x) << shift).wrapping_sub(mean)
    }
}

/// The statistics that the spectrum has, in the order of their bits.
#[inline(never)]
fn statistics(spectrum: &Spectrum, centred: &Centred, signal: &[i16], places: &mut [i16]) {
    let has_shape = SIGNAL_SHAPE && spectrum.statistics.intersects(Statistics::SHAPE);
    let moments = has_shape.then(|| centred.moments(spectrum, signal));
    let mut places = places.iter_mut();
    let mut put = |statistic: Statistics, value: &dyn Fn() -> i32| {
        if spectrum.statistics.contains(statistic)
            && let Some(place) = places.next()
        {
            *place = saturate(value());
        }
    };
    put(Statistics::MEAN, &|| centred.mean.rounded(spectrum.mean_fraction));
    put(Statistics::DEVIATION, &|| centred.log2_deviation(spectrum.variance_floor));
    let Some(moments) = moments else { return };
    put(Statistics::CREST, &|| moments.log2_crest());
    put(Statistics::SKEWNESS, &|| moments.skewness());
    put(Statistics::KURTOSIS, &|| moments.log2_kurtosis());
}

/// The energies of the bands: their mean over all frames, the greatest of them, or those of each frame, which lie as far
/// apart as there are signals.
#[inline(never)]
fn energies(
    spectrum: &Spectrum,
    centred: &Centred,
    signal: &[i16],
    transform: &mut [Complex],
    sums: &mut [[i32; 2]],
    features: &mut [i16],
) {
    let pooling = spectrum.pooling;
    let n_summed = if pooling == FramePooling::Mean { spectrum.frames() as u32 } else { 1 };
    let step = if pooling == FramePooling::Each { spectrum.signals.len() } else { 1 };
    // An energy has twice the fraction bits of the halved signal.
    let scale = log2(n_summed.into()) + ((2 * centred.fraction as i32 - 2) << 15);
    let level = spectrum.level as i32 - scale;
    let mut place = 0;
    let mut rest = signal;
    sums.fill([0; 2]);
    while let Some(frame) = rest.get(..spectrum.frame.max(1)) {
        rest = rest.get(spectrum.hop.max(1)..).unwrap_or_default();
        let last = self::transform(spectrum, centred, frame, transform);
        let is_complete = pooling == FramePooling::Each || rest.len() < spectrum.frame;
        for (sum, edges) in sums.iter_mut().zip(spectrum.edges.windows(2)) {
            let &[start, end] = edges else { continue };
            let (before, energy) = (from_words(*sum), band_energy(transform, last, start.into(), end.into()));
            let energy = match pooling {
                FramePooling::Mean => before + energy,
                FramePooling::Max => before.max(energy),
                FramePooling::Each => energy,
            };
            *sum = to_words(energy);
            if is_complete && let Some(feature) = features.get_mut(place) {
                let n_bins = u64::from(end.saturating_sub(start));
                let floor = (u64::from(spectrum.bin_floor) * n_bins) << (2 * centred.fraction).saturating_sub(20);
                let floor = u64::from(n_summed) * (floor >> 14);
                *feature = saturate((log2(energy + floor) + level + (1 << 4)) >> 5);
                place += step;
            }
        }
    }
}

/// The transform of a frame over its length. Returns the last bin, which `transform` has no place for.
#[inline(never)]
fn transform(spectrum: &Spectrum, centred: &Centred, frame: &[i16], transform: &mut [Complex]) -> i32 {
    if frame.len() < 2 * transform.len() {
        transform.fill([0; 2]);
    }
    let center = centred.center();
    let numbers = transform.as_flattened_mut().iter_mut().zip(frame);
    if spectrum.taper.is_empty() {
        numbers.for_each(|(number, &x)| *number = center(x) >> 1);
    } else {
        numbers.zip(spectrum.taper).for_each(|((number, &x), &w)| *number = half(center(x), w));
    }
    fft::real(transform)
}

/// The energy of the bins of a band of a frame, from `start` to before `end`. The first and the last bin of a transform
/// stand for one frequency, all others for two, so those count half.
#[inline(never)]
fn band_energy(transform: &[Complex], last: i32, start: u32, end: u32) -> u64 {
    let n = transform.len() as u32;
    // Bins are in the order of reversed indices.
    let shift = n.leading_zeros() + 1;
    let mut energy = 0;
    for k in start..end.min(n) {
        if let Some(&[x, y]) = transform.get((k.reverse_bits() >> (shift & 31)) as usize) {
            energy += square(x);
            energy += square(y);
        }
    }
    if start == 0
        && let Some(&[x, _]) = transform.first()
    {
        energy -= square(x) >> 1;
    }
    if end > n {
        energy += square(last) >> 1;
    }
    energy as u64
}

fn saturate(value: i32) -> i16 {
    value.clamp(i16::MIN.into(), i16::MAX.into()) as i16
}

/// 64 bits as two words, since scratch memory is aligned to 4 bytes only.
fn to_words(x: u64) -> [i32; 2] {
    [x as i32, (x >> 32) as i32]
}

fn from_words([low, high]: [i32; 2]) -> u64 {
    u64::from(low as u32) | u64::from(high as u32) << 32
}
