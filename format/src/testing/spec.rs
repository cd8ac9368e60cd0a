//! The few numbers that a generated model is made from.

use alloc::vec;
use alloc::vec::Vec;

use crate::description::{Covariance, Pooling, Window};
use crate::write::{FilterSettings, SpectrumSettings};

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
#[derive(Clone, Debug, PartialEq)]
pub struct Spec {
    /// A filter before the spectrum, which takes what it gives.
    pub filter: Option<FilterSettings>,
    /// A front end. `input` is then the number of its features.
    pub spectrum: Option<SpectrumSettings>,
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
    /// Number of clusters of each level above the clusters, from fine to coarse.
    pub levels: Vec<u16>,
    /// Whether the clusters of successive windows follow each other in a known way.
    pub transitions: bool,
    /// The seed of every tensor.
    pub seed: u64,
}

impl Default for Spec {
    /// Two layers, three latent dimensions, five components of full covariance in three clusters, a novelty table.
    fn default() -> Self {
        Self {
            filter: None,
            spectrum: None,
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
            levels: vec![],
            transitions: false,
            seed: 0,
        }
    }
}

impl Spec {
    /// Elements of the latent.
    pub fn latent(&self) -> usize {
        self.layers.last().map_or(self.flattened(), |&(outputs, _)| outputs)
    }

    /// Number of clusters.
    pub(super) fn n_clusters(&self) -> u16 {
        match self.head {
            HeadSpec::Mixture(_) => self.clusters,
            HeadSpec::Softmax | HeadSpec::Autoencoders { .. } => self.components,
        }
    }

    /// Whether the sample is itself the latent.
    pub(super) fn is_latent(&self) -> bool {
        let is_bare = self.layers.is_empty() && self.image_layers.is_empty();
        is_bare && !matches!(self.head, HeadSpec::Autoencoders { .. })
    }

    /// Elements that the layers on images give.
    pub(super) fn flattened(&self) -> usize {
        if self.image_layers.is_empty() {
            return self.input;
        }
        let image = self.image_layers.iter().fold(self.image, |image, layer| layer.output(image));
        image.map(usize::from).into_iter().product()
    }
}
