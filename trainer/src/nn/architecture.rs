//! The layers of an encoder, by name or spelt out: `500-500-2000-10`, `conv:50k4s2,50k5s2p2,10`.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};
use thiserror::Error;

use super::layers::{ConvolutionSpelling, DenseSpelling, LayerError, LayerInput, LayerShape, LayerSpelling};
use crate::data::{ImageShape, Samples};
use crate::trained::{Axes, Window};

/// The layers of an encoder, from the first one to the latent. If none are given, the method and the samples determine
/// them. `none` stands for no encoder at all: the latent is a linear map of the features.
///
/// ```
/// use edgemix::data::ImageShape;
/// use edgemix::nn::Architecture;
///
/// let depict: Architecture = "conv:50k4s2,50k5s2p2,10".parse()?;
/// let image = ImageShape { channels: 1, height: 28, width: 28 };
/// let shapes = depict.shapes(28 * 28, Some(image))?;
/// assert_eq!((shapes[2].inputs(), shapes[2].outputs()), (7 * 7 * 50, 10));
/// assert!("conv:8k3,3".parse::<Architecture>()?.shapes(64, None).is_err());
/// assert_eq!("dec".parse::<Architecture>()?.to_string(), "500-500-2000-10");
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct Architecture(Choice);

#[derive(Clone, Debug, Default, PartialEq, Eq)]
enum Choice {
    /// The method and the samples decide.
    #[default]
    Open,
    /// No encoder.
    NoEncoder,
    Layers(Vec<LayerSpelling>),
}

/// What layers that move a window begin with: over images, and over the instants of a recording.
const PREFIXES: [(&str, Axes); 2] = [("conv:", Axes::Both), ("conv1d:", Axes::Columns)];

/// How no encoder is spelt.
const NO_ENCODER: &str = "none";

/// Why a text does not describe an encoder.
///
/// ```
/// use edgemix::nn::{Architecture, ArchitectureError};
///
/// assert_eq!("conv:64,8k3,10".parse::<Architecture>(), Err(ArchitectureError::Order));
/// ```
#[derive(Clone, Debug, PartialEq, Eq, Error)]
#[non_exhaustive]
pub enum ArchitectureError {
    /// A part of the text is not a layer.
    #[error("{0:?} is not a layer. {spelling}", spelling = Architecture::spelling())]
    Spelling(String),
    /// A layer that needs an image comes after a fully connected layer, or is the last one.
    #[error(
        "layers that need an image come first, and the last layer is the width of the latent, as in \
         conv:50k4s2,50k5s2p2,10"
    )]
    Order,
}

impl Architecture {
    /// Names on the command line, and the layers that they stand for.
    pub const NAMED: [(&str, &str); 5] = [
        ("small", "256-128-10"),
        ("dec", "500-500-2000-10"),
        ("k-dvae", "500-100-10"),
        ("depict", "conv:50k4s2,50k5s2p2,10"),
        ("tiny", "64-32-8"),
    ];

    /// How an encoder is spelt, in a sentence or two for help and error messages.
    ///
    /// ```
    /// use edgemix::nn::Architecture;
    ///
    /// assert!(Architecture::spelling().contains("conv:50k4s2,50k5s2p2,10"));
    /// ```
    pub fn spelling() -> String {
        let [forms @ .., last] = &LayerSpelling::FORMS;
        let names = Self::NAMED.map(|(name, _)| name).join(", ");
        format!(
            "A layer is {} or {last}. Widths are joined by -, as in 256-128-10. Layers that need an image \
             come first, after conv:, and all are then joined by commas, as in conv:50k4s2,50k5s2p2,10. After conv1d: \
             their windows move over the instants of a recording, as in conv1d:16k5s2p2,max2,10. Some encoders have names: {names}. \
             none stands for no encoder",
            forms.join(", ")
        )
    }

    /// Fully connected layers of these widths.
    pub fn dense(widths: &[usize]) -> Self {
        Self(Choice::Layers(widths.iter().map(|&width| LayerSpelling::Dense(DenseSpelling(width))).collect()))
    }

    /// No encoder.
    pub const fn none() -> Self {
        Self(Choice::NoEncoder)
    }

    /// The encoder of DEPICT, two convolutions and a latent of 10 dimensions (Ghasedi Dizaji, Herandi, Deng, Cai and Huang,
    /// "Deep Clustering via Joint Convolutional Autoencoder Embedding and Relative Entropy Minimization", 2017).
    ///
    /// ```
    /// use edgemix::nn::Architecture;
    ///
    /// assert_eq!("depict".parse(), Ok(Architecture::depict()));
    /// ```
    pub fn depict() -> Self {
        let convolution = |size, padding| {
            let window = Window::square(size, 2, padding);
            LayerSpelling::Convolution(ConvolutionSpelling { filters: 50, window })
        };
        Self(Choice::Layers(vec![convolution(4, 0), convolution(5, 2), LayerSpelling::Dense(DenseSpelling(10))]))
    }

    /// Layers of these sizes; none if they have no spelling, as a convolution after a fully connected layer.
    ///
    /// ```
    /// use edgemix::nn::Architecture;
    ///
    /// let shapes = Architecture::dense(&[32, 8]).shapes(64, None)?;
    /// assert_eq!(Architecture::of_shapes(&shapes).to_string(), "32-8");
    /// # Ok::<(), edgemix::nn::LayerError>(())
    /// ```
    pub fn of_shapes(shapes: &[LayerShape]) -> Self {
        let layers = Self(Choice::Layers(shapes.iter().map(LayerSpelling::of).collect()));
        if layers.to_string().parse() == Ok(layers.clone()) { layers } else { Self::none() }
    }

    /// Whether the layers are left to the method and the samples.
    ///
    /// ```
    /// use edgemix::nn::Architecture;
    ///
    /// assert!(Architecture::default().is_default() && !Architecture::dense(&[10]).is_default());
    /// ```
    pub fn is_default(&self) -> bool {
        self.0 == Choice::Open
    }

    /// Whether there is no encoder.
    ///
    /// ```
    /// use edgemix::nn::Architecture;
    ///
    /// assert_eq!("none".parse(), Ok(Architecture::none()));
    /// assert!(Architecture::none().is_none() && !Architecture::default().is_none());
    /// ```
    pub fn is_none(&self) -> bool {
        self.0 == Choice::NoEncoder
    }

    /// The same layers with a latent of at most `width` dimensions.
    ///
    /// ```
    /// use edgemix::nn::Architecture;
    ///
    /// assert_eq!(Architecture::dense(&[256, 128, 10]).with_latent_within(3).to_string(), "256-128-3");
    /// ```
    #[must_use]
    pub fn with_latent_within(mut self, width: usize) -> Self {
        if let Choice::Layers(layers) = &mut self.0
            && let Some(LayerSpelling::Dense(DenseSpelling(latent))) = layers.last_mut()
        {
            *latent = (*latent).min(width);
        }
        self
    }

    /// The number of dimensions of the latent, if the layers are given.
    ///
    /// ```
    /// use edgemix::nn::Architecture;
    ///
    /// assert_eq!(Architecture::depict().latent_width(), Some(10));
    /// assert_eq!(Architecture::none().latent_width(), None);
    /// ```
    pub fn latent_width(&self) -> Option<usize> {
        match self.layers().last() {
            Some(&LayerSpelling::Dense(DenseSpelling(width))) => Some(width),
            _ => None,
        }
    }

    /// Whether layers move over the instants of a recording, so that they need its windows themselves.
    ///
    /// ```
    /// use edgemix::nn::Architecture;
    ///
    /// assert!("conv1d:16k5s2p2,max2,10".parse::<Architecture>()?.is_over_time());
    /// assert!(!Architecture::depict().is_over_time());
    /// # Ok::<(), edgemix::nn::ArchitectureError>(())
    /// ```
    pub fn is_over_time(&self) -> bool {
        self.layers().iter().any(|layer| layer.axes() == Some(Axes::Columns))
    }

    /// The sizes of the layers for these samples.
    ///
    /// # Errors
    /// [`LayerError`] if a layer can't be built for its input.
    pub fn shapes_for(&self, samples: &Samples) -> Result<Vec<LayerShape>, LayerError> {
        let image = if self.is_over_time() { samples.instants() } else { samples.image() };
        self.shapes(samples.n_features(), image)
    }

    fn layers(&self) -> &[LayerSpelling] {
        match &self.0 {
            Choice::Open | Choice::NoEncoder => &[],
            Choice::Layers(layers) => layers,
        }
    }

    /// The sizes of the layers for samples of `n_features` values, which may form an image; a recording is one of a single row.
    ///
    /// ```
    /// use edgemix::nn::Architecture;
    ///
    /// let shapes = Architecture::dense(&[32, 8]).shapes(64, None)?;
    /// let sizes: Vec<(usize, usize)> = shapes.iter().map(|shape| (shape.inputs(), shape.outputs())).collect();
    /// assert_eq!(sizes, [(64, 32), (32, 8)]);
    /// # Ok::<(), edgemix::nn::LayerError>(())
    /// ```
    ///
    /// # Errors
    /// [`LayerError`] if a layer can't be built for its input.
    pub fn shapes(&self, n_features: usize, image: Option<ImageShape>) -> Result<Vec<LayerShape>, LayerError> {
        let mut input = LayerInput { len: n_features, image };
        let shapes = self.layers().iter().map(|layer| {
            let shape = layer.shape(input)?;
            input = shape.output();
            Ok(shape)
        });
        shapes.collect()
    }
}

impl FromStr for Architecture {
    type Err = ArchitectureError;

    fn from_str(text: &str) -> Result<Self, ArchitectureError> {
        if text.is_empty() {
            return Ok(Self::default());
        }
        if text == NO_ENCODER {
            return Ok(Self::none());
        }
        if let Some((_, spelt)) = Self::NAMED.iter().find(|(name, _)| *name == text) {
            return spelt.parse();
        }
        let of = |(prefix, axes): (&str, Axes)| Some((text.strip_prefix(prefix)?, ',', axes));
        let (layers, separator, axes) = PREFIXES.into_iter().find_map(of).unwrap_or((text, '-', Axes::Both));
        let parse = |layer: &str| {
            LayerSpelling::parse(layer.trim(), axes).ok_or_else(|| ArchitectureError::Spelling(layer.into()))
        };
        let layers = layers.split(separator).map(parse).collect::<Result<Vec<_>, _>>()?;
        let ends_with_a_width = layers.last().is_some_and(|layer| !layer.needs_image());
        if ends_with_a_width && layers.is_sorted_by_key(|layer| !layer.needs_image()) {
            Ok(Self(Choice::Layers(layers)))
        } else {
            Err(ArchitectureError::Order)
        }
    }
}

impl fmt::Display for Architecture {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.is_none() {
            return f.write_str(NO_ENCODER);
        }
        let layers: Vec<String> = self.layers().iter().map(LayerSpelling::to_string).collect();
        let own = self.layers().iter().find_map(|layer| layer.axes());
        match PREFIXES.into_iter().find(|(_, axes)| Some(*axes) == own) {
            Some((prefix, _)) => write!(f, "{prefix}{}", layers.join(",")),
            None => f.write_str(&layers.join("-")),
        }
    }
}

impl TryFrom<String> for Architecture {
    type Error = ArchitectureError;

    fn try_from(text: String) -> Result<Self, ArchitectureError> {
        text.parse()
    }
}

impl From<Architecture> for String {
    fn from(architecture: Architecture) -> Self {
        architecture.to_string()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::data::Layout;

    const SQUARE: ImageShape = ImageShape { channels: 1, height: 28, width: 28 };

    #[test]
    fn architectures_print_as_they_are_spelt() {
        for text in [
            "",
            "none",
            "10",
            "500-500-2000-10",
            "conv:50k4s2,50k5s2p2,10",
            "conv:8k3s1p1,max2,16k3s2,avg3s2,64,10",
            "conv1d:16k5s2p2,max2,8",
        ] {
            assert_eq!(text.parse::<Architecture>().unwrap().to_string(), text);
        }
        assert_eq!("conv:8k3,10".parse::<Architecture>().unwrap().to_string(), "conv:8k3s1,10");
        for (name, spelt) in Architecture::NAMED {
            assert_eq!(name.parse::<Architecture>().unwrap().to_string(), spelt);
        }
    }

    #[test]
    fn misspelt_layers_are_refused() {
        for text in ["a-b", "0", "10-", "-10", "conv:", "conv:k3,10", "conv:8k0,10", "conv:8k3s0,10", "8k3-x", "1.5"] {
            assert!(matches!(text.parse::<Architecture>(), Err(ArchitectureError::Spelling(_))), "{text}");
        }
        for text in ["conv:8k3", "conv:64,8k3,10", "conv:max2", "conv:64,max2,10"] {
            assert_eq!(text.parse::<Architecture>(), Err(ArchitectureError::Order), "{text}");
        }
    }

    #[test]
    fn convolutions_over_time_have_a_row() {
        let layers: Architecture = "conv1d:16k5s2p2,max2,10".parse().unwrap();
        let recording = ImageShape { channels: 6, height: 1, width: 128 };
        let shapes = layers.shapes(768, Some(recording)).unwrap();
        let sizes: Vec<(usize, usize)> = shapes.iter().map(|shape| (shape.inputs(), shape.outputs())).collect();
        assert_eq!(sizes, [(768, 64 * 16), (64 * 16, 32 * 16), (32 * 16, 10)]);
        let LayerShape::Convolution(convolution) = &shapes[0] else { panic!("{shapes:?}") };
        assert_eq!(convolution.weights_per_filter(), 5 * 6);

        let windows = Samples::new("w", vec![0.5; 768 * 2], 768).with_layout(Layout::Windows { channels: 6 });
        assert_eq!(layers.shapes_for(&windows).unwrap(), shapes);
        for other in
            [Layout::Table, Layout::Images(ImageShape { channels: 3, height: 16, width: 16 }), Layout::Features]
        {
            assert_eq!(layers.shapes_for(&windows.clone().with_layout(other)), Err(LayerError::NotARecording));
        }
        // And those over images need images.
        assert_eq!("conv:8k3,10".parse::<Architecture>().unwrap().shapes_for(&windows), Err(LayerError::NotAnImage));
        let long = "conv1d:8k200,10".parse::<Architecture>().unwrap();
        assert!(matches!(long.shapes_for(&windows), Err(LayerError::WindowTooLarge { size: 200, .. })));
    }

    #[test]
    fn depicts_layers_have_the_papers_sizes() {
        let depict: Architecture = "depict".parse().unwrap();
        let shapes = depict.shapes(784, Some(SQUARE)).unwrap();
        let sizes: Vec<(usize, usize)> = shapes.iter().map(|shape| (shape.inputs(), shape.outputs())).collect();
        assert_eq!(sizes, [(784, 13 * 13 * 50), (13 * 13 * 50, 7 * 7 * 50), (7 * 7 * 50, 10)]);
        assert_eq!(depict.shapes(784, None), Err(LayerError::NotAnImage));
        assert_eq!(depict, Architecture::depict());
        let small = ImageShape { height: 3, width: 3, ..SQUARE };
        assert!(matches!(depict.shapes(9, Some(small)), Err(LayerError::WindowTooLarge { size: 4, .. })));
    }
}
