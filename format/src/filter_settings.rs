//! A filter for a writer. Feature `alloc`.

use alloc::vec::Vec;

use crate::blob::Blob;
use crate::description::FilterRecord;
use crate::error::Fault;
use crate::parts::filter::Filter;

/// A filter that owns its sections.
///
/// ```
/// use edgemix_format::write::FilterSettings;
///
/// // Each output is a quarter of the input and three quarters of the output before; every second one is kept.
/// let one = 1 << 30;
/// let sections = vec![[one / 4, 0, 0, one / 4 * 3, 0]];
/// let settings = FilterSettings { instants: 100, channels: 3, factor: 2, sections };
/// assert!(settings.filter().check().is_ok());
/// assert_eq!((settings.filter().inputs(), settings.filter().outputs()), (300, 150));
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FilterSettings {
    /// Instants of a window.
    pub instants: usize,
    /// Channels of an instant.
    pub channels: usize,
    /// The last of so many instants is kept.
    pub factor: usize,
    /// The factors of each section: see [`Filter::sections`].
    pub sections: Vec<[i32; 5]>,
}

impl FilterSettings {
    /// The filter as a reader sees it.
    pub fn filter(&self) -> Filter<'_> {
        let Self { instants, channels, factor, ref sections } = *self;
        Filter { instants, channels, factor, sections }
    }

    /// Appends the sections to a blob and gives the record that refers to them.
    ///
    /// # Errors
    /// What a reader would refuse.
    pub fn push(&self, blob: &mut Blob) -> Result<FilterRecord, Fault> {
        self.filter().check()?;
        Ok(FilterRecord {
            // The check limits the numbers.
            instants: self.instants as u32,
            channels: self.channels as u16,
            factor: self.factor as u16,
            sections: blob.push(self.sections.as_flattened()),
        })
    }
}
