//! A spectrum for given windows: what the settings leave open is chosen by the length of the windows, never by labels.

use edgemix_format::view::{FramePooling, Statistics};
use edgemix_format::write::{SpectrumSettings, Taper};

use super::bands::edges;
use super::error::FrontEndError;
use super::settings::{FrontEndSettings, Pooling, Tapering};

/// The least number of instants of which a spectrum says something.
pub(super) const FEWEST: usize = 16;
/// The greatest number of instants.
const MOST: usize = 32_768;
/// The greatest number of channels.
const CHANNELS: usize = 32;
/// The longest transform that is chosen for a window: its memory is about 4 bytes for each instant.
const LONGEST: usize = 256;
/// The variance of the noise of rounding to counts, in square counts. It is added to every energy, so that the logarithm
/// of a silent channel does not show the last bit of a count.
const ROUNDING: f64 = 1.0 / 12.0;

/// Whether windows of this size can have a spectrum.
pub(super) fn has_spectrum(instants: usize, channels: usize) -> bool {
    (FEWEST..=MOST).contains(&instants) && (1..=CHANNELS).contains(&channels)
}

/// Whether windows are too large for a filter and a spectrum.
pub(super) fn is_too_large(instants: usize, channels: usize) -> bool {
    instants > MOST || channels > CHANNELS
}

/// The spectrum of windows whose counts are at most `greatest`.
pub(super) fn spectrum(
    settings: &FrontEndSettings,
    instants: usize,
    channels: usize,
    greatest: f32,
) -> Result<SpectrumSettings, FrontEndError> {
    let refused = |setting, problem: String| Err(FrontEndError::Setting { setting, problem });
    let fft = settings.fft.unwrap_or_else(|| instants.next_power_of_two().min(LONGEST));
    if !fft.is_power_of_two() || !(16..=1024).contains(&fft) {
        return refused("fft", format!("must be a power of two from 16 to 1024, not {fft}"));
    }
    if settings.fft.is_some() && settings.frame.is_none() && fft > instants {
        return refused(
            "fft",
            format!("is {fft}, but a window has {instants} instants: give a smaller one or cut longer windows"),
        );
    }
    let frame = settings.frame.unwrap_or_else(|| fft.min(instants));
    if frame == 0 || frame > fft.min(instants) {
        let problem =
            format!("must be from 1 to {}, the length of the transform or of a window, not {frame}", fft.min(instants));
        return refused("frame", problem);
    }
    let hop = settings.hop.unwrap_or_else(|| (frame / 2).max(1));
    if hop == 0 || (instants - frame) / hop >= 256 {
        return refused("hop", format!("is {hop}, but a window has 1 to 256 frames"));
    }
    let spectrum = SpectrumSettings {
        instants,
        channels,
        fft,
        frame,
        hop,
        taper: match settings.taper {
            Tapering::Hann => Taper::Hann,
            Tapering::None => Taper::None,
        },
        pooling: match settings.pool {
            Pooling::Mean => FramePooling::Mean,
            Pooling::Max => FramePooling::Max,
        },
        statistics: settings.statistics.iter().fold(Statistics::NONE, |all, one| all | one.bit()),
        mean_fraction: mean_fraction(greatest),
        noise: ROUNDING,
        signals: signals(settings, channels)?,
        edges: bands(settings, fft)?,
    };
    let features = spectrum.signals.len() * (spectrum.statistics.len() + spectrum.edges.len().saturating_sub(1));
    match spectrum.tables() {
        _ if features == 0 => refused("bands", "is 0, and there are no statistics: nothing is left".into()),
        Ok(_) => Ok(spectrum),
        Err(fault) => refused("kind", format!("can't be a spectrum with these settings: {fault}")),
    }
}

/// As many fraction bits as leave space for means twice as great.
fn mean_fraction(greatest: f32) -> u8 {
    let most = 2.0 * greatest.max(1.0);
    (0..=8).rev().find(|&bits| most * f32::from(1u16 << bits) <= f32::from(i16::MAX)).unwrap_or(0)
}

/// The channels, then the magnitudes.
fn signals(settings: &FrontEndSettings, channels: usize) -> Result<Vec<u32>, FrontEndError> {
    let refused = |problem| Err(FrontEndError::Setting { setting: "magnitudes", problem });
    let mut signals: Vec<u32> = (0..channels).map(|channel| 1 << channel).collect();
    for magnitude in &settings.magnitudes {
        if let Some(missing) = magnitude.iter().find(|&&channel| channel >= channels) {
            return refused(format!("name channel {missing}, but there are {channels}, counted from 0"));
        }
        let signal = magnitude.iter().fold(0u32, |all, &channel| all | 1 << channel);
        if signal.count_ones() < 2 {
            return refused("must name at least two channels each, such as 0+1+2".into());
        }
        signals.push(signal);
    }
    if signals.len() > CHANNELS {
        return refused(format!("and channels are {} together, of at most {CHANNELS}", signals.len()));
    }
    Ok(signals)
}

/// The edges of the bands, in bins.
fn bands(settings: &FrontEndSettings, fft: usize) -> Result<Vec<u16>, FrontEndError> {
    let refused = |setting, problem: String| Err(FrontEndError::Setting { setting, problem });
    if let Some(rate) = settings.rate.filter(|rate| !(*rate > 0.0 && rate.is_finite())) {
        return refused("rate", format!("must be a positive number of instants in a second, not {rate}"));
    }
    let width = settings.rate.map(|rate| rate / fft as f64);
    let needs_rate = [("low", settings.low), ("high", settings.high)];
    if let Some((setting, _)) = needs_rate.into_iter().find(|(_, value)| value.is_some() && width.is_none()) {
        return refused(setting, "is in hertz: give the rate of the recording, too (--rate)".into());
    }
    if settings.bands == 0 {
        return Ok(vec![]);
    }
    let width = width.unwrap_or(1.0);
    let bin = |hertz: f64| (hertz / width).round();
    let end = fft / 2 + 1;
    let first = settings.low.map_or(1.0, bin);
    let last = settings.high.map_or(fft as f64 / 2.0, bin);
    if !(first >= 1.0 && last >= first && last <= fft as f64 / 2.0) {
        let half = 0.5 * fft as f64 * width;
        let problem = format!("and low must leave a band between {width:.3} and {half:.3} Hz, half the rate");
        return refused("high", problem);
    }
    Ok(edges(settings.spacing, settings.bands, first as usize, (last as usize + 1).min(end), width))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(spelling: &str, instants: usize) -> Result<SpectrumSettings, String> {
        let settings = FrontEndSettings { rate: Some(50.0), ..FrontEndSettings::default() };
        let settings = settings.spelt(spelling).map_err(|error| error.to_string())?;
        spectrum(&settings, instants, 3, 100.0).map_err(|error| error.to_string())
    }

    #[test]
    fn a_transform_holds_the_window_unless_that_is_long() {
        let sizes = |instants| of("spectrum", instants).map(|found| (found.fft, found.frame, found.hop)).unwrap();
        assert_eq!(sizes(128), (128, 128, 64));
        assert_eq!(sizes(100), (128, 100, 50));
        assert_eq!(sizes(16), (16, 16, 8));
        assert_eq!(sizes(2000), (256, 256, 128));
        assert_eq!(of("spectrum", 128).unwrap().edges, [1, 2, 3, 5, 8, 14, 23, 39, 65]);
    }

    #[test]
    fn bands_are_limited_in_hertz() {
        // Bins are 50 / 64 Hz apart.
        let edges = of("spectrum:low=1.5,high=10,bands=3,spacing=linear", 64).unwrap().edges;
        assert_eq!(edges, [2, 6, 10, 14]);
    }

    #[test]
    fn what_is_impossible_is_said() {
        for (spelling, message) in [
            ("spectrum:fft=100", "front-end.fft must be a power of two from 16 to 1024, not 100"),
            ("spectrum:fft=256", "front-end.fft is 256, but a window has 128 instants"),
            ("spectrum:frame=200", "front-end.frame must be from 1 to 128"),
            ("spectrum:hop=0", "front-end.hop is 0"),
            ("spectrum:magnitude=0+3", "front-end.magnitudes name channel 3, but there are 3"),
            ("spectrum:magnitude=0", "at least two channels each"),
            ("spectrum:high=30", "front-end.high and low must leave a band between 0.391 and 25.000 Hz"),
            ("spectrum:bands=0,statistics=none", "nothing is left"),
        ] {
            let error = of(spelling, 128).unwrap_err();
            assert!(error.contains(message), "{spelling}: {error}");
        }
        let no_rate = FrontEndSettings { low: Some(1.0), ..FrontEndSettings::default() };
        assert!(spectrum(&no_rate, 128, 3, 1.0).unwrap_err().to_string().contains("give the rate"));
    }

    #[test]
    fn a_mean_has_fraction_bits_as_far_as_it_can_grow() {
        assert_eq!([0.5, 60.0, 500.0, 16_000.0, 32_767.0].map(mean_fraction), [8, 8, 5, 0, 0]);
    }
}
