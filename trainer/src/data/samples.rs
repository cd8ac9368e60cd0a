//! The samples that training sees: finite numbers, in memory or in a file, and what is known of all of them.

mod taken;

use std::borrow::Cow;
use std::ops::Range;
use std::sync::Arc;

use super::error::DataError;
use super::image_shape::ImageShape;
use super::note::DataNote;
use super::store::Store;
use super::survey::{Survey, Surveyor};
use super::values::Values;
use super::variations::Variations;
use super::window_start::WindowStart;
use crate::base::arrays::changes;

/// Samples without labels, in the data's own unit: `n_samples x n_features` finite numbers, in memory or in a file from
/// which they are read when they are needed. A clone shares the numbers.
///
/// ```
/// use edgemix::data::{ImageShape, Layout, Samples};
///
/// let shape = ImageShape { channels: 1, height: 2, width: 2 };
/// let images = Samples::new("squares", vec![0.0, 1.0, 1.0, 0.0, 1.0, 0.0, 0.0, 1.0], shape.n_values());
/// let images = images.with_layout(Layout::Images(shape)).with_count(1.0);
/// assert_eq!((images.n_samples(), images.n_features()), (2, 4));
/// assert_eq!(images.gather(&[1])?, [1.0, 0.0, 0.0, 1.0]);
/// # Ok::<(), edgemix::data::DataError>(())
/// ```
#[derive(Clone, Debug)]
pub struct Samples {
    name: String,
    values: Values,
    layout: Layout,
    count: Option<f32>,
    column_names: Option<Arc<[String]>>,
    origins: Arc<[f64]>,
    groups: Option<Arc<[u32]>>,
    times: Option<Arc<[f64]>>,
    interval: Option<f64>,
    starts: Option<Arc<[WindowStart]>>,
    variations: Option<Arc<dyn Variations>>,
    pub(super) breaks: Arc<[usize]>,
    notes: Vec<DataNote>,
    fingerprint: [u8; 32],
    survey: Survey,
}

/// What the features of a sample are.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Layout {
    /// A row of a table: each feature has a meaning of its own.
    #[default]
    Table,
    /// The pixels of an image.
    Images(ImageShape),
    /// A window of a recording, instant by instant, the channels of an instant together.
    Windows {
        /// Number of channels.
        channels: usize,
    },
    /// Features of a window, which a front end computed: each has a meaning of its own.
    Features,
}

/// Samples are equal if their name, layout and count are and their numbers have the same fingerprint.
impl PartialEq for Samples {
    fn eq(&self, other: &Self) -> bool {
        (&self.name, self.layout, self.count, self.fingerprint)
            == (&other.name, other.layout, other.count, other.fingerprint)
    }
}

/// How many numbers are read at once by a pass over all samples.
const BLOCK: usize = 1 << 18;

impl Samples {
    /// A table from a row-major matrix of `n_features` columns.
    pub fn new(name: impl Into<String>, values: Vec<f32>, n_features: usize) -> Self {
        let mut surveyor = Surveyor::new(values.len().checked_div(n_features).unwrap_or(0), n_features);
        surveyor.look_at(&values);
        Self::surveyed(name, Values::new(Store::Memory(values), n_features), surveyor)
    }

    /// A table whose rows are these.
    pub(super) fn from_values(name: impl Into<String>, values: Values) -> Result<Self, DataError> {
        let mut surveyor = Surveyor::new(values.n_rows(), values.width());
        for block in chunks(&values, rows_of_a_block(values.width())) {
            surveyor.look_at(&block?);
        }
        Ok(Self::surveyed(name, values, surveyor))
    }

    fn surveyed(name: impl Into<String>, values: Values, surveyor: Surveyor) -> Self {
        let (survey, fingerprint) = surveyor.finish();
        Self {
            name: name.into(),
            values,
            layout: Layout::Table,
            count: None,
            column_names: None,
            origins: [].into(),
            groups: None,
            times: None,
            interval: None,
            starts: None,
            variations: None,
            breaks: [].into(),
            notes: vec![],
            fingerprint,
            survey,
        }
    }

    /// The same samples with another meaning of their features.
    ///
    /// ```
    /// use edgemix::data::{Layout, Samples, Scaling};
    ///
    /// // Two windows of four instants. Each of the two channels is scaled by itself.
    /// let values = (0..16).map(|x| x as f32).collect();
    /// let windows = Samples::new("windows", values, 8).with_layout(Layout::Windows { channels: 2 });
    /// assert_eq!((windows.n_samples(), Scaling::fit(&windows)?.gain.len()), (2, 2));
    /// # Ok::<(), edgemix::data::DataError>(())
    /// ```
    #[must_use]
    pub fn with_layout(self, layout: Layout) -> Self {
        Self { layout, ..self }
    }

    /// The same samples, known to be integers times `count`.
    #[must_use]
    pub fn with_count(self, count: f32) -> Self {
        Self { count: Some(count), ..self }
    }

    /// The same samples, whose columns have these names.
    pub(super) fn with_column_names(self, names: impl IntoIterator<Item = String>) -> Self {
        Self { column_names: Some(names.into_iter().collect()), ..self }
    }

    /// The same samples, from whose columns these numbers were subtracted; none of them is 0 for all.
    pub(super) fn with_origins(self, origins: &[f64]) -> Self {
        let is_any = origins.iter().any(|&origin| origin != 0.0);
        Self { origins: if is_any { origins.into() } else { [].into() }, ..self }
    }

    /// The same samples, with something to tell about how they were read.
    pub(super) fn with_notes(mut self, notes: impl IntoIterator<Item = DataNote>) -> Self {
        self.notes.extend(notes);
        self
    }

    /// The same samples, with what each was taken from: a user, a device, a recording. A selection of them has no groups.
    ///
    /// # Panics
    /// If there is not one group for each sample.
    #[must_use]
    pub fn with_groups(self, groups: Vec<u32>) -> Self {
        assert_eq!(groups.len(), self.n_samples(), "one group for each sample");
        let breaks: Vec<usize> = changes(&groups).collect();
        Self { groups: Some(groups.into()), ..self }.with_breaks(breaks)
    }

    /// The same samples, of which there are augmented versions. A selection of them has none.
    #[must_use]
    pub fn with_variations(self, variations: impl Variations + 'static) -> Self {
        Self { variations: Some(Arc::new(variations)), ..self }
    }

    /// What makes augmented versions of the samples, if something does.
    pub fn variations(&self) -> Option<&dyn Variations> {
        self.variations.as_deref()
    }

    /// The same samples, the instants of a recording, with the time of each.
    pub(super) fn with_times(self, times: Option<Vec<f64>>) -> Self {
        Self { times: times.map(Into::into), ..self }
    }

    /// The time of each sample, if they are the instants of a recording and its times are known.
    pub(super) fn times(&self) -> Option<&[f64]> {
        self.times.as_deref()
    }

    /// The same samples, windows of a recording whose instants are so far apart.
    pub(super) fn with_interval(self, interval: Option<f64>) -> Self {
        Self { interval, ..self }
    }

    /// The usual time from an instant of the recording to the next, in the unit of its column of times; `None` without one.
    pub fn interval(&self) -> Option<f64> {
        self.interval
    }

    /// Where each window begins in the recording that it was cut from. `None` if the samples are not all windows of a recording.
    pub fn starts(&self) -> Option<&[WindowStart]> {
        self.starts.as_deref()
    }

    /// What each sample was taken from, if [that is known](Self::with_groups).
    pub fn groups(&self) -> Option<&[u32]> {
        self.groups.as_deref()
    }

    /// What the samples are called: `digits`, or the name of a file.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// Number of samples, N.
    pub fn n_samples(&self) -> usize {
        self.values.n_rows()
    }

    /// Number of features of a sample, D.
    pub fn n_features(&self) -> usize {
        self.values.width()
    }

    /// What the features are.
    pub fn layout(&self) -> Layout {
        self.layout
    }

    /// The size of the images, if the samples are images.
    pub fn image(&self) -> Option<ImageShape> {
        match self.layout {
            Layout::Images(shape) => Some(shape),
            Layout::Table | Layout::Windows { .. } | Layout::Features => None,
        }
    }

    /// The size of the windows, if the samples are windows of a recording: an image of one row, with a pixel for each instant.
    pub fn instants(&self) -> Option<ImageShape> {
        match self.layout {
            Layout::Windows { channels } => {
                Some(ImageShape { channels, height: 1, width: self.n_features() / channels.max(1) })
            }
            Layout::Table | Layout::Images(_) | Layout::Features => None,
        }
    }

    /// One count in the data's unit, if all values are integers times that: 1 where they are integers, whatever they were
    /// written as.
    ///
    /// ```
    /// use edgemix::data::Samples;
    ///
    /// assert_eq!(Samples::new("degrees", vec![240.0, 251.0], 1).count(), Some(1.0));
    /// assert_eq!(Samples::new("degrees", vec![240.5, 251.0], 1).count(), None);
    /// ```
    pub fn count(&self) -> Option<f32> {
        self.count.or(self.survey.range().are_integers.then_some(1.0))
    }

    /// The name of a column, which is a feature of a table or a channel of windows; its index where columns have no names.
    pub fn column_name(&self, column: usize) -> String {
        let name = self.column_names.as_ref().and_then(|names| names.get(column)).cloned();
        name.unwrap_or_else(|| column.to_string())
    }

    /// The column of a feature: the feature itself, or its channel in windows.
    pub(crate) fn column_of(&self, feature: usize) -> usize {
        match self.layout {
            Layout::Windows { channels } => feature % channels.max(1),
            Layout::Table | Layout::Images(_) | Layout::Features => feature,
        }
    }

    /// The names of the columns, if they have any.
    pub(super) fn column_names(&self) -> &[String] {
        self.column_names.as_deref().unwrap_or_default()
    }

    /// What was subtracted from the values of each column that was read before they were rounded to f32; empty if nothing
    /// was. The differences are the samples.
    pub fn origins(&self) -> &[f64] {
        &self.origins
    }

    /// What was decided when they were read, for people to check.
    pub fn notes(&self) -> &[DataNote] {
        &self.notes
    }

    /// SHA-256 of the shape and the values.
    pub fn fingerprint(&self) -> [u8; 32] {
        self.fingerprint
    }

    /// Checks that values that are read from the user's file each time are still those of the first time.
    ///
    /// # Errors
    /// [`DataError::Changed`] if they are not, and [`DataError::Io`] if the file can't be read.
    pub fn check_unchanged(&self) -> Result<(), DataError> {
        let Some(path) = self.values.path_in_place() else { return Ok(()) };
        let found = Self::from_values(self.name.clone(), self.values.clone())?;
        if found.fingerprint == self.fingerprint { Ok(()) } else { Err(DataError::Changed { path: path.into() }) }
    }

    /// The columns that have no value at all, where values may be missing.
    pub(super) fn empty_columns(&self) -> impl Iterator<Item = usize> {
        let ranges = &self.survey.ranges;
        // NaN is neither less nor greater than anything.
        (0..ranges.len()).filter(|&column| ranges[column].least > ranges[column].greatest)
    }

    /// What was found by the pass over all values.
    pub(super) fn survey(&self) -> &Survey {
        &self.survey
    }

    /// Whether the values are in memory. Those that are not are read from a file each time that they are asked for.
    pub fn are_in_memory(&self) -> bool {
        self.values.is_in_memory()
    }

    /// The values of some samples that follow each other, row-major.
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
    /// If the file that holds the values can't be read.
    ///
    /// # Panics
    /// If the range ends beyond the last sample.
    pub fn chunk(&self, range: Range<usize>) -> Result<Cow<'_, [f32]>, DataError> {
        self.values.chunk(range)
    }

    /// The values of all samples, `n` samples at a time.
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
    /// If the file that holds the values can't be read.
    pub fn chunks(&self, n: usize) -> impl Iterator<Item = Result<Cow<'_, [f32]>, DataError>> {
        chunks(&self.values, n)
    }

    /// The values of all samples, as many samples at a time as are quick to read.
    pub(crate) fn blocks(&self) -> impl Iterator<Item = Result<Cow<'_, [f32]>, DataError>> {
        self.chunks(rows_of_a_block(self.n_features()))
    }

    /// The values of all samples at once, for an algorithm that can't work on a part.
    ///
    /// # Errors
    /// If the file that holds the values can't be read.
    pub fn all(&self) -> Result<Cow<'_, [f32]>, DataError> {
        self.values.chunk(0..self.n_samples())
    }

    /// The values of the samples with these indices, row-major.
    ///
    /// # Errors
    /// If the file that holds the values can't be read.
    ///
    /// # Panics
    /// If an index is `n_samples` or more.
    pub fn gather(&self, indices: &[usize]) -> Result<Vec<f32>, DataError> {
        self.values.gather(indices.iter().copied())
    }
}

fn rows_of_a_block(n_features: usize) -> usize {
    (BLOCK / n_features.max(1)).max(1)
}

/// All rows, `n` at a time.
fn chunks(values: &Values, n: usize) -> impl Iterator<Item = Result<Cow<'_, [f32]>, DataError>> {
    let (total, n) = (values.n_rows(), n.max(1));
    (0..total).step_by(n).map(move |first| values.chunk(first..total.min(first + n)))
}
