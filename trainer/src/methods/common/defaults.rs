//! Defaults of a method that depend on the samples or on another phase.

use crate::data::Samples;
use crate::nn::Architecture;

/// The greatest number of features of a small input.
const SMALL: usize = 256;

/// The encoder of a method if the settings name none.
#[derive(Clone, Copy, Debug)]
pub(in crate::methods) enum DefaultEncoder {
    /// Dense layers of these widths, for at most 256 features and for more.
    BySize {
        /// The widths for few features.
        small: &'static [usize],
        /// The widths for many.
        large: &'static [usize],
    },
    /// The convolutions of DEPICT for images, and [`DefaultEncoder::DEC`] for other samples.
    ConvolutionalForImages,
    /// No encoder.
    None,
}

impl DefaultEncoder {
    /// The layers of DEC, or narrower ones for few features.
    pub(in crate::methods) const DEC: Self = Self::BySize { small: &[256, 128, 10], large: &[500, 500, 2000, 10] };

    /// The layers for such samples.
    pub(in crate::methods) fn architecture(self, samples: &Samples) -> Architecture {
        match self {
            Self::BySize { small, large } => {
                Architecture::dense(if samples.n_features() <= SMALL { small } else { large })
            }
            Self::ConvolutionalForImages if samples.image().is_some() => Architecture::depict(),
            Self::ConvolutionalForImages => Self::DEC.architecture(samples),
            Self::None => Architecture::none(),
        }
    }
}

/// The number of clustering epochs if the settings leave it open.
#[derive(Clone, Copy, Debug)]
pub(in crate::methods) enum ClusterEpochs {
    /// Two for every fifteen epochs of reconstruction.
    ByReconstruction,
    /// This many, whatever the size of the data.
    Exactly(usize),
}

impl ClusterEpochs {
    /// The number after so many epochs of reconstruction.
    pub(in crate::methods) fn after(self, reconstruction: usize) -> usize {
        match self {
            Self::ByReconstruction => reconstruction * 2 / 15,
            Self::Exactly(epochs) => epochs,
        }
    }
}
