//! The parts of the format that a build can leave out to save code.

use core::fmt;

/// A cargo feature of `edgemix-format` and `edgemix-runtime`. A build without it refuses models that need it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
#[non_exhaustive]
pub enum Feature {
    /// `activations`: leaky ReLUs, tables and curves.
    Activations,
    /// `autoencoders`: heads of autoencoders.
    Autoencoders,
    /// `convolution`: two-dimensional convolutions.
    Convolution,
    /// `filter`: filters before spectra.
    Filter,
    /// `full-covariance`: mixtures with full covariance matrices.
    FullCovariance,
    /// `held-out`: novelty tables of held-out samples.
    HeldOut,
    /// `levels`: coarser levels of clusters.
    Levels,
    /// `pooling`: two-dimensional pooling.
    Pooling,
    /// `signal-shape`: crest factor, skewness and kurtosis in spectra.
    SignalShape,
    /// `softmax`: softmax heads.
    Softmax,
    /// `spectrum`: spectra of raw windows.
    Spectrum,
}

impl fmt::Display for Feature {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Activations => "activations",
            Self::Autoencoders => "autoencoders",
            Self::Convolution => "convolution",
            Self::Filter => "filter",
            Self::FullCovariance => "full-covariance",
            Self::HeldOut => "held-out",
            Self::Levels => "levels",
            Self::Pooling => "pooling",
            Self::SignalShape => "signal-shape",
            Self::Softmax => "softmax",
            Self::Spectrum => "spectrum",
        })
    }
}

// Constants rather than `cfg` in the readers: the code of a disabled part is type-checked in every build, and the
// compiler removes it.

/// Whether feature `activations` is on.
pub const ACTIVATIONS: bool = cfg!(feature = "activations");
/// Whether feature `autoencoders` is on.
pub const AUTOENCODERS: bool = cfg!(feature = "autoencoders");
/// Whether feature `convolution` is on.
pub const CONVOLUTION: bool = cfg!(feature = "convolution");
/// Whether feature `filter` is on.
pub const FILTER: bool = cfg!(feature = "filter");
/// Whether feature `full-covariance` is on.
pub const FULL_COVARIANCE: bool = cfg!(feature = "full-covariance");
/// Whether feature `held-out` is on.
pub const HELD_OUT: bool = cfg!(feature = "held-out");
/// Whether feature `levels` is on.
pub const LEVELS: bool = cfg!(feature = "levels");
/// Whether feature `pooling` is on.
pub const POOLING: bool = cfg!(feature = "pooling");
/// Whether feature `signal-shape` is on.
pub const SIGNAL_SHAPE: bool = cfg!(feature = "signal-shape");
/// Whether feature `smoother` is on. Without it, transitions between clusters are ignored.
pub const SMOOTHER: bool = cfg!(feature = "smoother");
/// Whether feature `softmax` is on.
pub const SOFTMAX: bool = cfg!(feature = "softmax");
/// Whether feature `spectrum` is on.
pub const SPECTRUM: bool = cfg!(feature = "spectrum");
