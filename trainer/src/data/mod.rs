//! Where samples come from, and what is known about them before training.

pub mod augmentation;
mod csv;
mod digits;
mod elements;
mod error;
mod files;
mod folder;
mod idx;
mod memory;
mod npy;
mod parquet;
mod scaling;
mod source;
pub mod split;
mod stream;
mod survey;
mod table;
mod values;
mod windows;

pub use digits::digits;
pub use error::DataError;
pub use files::{read, read_labels};
pub use memory::Memory;
pub use scaling::Scaling;
pub use source::{Record, Source, Window};

use std::borrow::Cow;
use std::ops::Range;

use serde::{Deserialize, Serialize};

use survey::{Survey, Surveyor};
use values::{Store, Values};

/// Samples without labels, in the data's own unit: what training code sees. `n_samples x n_features` finite numbers, in
/// memory or in a file from which they are read; a clone copies none of them. See [`Samples::new`] for an example.
#[derive(Clone, Debug)]
pub struct Samples {
    /// What they are, for people: `digits`, or a file's name.
    pub name: String,
    values: Values,
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
    survey: Survey,
}

/// Numbers are compared by their fingerprint.
impl PartialEq for Samples {
    fn eq(&self, other: &Self) -> bool {
        let of = |samples: &Self| (samples.fingerprint, samples.image, samples.channels, samples.count);
        self.name == other.name && of(self) == of(other)
    }
}

/// How the features of a sample form an image: row by row, pixel by pixel, a pixel's channels together.
///
/// ```
/// use edgemix::data::ImageShape;
///
/// assert_eq!(ImageShape { channels: 3, height: 4, width: 5 }.n_values(), 60);
/// ```
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
    /// Number of values. See [`ImageShape`] for an example.
    pub fn n_values(&self) -> usize {
        self.channels * self.height * self.width
    }
}

/// Samples and, where the source has them, the labels that `evaluate` compares with. Training never sees labels.
/// See [`Source`] for an example.
#[derive(Clone, Debug, PartialEq)]
pub struct Dataset {
    /// The samples.
    pub samples: Samples,
    /// One label per sample.
    pub labels: Option<Vec<u32>>,
    /// What each sample was taken from: a user, a device, a recording.
    pub groups: Option<Vec<u32>>,
}

/// Numbers that are read at once where all are looked at in turn.
const BLOCK: usize = 1 << 18;

impl Samples {
    /// Samples from a row-major matrix.
    ///
    /// ```
    /// use edgemix::data::{ImageShape, Samples};
    ///
    /// let shape = ImageShape { channels: 1, height: 2, width: 2 };
    /// let images = Samples::new("squares", vec![0.0, 1.0, 1.0, 0.0, 1.0, 0.0, 0.0, 1.0], shape.n_values());
    /// let images = images.with_image(shape).with_count(1.0);
    /// assert_eq!((images.n_samples, images.gather(&[1])?), (2, vec![1.0, 0.0, 0.0, 1.0]));
    /// # Ok::<(), edgemix::data::DataError>(())
    /// ```
    pub fn new(name: impl Into<String>, values: Vec<f32>, n_features: usize) -> Self {
        let mut surveyor = Surveyor::new(values.len().checked_div(n_features).unwrap_or(0), n_features);
        surveyor.look_at(&values);
        Self::surveyed(name, Values::new(Store::Memory(values), n_features), n_features, surveyor)
    }

    /// Samples that are a row each.
    fn of(name: impl Into<String>, values: Values) -> Result<Self, DataError> {
        let n_features = values.width();
        let mut surveyor = Surveyor::new(values.n_rows(), n_features);
        for block in blocks(&values, (BLOCK / n_features.max(1)).max(1)) {
            surveyor.look_at(&block?);
        }
        Ok(Self::surveyed(name, values, n_features, surveyor))
    }

    fn surveyed(name: impl Into<String>, values: Values, n_features: usize, surveyor: Surveyor) -> Self {
        let (survey, fingerprint) = surveyor.finish();
        let (name, n_samples) = (name.into(), values.n_rows());
        Self { name, values, n_samples, n_features, image: None, channels: None, count: None, fingerprint, survey }
    }

    /// The features are pixels of images of this shape. See [`Samples::new`] for an example.
    #[must_use]
    pub fn with_image(mut self, shape: ImageShape) -> Self {
        self.image = Some(shape);
        self
    }

    /// The samples are windows over so many channels.
    ///
    /// ```
    /// use edgemix::data::{Samples, Scaling};
    ///
    /// // Two windows of four instants. Each channel is scaled by itself.
    /// let values = (0..16).map(|x| x as f32).collect();
    /// let windows = Samples::new("windows", values, 8).with_channels(2);
    /// assert_eq!((windows.n_samples, Scaling::fit(&windows)?.gain.len()), (2, 2));
    /// # Ok::<(), edgemix::data::DataError>(())
    /// ```
    #[must_use]
    pub fn with_channels(mut self, channels: usize) -> Self {
        self.channels = Some(channels);
        self
    }

    /// The values were integers, one count being `count`. See [`Samples::new`] for an example.
    #[must_use]
    pub fn with_count(mut self, count: f32) -> Self {
        self.count = Some(count);
        self
    }

    /// Whether they lie in memory; those that do not are read from a file each time that they are asked for.
    /// See [`Source::read_within`] for an example.
    pub fn are_in_memory(&self) -> bool {
        self.values.is_in_memory()
    }

    /// Some samples, one behind another.
    ///
    /// ```
    /// use edgemix::data::Samples;
    ///
    /// let samples = Samples::new("three", vec![1.0, 2.0, 3.0, 4.0, 5.0, 6.0], 2);
    /// assert_eq!(*samples.chunk(1..3)?, [3.0, 4.0, 5.0, 6.0]);
    /// assert_eq!(samples.all()?, samples.chunk(0..3)?);
    /// # Ok::<(), edgemix::data::DataError>(())
    /// ```
    ///
    /// # Errors
    /// If the file that they are in can't be read.
    ///
    /// # Panics
    /// If there are not so many.
    pub fn chunk(&self, range: Range<usize>) -> Result<Cow<'_, [f32]>, DataError> {
        self.values.chunk(range)
    }

    /// All samples, so many at a time.
    ///
    /// ```
    /// use edgemix::data::Samples;
    ///
    /// let samples = Samples::new("three", vec![1.0, 2.0, 3.0, 4.0, 5.0, 6.0], 2);
    /// let mut sizes = vec![];
    /// for values in samples.chunks(2) {
    ///     sizes.push(values?.len());
    /// }
    /// assert_eq!(sizes, [4, 2]);
    /// # Ok::<(), edgemix::data::DataError>(())
    /// ```
    ///
    /// # Errors
    /// If the file that they are in can't be read.
    pub fn chunks(&self, n: usize) -> impl Iterator<Item = Result<Cow<'_, [f32]>, DataError>> {
        blocks(&self.values, n)
    }

    /// The same, as many at a time as is quick to read.
    fn blocks(&self) -> impl Iterator<Item = Result<Cow<'_, [f32]>, DataError>> {
        self.chunks((BLOCK / self.n_features.max(1)).max(1))
    }

    /// All samples at once, for what can't do with less. See [`Samples::chunk`] for an example.
    ///
    /// # Errors
    /// If the file that they are in can't be read.
    pub fn all(&self) -> Result<Cow<'_, [f32]>, DataError> {
        self.values.chunk(0..self.n_samples)
    }

    /// The samples with these indices, one behind another. See [`Samples::new`] for an example.
    ///
    /// # Errors
    /// If the file that they are in can't be read.
    ///
    /// # Panics
    /// If there is no sample with an index.
    pub fn gather(&self, indices: &[usize]) -> Result<Vec<f32>, DataError> {
        self.values.gather(indices.iter().copied())
    }

    /// The samples with these indices, as samples with a fingerprint of their own.
    ///
    /// ```
    /// use edgemix::data::Samples;
    ///
    /// let three = Samples::new("three", vec![1.0, 2.0, 3.0], 1);
    /// let two = three.select(&[2, 0])?;
    /// assert_eq!(*two.all()?, [3.0, 1.0]);
    /// assert_ne!(two.fingerprint, three.fingerprint);
    /// # Ok::<(), edgemix::data::DataError>(())
    /// ```
    ///
    /// # Errors
    /// If the file that they are in can't be read.
    ///
    /// # Panics
    /// If there is no sample with an index.
    pub fn select(&self, indices: &[usize]) -> Result<Self, DataError> {
        let selected = Self::of(self.name.clone(), self.values.select(indices.iter().copied()))?;
        Ok(Self { image: self.image, channels: self.channels, count: self.count, ..selected })
    }

    /// At most `most` samples, evenly from all; they go by the name and the fingerprint of all.
    ///
    /// ```
    /// use edgemix::data::Samples;
    ///
    /// let seven = Samples::new("seven", (0..7).map(|x| x as f32).collect(), 1);
    /// let some = seven.thinned(3);
    /// assert_eq!(*some.all()?, [0.0, 3.0, 6.0]);
    /// assert_eq!(some.fingerprint, seven.fingerprint);
    /// # Ok::<(), edgemix::data::DataError>(())
    /// ```
    #[must_use]
    pub fn thinned(&self, most: usize) -> Self {
        let step = self.n_samples.div_ceil(most.max(1)).max(1);
        if step == 1 {
            return self.clone();
        }
        let values = self.values.select((0..self.n_samples).step_by(step));
        Self { n_samples: values.n_rows(), values, ..self.clone() }
    }

    /// The least of all numbers.
    ///
    /// ```
    /// let samples = edgemix::data::Samples::new("two", vec![3.0, -1.0, 2.0, 0.5], 2);
    /// assert_eq!((samples.least(), samples.greatest()), (-1.0, 3.0));
    /// ```
    pub fn least(&self) -> f32 {
        self.survey.least
    }

    /// The greatest of all numbers. See [`Samples::least`] for an example.
    pub fn greatest(&self) -> f32 {
        self.survey.greatest
    }
}

/// All rows, `n` at a time.
fn blocks(values: &Values, n: usize) -> impl Iterator<Item = Result<Cow<'_, [f32]>, DataError>> {
    let total = values.n_rows();
    (0..total).step_by(n.max(1)).map(move |first| values.chunk(first..total.min(first + n.max(1))))
}
