//! Valid models made from a few numbers and a seed, for tests. Feature `testing`.
//!
//! The same [`Spec`] gives the same bytes on every host. Weights and samples mean nothing; they are chosen so that
//! values spread over their ranges and saturate now and then. Scaling is exact: a raw sample and the same sample in
//! the data's unit (`raw * count`, in f32) become the same integers.
//!
//! ```
//! use edgemix_format::{File, testing::Spec};
//!
//! let bytes = Spec::default().build().unwrap();
//! assert_eq!(File::from_bytes(&bytes).unwrap().latent.len, 3);
//! ```

mod maker;

use alloc::vec;
use alloc::vec::Vec;

use maker::Maker;

use crate::description::{
    CalibrationRecord, Covariance, Description, Fingerprint, FrontEndRecords, Latent, LayerRecord, Pooling, Window,
};
use crate::write::{AlignedBytes, Blob, WriteError, write};

/// SplitMix64: small, seeded with any number, the same on every host.
#[derive(Clone, Debug)]
pub struct SplitMix64(u64);

impl SplitMix64 {
    /// A generator that starts at `seed`.
    pub const fn new(seed: u64) -> Self {
        Self(seed)
    }

    /// The next 64 bits.
    pub const fn next_u64(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        z ^ (z >> 31)
    }

    /// An integer from `low` to `high`, both included; the slight bias of a remainder doesn't matter here.
    pub const fn between(&mut self, low: i32, high: i32) -> i32 {
        let span = (high as i64 - low as i64 + 1) as u64;
        (low as i64 + (self.next_u64() % span) as i64) as i32
    }

    /// `len` integers from `low` to `high`, both included.
    pub fn many(&mut self, len: usize, low: i32, high: i32) -> Vec<i32> {
        (0..len).map(|_| self.between(low, high)).collect()
    }

    fn i8s(&mut self, len: usize) -> Vec<i8> {
        (0..len).map(|_| self.between(-128, 127) as i8).collect()
    }

    fn i16s(&mut self, len: usize) -> Vec<i16> {
        (0..len).map(|_| self.between(-32768, 32767) as i16).collect()
    }

    fn u8s(&mut self, len: usize, low: i32, high: i32) -> Vec<u8> {
        (0..len).map(|_| self.between(low, high) as u8).collect()
    }
}

/// What follows a generated layer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Follow {
    /// Nothing.
    Identity,
    /// Negative values become zero.
    Relu,
    /// Negative values become smaller.
    LeakyRelu,
    /// A table of random values; it can't follow the last layer.
    Table,
    /// A curve through random values; it can follow the last layer alone.
    Interpolated,
}

/// A generated convolution.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Convolution {
    /// Channels of the output.
    pub filters: u16,
    /// Rows and columns of a filter.
    pub kernel: [u8; 2],
    /// Rows and columns from one place to the next.
    pub stride: [u8; 2],
    /// Rows and columns above, left, below, right.
    pub padding: [u8; 4],
    /// What follows.
    pub follow: Follow,
}

/// A generated layer that takes an image.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ImageLayer {
    /// A convolution.
    Convolution(Convolution),
    /// Pooling.
    Pooling(PoolingSpec),
}

/// Generated pooling.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct PoolingSpec {
    /// What is computed.
    pub pooling: Pooling,
    /// Rows and columns of the window.
    pub kernel: [u8; 2],
    /// Rows and columns from one position to the next.
    pub stride: [u8; 2],
    /// Rows and columns above, left, below, right.
    pub padding: [u8; 4],
}

impl ImageLayer {
    /// The window over an image of `[rows, columns, channels]`.
    pub(crate) fn window(&self, [height, width, channels]: [u16; 3]) -> Window {
        match *self {
            Self::Convolution(Convolution { kernel, stride, padding, .. })
            | Self::Pooling(PoolingSpec { kernel, stride, padding, .. }) => {
                Window { height, width, channels, kernel, stride, padding }
            }
        }
    }

    /// Rows, columns and channels of the output on an image of `[rows, columns, channels]`; zeros if the window is larger
    /// than the padded image.
    pub fn output(&self, image: [u16; 3]) -> [u16; 3] {
        let window = self.window(image);
        let channels = match self {
            Self::Convolution(convolution) => convolution.filters,
            Self::Pooling(_) => image[2],
        };
        [window.rows() as u16, window.columns() as u16, channels]
    }

    /// What follows the layer, if something can.
    pub fn follow_mut(&mut self) -> Option<&mut Follow> {
        match self {
            Self::Convolution(convolution) => Some(&mut convolution.follow),
            Self::Pooling(_) => None,
        }
    }
}

/// A generated head.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum HeadSpec {
    /// A mixture with covariances of this shape.
    Mixture(Covariance),
    /// A softmax; its classes are its components and its clusters.
    Softmax,
    /// As many encoder-decoder pairs as components, over a sample that no layers precede.
    Autoencoders {
        /// Number of means.
        latent: u16,
        /// Whether there are log variances and penalties.
        is_variational: bool,
    },
}

/// What a generated model looks like.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Spec {
    /// Elements of one sample.
    pub input: usize,
    /// Channels of the input's scaling; divides `input`.
    pub channels: usize,
    /// Rows, columns and channels of the sample if there are layers that take images; their product is then `input`.
    pub image: [u16; 3],
    /// Layers that take images. They run before the dense layers.
    pub image_layers: Vec<ImageLayer>,
    /// Outputs and activation of each dense layer. The last one gives the latent; with none the sample is the latent.
    pub layers: Vec<(usize, Follow)>,
    /// The head.
    pub head: HeadSpec,
    /// Components of a mixture, classes of a softmax.
    pub components: u16,
    /// Clusters of a mixture, at most as many as components.
    pub clusters: u16,
    /// Entries of a novelty table; 0 for none.
    pub calibration: u16,
    /// Tables of so many entries each, of held-out samples; 0 for one table of other samples.
    pub held_out: u16,
    /// The seed of every tensor.
    pub seed: u64,
}

impl Default for Spec {
    /// Two layers, three latent dimensions, five components of full covariance in three clusters, a novelty table.
    fn default() -> Self {
        Self {
            input: 6,
            channels: 1,
            image: [0; 3],
            image_layers: vec![],
            layers: vec![(5, Follow::Relu), (3, Follow::Identity)],
            head: HeadSpec::Mixture(Covariance::Full),
            components: 5,
            clusters: 3,
            calibration: 8,
            held_out: 0,
            seed: 0,
        }
    }
}

impl Spec {
    /// Elements of the latent.
    pub fn latent(&self) -> usize {
        self.layers.last().map_or(self.flattened(), |&(outputs, _)| outputs)
    }

    /// Whether the sample is itself the latent.
    fn is_latent(&self) -> bool {
        let is_bare = self.layers.is_empty() && self.image_layers.is_empty();
        is_bare && !matches!(self.head, HeadSpec::Autoencoders { .. })
    }

    /// Elements that the layers on images give.
    fn flattened(&self) -> usize {
        if self.image_layers.is_empty() {
            return self.input;
        }
        let image = self.image_layers.iter().fold(self.image, |image, layer| layer.output(image));
        image.map(usize::from).into_iter().product()
    }

    /// Writes the model.
    ///
    /// # Errors
    /// [`WriteError::Refused`] where the numbers contradict each other or a limit of the format.
    pub fn build(&self) -> Result<AlignedBytes, WriteError> {
        let (description, blob) = self.parts();
        write(&description, &blob)
    }

    /// The parts that [`build`](Self::build) writes, for tests that alter them first.
    pub fn parts(&self) -> (Description<'static>, Blob) {
        let mut maker = Maker { random: SplitMix64::new(self.seed), blob: Blob::default() };
        let fingerprint = Fingerprint {
            data: maker.random.next_u64().to_le_bytes(),
            config: maker.random.next_u64().to_le_bytes(),
            seed: self.seed,
            version: "0.0.0",
        };
        let input = maker.input(self);
        let encoder = maker.encoder(self);
        let scale = encoder.last().map_or(0.001, |last| match last {
            LayerRecord::Dense(last) => last.output.scale,
            LayerRecord::Conv2d(last) => last.filters.output.scale,
            LayerRecord::Pool2d(last) => last.output.scale,
        });
        let len = if matches!(self.head, HeadSpec::Autoencoders { .. }) { 0 } else { self.latent() as u16 };
        let latent = Latent { len, scale };
        let head = maker.head(self);
        let calibration = match self.held_out {
            0 => maker.calibration(self.calibration),
            _ => CalibrationRecord::HeldOut(maker.held_out(self)),
        };
        let description = Description {
            name: "generated",
            method: "testing",
            fingerprint,
            front_ends: FrontEndRecords::new(),
            input,
            encoder,
            latent,
            head,
            calibration,
        };
        (description, maker.blob)
    }
}
