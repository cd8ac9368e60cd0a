//! Valid models from a few numbers and a seed, for tests. Feature `testing`.
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

use crate::check::places;
use crate::description::{Calibration, Covariance, Description, Fingerprint, Latent, Layer};
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

impl Convolution {
    /// Rows, columns and channels of the output on an image of `[rows, columns, channels]`; zeros where the filter has
    /// no place.
    pub fn output(&self, [height, width, _]: [u16; 3]) -> [u16; 3] {
        let [above, left, below, right] = self.padding;
        let along = |extent, padding, i: usize| places(extent, padding, self.kernel[i], self.stride[i]).unwrap_or(0);
        let rows = along(height.into(), [above, below], 0);
        [rows as u16, along(width.into(), [left, right], 1) as u16, self.filters]
    }
}

/// The kind of a generated head.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// A mixture with covariances of this shape.
    Mixture(Covariance),
    /// A softmax; its classes are its components and its clusters.
    Softmax,
    /// As many encoder-decoder pairs as components, over a sample that no layers come before.
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
    /// Rows, columns and channels of the sample, where there are convolutions; their product is then `input`.
    pub image: [u16; 3],
    /// Convolutions, which run before the layers.
    pub convolutions: Vec<Convolution>,
    /// Outputs and activation of each dense layer. The last one gives the latent; with none the sample is the latent.
    pub layers: Vec<(usize, Follow)>,
    /// The head.
    pub head: Kind,
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
            convolutions: vec![],
            layers: vec![(5, Follow::Relu), (3, Follow::Identity)],
            head: Kind::Mixture(Covariance::Full),
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
        self.layers.last().map_or(self.convolved(), |&(outputs, _)| outputs)
    }

    /// Whether the sample is itself the latent.
    fn is_latent(&self) -> bool {
        let is_bare = self.layers.is_empty() && self.convolutions.is_empty();
        is_bare && !matches!(self.head, Kind::Autoencoders { .. })
    }

    /// What the convolutions give.
    fn convolved(&self) -> usize {
        if self.convolutions.is_empty() {
            return self.input;
        }
        let image = self.convolutions.iter().fold(self.image, |image, convolution| convolution.output(image));
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

    /// What [`build`](Self::build) writes, for tests that alter it first.
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
            Layer::Dense(last) => last.output.scale,
            Layer::Conv2d(last) => last.output.scale,
        });
        let len = if matches!(self.head, Kind::Autoencoders { .. }) { 0 } else { self.latent() as u16 };
        let latent = Latent { len, scale };
        let head = maker.head(self);
        let calibration = match self.held_out {
            0 => maker.calibration(self.calibration),
            _ => Calibration::HeldOut(maker.held_out(self)),
        };
        let description = Description {
            name: "generated",
            method: "testing",
            fingerprint,
            input,
            encoder,
            latent,
            head,
            calibration,
        };
        (description, maker.blob)
    }
}
