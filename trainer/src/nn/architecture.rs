//! An encoder's layers by name, or spelt: `500-500-2000-10`, `conv:50k4s2,50k5s2p2,10`.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};
use thiserror::Error;

use crate::data::ImageShape;
use crate::trained::Geometry;

/// The layers of an encoder, from the first to the latent; none: the method's own, or one by the input's size.
///
/// ```
/// use edgemix::data::ImageShape;
/// use edgemix::nn::{Architecture, Shape};
///
/// let depict: Architecture = "conv:50k4s2,50k5s2p2,10".parse()?;
/// let image = ImageShape { channels: 1, height: 28, width: 28 };
/// let shapes = depict.shapes(28 * 28, Some(image))?;
/// assert_eq!(shapes[2], Shape::Dense { inputs: 7 * 7 * 50, outputs: 10 });
/// assert!("conv:8k3,3".parse::<Architecture>()?.shapes(64, None).is_err());
/// assert_eq!("dec".parse::<Architecture>()?.to_string(), "500-500-2000-10");
/// # Ok::<(), edgemix::nn::ArchitectureError>(())
/// ```
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct Architecture(Vec<Spelling>);

/// A layer as it is spelt.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Spelling {
    /// `128`.
    Dense(usize),
    /// `50k5s2p2`.
    Convolution { filters: usize, kernel: usize, stride: usize, padding: usize },
}

/// A layer for an input of a given size. See [`Architecture::shapes`] for an example.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Shape {
    /// A fully connected layer.
    Dense {
        /// Number of inputs.
        inputs: usize,
        /// Number of outputs.
        outputs: usize,
    },
    /// A convolution.
    Convolution(Geometry),
}

/// Why layers can't be.
///
/// ```
/// use edgemix::nn::{Architecture, ArchitectureError};
///
/// assert_eq!("conv:64,8k3,10".parse::<Architecture>(), Err(ArchitectureError::Order));
/// assert_eq!(Architecture::depict().shapes(64, None), Err(ArchitectureError::NotAnImage));
/// ```
#[derive(Clone, Debug, PartialEq, Eq, Error)]
#[non_exhaustive]
pub enum ArchitectureError {
    /// Not how layers are spelt.
    #[error(
        "{0:?} is no layer: expected widths joined by -, as in 256-128-10, convolutions before them, as in \
         conv:50k4s2,50k5s2p2,10 (filters, kernel, stride, padding), or one of the names {NAMES}",
        NAMES = Architecture::NAMED.map(|(name, _)| name).join(", ")
    )]
    Spelling(String),
    /// A convolution after a fully connected layer, or at the end.
    #[error("convolutions come first, and a width, that of the latent, comes last, as in conv:50k4s2,50k5s2p2,10")]
    Order,
    /// The samples are not images.
    #[error("the samples are not images: give widths without convolutions, as in 256-128-10")]
    NotAnImage,
    /// The kernel does not fit.
    #[error("a kernel of {kernel} with padding {padding} does not fit an image of {height} x {width}: make it smaller")]
    Kernel {
        /// Its size.
        kernel: usize,
        /// Zeros on each side.
        padding: usize,
        /// Rows of the image.
        height: usize,
        /// Columns of the image.
        width: usize,
    },
}

impl Architecture {
    /// Names on the command line, and what they stand for.
    pub const NAMED: [(&str, &str); 5] = [
        ("small", "256-128-10"),
        ("dec", "500-500-2000-10"),
        ("k-dvae", "500-100-10"),
        ("depict", "conv:50k4s2,50k5s2p2,10"),
        ("tiny", "64-32-8"),
    ];

    /// Fully connected layers of these widths. See [`Architecture::shapes`] for an example.
    pub fn dense(widths: &[usize]) -> Self {
        Self(widths.iter().map(|&width| Spelling::Dense(width)).collect())
    }

    /// DEPICT's: two convolutions and a latent of 10.
    ///
    /// ```
    /// use edgemix::nn::Architecture;
    ///
    /// assert_eq!("depict".parse(), Ok(Architecture::depict()));
    /// ```
    pub fn depict() -> Self {
        let convolution = |kernel, padding| Spelling::Convolution { filters: 50, kernel, stride: 2, padding };
        Self(vec![convolution(4, 0), convolution(5, 2), Spelling::Dense(10)])
    }

    /// Whether nothing was asked for.
    ///
    /// ```
    /// use edgemix::nn::Architecture;
    ///
    /// assert!(Architecture::default().is_default() && !Architecture::dense(&[10]).is_default());
    /// ```
    pub fn is_default(&self) -> bool {
        self.0.is_empty()
    }

    /// The layers for samples of `n_features`, which form an image or not.
    ///
    /// ```
    /// use edgemix::nn::Architecture;
    ///
    /// let shapes = Architecture::dense(&[32, 8]).shapes(64, None)?;
    /// let sizes: Vec<(usize, usize)> = shapes.iter().map(|shape| (shape.inputs(), shape.outputs())).collect();
    /// assert_eq!(sizes, [(64, 32), (32, 8)]);
    /// # Ok::<(), edgemix::nn::ArchitectureError>(())
    /// ```
    ///
    /// # Errors
    /// [`ArchitectureError`] if convolutions don't fit them.
    pub fn shapes(&self, n_features: usize, image: Option<ImageShape>) -> Result<Vec<Shape>, ArchitectureError> {
        let (mut inputs, mut image) = (n_features, image);
        let mut shapes = Vec::with_capacity(self.0.len());
        for &layer in &self.0 {
            shapes.push(match layer {
                Spelling::Dense(outputs) => Shape::Dense { inputs, outputs },
                Spelling::Convolution { filters, kernel, stride, padding } => {
                    let input = image.ok_or(ArchitectureError::NotAnImage)?;
                    let geometry = Geometry { input, filters, kernel, stride, padding };
                    let ImageShape { height, width, .. } = input;
                    let does_not_fit = ArchitectureError::Kernel { kernel, padding, height, width };
                    image = Some(geometry.output().ok_or(does_not_fit)?);
                    Shape::Convolution(geometry)
                }
            });
            inputs = shapes.last().map_or(inputs, Shape::outputs);
        }
        Ok(shapes)
    }
}

impl Shape {
    /// Number of inputs. See [`Architecture::shapes`] for an example.
    pub fn inputs(&self) -> usize {
        match self {
            Self::Dense { inputs, .. } => *inputs,
            Self::Convolution(geometry) => geometry.inputs(),
        }
    }

    /// Number of outputs. See [`Architecture::shapes`] for an example.
    pub fn outputs(&self) -> usize {
        match self {
            Self::Dense { outputs, .. } => *outputs,
            Self::Convolution(geometry) => geometry.outputs(),
        }
    }
}

impl FromStr for Architecture {
    type Err = ArchitectureError;

    fn from_str(text: &str) -> Result<Self, ArchitectureError> {
        if text.is_empty() {
            return Ok(Self::default());
        }
        if let Some((_, spelt)) = Self::NAMED.iter().find(|(name, _)| *name == text) {
            return spelt.parse();
        }
        let (layers, separator) = text.strip_prefix("conv:").map_or((text, '-'), |layers| (layers, ','));
        let layers = layers
            .split(separator)
            .map(|layer| Spelling::read(layer.trim()).ok_or_else(|| ArchitectureError::Spelling(layer.into())));
        let layers = layers.collect::<Result<Vec<_>, _>>()?;
        let is_dense = |layer: &Spelling| matches!(layer, Spelling::Dense(_));
        if layers.last().is_some_and(is_dense) && layers.is_sorted_by_key(is_dense) {
            Ok(Self(layers))
        } else {
            Err(ArchitectureError::Order)
        }
    }
}

impl Spelling {
    /// No number may be 0, but for the padding; one that is left out is 1, or 0 for the padding.
    fn read(text: &str) -> Option<Self> {
        let Some((filters, rest)) = text.split_once('k') else {
            return text.parse().ok().filter(|&width| width > 0).map(Self::Dense);
        };
        let (rest, padding) = rest.split_once('p').unwrap_or((rest, "0"));
        let (kernel, stride) = rest.split_once('s').unwrap_or((rest, "1"));
        let positive = |text: &str| text.parse().ok().filter(|&number: &usize| number > 0);
        Some(Self::Convolution {
            filters: positive(filters)?,
            kernel: positive(kernel)?,
            stride: positive(stride)?,
            padding: padding.parse().ok()?,
        })
    }
}

impl fmt::Display for Architecture {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let convolves = self.0.iter().any(|layer| matches!(layer, Spelling::Convolution { .. }));
        let layers: Vec<String> = self.0.iter().map(Spelling::to_string).collect();
        if convolves { write!(f, "conv:{}", layers.join(",")) } else { f.write_str(&layers.join("-")) }
    }
}

impl fmt::Display for Spelling {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match *self {
            Self::Dense(width) => write!(f, "{width}"),
            Self::Convolution { filters, kernel, stride, padding } => {
                write!(f, "{filters}k{kernel}s{stride}")?;
                if padding > 0 { write!(f, "p{padding}") } else { Ok(()) }
            }
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

    const SQUARE: ImageShape = ImageShape { channels: 1, height: 28, width: 28 };

    #[test]
    fn what_is_written_is_read_again() {
        for text in ["", "10", "500-500-2000-10", "conv:50k4s2,50k5s2p2,10", "conv:8k3s1p1,16k3s2,64,10"] {
            assert_eq!(text.parse::<Architecture>().unwrap().to_string(), text);
        }
        assert_eq!("conv:8k3,10".parse::<Architecture>().unwrap().to_string(), "conv:8k3s1,10");
        for (name, spelt) in Architecture::NAMED {
            assert_eq!(name.parse::<Architecture>().unwrap().to_string(), spelt);
        }
    }

    #[test]
    fn what_is_no_layer_is_refused() {
        for text in ["a-b", "0", "10-", "-10", "conv:", "conv:k3,10", "conv:8k0,10", "conv:8k3s0,10", "8k3-x", "1.5"] {
            assert!(matches!(text.parse::<Architecture>(), Err(ArchitectureError::Spelling(_))), "{text}");
        }
        for text in ["conv:8k3", "conv:64,8k3,10"] {
            assert_eq!(text.parse::<Architecture>(), Err(ArchitectureError::Order), "{text}");
        }
    }

    #[test]
    fn depicts_layers_have_the_papers_sizes() {
        let depict: Architecture = "depict".parse().unwrap();
        let sizes: Vec<(usize, usize)> =
            depict.shapes(784, Some(SQUARE)).unwrap().iter().map(|s| (s.inputs(), s.outputs())).collect();
        assert_eq!(sizes, [(784, 13 * 13 * 50), (13 * 13 * 50, 7 * 7 * 50), (7 * 7 * 50, 10)]);
        assert_eq!(depict.shapes(784, None), Err(ArchitectureError::NotAnImage));
        assert_eq!(depict, Architecture::depict());
        let small = ImageShape { height: 3, width: 3, ..SQUARE };
        assert!(matches!(depict.shapes(9, Some(small)), Err(ArchitectureError::Kernel { kernel: 4, .. })));
    }
}
