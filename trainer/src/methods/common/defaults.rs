//! Defaults of a method that depend on the samples or on another phase.

use crate::data::{Layout, Samples};
use crate::nn::Architecture;

/// The most latent dimensions for the features of a front end.
const AXES: usize = 16;
/// The fewest.
const FEWEST_AXES: usize = 4;
/// A latent of D dimensions takes so many samples times the square of D: the covariance of a component has about half as
/// many parameters as that square, and there are several components.
const SAMPLES: usize = 15;

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
        if samples.layout() == Layout::Features && !matches!(self, Self::None) {
            return linear(samples);
        }
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

/// The encoder of a front end's features: a single linear layer, which learns their principal axes. The features are means and
/// logarithms, in which kinds of motion already differ by their place; deeper encoders also learn what tells the groups of a
/// recording apart.
fn linear(samples: &Samples) -> Architecture {
    let axes = (samples.n_samples() / SAMPLES).isqrt().clamp(FEWEST_AXES, AXES);
    Architecture::dense(&[axes.min(samples.n_features())])
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn features_have_a_linear_encoder_as_wide_as_the_samples_allow() {
        let width = |n: usize, features: usize| {
            let samples = Samples::new("features", vec![0.0; n * features], features).with_layout(Layout::Features);
            DefaultEncoder::DEC.architecture(&samples).to_string()
        };
        assert_eq!([100, 810, 6000, 50_000].map(|n| width(n, 60)), ["4", "7", "16", "16"]);
        assert_eq!(width(6000, 10), "10");
    }
}
