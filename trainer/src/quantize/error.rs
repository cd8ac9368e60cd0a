//! Why a model can't be quantised.

use edgemix_format::view::{MAX_INPUTS, MAX_LATENT};
use edgemix_format::write::WriteError;
use thiserror::Error;

use crate::assessment::raw_counts::RawCounts;
use crate::data::{DataError, ImageShape};
use crate::mixture::NotPositiveDefinite;
use crate::trained::Window;

/// Why a model can't be quantised. Layers, classes and features are counted from 0.
///
/// ```
/// # use edgemix::data::{Samples, Scaling};
/// # use edgemix::mixture::{Covariance, Mixture};
/// # use edgemix::quantize::{Provenance, QuantizeError, quantize};
/// # use edgemix::trained::{Head, Trained};
/// # let (means, covariance) = (ndarray::array![[-1.0], [1.0]], Covariance::Spherical(vec![0.1; 2]));
/// # let mixture = Mixture { log_weights: vec![0.0; 2], means, covariance, clusters: vec![0, 1] };
/// # let (method, head) = ("by hand".into(), Head::Mixture(mixture));
/// # let scaling = Scaling { gain: vec![1.0], offset: vec![0.0], limits: None };
/// # let trained = Trained { method, front_end: None, scaling, encoder: vec![], head, hierarchy: None, decoder: None };
/// # let provenance = Provenance { name: "line".into(), config: [0; 32], seed: 0 };
/// // `trained` takes one feature.
/// let samples = Samples::new("plane", vec![0.0; 20], 2);
/// let error = quantize(&trained, &samples, None, &provenance).unwrap_err();
/// assert!(matches!(error, QuantizeError::Features { expected: 1, found: 2 }));
/// ```
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum QuantizeError {
    /// The number of features of the calibration samples is not the one that the model takes.
    #[error("the model takes {expected} features, but the calibration samples have {found}")]
    Features {
        /// Features that the model takes.
        expected: usize,
        /// Features of the samples.
        found: usize,
    },
    /// The head takes latents of a different length from those that the encoder outputs.
    #[error("the head takes a latent of {head} dimensions, but the encoder outputs {encoder}")]
    LatentMismatch {
        /// Dimensions that the head takes.
        head: usize,
        /// Dimensions that the encoder outputs.
        encoder: usize,
    },
    /// The latent is longer than a model file allows.
    #[error("the latent has {0} dimensions, but a model file allows at most {MAX_LATENT}: use a smaller latent")]
    LatentTooLong(usize),
    /// The samples have more features than a model file allows.
    #[error(
        "the samples have {0} features, but a model file allows at most {MAX_INPUTS}: use shorter windows, smaller images or \
         fewer columns"
    )]
    TooManyInputs(usize),
    /// A layer outputs more values than a model file allows.
    #[error(
        "layer {layer} outputs {outputs} values, but a model file allows at most {MAX_INPUTS}: use a smaller layer"
    )]
    LayerTooWide {
        /// The layer's index.
        layer: usize,
        /// Values that it outputs.
        outputs: usize,
    },
    /// The encoder has more layers than a model file allows.
    #[error(
        "the encoder has {0} layers, but a model file allows at most {max}: use fewer layers",
        max = edgemix_format::description::MAX_LAYERS
    )]
    TooManyLayers(usize),
    /// A convolution or a pooling exceeds the sizes that a model file allows.
    #[error(
        "layer {layer} moves a window of {} pixels with stride {} and padding {} over an image of {} x {} pixels and {} \
         channels, but a model file allows at most 65535 pixels per side, 65535 channels, and windows, strides and \
         paddings of 255 pixels: use smaller ones",
        window.size, window.stride, window.padding, image.height, image.width, image.channels
    )]
    WindowedLayer {
        /// The layer's index.
        layer: usize,
        /// Its window.
        window: Window,
        /// The image that it reads.
        image: ImageShape,
    },
    /// The value that scaling makes zero is beyond the raw counts of the calibration samples.
    #[error(
        "the scaling makes {center:.0} raw counts of feature {feature} zero, but raw counts are int16: use the scaling of \
         the calibration samples, or others that include this value"
    )]
    FeatureCenter {
        /// The index of the feature, or of the channel if the samples are windows.
        feature: usize,
        /// The value, in counts.
        center: f64,
    },
    /// A component is narrower than the int16 steps of the latent can resolve.
    #[error("component {component} of the mixture is narrower than the steps of the int16 latent can resolve")]
    NarrowComponent {
        /// The component's index.
        component: usize,
    },
    /// The weights or the bias of a class exceed the integers of a softmax head.
    #[error("the weights or the bias of class {class} exceed the integers of a softmax head")]
    SoftmaxOverflow {
        /// The class.
        class: usize,
    },
    /// The head has no autoencoders.
    #[error("the head has no autoencoders")]
    NoAutoencoders,
    /// A covariance of the mixture is not positive definite.
    #[error(transparent)]
    Covariance(#[from] NotPositiveDefinite),
    /// A sample is NaN or infinite after scaling.
    #[error("a calibration sample is NaN or infinite after scaling: check the samples for extreme values")]
    SampleNotFinite,
    /// A layer outputs NaN or infinity.
    #[error("layer {layer} of the {network} outputs NaN or infinity: training diverged")]
    LayerNotFinite {
        /// The network: "encoder", or "decoder" of an autoencoder.
        network: &'static str,
        /// The layer's index.
        layer: usize,
    },
    /// A parameter of the head is NaN or infinite.
    #[error("{parameter} of the head is NaN or infinite: training diverged")]
    HeadNotFinite {
        /// The parameter.
        parameter: &'static str,
    },
    /// The integers assign too many samples to other clusters than the f32 model does.
    #[error(
        "the integers assign {:.2} % of the samples to the same cluster as the f32 model, and at least {:.1} % is required; \
         clusters of at least 1 % of the samples: {integers} by the integers, {exact} by the f32 model",
        100.0 * share, 100.0 * MIN_AGREEMENT
    )]
    Disagreement {
        /// The share of samples in the same cluster.
        share: f64,
        /// Clusters of at least 1 % of the samples by the f32 model.
        exact: usize,
        /// Clusters of at least 1 % of the samples by the integers.
        integers: usize,
    },
    /// Raw counts are assigned to other clusters than the values that they stand for.
    #[error(
        "raw counts, which are what a chip takes, assign {:.2} % of the samples to the cluster of their values, and at least \
         {:.1} % is required{}",
        100.0 * found.agreement, 100.0 * MIN_RAW_AGREEMENT, beyond(found)
    )]
    RawCounts {
        /// The comparison.
        found: RawCounts,
    },
    /// The samples can't be read.
    #[error(transparent)]
    Data(#[from] DataError),
    /// The file can't be written.
    #[error(transparent)]
    Write(#[from] WriteError),
}

/// The share of samples that the integers must assign as the f32 model does.
pub(super) const MIN_AGREEMENT: f64 = 0.985;
/// The share of samples that must have the same cluster as raw counts and as values.
pub(super) const MIN_RAW_AGREEMENT: f64 = 0.995;

fn beyond(found: &RawCounts) -> String {
    if found.columns.is_empty() {
        return String::new();
    }
    format!(
        "; {:.2} % of the samples have values beyond the range of int16 counts, in columns {}: leave these out",
        100.0 * found.beyond,
        found.columns.join(", ")
    )
}

impl QuantizeError {
    /// Whether other settings or samples are needed, which is known before training.
    pub(crate) fn is_of_settings(&self) -> bool {
        matches!(
            self,
            Self::TooManyInputs(_)
                | Self::LatentTooLong(_)
                | Self::TooManyLayers(_)
                | Self::WindowedLayer { .. }
                | Self::LayerTooWide { .. }
        )
    }
}
