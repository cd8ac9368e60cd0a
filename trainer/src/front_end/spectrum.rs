//! A front end of given windows.

use edgemix_format::description::{FrontEndRecord, FrontEndRecords};
use edgemix_format::view::{FramePooling, FrontEnd as View, Statistics, front_end_scratch};
use edgemix_format::write::{Blob, FilterSettings, SpectrumSettings, SpectrumTables, Taper};
use edgemix_runtime::front_ends;
use rayon::prelude::*;
use serde::{Deserialize, Serialize};

use super::error::FrontEndError;
use super::settings::{Filtering, FrontEndKind, FrontEndSettings, Statistic};
use super::{choice, filter};
use crate::data::{DataError, Layout, Samples};

/// What computes integer features of raw windows: the first step of a model that has one, before the scaling.
///
/// ```
/// use edgemix::data::{Layout, Samples};
/// use edgemix::front_end::{FrontEnd, FrontEndSettings};
///
/// // Two windows of 64 instants of two channels, in counts.
/// let values = (0..256).map(|i| if i % 2 == 0 { (i / 8 % 2 * 40) as f32 } else { 1000.0 + i as f32 }).collect();
/// let windows = Samples::new("windows", values, 128).with_layout(Layout::Windows { channels: 2 }).with_count(1.0);
/// let front_end = FrontEnd::of(&FrontEndSettings::default(), &windows)?.expect("windows have a spectrum");
/// let features = front_end.features_of(&windows)?;
/// assert_eq!((features.n_samples(), features.n_features()), (2, front_end.outputs()));
/// assert_eq!(features.layout(), Layout::Features);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct FrontEnd {
    /// One count of each channel in the unit of the data.
    counts: Vec<f32>,
    /// The name of each channel.
    channels: Vec<String>,
    /// Instants in a second that the spectrum takes, if that is known.
    rate: Option<f64>,
    /// What is done to the recording before its spectrum.
    #[serde(default, with = "filter::optional", skip_serializing_if = "Option::is_none")]
    filter: Option<FilterSettings>,
    #[serde(with = "SpectrumDefinition")]
    spectrum: SpectrumSettings,
}

/// The fields of [`SpectrumSettings`], for serde.
#[derive(Serialize, Deserialize)]
#[serde(remote = "SpectrumSettings", deny_unknown_fields)]
struct SpectrumDefinition {
    instants: usize,
    channels: usize,
    fft: usize,
    frame: usize,
    hop: usize,
    #[serde(with = "TaperDefinition")]
    taper: Taper,
    pooling: FramePooling,
    statistics: Statistics,
    mean_fraction: u8,
    noise: f64,
    signals: Vec<u32>,
    edges: Vec<u16>,
}

#[derive(Serialize, Deserialize)]
#[serde(remote = "Taper")]
enum TaperDefinition {
    None,
    Hann,
}

impl FrontEnd {
    /// The front end that settings choose for samples; `None` if there is to be none. With [`FrontEndKind::Auto`], samples
    /// that can have no spectrum have none, unless there is to be a filter before it.
    ///
    /// # Errors
    /// [`FrontEndError`] if these samples can have no such front end.
    pub fn of(settings: &FrontEndSettings, samples: &Samples) -> Result<Option<Self>, FrontEndError> {
        let is_auto = settings.kind == FrontEndKind::Auto && settings.filter == Filtering::default();
        let channels = match samples.layout() {
            _ if settings.kind == FrontEndKind::None && settings.filter == Filtering::default() => return Ok(None),
            _ if settings.kind == FrontEndKind::None => {
                let problem = "comes before a spectrum, and there is to be none: omit one of the two".into();
                return Err(FrontEndError::Setting { setting: "filter", problem });
            }
            Layout::Windows { channels } => channels,
            _ if is_auto => return Ok(None),
            _ => return Err(FrontEndError::NoWindows { samples: samples.name().into() }),
        };
        let instants = samples.n_features() / channels.max(1);
        check_rate(settings.rate, samples)?;
        if !is_auto && choice::is_too_large(instants, channels) {
            return Err(FrontEndError::Size { samples: samples.name().into(), instants, channels });
        }
        let filter = filter::filter(settings, instants, channels)?;
        let (instants, factor) =
            filter.as_ref().map_or((instants, 1), |filter| (filter.filter().kept(), filter.factor));
        let settings = &FrontEndSettings { rate: settings.rate.map(|rate| rate / factor as f64), ..settings.clone() };
        let size = || FrontEndError::Size { samples: samples.name().into(), instants, channels };
        let has_spectrum = choice::has_spectrum(instants, channels);
        let counts = match if has_spectrum { counts(samples, &settings.magnitudes) } else { Err(size()) } {
            Err(_) if is_auto => return Ok(None),
            counts => counts?,
        };
        // Values beyond the counts saturate.
        let limits = samples.column_limits();
        let of_channel =
            |(count, &(least, greatest)): (&f32, &(f32, f32))| (greatest.max(-least) / count).min(-f32::from(i16::MIN));
        let greatest = counts.iter().zip(&limits).map(of_channel).fold(0.0, f32::max);
        let spectrum = choice::spectrum(settings, instants, channels, greatest)?;
        let names = (0..channels).map(|channel| samples.column_name(channel)).collect();
        Ok(Some(Self { counts, channels: names, rate: settings.rate, filter, spectrum }))
    }

    /// Checks that other windows of a recording are as fast as those that a model was trained with, if the times of both
    /// are known: bands of the spectrum are shares of the rate.
    ///
    /// # Errors
    /// [`FrontEndError::OtherRate`] if they are not.
    pub fn check_rate_of_run(settings: &FrontEndSettings, samples: &Samples) -> Result<(), FrontEndError> {
        match settings.rate.zip(samples.interval()) {
            Some((trained, interval)) if !is_rate_of(trained, interval) => {
                Err(FrontEndError::OtherRate { samples: samples.name().into(), trained, interval })
            }
            _ => Ok(()),
        }
    }

    /// Number of values of a raw window.
    pub fn inputs(&self) -> usize {
        let instants = self.filter.as_ref().map_or(self.spectrum.instants, |filter| filter.instants);
        instants * self.spectrum.channels
    }

    /// Number of features.
    pub fn outputs(&self) -> usize {
        self.spectrum.signals.len() * self.features_of_a_signal()
    }

    fn features_of_a_signal(&self) -> usize {
        self.spectrum.statistics.len() + self.spectrum.edges.len().saturating_sub(1)
    }

    /// One count of each channel in the unit of the data.
    pub fn counts(&self) -> &[f32] {
        &self.counts
    }

    /// The features of raw windows, `N x inputs` in the unit of the data: `N x outputs` integers, as the chip computes them.
    ///
    /// # Panics
    /// If `values` are not whole windows.
    pub fn features(&self, values: &[f32]) -> Vec<f32> {
        let tables = self.tables();
        let filter = self.filter.iter().map(|filter| View::Filter(filter.filter()));
        let views: Vec<View> = filter.chain([View::Spectrum(tables.spectrum())]).collect();
        assert!(values.len().is_multiple_of(self.inputs()), "{} values are not whole windows", values.len());
        let windows = values.par_chunks_exact(self.inputs());
        let scratch = front_end_scratch(&views);
        let state = || (vec![0i16; self.inputs()], vec![0i16; self.outputs()], vec![0i32; scratch]);
        let compute = |(counts, features, scratch): &mut (Vec<i16>, Vec<i16>, Vec<i32>), window: &[f32]| {
            self.counts_of(window, counts);
            // The lengths are those that the views ask for.
            let _ = front_ends::run(&views, counts, features, scratch);
            features.iter().map(|&feature| f32::from(feature)).collect::<Vec<f32>>()
        };
        windows.map_init(state, compute).flatten_iter().collect()
    }

    /// The raw counts of a window, rounded as the runtime rounds values.
    fn counts_of(&self, window: &[f32], counts: &mut [i16]) {
        for ((place, x), count) in counts.iter_mut().zip(window).zip(self.counts.iter().cycle()) {
            // `as` saturates.
            *place = (x / count + 0.5).floor() as i16;
        }
    }

    /// The features of raw windows as samples.
    ///
    /// # Errors
    /// If the file that holds the windows can't be read.
    pub fn features_of(&self, windows: &Samples) -> Result<Samples, DataError> {
        Ok(windows.computed(self.outputs(), self.feature_names(), |values| self.features(values))?.with_count(1.0))
    }

    /// The name of each feature, such as `ax mean` or `ax 1.2-2.0 Hz`.
    pub fn feature_names(&self) -> Vec<String> {
        let bands = self.band_names();
        let statistics = Statistic::ALL.into_iter().filter(|(_, own)| self.spectrum.statistics.contains(own.bit()));
        let of_a_signal: Vec<String> = statistics.map(|(name, _)| name.to_owned()).chain(bands).collect();
        let signals = self.signal_names();
        signals.iter().flat_map(|signal| of_a_signal.iter().map(move |name| format!("{signal} {name}"))).collect()
    }

    /// The name of each signal: that of a channel, or `|ax, ay, az|` for a magnitude.
    pub fn signal_names(&self) -> Vec<String> {
        let members = |signal: u32| (0..self.channels.len()).filter(move |&channel| signal >> channel & 1 == 1);
        let name = |&signal: &u32| {
            let names: Vec<&str> = members(signal).map(|channel| &*self.channels[channel]).collect();
            if let [name] = names[..] { name.to_owned() } else { format!("|{}|", names.join(", ")) }
        };
        self.spectrum.signals.iter().map(name).collect()
    }

    /// The name of each band: its frequencies, or its bins if the rate is not known.
    pub fn band_names(&self) -> Vec<String> {
        let hertz = |bin: f64, rate: f64| bin * rate / self.spectrum.fft as f64;
        let name = |edges: &[u16]| {
            let (first, end) = (f64::from(edges[0]), f64::from(edges[1]));
            match self.rate {
                // A bin reaches half a bin to both sides.
                Some(rate) => format!("{:.1}-{:.1} Hz", hertz(first - 0.5, rate), hertz(end - 0.5, rate)),
                None if end - first > 1.0 => format!("bins {first}-{}", end - 1.0),
                None => format!("bin {first}"),
            }
        };
        self.spectrum.edges.windows(2).map(name).collect()
    }

    /// A feature's value as people read it: a mean in counts, a logarithm in octaves, a skewness as it is.
    pub(crate) fn shown(&self, feature: usize, value: f64) -> String {
        let statistic = feature % self.features_of_a_signal().max(1);
        let is_mean = statistic == 0 && self.spectrum.statistics.contains(Statistics::MEAN);
        let unit = if is_mean { f64::from(1u32 << self.spectrum.mean_fraction) } else { 1024.0 };
        format!("{:.1}", value / unit)
    }

    /// What it computes, in a line.
    pub fn describe(&self) -> String {
        let SpectrumSettings { instants, fft, frame, ref edges, ref signals, .. } = self.spectrum;
        let frames = (instants - frame) / self.spectrum.hop + 1;
        let frames = if frames == 1 { String::new() } else { format!(", {frames} frames of {frame}") };
        let filter =
            self.filter.as_ref().map_or_else(String::new, |filter| match (filter.sections.len(), filter.factor) {
                (sections, 1) => format!("filter of {sections} sections, then "),
                (sections, factor) => {
                    format!("filter of {sections} sections that keeps one of {factor} instants, then ")
                }
            });
        format!(
            "{filter}spectrum of {instants} instants ({fft}-point transform{frames}, {} bands) of {} signals: {} features",
            edges.len().saturating_sub(1),
            signals.len(),
            self.outputs()
        )
    }

    /// The records of a model file, whose tables are appended to the blob.
    pub fn records(&self, blob: &mut Blob) -> FrontEndRecords {
        let filter = self.filter.as_ref().map(|filter| {
            let record = filter.push(blob).unwrap_or_else(|fault| panic!("an unchecked filter: {fault}"));
            FrontEndRecord::Filter(record)
        });
        let spectrum = FrontEndRecord::Spectrum(self.tables().push(blob));
        filter.into_iter().chain([spectrum]).collect()
    }

    /// What is wrong with a front end that was read from a file.
    pub(crate) fn problem(&self) -> Option<String> {
        let channels = self.spectrum.channels;
        if self.channels.len() != channels {
            return Some(format!("does not have {channels} names of channels"));
        }
        if self.counts.len() != channels || !self.counts.iter().all(|count| *count > 0.0 && count.is_finite()) {
            return Some(format!("does not have {channels} counts that are positive"));
        }
        if let Some(filter) = &self.filter {
            if let Err(fault) = filter.filter().check() {
                return Some(fault.to_string());
            }
            if (filter.filter().kept(), filter.channels) != (self.spectrum.instants, channels) {
                return Some("has a filter that does not give the window of its spectrum".into());
            }
        }
        self.spectrum.tables().err().map(|fault| fault.to_string())
    }

    /// The spectrum was checked when it was made or read.
    fn tables(&self) -> SpectrumTables {
        self.spectrum.tables().unwrap_or_else(|fault| panic!("an unchecked spectrum: {fault}"))
    }
}

/// How far the rate may be from that of the times, as a share: sensors run slower or faster than they are said to.
const RATE_TOLERANCE: f64 = 0.1;
/// What times may be given in: seconds, milliseconds, microseconds, nanoseconds.
const UNITS: [f64; 4] = [1.0, 1e3, 1e6, 1e9];

/// Compares a rate with the times of a recording, whatever their unit is.
fn check_rate(rate: Option<f64>, samples: &Samples) -> Result<(), FrontEndError> {
    match rate.zip(samples.interval()) {
        Some((rate, interval)) if !is_rate_of(rate, interval) => {
            Err(FrontEndError::Rate { samples: samples.name().into(), rate, interval })
        }
        _ => Ok(()),
    }
}

fn is_rate_of(rate: f64, interval: f64) -> bool {
    UNITS.iter().any(|unit| (rate * interval / unit - 1.0).abs() <= RATE_TOLERANCE)
}

/// One count of each channel in the unit of the data: that of the samples if they are integers, or else the least power of
/// two with which int16 spans twice the channel's range, without values far from all others. Channels of one magnitude have
/// the same.
fn counts(samples: &Samples, magnitudes: &[Vec<usize>]) -> Result<Vec<f32>, FrontEndError> {
    // A code for a missing value may be far beyond the counts: it saturates.
    let limits = samples.near_column_limits();
    let Some(count) = samples.count() else {
        let mut counts: Vec<f32> = limits.into_iter().map(power_of_two).collect();
        // As often as there are magnitudes, since one may share channels with another.
        for magnitude in magnitudes.iter().flat_map(|_| magnitudes) {
            // A channel that is not there is refused later.
            let most = magnitude.iter().filter_map(|&channel| counts.get(channel)).copied().fold(0.0, f32::max);
            for &channel in magnitude {
                counts.get_mut(channel).into_iter().for_each(|count| *count = most);
            }
        }
        return Ok(counts);
    };
    let range = f32::from(i16::MIN)..=f32::from(i16::MAX);
    let fits =
        |&(least, greatest): &(f32, f32)| range.contains(&(least / count)) && range.contains(&(greatest / count));
    match limits.iter().position(|limits| !fits(limits)) {
        None => Ok(vec![count; limits.len()]),
        Some(channel) => {
            let (least, greatest) = limits[channel];
            let (samples, channel) = (samples.name().into(), samples.column_name(channel));
            Err(FrontEndError::Counts { samples, channel, least: least / count, greatest: greatest / count })
        }
    }
}

/// The least power of two with which int16 spans twice a range.
fn power_of_two((least, greatest): (f32, f32)) -> f32 {
    let most = 2.0 * greatest.max(-least) / f32::from(i16::MAX);
    if most > f32::MIN_POSITIVE { most.log2().ceil().exp2() } else { 1.0 }
}
