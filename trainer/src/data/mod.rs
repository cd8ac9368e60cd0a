//! Where samples come from, and what is known about them before training.

pub mod augmentation;
mod csv;
mod digits;
mod files;
mod folder;
mod npy;
mod parquet;
mod scaling;
mod source;
pub mod split;
mod table;
mod windows;

pub use digits::digits;
pub use files::{DataError, read, read_labels};
pub use scaling::Scaling;
pub use source::{Record, Source, Window};

use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

/// Samples without labels, in the data's own unit: what training code sees.
#[derive(Clone, Debug, PartialEq)]
pub struct Samples {
    /// What they are, for people: `digits`, or a file's name.
    pub name: String,
    /// `n_samples x n_features`, row-major, finite.
    pub values: Vec<f32>,
    /// N.
    pub n_samples: usize,
    /// D.
    pub n_features: usize,
    /// How the features form an image, if they do.
    pub image: Option<ImageShape>,
    /// The number of channels of a recording: a sample is a window, instant by instant, an instant's channels together.
    pub channels: Option<usize>,
    /// For data that were integers: one count in the data's unit, 1 where they stand as they are.
    pub count: Option<f32>,
    /// SHA-256 of shape and values.
    pub fingerprint: [u8; 32],
}

/// How the features of a sample form an image: row by row, pixel by pixel, a pixel's channels together.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ImageShape {
    /// 1 for grey values.
    pub channels: usize,
    /// Number of rows.
    pub height: usize,
    /// Number of columns.
    pub width: usize,
}

impl ImageShape {
    /// Number of values.
    pub fn n_values(&self) -> usize {
        self.channels * self.height * self.width
    }
}

/// Samples and, where the source has them, the labels that `evaluate` compares with. Training never sees labels.
#[derive(Clone, Debug, PartialEq)]
pub struct Dataset {
    /// The samples.
    pub samples: Samples,
    /// One label per sample.
    pub labels: Option<Vec<u32>>,
    /// What each sample was taken from: a user, a device, a recording.
    pub groups: Option<Vec<u32>>,
}

impl Samples {
    /// Samples from a row-major matrix.
    ///
    /// ```
    /// use edgemix::data::{ImageShape, Samples};
    ///
    /// let shape = ImageShape { channels: 1, height: 2, width: 2 };
    /// let images = Samples::new("squares", vec![0.0, 1.0, 1.0, 0.0, 1.0, 0.0, 0.0, 1.0], shape.n_values());
    /// let images = images.with_image(shape).with_count(1.0);
    /// assert_eq!((images.n_samples, images.rows().nth(1).unwrap()), (2, &[1.0, 0.0, 0.0, 1.0][..]));
    /// ```
    pub fn new(name: impl Into<String>, values: Vec<f32>, n_features: usize) -> Self {
        let n_samples = values.len().checked_div(n_features).unwrap_or(0);
        let mut hash = Sha256::new();
        hash.update((n_samples as u64).to_le_bytes());
        hash.update((n_features as u64).to_le_bytes());
        values.iter().for_each(|x| hash.update(x.to_le_bytes()));
        let fingerprint = hash.finalize().into();
        Self { name: name.into(), values, n_samples, n_features, image: None, channels: None, count: None, fingerprint }
    }

    /// The features are pixels of images of this shape.
    #[must_use]
    pub fn with_image(mut self, shape: ImageShape) -> Self {
        self.image = Some(shape);
        self
    }

    /// The samples are windows over so many channels.
    #[must_use]
    pub fn with_channels(mut self, channels: usize) -> Self {
        self.channels = Some(channels);
        self
    }

    /// The values were integers, one count being `count`.
    #[must_use]
    pub fn with_count(mut self, count: f32) -> Self {
        self.count = Some(count);
        self
    }

    /// The samples one by one.
    pub fn rows(&self) -> impl ExactSizeIterator<Item = &[f32]> {
        self.values.chunks_exact(self.n_features)
    }
}
