//! How the features of a sample form an image.

use serde::{Deserialize, Serialize};

/// The size of an image. Its values stand row by row, pixel by pixel, the channels of a pixel together.
///
/// ```
/// use edgemix::data::ImageShape;
///
/// assert_eq!(ImageShape { channels: 3, height: 4, width: 5 }.n_values(), 60);
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ImageShape {
    /// Values of a pixel: 1 for grey images, 3 for red, green and blue.
    pub channels: usize,
    /// Number of rows.
    pub height: usize,
    /// Number of columns.
    pub width: usize,
}

impl ImageShape {
    /// Number of values of an image.
    pub fn n_values(&self) -> usize {
        self.channels * self.height * self.width
    }
}
