//! What people choose of a front end.

use edgemix_format::view::Statistics;
use serde::{Deserialize, Serialize};

use super::bands::Spacing;

/// Settings of the front end: the table `front-end` of a configuration. What is left open is chosen by the length of the
/// windows.
///
/// ```
/// use edgemix::front_end::{FrontEndKind, FrontEndSettings};
///
/// let given: FrontEndSettings = toml::from_str("kind = \"spectrum\"\nfft = 64\nbands = 6")?;
/// assert_eq!(given, "spectrum:fft=64,bands=6".parse()?);
/// assert_eq!(FrontEndSettings::default().kind, FrontEndKind::Auto);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields, rename_all = "kebab-case")]
pub struct FrontEndSettings {
    /// Which front end.
    pub kind: FrontEndKind,
    /// Instants in a second. Without it, bands are named by their bins.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub rate: Option<f64>,
    /// Length of the Fourier transform, a power of two from 16 to 1024 [default: the least that holds a window, at most
    /// 256].
    #[serde(skip_serializing_if = "Option::is_none")]
    pub fft: Option<usize>,
    /// Instants of a frame, at most the length of the transform [default: those of the window, or of the transform if it is
    /// shorter].
    #[serde(skip_serializing_if = "Option::is_none")]
    pub frame: Option<usize>,
    /// Instants from the start of one frame to that of the next [default: half a frame].
    #[serde(skip_serializing_if = "Option::is_none")]
    pub hop: Option<usize>,
    /// Number of bands.
    pub bands: usize,
    /// How the edges of bands are spaced.
    pub spacing: Spacing,
    /// The lowest frequency of the bands in hertz; needs the rate [default: that of bin 1].
    #[serde(skip_serializing_if = "Option::is_none")]
    pub low: Option<f64>,
    /// The highest frequency of the bands in hertz; needs the rate [default: half the rate].
    #[serde(skip_serializing_if = "Option::is_none")]
    pub high: Option<f64>,
    /// What each frame is multiplied by.
    pub taper: Tapering,
    /// What becomes of the energies of several frames.
    pub pool: Pooling,
    /// Statistics of each channel.
    pub statistics: Vec<Statistic>,
    /// Channels, by their index from 0, whose magnitude is a further channel: it does not depend on how a sensor is
    /// mounted.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub magnitudes: Vec<Vec<usize>>,
    /// What is done to the recording before its spectrum.
    pub filter: Filtering,
}

/// What is done to the recording before its spectrum: the table `front-end.filter` of a configuration. Frequencies are in
/// hertz and need the rate of the recording.
///
/// ```
/// use edgemix::front_end::{Filtering, FrontEndSettings};
///
/// // 200 instants a second are recorded, 50 are kept, and what is slower than 1 Hz is blocked.
/// let settings: FrontEndSettings = toml::from_str("rate = 200.0\nfilter.rate = 50.0\nfilter.low = 1.0")?;
/// let spelt: FrontEndSettings = "decimate:rate=50,filter:low=1".parse()?;
/// assert_eq!(settings.filter, spelt.filter);
/// assert_eq!(settings.filter, Filtering { rate: Some(50.0), low: Some(1.0), ..Filtering::default() });
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields, rename_all = "kebab-case")]
pub struct Filtering {
    /// Instants in a second that are kept, of which the recording's are a whole multiple. What is faster than four fifths
    /// of half this rate is removed first (Chebyshev's filter of the first kind, order 8, 0.05 dB).
    #[serde(skip_serializing_if = "Option::is_none")]
    pub rate: Option<f64>,
    /// What is slower is blocked (Butterworth's filter).
    #[serde(skip_serializing_if = "Option::is_none")]
    pub low: Option<f64>,
    /// What is faster is blocked (Butterworth's filter).
    #[serde(skip_serializing_if = "Option::is_none")]
    pub high: Option<f64>,
    /// The order of Butterworth's filters: 2, 4, 6 or 8.
    pub order: usize,
}

impl Filtering {
    /// Whether there is no filter.
    pub fn changes_nothing(&self) -> bool {
        self.rate.is_none() && self.low.is_none() && self.high.is_none()
    }
}

impl Default for Filtering {
    fn default() -> Self {
        Self { rate: None, low: None, high: None, order: 4 }
    }
}

/// Which front end.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum FrontEndKind {
    /// A spectrum for windows of a recording that are long enough, none for other samples.
    #[default]
    Auto,
    /// None: the encoder takes the samples themselves.
    None,
    /// Statistics and band energies of each channel.
    Spectrum,
}

/// What a frame is multiplied by before its transform.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Tapering {
    /// Hann's window.
    #[default]
    Hann,
    /// Nothing.
    None,
}

/// What becomes of the energies of several frames.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Pooling {
    /// Their mean.
    #[default]
    Mean,
    /// The greatest of each band.
    Max,
}

/// A statistic of a channel.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Statistic {
    /// The mean, in counts.
    Mean,
    /// The base-2 logarithm of the standard deviation.
    Deviation,
    /// The base-2 logarithm of the crest factor: the greatest distance from the mean over the standard deviation.
    Crest,
    /// The skewness.
    Skewness,
    /// The base-2 logarithm of the kurtosis.
    Kurtosis,
}

impl Default for FrontEndSettings {
    fn default() -> Self {
        Self {
            kind: FrontEndKind::Auto,
            rate: None,
            fft: None,
            frame: None,
            hop: None,
            bands: 8,
            spacing: Spacing::Log,
            low: None,
            high: None,
            taper: Tapering::Hann,
            pool: Pooling::Mean,
            statistics: vec![Statistic::Mean, Statistic::Deviation],
            magnitudes: vec![],
            filter: Filtering::default(),
        }
    }
}

impl Statistic {
    /// All of them, in the order of the features.
    pub(super) const ALL: [(&'static str, Self); 5] = [
        ("mean", Self::Mean),
        ("deviation", Self::Deviation),
        ("crest", Self::Crest),
        ("skewness", Self::Skewness),
        ("kurtosis", Self::Kurtosis),
    ];

    /// The name in the settings.
    pub fn name(self) -> &'static str {
        Self::ALL.iter().find(|(_, own)| *own == self).map_or("", |(name, _)| name)
    }

    /// The same as the runtime names it.
    pub(super) fn bit(self) -> Statistics {
        match self {
            Self::Mean => Statistics::MEAN,
            Self::Deviation => Statistics::DEVIATION,
            Self::Crest => Statistics::CREST,
            Self::Skewness => Statistics::SKEWNESS,
            Self::Kurtosis => Statistics::KURTOSIS,
        }
    }
}
