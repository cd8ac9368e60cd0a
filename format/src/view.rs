//! A checked model: every tensor resolved to a slice of the file, nothing left that could fail.
//!
//! The types mirror [`crate::description`]; what the fields mean is said there. Shapes that hold are said here.

use crate::header::Header;
use crate::plan::Room;
use crate::{AUTOENCODERS, CONVOLUTION, LoadError};

pub use crate::autoencoders::{Autoencoders, PairLayers};
pub use crate::calibration::{Calibration, HeldOut};
pub use crate::description::{Affine, Covariance, Fingerprint, Latent, MAX_LAYERS, WeightOrder};

/// Layers in the order they run. See [`File`] for an example.
pub type Layers<'a> = heapless::Vec<Layer<'a>, MAX_LAYERS>;

/// A model file that was checked.
///
/// ```
/// use edgemix_format::testing::Spec;
/// use edgemix_format::view::{Activation, File, Head, Layer};
///
/// let bytes = Spec::default().build().unwrap();
/// let file = File::from_bytes(&bytes).unwrap();
/// let weights: usize = file.encoder.iter().map(Layer::macs).sum();
/// println!("{} by {}: {weights} multiply-accumulates, {:?}", file.name, file.method, file.head);
/// // 6 -> 5 -> 3, then five components.
/// assert_eq!((file.input.len, weights, file.rooms().count()), (6, 6 * 5 + 5 * 3, 2));
/// let Layer::Dense(first) = file.encoder[0] else { panic!("no dense layer") };
/// assert!(matches!(first.activation, Activation::Relu) && first.requantize.shift.len() == 5);
/// let Head::Mixture(mixture) = file.head else { panic!("no mixture") };
/// assert_eq!(mixture.clusters.len(), 5);
/// ```
#[derive(Clone, Debug)]
pub struct File<'a> {
    /// The header.
    pub header: Header,
    /// The model's name.
    pub name: &'a str,
    /// The method that trained it.
    pub method: &'a str,
    /// Which run made it.
    pub fingerprint: Fingerprint<'a>,
    /// How samples become the first layer's input.
    pub input: Input<'a>,
    /// The encoder; each layer's inputs are the outputs of the one before, the first one's the sample.
    pub encoder: Layers<'a>,
    /// Length and scale of what the encoder gives.
    pub latent: Latent,
    /// What turns a latent into scores.
    pub head: Head<'a>,
    /// What turns a log-density into a novelty, and scores into a posterior.
    pub calibration: Calibration<'a>,
}

impl<'a> File<'a> {
    /// Reads and checks a model: magic, version, lengths, checksum, and every offset, shape, scale and bound in it.
    ///
    /// The bytes may be longer than the model, as a flash partition is.
    ///
    /// ```
    /// use edgemix_format::{File, LoadError, testing::Spec};
    ///
    /// let mut bytes = Spec::default().build().unwrap();
    /// assert!(File::from_bytes(&bytes).is_ok());
    ///
    /// let last = bytes.len() - 1;
    /// bytes.as_mut()[last] ^= 1;
    /// assert!(matches!(File::from_bytes(&bytes), Err(LoadError::Checksum { .. })));
    /// ```
    ///
    /// # Errors
    /// See [`LoadError`]. Any flipped bit and any truncation is refused.
    pub fn from_bytes(bytes: &'a [u8]) -> Result<Self, LoadError> {
        crate::check::file(bytes)
    }

    /// What the encoder's layers ask of the arena, in order; the last one's output is the latent.
    /// See [`File`] for an example.
    pub fn rooms(&self) -> impl Iterator<Item = Room> + '_ {
        self.encoder.iter().map(Layer::room)
    }
}

/// How samples become the first layer's input; all slices are `channels` long, and `channels` divides `len`.
/// See [`File`] for an example.
#[derive(Clone, Copy, Debug)]
pub struct Input<'a> {
    /// Number of elements of one sample.
    pub len: usize,
    /// Input steps per unit of the data.
    pub gain: &'a [f32],
    /// Input steps at zero.
    pub offset: &'a [f32],
    /// One raw count in the data's unit.
    pub count: f32,
    /// The raw value that becomes zero, in 1/256 counts.
    pub center: &'a [i32],
    /// Multiplier of raw samples.
    pub multiplier: &'a [i32],
    /// Shift of raw samples, 1 to 62.
    pub shift: &'a [u8],
}

/// One layer.
///
/// ```
/// # use edgemix_format::testing::{Convolution, Follow, Spec};
/// # let (kernel, follow) = ([3, 2], Follow::Relu);
/// # let filters = Convolution { filters: 4, kernel, stride: [1, 1], padding: [0; 4], follow };
/// # let spec = Spec { input: 60, image: [5, 6, 2], convolutions: vec![filters], ..Spec::default() };
/// # let bytes = spec.build().unwrap();
/// // Begins with 4 filters of 3 x 2 pixels, over 5 x 6 pixels of 2 channels.
/// let layer = edgemix_format::File::from_bytes(&bytes).unwrap().encoder[0];
/// assert_eq!((layer.inputs(), layer.outputs(), layer.scratch()), (60, 3 * 5 * 4, 3 * 2 * 2));
/// assert_eq!((layer.rows().inputs, layer.macs(), layer.room().outputs), (12, 60 * 12, 60));
/// // Weights; biases, multipliers and shifts.
/// assert_eq!(layer.flash(), (4 * 12, 4 * (4 + 4 + 1)));
/// assert!(layer.output().scale > 0.0);
/// ```
#[derive(Clone, Copy, Debug)]
#[non_exhaustive]
pub enum Layer<'a> {
    /// A fully connected layer.
    Dense(Dense<'a>),
    /// A two-dimensional convolution.
    Conv2d(Conv2d<'a>),
}

impl<'a> Layer<'a> {
    /// The layer itself, or a convolution's filters: its weights, biases, requantisation and activation.
    /// See [`Layer`] for an example.
    pub fn rows(&self) -> &Dense<'a> {
        match self {
            Self::Dense(dense) => dense,
            Self::Conv2d(convolution) => &convolution.filters,
        }
    }

    /// The convolution, if it is one; without the feature the compiler knows that it isn't.
    fn convolution(&self) -> Option<&Conv2d<'a>> {
        match self {
            Self::Conv2d(convolution) if CONVOLUTION => Some(convolution),
            _ => None,
        }
    }

    /// Number of input elements. See [`Layer`] for an example.
    pub fn inputs(&self) -> usize {
        self.convolution()
            .map_or(self.rows().inputs, |c| [c.height, c.width, c.channels].map(usize::from).iter().product())
    }

    /// Number of output elements. See [`Layer`] for an example.
    pub fn outputs(&self) -> usize {
        self.places() * self.rows().bias.len()
    }

    /// Elements of 16 bits that it works in: one patch of a convolution's input. See [`Layer`] for an example.
    pub fn scratch(&self) -> usize {
        self.convolution().map_or(0, |c| c.filters.inputs)
    }

    /// What it asks of the arena. See [`Layer`] for an example.
    pub fn room(&self) -> Room {
        Room { outputs: self.outputs(), scratch: self.scratch() }
    }

    /// Multiply-accumulates of one inference, those with padding included. See [`Layer`] for an example.
    pub fn macs(&self) -> usize {
        self.places() * self.rows().weights.len()
    }

    /// Scale and zero point of the output. See [`Layer`] for an example.
    pub fn output(&self) -> Affine {
        self.rows().output
    }

    /// Bytes in the blob: weights, then everything else. See [`Layer`] for an example.
    pub fn flash(&self) -> (usize, usize) {
        let rows = self.rows();
        let table = match rows.activation {
            Activation::LeakyRelu(negative) => size_of_val(negative.multiplier) + size_of_val(negative.shift),
            Activation::Table(table) => size_of_val(table),
            Activation::Interpolated(points) => size_of_val(points),
            Activation::Identity | Activation::Relu => 0,
        };
        let requantize = size_of_val(rows.requantize.multiplier) + size_of_val(rows.requantize.shift);
        (size_of_val(rows.weights), size_of_val(rows.bias) + requantize + table)
    }

    /// How often the rows are computed.
    fn places(&self) -> usize {
        self.convolution().map_or(1, |c| usize::from(c.rows) * usize::from(c.columns))
    }
}

/// A fully connected layer; `weights` has `bias.len() * inputs` elements. See [`File`] for an example.
#[derive(Clone, Copy, Debug)]
pub struct Dense<'a> {
    /// Number of inputs, not 0.
    pub inputs: usize,
    /// The weights, row by row.
    pub weights: &'a [i8],
    /// One bias per output.
    pub bias: &'a [i32],
    /// As long as `bias`.
    pub requantize: Requantize<'a>,
    /// What follows.
    pub activation: Activation<'a>,
    /// The output's scale and zero point.
    pub output: Affine,
}

/// A convolution, channels last; `height * width * channels` and `rows * columns * filters.bias.len()` are at most
/// [`MAX_INPUTS`], nothing is 0 but paddings, and each padding is less than the kernel's extent there.
/// See [`Layer`] for an example.
#[derive(Clone, Copy, Debug)]
pub struct Conv2d<'a> {
    /// Rows of the input.
    pub height: u16,
    /// Columns of the input.
    pub width: u16,
    /// Channels of the input.
    pub channels: u16,
    /// Rows of the output: `(height + above + below - kernel[0]) / stride[0] + 1`.
    pub rows: u16,
    /// Columns of the output.
    pub columns: u16,
    /// Rows and columns that a filter covers.
    pub kernel: [u8; 2],
    /// Rows and columns from one place to the next.
    pub stride: [u8; 2],
    /// Rows and columns around the input: above, left, below, right.
    pub padding: [u8; 4],
    /// What stands in the padding.
    pub padding_value: i8,
    /// The filters, a row each: `filters.inputs = kernel[0] * kernel[1] * channels`, in this order.
    pub filters: Dense<'a>,
}

/// One multiplier and one shift per output. See [`File`] for an example.
#[derive(Clone, Copy, Debug)]
pub struct Requantize<'a> {
    /// Between 0 and 2^31 - 1.
    pub multiplier: &'a [i32],
    /// Between 1 and 62.
    pub shift: &'a [u8],
}

/// What follows a layer's sum. See [`File`] for an example.
#[derive(Clone, Copy, Debug)]
#[non_exhaustive]
pub enum Activation<'a> {
    /// Nothing.
    Identity,
    /// Negative values become zero.
    Relu,
    /// Negative accumulators take these multipliers.
    LeakyRelu(Requantize<'a>),
    /// The requantised value `q` becomes `table[q + 128]`.
    Table(&'a [i8; 256]),
    /// The requantised value, saturated to int16, is looked up on a curve through points 256 steps apart.
    Interpolated(&'a [i16; 257]),
}

/// What turns a latent into scores.
///
/// ```
/// use edgemix_format::testing::{Kind, Spec};
///
/// let bytes = Spec { head: Kind::Softmax, ..Spec::default() }.build().unwrap();
/// let head = edgemix_format::File::from_bytes(&bytes).unwrap().head;
/// // Five classes of three coefficients; a class is a cluster.
/// assert_eq!((head.n_components(), head.macs(3), head.clusters().len(), head.room()), (5, 15, 0, 0));
/// assert_eq!(head.flash(), 15 * 2 + 5 * (4 + 1));
/// ```
#[derive(Clone, Copy, Debug)]
#[non_exhaustive]
pub enum Head<'a> {
    /// A mixture.
    Mixture(Mixture<'a>),
    /// A linear layer whose softmax is the posterior.
    Softmax(Softmax<'a>),
    /// An encoder and decoder for each cluster.
    Autoencoders(Autoencoders<'a>),
}

impl<'a> Head<'a> {
    /// Number of scores: components of a mixture, classes of a softmax, pairs of autoencoders.
    /// See [`Head`] for an example.
    pub fn n_components(&self) -> usize {
        match self {
            Self::Autoencoders(pairs) => pairs.constants.len(),
            Self::Mixture(mixture) => mixture.constants.len(),
            Self::Softmax(softmax) => softmax.offsets.len(),
        }
    }

    /// The cluster of each component; empty where component `k` is cluster `k`. See [`Head`] for an example.
    pub fn clusters(&self) -> &'a [u16] {
        match self {
            Self::Mixture(mixture) => mixture.clusters,
            Self::Softmax(_) | Self::Autoencoders(_) => &[],
        }
    }

    /// Elements of 16 bits that it works in, beside its scores. See [`Head`] for an example.
    pub fn room(&self) -> usize {
        match self {
            Self::Autoencoders(pairs) if AUTOENCODERS => pairs.room(),
            _ => 0,
        }
    }

    /// Multiply-accumulates of one inference. See [`Head`] for an example.
    pub fn macs(&self, latent_len: usize) -> usize {
        match self {
            Self::Autoencoders(pairs) => pairs.macs(),
            Self::Mixture(mixture) => match mixture.covariance {
                Covariance::Full => mixture.coefficients.len() + mixture.offsets.len(),
                Covariance::Spherical | Covariance::Diagonal => 2 * mixture.offsets.len(),
            },
            Self::Softmax(softmax) => softmax.offsets.len() * latent_len,
        }
    }

    /// Bytes in the blob. See [`Head`] for an example.
    pub fn flash(&self) -> usize {
        match self {
            Self::Mixture(m) => {
                let rows = size_of_val(m.coefficients) + size_of_val(m.offsets) + size_of_val(m.shifts);
                rows + size_of_val(m.constants) + size_of_val(m.clusters)
            }
            Self::Autoencoders(pairs) => pairs.flash(),
            Self::Softmax(s) => size_of_val(s.coefficients) + size_of_val(s.offsets) + size_of_val(s.shifts),
        }
    }
}

/// A mixture of `constants.len()` components over D latent dimensions. See [`File`] for an example.
#[derive(Clone, Copy, Debug)]
pub struct Mixture<'a> {
    /// How the coefficients lie.
    pub covariance: Covariance,
    /// Spherical K; diagonal K x D; full K x D(D+1)/2.
    pub coefficients: &'a [i16],
    /// K x D.
    pub offsets: &'a [i32],
    /// Spherical and diagonal K; full K x D.
    pub shifts: &'a [u8],
    /// K.
    pub constants: &'a [i32],
    /// K, every cluster at least once.
    pub clusters: &'a [u16],
}

/// A linear layer of `offsets.len()` classes. See [`Head`] for an example.
#[derive(Clone, Copy, Debug)]
pub struct Softmax<'a> {
    /// `offsets.len() * D`.
    pub coefficients: &'a [i16],
    /// One per class.
    pub offsets: &'a [i32],
    /// One per class.
    pub shifts: &'a [u8],
}

/// The most latent dimensions: with it, a mixture's sum of squares fits 64 bits.
pub const MAX_LATENT: usize = 1024;
/// The most inputs of a layer, and of a filter: with it, a sum of int8 products stays within 2^30.
pub const MAX_INPUTS: usize = 1 << 16;
/// A layer's biases are smaller than this: with it, the sum fits 32 bits. A diagonal mixture's offsets too.
pub const MAX_BIAS: u32 = 1 << 30;
/// A raw sample's center is smaller than this, so that its product fits 64 bits.
pub const MAX_CENTER: u32 = 1 << 26;
