//! A square window that moves over an image: the geometry of convolutions and poolings.

use serde::{Deserialize, Serialize};

use crate::data::ImageShape;

/// The largest size of an image, window, stride or padding, and the largest number of channels.
const LARGEST: usize = u16::MAX as usize;

/// A square window that moves over an image in steps of `stride`, with `padding` zeros beyond each border.
///
/// ```
/// use edgemix::data::ImageShape;
/// use edgemix::trained::Window;
///
/// let image = ImageShape { channels: 3, height: 28, width: 28 };
/// let window = Window { size: 4, stride: 2, padding: 0 };
/// assert_eq!(window.output(image, 50), Some(ImageShape { channels: 50, height: 13, width: 13 }));
/// // A window that is larger than the image has no position.
/// assert_eq!(Window { size: 29, ..window }.output(image, 50), None);
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Window {
    /// Rows and columns of the window.
    pub size: usize,
    /// Pixels from one position of the window to the next.
    pub stride: usize,
    /// Zeros beyond each border of the image.
    pub padding: usize,
}

impl Window {
    /// The image that has a pixel of `channels` values for each position of the window over `input`; `None` if the window
    /// does not fit, if the padding is at least as large as the window, or if a size is 0.
    pub fn output(self, input: ImageShape, channels: usize) -> Option<ImageShape> {
        let (height, width) = (self.positions(input.height)?, self.positions(input.width)?);
        (channels > 0 && input.channels > 0).then_some(ImageShape { channels, height, width })
    }

    /// Positions of the window along `length` pixels.
    fn positions(self, length: usize) -> Option<usize> {
        let padded = self.padding.checked_mul(2)?.checked_add(length)?;
        let room = padded.checked_sub(self.size)?;
        (self.stride > 0 && self.size > self.padding && length > 0).then(|| room / self.stride + 1)
    }

    /// The pixels under the window at an output pixel, row by row: where their channels begin in `input`'s values, or
    /// `None` in the padding.
    pub(super) fn pixels(self, input: ImageShape, row: usize, column: usize) -> impl Iterator<Item = Option<usize>> {
        let Self { size, stride, padding } = self;
        let inside = move |output: usize, tap: usize, length: usize| {
            (output * stride + tap).checked_sub(padding).filter(|&at| at < length)
        };
        (0..size * size).map(move |tap| {
            let (y, x) = inside(row, tap / size, input.height).zip(inside(column, tap % size, input.width))?;
            Some((y * input.width + x) * input.channels)
        })
    }

    /// Why the window can't move over such an image, if it can't. Sizes are bounded so that no product of them overflows.
    pub(super) fn problem(self, input: ImageShape, channels: usize) -> Option<String> {
        let sizes = [input.channels, input.height, input.width, channels, self.size, self.stride, self.padding];
        let is_possible = sizes.iter().all(|&size| size <= LARGEST) && self.output(input, channels).is_some();
        (!is_possible).then(|| format!("an impossible window, {self:?} over {input:?} to {channels} channels"))
    }
}
